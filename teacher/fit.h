/* teacher/fit.h -- maximum likelihood: a flow fitted to the rows of a data set, each counted by its
 * weight.
 *
 * Mini-batches in a new random order each epoch, AdamW, early stopping on the validation rows, and
 * the best weights at the end. The same data, options and seed give the same bits for any number of
 * threads, in one go or saved and loaded on the way. */
#ifndef TEACHER_FIT_H
#define TEACHER_FIT_H

#include "flow/keeper.h"
#include "flow/trainer.h"
#include "teacher/dataset.h"

typedef struct teacher_fit_options {
    size_t batch, epochs;
    size_t shard; /* rows; 0: auto (lanes.h) */
    double lr;
    size_t warmup; /* steps */
    flow_schedule schedule;
    double plateau_factor;
    size_t plateau_patience; /* epochs */
    double weight_decay;
    double clip;       /* multiple of the running median of the gradient's norm; 0: never */
    double average;    /* decay of the running average of the weights; 0: none */
    size_t patience;   /* epochs without a better validation loss before stopping; 0: never */
    uint64_t seed;     /* of the initial weights and of the order of rows */
    int (*stop)(void); /* asked after every step; non-zero stops there. NULL: never */
    const flow_keeper *keeper; /* of teacher_fit; NULL: nobody. Its errors stop the fit */
} teacher_fit_options;

/* Where the fit stands, at the end of an epoch. Losses are -log p in nats a row, flow's units, rows counted
 * by their weights. */
typedef struct teacher_fit_state {
    size_t epoch, step, epochs;
    double train_loss; /* mean over the epoch's batches, at the weights of the moment */
    double valid_loss; /* NaN without validation rows */
    double best_loss;
    size_t best_epoch;
    double lr, gradient_norm;
    size_t clipped, skipped; /* steps so far */
    size_t rows_left_out;    /* of each epoch: the last, incomplete batch */
} teacher_fit_state;

/* ---- step by step */

typedef struct teacher_fitting teacher_fitting;

/* Initialises the flow (parallel in density), which is then at the start of its first epoch. flow, pool and
 * data are borrowed. FLOW_EDATA without training rows. */
teacher_fitting *teacher_fitting_create(flow *fitted, flow_pool *pool, const data_set *data,
                                        const teacher_fit_options *options, flow_err *err);
void teacher_fitting_free(teacher_fitting *self); /* accepts NULL */

/* Whether there is nothing more to do: all epochs are over, or patience is at its end. */
int teacher_fitting_over(const teacher_fitting *self);

/* One batch, and with the last one of an epoch its end: validation, best weights, plateau; *epoch_over
 * says whether it was one. FLOW_EDIVERGED with the step. */
int teacher_fitting_step(teacher_fitting *self, int *epoch_over, flow_err *err);

const teacher_fit_state *teacher_fitting_at(const teacher_fitting *self);

/* The flow gets its best weights; before an epoch is over, the averaged ones. FLOW_EDIVERGED if an epoch
 * was over and none ended with a finite loss. No more steps after it. */
int teacher_fitting_finish(teacher_fitting *self, flow_err *err);

/* Everything that the next steps depend on, between steps. To be loaded by a fitting of the same flow, data
 * and options; FLOW_EDATA for any other block, after which only free is allowed. */
int teacher_fitting_save(teacher_fitting *self, void **block, size_t *size, flow_err *err);
int teacher_fitting_load(teacher_fitting *self, const void *block, size_t size, flow_err *err);

/* ---- in one go */

/* Called after every epoch; non-zero stops there. */
typedef int (*teacher_fit_watch)(void *arg, const teacher_fit_state *state);

/* Initialises the flow (parallel in density) and fits it. *state is the last one watched. Errors:
 * FLOW_EDIVERGED with the step, FLOW_EDATA, FLOW_ENOMEM. FLOW_ESTOPPED if stop or watch said so: the flow
 * is then finished as above, and what the keeper has is from before that. */
int teacher_fit(flow *self, teacher_fit_state *state, flow_pool *pool, const data_set *data,
                const teacher_fit_options *options, teacher_fit_watch watch, void *arg,
                flow_err *err);

/* Mean of log p over the rows of a part, counted by their weights, and its standard error, nats a row in the units of the
 * flow (likelihood.h has those of the user). NaN for no rows. */
int teacher_log_likelihood(const flow *self, flow_pool *pool, double *mean, double *se,
                           const data_part *part, flow_err *err);

#endif
