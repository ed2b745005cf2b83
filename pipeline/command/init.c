#define _XOPEN_SOURCE 700 /* realpath */

#include "pipeline/command/init.h"

#include "files/atomic.h"
#include "flow/suggest.h"
#include "pipeline/command/init_table.h"
#include "pipeline/config/json_schema.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/shell_word.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 4096, MOST = 16 };

/* ---- which */

static int find_kind(const init_kind **out, const char *name, flow_err *err)
{
    const char *names[MOST] = {NULL};
    size_t n = 0;
    for (*out = init_kinds; (*out)->name; (*out)++) {
        if (strcmp((*out)->name, name) == 0)
            return FLOW_OK;
        names[n++] = (*out)->name;
    }
    const char *near = flow_suggest(name, names, n);
    char list[256] = "";
    for (size_t i = 0; i < n; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
    return flow_fail(err, FLOW_EUSAGE,
                     "there is no config '%.60s' to begin with%s%s%s; there are %s", name,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", list);
}

static int choose(const init_kind **out, const init_options *o, flow_err *err)
{
    const char *name = o->kind ? o->kind : o->data ? "table" : init_kinds[0].name;
    if (find_kind(out, name, err))
        return err->code;
    if (!(*out)->text && !o->data)
        return flow_fail(err, FLOW_EUSAGE, "%s wants --data FILE, a .csv or .npy", name);
    if ((*out)->text && o->data)
        return flow_fail(err, FLOW_EUSAGE,
                         "%s has no use for --data: distill init table --data FILE", name);
    return FLOW_OK;
}

/* "events.yaml" for data/events.csv, "moons.yaml" for moons. */
static const char *name_file(char *out, size_t size, const init_options *o, const init_kind *kind)
{
    const char *slash = o->data ? strrchr(o->data, '/') : NULL;
    const char *stem = slash ? slash + 1 : o->data ? o->data : kind->name;
    const char *dot = strrchr(stem, '.');
    int length = dot && dot > stem ? (int)(dot - stem) : (int)strlen(stem);
    if (o->output)
        return o->output;
    snprintf(out, size, "%.*s.yaml", length, stem);
    return out;
}

/* ---- writing */

/* A file that is there is never written over. */
static int write_new(const char *path, const char *text, flow_err *err)
{
    struct stat is;
    if (lstat(path, &is) == 0)
        return flow_fail(err, FLOW_ECREATE, "%s is there already; -o FILE writes another", path);
    return file_atomic_write(path, text, strlen(text), err);
}

/* The schema beside the config, where there is none: what its first line names. path (PATH): of the file that was made, or empty. */
static int write_schema(char *path, const char *config, flow_err *err)
{
    const char *slash = strrchr(config, '/');
    int folder = slash ? (int)(slash + 1 - config) : 0;
    int n = snprintf(path, PATH, "%.*s" JSON_SCHEMA_FILE, folder, config);
    if (n >= PATH || access(path, F_OK) == 0) {
        *path = '\0';
        return FLOW_OK;
    }
    char *text = json_schema_text();
    int code = text ? write_new(path, text, err) : flow_fail(err, FLOW_ENOMEM, "out of memory");
    free(text);
    return code;
}

/* What the config calls the table: paths in it are relative to where it is. */
static int path_of_data(char *out, const char *data, const char *config, flow_err *err)
{
    char *whole = strchr(config, '/') ? realpath(data, NULL) : NULL;
    int n = snprintf(out, PATH, "%s", whole ? whole : data);
    free(whole);
    return n < PATH ? FLOW_OK : flow_fail(err, FLOW_ENOINPUT, "%.100s...: too long a path", data);
}

static int put_text(FILE *to, const init_options *o, const init_kind *kind, const char *path,
                    flow_err *err)
{
    char data[PATH];
    fputs("# yaml-language-server: $schema=./" JSON_SCHEMA_FILE "\nschema: 1\n", to);
    if (kind->text)
        return fputs(kind->text, to) < 0 ? flow_fail(err, FLOW_ENOMEM, "out of memory") : FLOW_OK;
    if (path_of_data(data, o->data, path, err))
        return err->code;
    return init_table(to, o->data, data, o->header, err);
}

static int write_config(const init_options *o, const init_kind *kind, const char *path,
                        flow_err *err)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return flow_fail(err, FLOW_ENOMEM, "out of memory");
    int code = put_text(to, o, kind, path, err);
    if (fclose(to) != 0 && !code)
        code = flow_fail(err, FLOW_ENOMEM, "out of memory");
    if (!code)
        code = write_new(path, text, err);
    free(text);
    return code;
}

static void tell_next(const char *config, const char *schema)
{
    if (*schema)
        fprintf(stderr, "beside it: %s, from which editors know every key\n", schema);
    fputs("next: distill run ", stderr);
    shell_word(stderr, config);
    putc('\n', stderr);
}

int init_verb(const init_options *options)
{
    char room[PATH], schema[PATH];
    const init_kind *kind;
    flow_err err = FLOW_ERR_INIT;
    if (choose(&kind, options, &err))
        return exit_fail(&err);
    const char *path = name_file(room, sizeof room, options, kind);
    if (write_config(options, kind, path, &err))
        return exit_fail(&err);
    if (write_schema(schema, path, &err)) {
        unlink(path); /* so that the same command can be tried again */
        return exit_fail(&err);
    }
    printf("%s\n", path);
    tell_next(path, schema);
    return EXIT_GOOD;
}
