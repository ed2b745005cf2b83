/* pipeline/config/columns.h -- columns as a mapping, of data and of targets: names, and what is said of each.
 *
 *   columns: {mass: {support: positive}, n: {step: 1}, share: [0, 1], x: {}}
 *   columns: [{mass: positive}, {n: {step: 1}}]
 *
 * The order of columns counts, and JSON that is kept has the keys of its objects sorted: there they are a list. */
#ifndef PIPELINE_CONFIG_COLUMNS_H
#define PIPELINE_CONFIG_COLUMNS_H

#include "pipeline/config/schema.h"
#include "pipeline/config/walk.h"

/* Whether a value is such a mapping, or such a list, and no list of names. */
bool columns_are_told(const value_source *from, const yaml_node_t *node);

/* Reads one into data.columns and data.kinds; key is the row of data.columns. False, with
 * complaints, if something is wrong with it. */
bool columns_read(config *self, const flow_key *key, const value_source *from,
                  const yaml_node_t *node);

/* The columns of a target, whose key it is and which stand at path, as an object: a new reference, NULL after complaints. */
json_t *columns_of_density(const flow_key *key, const char *path, const value_source *from,
                           const yaml_node_t *node);

/* data.columns as a list, [{"mass": {"support": [0.0, "inf"], "step": 0.0, ...}}, ...]: a new reference. */
json_t *columns_json(const config *self);

#endif
