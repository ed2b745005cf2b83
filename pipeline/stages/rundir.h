/* pipeline/stages/rundir.h -- the directory of a run and what is written into it.
 *
 *   config.yaml, overlay-N.yaml  the files as they were given
 *   overrides.txt                every --set, one a line
 *   resolved.json                every key with its value, defaults filled in
 *   manifest.json                versions, processor, threads, seed and where it is from, times
 *   teacher/, student/           metrics.jsonl and model.safetensors
 *   validation.json              the verdict
 *   export/                      samples
 *   picture.png                  data, teacher and student
 *
 * Every file but metrics.jsonl appears whole or not at all. */
#ifndef PIPELINE_STAGES_RUNDIR_H
#define PIPELINE_STAGES_RUNDIR_H

#include "flow/err.h"

#include <jansson.h>

enum { RUNDIR_PATH = 4096 };

typedef struct rundir {
    char root[RUNDIR_PATH];
} rundir;

/* Makes the directory, with its parents. One that exists must be empty or an earlier run. */
int rundir_create(rundir *self, const char *root, flow_err *err);

/* The path of a file in it: "student/model.safetensors". out has RUNDIR_PATH bytes; makes the
 * folder that the file is in. Returns out, or NULL. */
const char *rundir_path(const rundir *self, char *out, const char *name, flow_err *err);

/* Copies a file; writes text; writes JSON with sorted keys, indented. */
int rundir_copy(const rundir *self, const char *name, const char *from, flow_err *err);
int rundir_write_text(const rundir *self, const char *name, const char *text, flow_err *err);
int rundir_write_json(const rundir *self, const char *name, const json_t *value, flow_err *err);

/* Removes a file; one that is not there is no error. */
int rundir_remove(const rundir *self, const char *name, flow_err *err);

/* A number for JSON: null if it is not finite, since JSON has no word for that. */
json_t *json_finite(double value);

/* ---- metrics.jsonl: one line per call, written at once */

typedef struct metrics {
    int fd; /* -1: closed */
    char path[RUNDIR_PATH];
} metrics;

/* Starts the file anew. */
int metrics_open(metrics *self, const rundir *dir, const char *name, flow_err *err);
/* row: an object, whose reference is taken; its numbers that were not finite are null, and their
 * keys are listed under "nonfinite". */
int metrics_append(metrics *self, json_t *row, flow_err *err);
void metrics_close(metrics *self);

#endif
