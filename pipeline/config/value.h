/* pipeline/config/value.h -- one value of the configuration: from YAML into its field. */
#ifndef PIPELINE_CONFIG_VALUE_H
#define PIPELINE_CONFIG_VALUE_H

#include "pipeline/config/schema.h"
#include "pipeline/config/yaml.h"

/* Where values come from while one source is read. */
typedef struct value_source {
    const yaml_tree *tree;
    const char *dir; /* what SCHEMA_FILE paths are relative to */
    complaints *out;
} value_source;

/* Reads node into the field of key. False, with complaints, if it is not what the row asks for.
 * Not for SCHEMA_GATES: see value_read_gate. */
bool value_read(config *self, const schema_key *key, const value_source *from,
                const yaml_node_t *node);

/* Reads node as the bound of one figure and adds it to the list of key, or replaces it there. */
bool value_read_gate(config *self, const schema_key *key, gate_figure figure,
                     const value_source *from, const yaml_node_t *node);

/* Takes the bound of one figure out. */
void value_drop_gate(config *self, const schema_key *key, gate_figure figure);

/* The plain word null, or ~. No key takes it; overlays use it to take a key back. */
bool value_is_null(const yaml_node_t *node);

/* The default of the row, or "none". False if out of memory. */
bool value_default(config *self, const schema_key *key);

/* The same for every row, in one go. */
bool value_defaults(config *self);

#endif
