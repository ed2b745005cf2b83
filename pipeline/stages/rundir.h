/* pipeline/stages/rundir.h -- the directory of a run: one process at a time, files that appear whole or not
 * at all (metrics.jsonl apart). What the files are, the record (record.h) and the stages (stage.h) know. */
#ifndef PIPELINE_STAGES_RUNDIR_H
#define PIPELINE_STAGES_RUNDIR_H

#include "flow/err.h"

#include <jansson.h>

enum { RUNDIR_PATH = 4096 };

typedef struct rundir {
    char root[RUNDIR_PATH];
    int lock; /* a descriptor (lock.h) */
} rundir;

/* Makes the directory, with its parents, and locks it (FLOW_ELOCKED). One that exists must be an earlier
 * run, which is known by its resolved.json, or empty: but for the lock and temporary files. */
int rundir_open(rundir *self, const char *root, flow_err *err);
void rundir_close(rundir *self);

/* Makes a directory, with its parents. */
int rundir_make_folders(const char *path, flow_err *err);

/* The path of a file in it: "student/model.safetensors". out has RUNDIR_PATH bytes; makes the
 * folder that the file is in. Returns out, or NULL. */
const char *rundir_path(const rundir *self, char *out, const char *name, flow_err *err);

/* Writes text; writes JSON with sorted keys, indented. value NULL: FLOW_ENOMEM, since it could not be made
 * (flow/json.h). */
int rundir_write_text(const rundir *self, const char *name, const char *text, flow_err *err);
int rundir_write_json(const rundir *self, const char *name, const json_t *value, flow_err *err);

/* Removes every file whose name matches: "picture.png", "export/[!.]*.csv"; the last part of the pattern is
 * one of fnmatch(3). Temporary files that were to become one go as well, and the folder if it is then
 * empty. No such file is no error. */
int rundir_remove(const rundir *self, const char *pattern, flow_err *err);

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
