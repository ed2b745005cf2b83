#include "pipeline/config/said.h"

#include "pipeline/config/field.h"

#include <stdio.h>
#include <string.h>

struct said {
    const struct said *next;
    const char *key, *name, *source;
    size_t line, column;
};

void said_keep(config *self, const flow_key *key, const char *name, const value_source *from,
               const yaml_node_t *node)
{
    place at = yaml_tree_place(from->tree, node);
    const char *source = complaints_source_name(from->out, at.source);
    struct said *new = field_memory(self, sizeof *new);
    char *kept = new ? field_memory(self, strlen(source) + 1) : NULL;
    if (!kept)
        return;
    *new = (struct said){self->said, key->name, name, strcpy(kept, source), at.line, at.column};
    self->said = new;
}

int said_fail(const config *self, const char *key, const char *name, flow_err *err)
{
    const struct said *at = self->said;
    flow_fail_prefix(err, key);
    while (at && (strcmp(at->key, key) != 0 || strcmp(at->name, name) != 0))
        at = at->next;
    if (!at)
        return err->code;
    char where[sizeof err->text];
    int n = snprintf(where, sizeof where, "%s", at->source);
    if (at->line && n > 0 && (size_t)n < sizeof where)
        snprintf(where + n, sizeof where - (size_t)n, ":%zu:%zu", at->line, at->column);
    return flow_fail_prefix(err, where);
}
