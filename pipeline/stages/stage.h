/* pipeline/stages/stage.h -- a stage of a run: what it is, reads and writes, as a table. run.c is the loop.
 *
 * A stage ends in a product, which later stages are given: memory of product_size bytes that is zero
 * before run and belongs to the stage, which alone knows how to release what hangs on it. What else a
 * stage leaves are files in the run directory. All of them are on its list, so that a later run in the
 * same directory can take away what would not be true any more.
 *
 * To add a stage: a file that ends in its table, and a line in stages.c. */
#ifndef PIPELINE_STAGES_STAGE_H
#define PIPELINE_STAGES_STAGE_H

#include "pipeline/config/config.h"
#include "pipeline/stages/rundir.h"

#include <stdbool.h>
#include <stddef.h>

/* What every stage is given. */
typedef struct stage_work {
    const config *config;
    const rundir *dir;
    flow_pool *pool;
    bool quiet; /* no lines on stderr */
} stage_work;

typedef struct stage stage;

/* The lists end in NULL. */
struct stage {
    const char *name; /* in messages, in the manifest, in `distill explain` */
    const char *doc;  /* one line */

    const char *const *keys; /* of the config that its result depends on: keys, or whole sections */
    const stage *const *inputs; /* stages before it whose products it is given, in this order */
    const char *const *outputs; /* files that it may write, as patterns of rundir_remove */

    /* Whether the config asks for it at all. NULL: always. */
    bool (*is_due)(const config *c);

    size_t product_size;
    int (*run)(void *product, const stage_work *work, const void *const *inputs, flow_err *err);
    /* The config that later stages have in place of the one before: the stage's own. NULL: they have the same. */
    const config *(*settled)(const void *product);
    void (*release)(void *product); /* also where run failed */
};

/* In their order. The file of each has its product, if others use it. */
enum { STAGE_COUNT = 8 };
extern const stage *const stages[STAGE_COUNT];

extern const stage stage_data, stage_teacher, stage_recipe, stage_target, stage_student,
    stage_validate, stage_export, stage_report;

/* Whether the result of the stage depends on a key, by its path or that of a section above it. */
bool stage_reads(const stage *self, const char *key);

/* Where a stage stands in the table. */
size_t stage_index(const stage *self);

#endif
