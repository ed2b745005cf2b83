/* pipeline/config/yaml.h -- a strict reading of YAML: one document of plain mappings, lists and scalars.
 *
 * Anchors, aliases, tags, %TAG and further documents are refused, as are more than YAML_MAX_BYTES,
 * YAML_MAX_DEPTH levels or YAML_MAX_NODES values. Merge keys and duplicate keys are for the walk of
 * the schema to see. */
#ifndef PIPELINE_CONFIG_YAML_H
#define PIPELINE_CONFIG_YAML_H

#include "pipeline/config/complain.h"

#include <yaml.h>

enum { YAML_MAX_BYTES = 1 << 20, YAML_MAX_DEPTH = 32, YAML_MAX_NODES = 10000 };

typedef struct yaml_tree {
    yaml_document_t document;
    size_t source; /* of its complaints */
    bool whole;    /* complaints name the source but no line: a --set */
} yaml_tree;

/* Parses text (size bytes), registered as `source`. False, with complaints and nothing to free, if
 * it is refused. */
bool yaml_tree_load(yaml_tree *self, complaints *out, size_t source, bool whole, const char *text,
                    size_t size);
void yaml_tree_free(yaml_tree *self);

/* The top value; NULL if the document is empty. */
const yaml_node_t *yaml_tree_root(const yaml_tree *self);

/* The node of that number: an item, key or value of another. */
const yaml_node_t *yaml_tree_node(const yaml_tree *self, int number);

/* Where a node stands. */
place yaml_tree_place(const yaml_tree *self, const yaml_node_t *node);

/* The text of a scalar, which ends in NUL and may hold NUL; its length in *size. */
const char *yaml_text(const yaml_node_t *node, size_t *size);

/* A scalar without quotes and not a block: one whose text may mean a number, true or null. */
bool yaml_is_plain(const yaml_node_t *node);

#endif
