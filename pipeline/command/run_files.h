/* pipeline/command/run_files.h -- what a run has left in its directory, as JSON, for verbs that tell of runs. */
#ifndef PIPELINE_COMMAND_RUN_FILES_H
#define PIPELINE_COMMAND_RUN_FILES_H

#include "flow/err.h"

#include <jansson.h>

/* FLOW_ENOINPUT unless the directory is that of a run: it has a resolved.json. */
int run_files_check(const char *run, flow_err *err);

/* The document of that name, a new reference; JSON null if there is no such file yet. NULL: FLOW_EDATA, FLOW_EIO,
 * FLOW_ENOMEM. */
json_t *run_files_json(const char *run, const char *name, flow_err *err);

/* The value of a figure in validation.json, borrowed; NULL: it is not there. */
json_t *run_files_figure(const json_t *verdict, const char *key);

/* The lines of STAGE/metrics.jsonl as an array, a line that is being written left out: [] if there are none. */
json_t *run_files_metrics(const char *run, const char *stage, flow_err *err);

/* The stages that have metrics, in the order in which they run; NULL ends the list. */
extern const char *const run_files_trained[];

/* Column `key` of rows as numbers, (json_array_size(rows)), NaN where there is none: to be freed. NULL: no memory. */
double *run_files_column(const json_t *rows, const char *key);

/* The course of a training that is worth looking at: "valid_loss", "kl_reverse", ... of those that have numbers; or
 * NULL. */
const char *run_files_loss(const json_t *rows);

#endif
