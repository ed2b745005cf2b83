/* pipeline/config/walk.h -- the pairs of a YAML mapping, one after the other, and what is wrong with a
 * name among them. */
#ifndef PIPELINE_CONFIG_WALK_H
#define PIPELINE_CONFIG_WALK_H

#include "pipeline/config/yaml.h"

/* Where values come from while one source is read. */
typedef struct value_source {
    const yaml_tree *tree;
    const char *dir; /* what FLOW_KEY_FILE paths are relative to */
    complaints *out;
} value_source;

/* What to do with one pair of a mapping that stands at path ("" is the top). */
typedef void walk_pair(void *arg, const char *path, const value_source *from,
                       const yaml_node_t *key, const yaml_node_t *value);

/* Hands every pair whose key is good to `take`: a word, not a merge key, not there already; complains of
 * the others. False, after a complaint, if node is no mapping. */
bool walk(const value_source *from, const char *path, const yaml_node_t *node, walk_pair *take,
          void *arg);

/* E_UNKNOWN: `name` (of that size, as written) is not among the names (n) that may stand in section.
 * `homes`: where it would belong, "it is a key of ...", or "". */
void walk_unknown(complaints *out, place at, const char *section, const char *name, size_t size,
                  const char *const *names, size_t n, const char *homes);

/* "did you mean 'x'? " or "", behind what help holds; then TITLE and the names. */
void walk_suggest(char *help, size_t size, const char *word, const char *title,
                  const char *const *names, size_t n);

#endif
