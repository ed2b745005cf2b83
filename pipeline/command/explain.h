/* pipeline/command/explain.h -- the documentation of the keys, from their table. */
#ifndef PIPELINE_COMMAND_EXPLAIN_H
#define PIPELINE_COMMAND_EXPLAIN_H

#include "flow/err.h"
#include "flow/key.h"

#include <stdio.h>

/* path: a key ("student.train.lr"), a section ("student.train"), a figure
 * ("validate.require.khat"), or NULL for everything. FLOW_EUSAGE, with suggestions, if it is none.
 */
int explain(FILE *to, const char *path, flow_err *err);

/* Hands every key that --set may name to `take`: its path, and its row. Those of kinds are those of the usual ones. */
void explain_each_key(void (*take)(void *arg, const char *path, const flow_key *key), void *arg);

#endif
