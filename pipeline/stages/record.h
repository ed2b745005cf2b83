/* pipeline/stages/record.h -- what a run is told and how it went, as files in a directory of the store, stages/run-3f9a1c2e,
 * named by what it was told:
 *
 *   config.yaml, overlay-N.yaml  the files as they were given
 *   overrides.txt                every --set, one a line
 *   given.json                   every key with its value, defaults filled in; files by their whole paths
 *   resolved.json                the same as a look at the target settled it
 *   manifest.json                versions, processor, threads, seed and where it is from, times, digests of the files that were read
 *
 * All but given.json have links in the run's directory. */
#ifndef PIPELINE_STAGES_RECORD_H
#define PIPELINE_STAGES_RECORD_H

#include "pipeline/stages/plan.h"

/* The texts of the files that a config is read from: they may stand in the directory of an earlier run,
 * which is about to be written over. */
typedef struct record_texts {
    char *config, **overlays; /* (n_overlays) */
    size_t n_overlays;
    char *overrides;
} record_texts;

int record_read(record_texts *out, const config_sources *sources, flow_err *err);
/* Those of the run in `root`, and the --set of the sources behind its own. */
int record_read_run(record_texts *out, const char *root, const config_sources *sources,
                    flow_err *err);
void record_texts_release(record_texts *self); /* also after record_read failed */

/* Its directory, whether it is there or not. */
int record_place(rundir *out, const rundir *home, const config *c, const record_texts *texts,
                 flow_err *err);
bool record_is_whole(const rundir *self);
/* Whether the link of that name leads to its file. */
bool record_is_linked(const rundir *self, const char *name);

/* given.json of the run in `root`, for config_sources: out (RUNDIR_PATH) is returned, NULL: it is no run with a memory. */
const char *record_given(char *out, const char *root, flow_err *err);

/* The inputs. */
int record_begin(const rundir *self, const config *c, const record_texts *texts, flow_err *err);

/* resolved.json: every key with its value. The last file of a record that is whole. */
int record_resolved(const rundir *self, const config *c, flow_err *err);

/* Calls for the names of all its files that have links. */
int record_each(const rundir *self, int (*visit)(void *arg, const char *name, flow_err *err),
                void *arg, flow_err *err);
int record_link(links_change *into, const rundir *self, flow_err *err);
int record_link_now(const rundir *self, flow_err *err);

/* How it went. */
typedef struct record_course {
    int argc; /* the command line */
    char **argv;
    const char *backend;         /* what the networks compute with; NULL: not known */
    double started, ended;       /* seconds since 1970 */
    double seconds[STAGE_COUNT]; /* by stage; NaN: it did not run */
    bool ran[STAGE_COUNT];       /* now; else its seconds are those of when it did */
    const char *end;             /* "good", "gate failed", "stopped", "error" */
} record_course;

int record_end(const rundir *self, const stage_work *work, const record_course *course,
               const plan *of, flow_err *err);

#endif
