/* pipeline/command/explain.h -- the documentation of the keys, from their table. */
#ifndef PIPELINE_COMMAND_EXPLAIN_H
#define PIPELINE_COMMAND_EXPLAIN_H

#include "flow/err.h"

#include <stdio.h>

/* path: a key ("student.train.lr"), a section ("student.train"), a figure
 * ("validate.require.khat"), or NULL for everything. FLOW_EUSAGE, with suggestions, if it is none.
 */
int explain(FILE *to, const char *path, flow_err *err);

#endif
