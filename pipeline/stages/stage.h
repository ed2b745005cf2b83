/* pipeline/stages/stage.h -- a stage of a run: what it is, reads and writes, as a table. run.c is the loop.
 *
 * A stage ends in a product, which later stages are given: memory of product_size bytes that is zero
 * before run and belongs to the stage, which alone knows how to release what hangs on it. What else a
 * stage leaves are files, in a directory of its own (store.h). Those on its list are what users see.
 *
 * Its result is known by what it hangs on: its keys of the config, what it derives from others, the files that these
 * name, its inputs (slices.h). Where that is as it was it does not run again: load makes its product from its files and
 * from what store kept, with the same bits, and only if another stage asks for it.
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
    const char *key;     /* of the stage */
    const char *backend; /* what networks are computed with; NULL: not known */
    flow_pool *pool;
    bool quiet; /* no lines on stderr */
    double *
        earlier; /* seconds that processes before this one spent on what it goes on from; for it to say */
    const rundir
        *results; /* (STAGE_COUNT) of the stages before this one, whose files may be read */
} stage_work;

typedef struct stage stage;

/* The lists end in NULL. */
struct stage {
    const char *name; /* in messages, in the manifest, in `distill explain` */
    const char *doc;  /* one line */

    int abi; /* from 1 on; raised when the same keys and inputs lead to another result than before */
    const char *const *keys; /* of the config that its result depends on: keys, or whole sections */
    const char *const *keys_if; /* likewise, where reads_more says so; NULL: none */
    bool (*reads_more)(const config *c);
    void (*derives)(json_t **slice,
                    const config *c); /* what it makes of other keys; NULL: nothing */
    const stage *const *inputs; /* stages before it whose products it is given, in this order */
    /* One of these that it is given where reads_more says so; elsewhere its product is NULL. NULL: all always are. */
    const stage *input_if;
    const char *const
        *outputs; /* files that it may write, as patterns of rundir_fits, no two of one name */

    /* Whether the config asks for it at all. NULL: always. */
    bool (*is_due)(const config *c);

    /* Whether it goes on from what a run that was stopped left of it (checkpoint.h). */
    bool resumes;

    size_t product_size;
    int (*run)(void *product, const stage_work *work, const void *const *inputs, flow_err *err);
    /* The config that later stages have in place of the one before: the stage's own. NULL: they have the same. */
    const config *(*settled)(const void *product);
    /* What its files do not have, and the product again. NULL: it is run again where its product is needed.
     * kept: what store made, {} without; work->dir: where its files are. Errors: FLOW_EDATA, FLOW_ENOMEM. */
    json_t *(*store)(const void *product);
    int (*load)(void *product, const stage_work *work, const void *const *inputs,
                const json_t *kept, flow_err *err);
    void (*release)(void *product); /* also where run failed */
};

/* In their order. The file of each has its product, if others use it. */
enum { STAGE_COUNT = 8 };
extern const stage *const stages[STAGE_COUNT];

#define STAGE_VERDICT "validation.json" /* of stage validate */

extern const stage stage_data, stage_teacher, stage_recipe, stage_target, stage_student,
    stage_validate, stage_export, stage_report;

/* Whether the result of the stage may depend on a key, by its path or that of a section above it; and whether it does in
 * this config. What it derives is not among them. */
bool stage_reads(const stage *self, const char *key);
bool stage_reads_here(const stage *self, const char *key, const config *c);

/* Whether it is given the product of another in this config. */
bool stage_takes(const stage *self, const stage *input, const config *c);

/* NULL: there is none of that name. */
const stage *stage_find(const char *name);

/* Where a stage stands in the table. */
size_t stage_index(const stage *self);

#endif
