#include "pipeline/command/explain.h"

#include "pipeline/command/explain_kind.h"
#include "pipeline/command/explain_unknown.h"
#include "pipeline/command/tell.h"
#include "pipeline/config/schema.h"
#include "pipeline/config/sweep.h"

#include <string.h>

/* ---- sections */

static bool directly_below(const char *path, const char *section)
{
    size_t skip = *section ? strlen(section) + 1 : 0;
    return schema_below(path, section) && !strchr(path + skip, '.');
}

static void one_section(FILE *to, const schema_section *section)
{
    bool headed = false;
    for (size_t i = 0; i < schema_n_keys; i++) {
        if (!directly_below(schema_keys[i].name, section->path))
            continue;
        const char *colon = *section->path ? ": " : "";
        if (!headed) {
            fprintf(to, "%s%s", section->path, colon);
            tell_wrap(to, section->doc, strlen(section->path) + strlen(colon), 2 * TELL_MARGIN);
        }
        headed = true;
        tell_line(to, &schema_keys[i]);
    }
    if (headed)
        putc('\n', to);
    for (size_t i = 0; i < schema_n_keys; i++)
        if (schema_keys[i].type == FLOW_KEY_KIND &&
            directly_below(schema_keys[i].name, section->path))
            explain_kinds(to, schema_keys[i].name, &schema_keys[i]);
}

static void sections_below(FILE *to, const char *path)
{
    tell_head(to);
    for (const schema_section *at = schema_sections; at->path; at++)
        if (schema_below(at->path, path) || strcmp(at->path, path) == 0)
            one_section(to, at);
    fputs("distill explain KEY tells more about one of them.\n", to);
}

/* ---- anything else */

void explain_each_key(void (*take)(void *arg, const char *path, const flow_key *key), void *arg)
{
    char path[SCHEMA_MAX_PATH];
    for (size_t i = 0; i < schema_n_keys; i++) {
        const flow_key *row = &schema_keys[i];
        take(arg, row->name, row);
        if (row->type == FLOW_KEY_KIND)
            explain_each(row->name, row, take, arg);
        for (size_t f = 0; row->type == FLOW_KEY_OWN && f < GATE_COUNT; f++) {
            snprintf(path, sizeof path, "%s.%s", row->name, gate_figures[f].name);
            take(arg, path, NULL);
        }
    }
}

/* A key or a kind below a section of kinds. */
static bool below_kinds(FILE *to, const char *path)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const flow_key *row = &schema_keys[i];
        if (row->type == FLOW_KEY_KIND && schema_below(path, row->name) &&
            explain_below(to, path, path + strlen(row->name) + 1, row))
            return true;
    }
    return false;
}

/* "target.kind": which there are. */
static bool a_choice(FILE *to, const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && strcmp(dot, ".kind") == 0 && i < schema_n_keys; i++) {
        const flow_key *row = &schema_keys[i];
        if (row->type != FLOW_KEY_KIND || strlen(row->name) != (size_t)(dot - path) ||
            strncmp(row->name, path, strlen(row->name)) != 0)
            continue;
        tell_key(to, row->name, row, row->only);
        explain_kinds(to, row->name, row);
        return true;
    }
    return false;
}

/* What may be said of each item of a list, for any name of an item: "data.columns.step" as well as
 * "data.columns.mass.step". */
static bool below_items(FILE *to, const char *path)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const flow_key *row = &schema_keys[i];
        const char *dot = strrchr(path, '.');
        const flow_key *item =
            row->items && schema_below(path, row->name) ? flow_key_find(row->items, dot + 1) : NULL;
        if (item) {
            tell_key(to, path, item, item->only);
            return true;
        }
    }
    return false;
}

/* A figure, by its whole path or by its name alone. */
static bool a_figure(FILE *to, const char *path)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const char *home = schema_keys[i].name;
        if (schema_keys[i].type != FLOW_KEY_OWN)
            continue;
        gate_figure figure = gate_find(schema_below(path, home) ? path + strlen(home) + 1 : path);
        if (figure != GATE_COUNT) {
            tell_figure(to, figure, home);
            return true;
        }
    }
    return false;
}

/* The section of a sweep, and what is in it. */
static bool a_sweep(FILE *to, const char *path)
{
    static const char section[] = "sweep", select[] = "sweep.select";
    const flow_key *key = sweep_keys;
    if (strcmp(path, section) != 0 && !schema_below(path, section))
        return false;
    const char *name = path + strlen(schema_below(path, select) ? select : section);
    key = *name ? flow_key_find(sweep_keys, name + 1) : NULL;
    if (key) {
        tell_key(to, path, key, NULL);
        return true;
    }
    if (*name && strcmp(path, select) != 0)
        return false;
    fprintf(to, "%s: ", section);
    tell_wrap(to, sweep_doc, strlen(section) + 2, 2 * TELL_MARGIN);
    for (key = sweep_keys; key->name; key++)
        tell_line(to, key);
    return true;
}

int explain(FILE *to, const char *path, flow_err *err)
{
    const flow_key *key = path ? schema_find(path) : NULL;
    if (key) {
        tell_key(to, path, key, key->only);
        if (key->type == FLOW_KEY_KIND)
            explain_kinds(to, key->name, key);
        for (const flow_key *item = key->items; item && item->name; item++)
            tell_line(to, item);
        return FLOW_OK;
    }
    if (!path || (*path && schema_is_section(path))) {
        sections_below(to, path ? path : "");
        return FLOW_OK;
    }
    if (a_choice(to, path) || below_kinds(to, path) || below_items(to, path) ||
        a_figure(to, path) || a_sweep(to, path))
        return FLOW_OK;
    return explain_unknown(path, err);
}
