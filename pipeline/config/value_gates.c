/* pipeline/config/value_gates.c -- bounds of validate.require. */
#include "pipeline/config/value.h"

#include <stdio.h>

static config_gates *gates_of(config *self, const flow_key *key)
{
    return (config_gates *)(void *)((char *)self + key->offset);
}

void value_drop_gate(config *self, const flow_key *key, gate_figure figure)
{
    config_gates *list = gates_of(self, key);
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->at[i].figure != figure)
            list->at[kept++] = list->at[i];
    list->n = kept;
}

bool value_read_gate(config *self, const flow_key *key, gate_figure figure,
                     const value_source *from, const yaml_node_t *node)
{
    char path[SCHEMA_MAX_PATH];
    flow_key one = *key;
    one.wants =
        gate_figures[figure].small_is_good ? "a bound like \"< 0.5\"" : "a bound like \"> 0.5\"";
    snprintf(path, sizeof path, "%s.%s", key->name, gate_figures[figure].name);
    const char *text = value_text(&one, path, from, node);
    if (!text)
        return false;
    gate bound;
    flow_err err = FLOW_ERR_INIT;
    if (gate_parse(&bound, figure, text, &err)) {
        complain(from->out, E_TYPE, yaml_tree_place(from->tree, node), NULL, "%s.%s", key->name,
                 err.text);
        return false;
    }
    value_drop_gate(self, key, figure);
    config_gates *list = gates_of(self, key);
    list->at[list->n++] = bound;
    return true;
}
