/* pipeline/stages/record.h -- what a run is told and how it went, as files in its directory.
 *
 *   config.yaml, overlay-N.yaml  the files as they were given
 *   overrides.txt                every --set, one a line
 *   resolved.json                every key with its value, defaults filled in
 *   manifest.json                versions, processor, threads, seed and where it is from, times, digests of the target's files
 */
#ifndef PIPELINE_STAGES_RECORD_H
#define PIPELINE_STAGES_RECORD_H

#include "pipeline/stages/stage.h"

/* The texts of the files that a config is read from: they may stand in the directory of an earlier run,
 * which is about to be written over. */
typedef struct record_texts {
    char *config, **overlays; /* (n_overlays) */
    size_t n_overlays;
} record_texts;

int record_read(record_texts *out, const config_sources *sources, flow_err *err);
void record_texts_release(record_texts *self); /* also after record_read failed */

/* resolved.json: every key with its value. */
int record_resolved(const rundir *dir, const config *c, flow_err *err);

/* Writes the inputs, after everything that an earlier run left, which would pass for this one's, is gone:
 * what is on the list of any stage or of this file. Nothing else in the directory is touched. */
int record_begin(const rundir *dir, const config *config, const config_sources *sources,
                 const record_texts *texts, flow_err *err);

/* How it went. */
typedef struct record_course {
    int argc; /* the command line */
    char **argv;
    const char *backend;         /* what the networks compute with; NULL: not known */
    double started, ended;       /* seconds since 1970 */
    double seconds[STAGE_COUNT]; /* by stage; NaN: it did not run */
    const char *end;             /* "good", "gate failed", "stopped", "error" */
    json_t *files;               /* of the target, as they were at first (digests.h) */
} record_course;

int record_end(const stage_work *work, const record_course *course, flow_err *err);

#endif
