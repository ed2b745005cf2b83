/* pipeline/stages/rundir.h -- the directory of a run: one process at a time, files that appear whole or not
 * at all (metrics.jsonl apart). What the files are, the record (record.h) and the stages (stage.h) know.
 *
 * A stage writes into a directory of its own below stages/ (store.h), of which the names that users know are links
 * (links.h). It is a rundir as well, whose files lie side by side: "student/model.safetensors" is model.safetensors there. */
#ifndef PIPELINE_STAGES_RUNDIR_H
#define PIPELINE_STAGES_RUNDIR_H

#include "flow/err.h"

#include <jansson.h>
#include <stdbool.h>

enum { RUNDIR_PATH = 4096 };

typedef struct rundir {
    char root[RUNDIR_PATH];
    int lock;         /* a descriptor (lock.h) */
    const char *home; /* of a stage's directory: the run's; NULL: it is the run's */
    bool shown;       /* of a stage's: files that grow are linked as soon as they are there */
} rundir;

/* Files of a run's directory that more than one part knows. */
#define RUNDIR_MEMORY "stages/memory.json"   /* known.h; makes a directory that of a run */
#define RUNDIR_CURRENT "stages/current.json" /* set.h */

/* Whether the path is one of a directory, a run's or not. */
bool rundir_is_folder(const char *path);

rundir rundir_at(const char *root);
/* Of a stage's directory: its name from that of the run, "stages/teacher-3f9a1c2e". */
const char *rundir_folder(const rundir *self);

/* root/name. out (RUNDIR_PATH) is returned. */
const char *rundir_in(char *out, const char *root, const char *name);

/* Makes the directory, with its parents, and locks it (FLOW_ELOCKED). One that exists must be an earlier
 * run, which is known by its resolved.json or its stages/memory.json, or empty: but for the lock and temporary files. */
int rundir_open(rundir *self, const char *root, flow_err *err);
void rundir_close(rundir *self);

/* FLOW_EIO: it is gone since it was locked, or, a stage's, since it was made. */
int rundir_check(const rundir *self, flow_err *err);

/* The path of a file in it: "student/model.safetensors". out has RUNDIR_PATH bytes; makes the
 * folder that the file is in. Returns out, or NULL. */
const char *rundir_path(const rundir *self, char *out, const char *name, flow_err *err);

/* What users call that file: for messages. Returns out (RUNDIR_PATH). */
const char *rundir_shown(const rundir *self, char *out, const char *name);

/* Whether a directory is one that a run left results in. */
bool rundir_is_run(const char *root);

/* mkdir -p. */
int rundir_make_folders(const char *path, flow_err *err);

/* FLOW_ECREATE: a directory or a pipe is where a file shall be. */
int rundir_check_plain(const char *path, flow_err *err);

/* Writes text; writes JSON with sorted keys, indented. value NULL: FLOW_ENOMEM, since it could not be made
 * (flow/json.h). */
int rundir_write_text(const rundir *self, const char *name, const char *text, flow_err *err);
int rundir_write_json(const rundir *self, const char *name, const json_t *value, flow_err *err);

/* Whether the last part of a file's name fits that of a pattern, one of fnmatch(3): "export/[!.]*.csv". */
bool rundir_fits(const char *pattern, const char *file);

/* Removes files in a directory that were to become others and never did: their process was killed. */
void rundir_sweep(const char *path);

/* Removes a directory of files alone, as stages have them; none is no error. */
int rundir_remove_flat(const char *path, flow_err *err);

/* ---- metrics.jsonl: one line per call, written at once */

typedef struct metrics {
    int fd; /* -1: closed */
    char path[RUNDIR_PATH];
} metrics;

/* Behind the lines that are there; those go with metrics_cut, all behind so many bytes. */
int metrics_open(metrics *self, const rundir *dir, const char *name, flow_err *err);
int metrics_cut(metrics *self, long long bytes, flow_err *err);
long long metrics_length(const metrics *self); /* bytes */
/* They are on the disk then. */
int metrics_sync(const metrics *self, flow_err *err);
/* row: an object, whose reference is taken; its numbers that were not finite are null, and their
 * keys are listed under "nonfinite". */
int metrics_append(metrics *self, json_t *row, flow_err *err);
/* Likewise. Closed already: 0. */
int metrics_close(metrics *self, flow_err *err);

#endif
