#include "pipeline/command/explain.h"

#include "flow/suggest.h"
#include "pipeline/config/schema.h"
#include "pipeline/stages/stage.h"

#include <assert.h>
#include <string.h>

enum { WIDTH = 80, LABEL = 10, NAME = 17, DEFAULT = 12, MARGIN = 2 };

/* Writes text word by word; the cursor is at column `column`, further lines start at `indent`. */
static void wrap(FILE *to, const char *text, size_t column, size_t indent)
{
    for (bool first = true; *text; first = false) {
        size_t size = strcspn(text, " ");
        if (!first && column + 1 + size > WIDTH) {
            fprintf(to, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            putc(' ', to);
            column++;
        }
        fwrite(text, 1, size, to);
        column += size;
        text += size + (text[size] == ' ');
    }
    putc('\n', to);
}

static void labelled(FILE *to, const char *label, const char *text)
{
    fprintf(to, "%*s%-*s", MARGIN, "", LABEL, label);
    wrap(to, text, MARGIN + LABEL, MARGIN + LABEL);
}

static void paragraph(FILE *to, const char *text)
{
    fprintf(to, "%*s", MARGIN, "");
    wrap(to, text, MARGIN, MARGIN);
}

/* ---- one key */

static void list_choices(FILE *to, const schema_key *key)
{
    size_t longest = 0;
    for (size_t i = 0; schema_choice(key, i).name; i++)
        if (strlen(schema_choice(key, i).name) > longest)
            longest = strlen(schema_choice(key, i).name);
    for (size_t i = 0; schema_choice(key, i).name; i++) {
        config_choice choice = schema_choice(key, i);
        size_t indent = MARGIN + LABEL + longest + 2;
        fprintf(to, "%*s%-*s", MARGIN + LABEL, "", (int)longest + 2, choice.name);
        wrap(to, choice.doc, indent, indent);
    }
}

static void one_figure(FILE *to, gate_figure figure, const char *home)
{
    const gate_info *info = &gate_figures[figure];
    fprintf(to, "%s.%s\n", home, info->name);
    paragraph(to, info->doc);
    labelled(to, "wants",
             info->small_is_good ? "\"< BOUND\" or \"<= BOUND\"" : "\"> BOUND\" or \">= BOUND\"");
    if (info->unit)
        labelled(to, "unit", info->unit);
}

static void list_figures(FILE *to)
{
    fprintf(to, "%*sfigures\n", MARGIN, "");
    for (size_t i = 0; i < GATE_COUNT; i++) {
        fprintf(to, "%*s%s  %s\n%*s", 2 * MARGIN, "", gate_figures[i].name,
                gate_figures[i].small_is_good ? "<" : ">", 4 * MARGIN, "");
        wrap(to, gate_figures[i].doc, 4 * MARGIN, 4 * MARGIN);
    }
}

static void list_stages(FILE *to, const char *path)
{
    char text[160] = "";
    for (size_t i = 0; i < STAGE_COUNT; i++)
        if (stage_reads(stages[i], path)) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", stages[i]->name);
        }
    labelled(to, "changes", *text ? text : "no result");
}

static void one_key(FILE *to, const schema_key *key)
{
    char wants[512];
    schema_wants(wants, sizeof wants, key);
    fprintf(to, "%s\n", key->path);
    paragraph(to, key->doc);
    labelled(to, "wants", wants);
    if (key->type == SCHEMA_ENUM)
        list_choices(to, key);
    if (key->type == SCHEMA_GATES)
        list_figures(to);
    labelled(to, "default",
             key->def                       ? key->def
             : key->flags & SCHEMA_REQUIRED ? "none: it must be given"
                                            : "none");
    if (key->unit)
        labelled(to, "unit", key->unit);
    if (key->only)
        labelled(to, "only if", key->only);
    list_stages(to, key->path);
}

/* ---- sections */

static bool directly_below(const char *path, const char *section)
{
    size_t skip = *section ? strlen(section) + 1 : 0;
    return schema_below(path, section) && !strchr(path + skip, '.');
}

static void key_line(FILE *to, const schema_key *key)
{
    const char *dot = strrchr(key->path, '.'), *name = dot ? dot + 1 : key->path;
    const char *end = strstr(key->doc, ". ");
    char first[256];
    snprintf(first, sizeof first, "%.*s", end ? (int)(end + 1 - key->doc) : 255, key->doc);
    size_t indent = MARGIN + NAME + DEFAULT;
    fprintf(to, "%*s%-*s%-*s", MARGIN, "", NAME, name, DEFAULT, key->def ? key->def : "-");
    wrap(to, first, indent, indent);
}

static void one_section(FILE *to, const schema_section *section)
{
    bool headed = false;
    for (size_t i = 0; i < schema_n_keys; i++) {
        if (!directly_below(schema_keys[i].path, section->path))
            continue;
        const char *colon = *section->path ? ": " : "";
        if (!headed) {
            fprintf(to, "%s%s", section->path, colon);
            wrap(to, section->doc, strlen(section->path) + strlen(colon), 2 * MARGIN);
        }
        headed = true;
        key_line(to, &schema_keys[i]);
    }
    if (headed)
        putc('\n', to);
}

static void sections_below(FILE *to, const char *path)
{
    fprintf(to, "%*s%-*s%-*s%s\n\n", MARGIN, "", NAME, "key", DEFAULT, "default", "meaning");
    for (const schema_section *at = schema_sections; at->path; at++)
        if (schema_below(at->path, path) || strcmp(at->path, path) == 0)
            one_section(to, at);
    fputs("distill explain KEY tells more about one of them.\n", to);
}

/* ---- anything else */

/* The keys whose last name is, or looks like, that of path. */
static int unknown(const char *path, flow_err *err)
{
    enum { MOST = 128 };
    const char *names[MOST] = {NULL}, *paths[MOST] = {NULL};
    assert(schema_n_keys <= MOST);
    const char *dot = strrchr(path, '.'), *name = dot ? dot + 1 : path;
    for (size_t i = 0; i < schema_n_keys; i++) {
        const char *last = strrchr(schema_keys[i].path, '.');
        names[i] = last ? last + 1 : schema_keys[i].path;
        paths[i] = schema_keys[i].path;
    }
    const char *near = flow_suggest(name, names, schema_n_keys);
    const char *near_path = flow_suggest(path, paths, schema_n_keys);
    char list[512] = "";
    for (size_t i = 0; i < schema_n_keys; i++)
        if (near_path ? strcmp(paths[i], near_path) == 0 : near && strcmp(names[i], near) == 0) {
            size_t used = strlen(list);
            snprintf(list + used, sizeof list - used, "%s%s", used ? " or " : "; did you mean ",
                     paths[i]);
        }
    return flow_fail(err, FLOW_EUSAGE, "there is no key '%.100s'%s", path, list);
}

int explain(FILE *to, const char *path, flow_err *err)
{
    const schema_key *key = path ? schema_find(path) : NULL;
    if (key) {
        one_key(to, key);
        return FLOW_OK;
    }
    if (!path || (*path && schema_is_section(path))) {
        sections_below(to, path ? path : "");
        return FLOW_OK;
    }
    for (size_t i = 0; i < schema_n_keys; i++) {
        const char *home = schema_keys[i].path;
        if (schema_keys[i].type != SCHEMA_GATES || !schema_below(path, home))
            continue;
        gate_figure figure = gate_find(path + strlen(home) + 1);
        if (figure != GATE_COUNT) {
            one_figure(to, figure, home);
            return FLOW_OK;
        }
    }
    return unknown(path, err);
}
