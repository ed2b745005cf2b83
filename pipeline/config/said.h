/* pipeline/config/said.h -- where in the sources names of columns were written: whether there are such columns is known when the table is
 * opened, and what is said of it then shall have its place, too. */
#ifndef PIPELINE_CONFIG_SAID_H
#define PIPELINE_CONFIG_SAID_H

#include "pipeline/config/schema.h"
#include "pipeline/config/walk.h"

/* The name, which lives as long as the config, is an item of that key, or its value, and stands at that node. Without memory it is not
 * known later. */
void said_keep(config *self, const flow_key *key, const char *name, const value_source *from,
               const yaml_node_t *node);

/* Prefixes an error with the place where the name was last given for the key, and with the key: "mine.yaml:3:12: data.context: ...".
 * Returns err->code. */
int said_fail(const config *self, const char *key, const char *name, flow_err *err);

#endif
