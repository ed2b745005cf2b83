#include "pipeline/export/export.h"

#include "files/atomic.h"

#include <ctype.h>
#include <string.h>

extern const export_kind export_c, export_c_header;

const export_kind *const export_kinds[] = {&export_c, &export_c_header, NULL};

int export_find(const export_kind **out, const char *name, flow_err *err)
{
    char all[128] = "";
    for (size_t i = 0; export_kinds[i]; i++) {
        if (strcmp(export_kinds[i]->name, name) == 0) {
            *out = export_kinds[i];
            return 0;
        }
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "",
                 export_kinds[i]->name);
    }
    return flow_fail(err, FLOW_EUSAGE, "--to wants one of %s, got '%.60s'", all, name);
}

/* ---- names */

enum { STEM_MAX = 64 };

static int is_reserved(const char *word)
{
    static const char *const words[] = {
        "alignas",  "alignof",  "and",       "asm",       "auto",         "bitand",
        "bitor",    "bool",     "break",     "case",      "catch",        "char",
        "class",    "compl",    "const",     "constexpr", "continue",     "decltype",
        "default",  "delete",   "do",        "double",    "else",         "enum",
        "explicit", "export",   "extern",    "false",     "float",        "for",
        "friend",   "goto",     "if",        "inline",    "int",          "long",
        "main",     "mutable",  "namespace", "new",       "noexcept",     "not",
        "nullptr",  "operator", "or",        "private",   "public",       "register",
        "restrict", "return",   "short",     "signed",    "sizeof",       "static",
        "struct",   "switch",   "template",  "this",      "thread_local", "throw",
        "true",     "try",      "typedef",   "typename",  "union",        "unsigned",
        "using",    "virtual",  "void",      "volatile",  "while",        "xor",
        NULL};
    size_t i = 0;
    while (words[i] && strcmp(words[i], word) != 0)
        i++;
    return words[i] != NULL;
}

int export_check_stem(const char *stem, flow_err *err)
{
    size_t n = strlen(stem), good = 0;
    while (good < n && (isalnum((unsigned char)stem[good]) || stem[good] == '_') &&
           (unsigned char)stem[good] < 128)
        good++;
    if (n > 0 && n <= STEM_MAX && good == n && isalpha((unsigned char)stem[0]) &&
        !is_reserved(stem))
        return 0;
    return flow_fail(err, FLOW_EUSAGE,
                     "'%.60s' is no name for a function: it wants letters, digits and _, a letter "
                     "first, %d at most, and no word of C or C++; --name gives another",
                     stem, STEM_MAX);
}

/* "dir/moons.c": moons. */
static void stem_of(char out[STEM_MAX + 2], const char *path, const char *suffix)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    size_t n = strlen(name), cut = strlen(suffix);
    if (n > cut && strcmp(name + n - cut, suffix) == 0)
        n -= cut;
    snprintf(out, STEM_MAX + 2, "%.*s", (int)(n < STEM_MAX + 1 ? n : STEM_MAX + 1), name);
}

/* ---- the file */

int export_file(const export_kind *kind, const flow_model *model, const char *path,
                const char *stem, flow_err *err)
{
    char own[STEM_MAX + 2];
    stem_of(own, path, kind->suffix);
    if (export_check_stem(stem ? stem : own, err))
        return err->code;
    file_atomic *file = file_atomic_open(path, err);
    if (!file)
        return err->code;
    int code = kind->write(file_atomic_file(file), model, stem ? stem : own, err);
    if (!code)
        return file_atomic_commit(file, err);
    file_atomic_discard(file);
    return code;
}
