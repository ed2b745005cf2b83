/* pipeline/config/value.h -- one value of the configuration: from YAML into its field. */
#ifndef PIPELINE_CONFIG_VALUE_H
#define PIPELINE_CONFIG_VALUE_H

#include "pipeline/config/schema.h"
#include "pipeline/config/walk.h"

/* Reads node into the field of key. False, with complaints, if it is not what the row asks for.
 * Not for FLOW_KEY_OWN (see value_read_gate) and FLOW_KEY_KIND (see tagged.h). */
bool value_read(config *self, const flow_key *key, const value_source *from,
                const yaml_node_t *node);

/* Reads node, which stands at path, into the field of key in options. False after complaints. For what needs no
 * memory: not TEXT, NAMES, OWN, KIND. */
bool value_into(void *options, const flow_key *key, const char *path, const value_source *from,
                const yaml_node_t *node);

/* An OWN key of a kind: numbers and lists of them, at most so deep; what they mean the kind itself says. */
enum { VALUE_OWN_DEPTH = 3 };

/* Reads node as the value of a key of a kind, which stands at path: a new reference, NULL after
 * complaints. Not for KIND, KINDS, TEXT and NAMES. */
json_t *value_json(const flow_key *key, const char *path, const value_source *from,
                   const yaml_node_t *node);

/* E_TYPE, E_ENUM or E_RANGE: "PATH wants WANTS, got GOT". Always false. */
bool value_reject(const flow_key *key, const char *path, const value_source *from,
                  const yaml_node_t *node, complaint_code code, const char *help);

/* The text of a scalar, or NULL after a complaint. */
const char *value_text(const flow_key *key, const char *path, const value_source *from,
                       const yaml_node_t *node);

/* "did you mean 'spline'?" or NULL. */
const char *value_suggest(char *help, size_t size, const flow_key *key, const char *text);

/* Reads node as the bound of one figure and adds it to the list of key, or replaces it there. */
bool value_read_gate(config *self, const flow_key *key, gate_figure figure,
                     const value_source *from, const yaml_node_t *node);

/* Takes the bound of one figure out. */
void value_drop_gate(config *self, const flow_key *key, gate_figure figure);

/* The plain word null, or ~. No key takes it; overlays use it to take a key back. */
bool value_is_null(const yaml_node_t *node);

/* The default of the row, or "none". False if out of memory. */
bool value_default(config *self, const flow_key *key);

/* The same for every row, in one go. */
bool value_defaults(config *self);

#endif
