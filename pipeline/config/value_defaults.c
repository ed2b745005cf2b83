/* pipeline/config/value_defaults.c -- defaults of the table's rows, which are text with the syntax of a value. */
#include "pipeline/config/field.h"
#include "pipeline/config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads text as one YAML value and passes it to `then`. False if something is wrong with it: a bug
 * in the table, which tests/pipeline/schema.c finds, or no memory. */
static bool read_text(config *self, const flow_key *key, const char *text,
                      bool (*then)(config *, const flow_key *, const value_source *,
                                   const yaml_node_t *))
{
    complaints *out = complaints_create();
    yaml_tree tree;
    bool good = out && yaml_tree_load(&tree, out, 0, true, text, strlen(text));
    if (good) {
        const value_source from = {&tree, "", out};
        good = then(self, key, &from, yaml_tree_root(&tree));
        yaml_tree_free(&tree);
    }
    complaints_free(out);
    return good;
}

/* A section of a kind gets its own when all sources are read (tagged.h). */
static bool has_default(const flow_key *key)
{
    return key->def && key->type != FLOW_KEY_KIND;
}

bool value_default(config *self, const flow_key *key)
{
    field_clear(self, key);
    return !has_default(key) || read_text(self, key, key->def, value_read);
}

/* Item k of the list is the default of the k-th row that has one. */
static bool read_defaults(config *self, const flow_key *key, const value_source *from,
                          const yaml_node_t *list)
{
    const yaml_node_item_t *at = list->data.sequence.items.start;
    const yaml_node_item_t *end = list->data.sequence.items.top;
    bool good = list->type == YAML_SEQUENCE_NODE;
    (void)key;
    for (size_t i = 0; good && i < schema_n_keys; i++)
        if (has_default(&schema_keys[i]))
            good = at < end &&
                   value_read(self, &schema_keys[i], from, yaml_tree_node(from->tree, *at++));
    return good && at == end;
}

bool value_defaults(config *self)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return false;
    for (size_t i = 0, n = 0; i < schema_n_keys; i++) {
        field_clear(self, &schema_keys[i]);
        if (has_default(&schema_keys[i]))
            fprintf(to, "%s%s", n++ ? ", " : "[", schema_keys[i].def);
    }
    fputs("]", to);
    bool good = fclose(to) == 0 && read_text(self, schema_keys, text, read_defaults);
    free(text);
    return good;
}
