/* flow/trainer.h -- how a flow is trained, whatever it is trained for: gradients of a batch in lanes,
 * then a step of the optimiser.
 *
 * A step is two calls. accumulate runs the caller's work on the slices of a batch, each on a seat of its
 * own: a pass and some scratch; the work writes gradients. step then takes the learning rate from the
 * schedule, clips, and moves the weights, or skips a gradient that is not finite. Everything that a step
 * depends on is saved and loaded: a training that is loaded goes on to the same bits. The same work gives
 * the same bits for any number of threads. */
#ifndef FLOW_TRAINER_H
#define FLOW_TRAINER_H

#include "flow/lanes.h"
#include "flow/optimizer.h"
#include "flow/snapshot.h"

enum { FLOW_MAX_SKIPPED = 10 }; /* steps in a row before a training gives up */

typedef struct flow_trainer_options {
    double lr;
    size_t warmup, steps; /* of the schedule, which ends at `steps` */
    flow_schedule schedule;
    double plateau_factor;
    size_t plateau_patience; /* losses */
    double weight_decay;
    double average;      /* decay of the running average of the weights; 0: none */
    double clip;         /* multiple of the running median of the gradient's norm; 0: never */
    int best;            /* flow_trainer_judge will be called */
    size_t scratch;      /* doubles a row for each seat */
    const char *lr_name; /* for the message of a training that gives up; must outlive the trainer */
} flow_trainer_options;

typedef struct flow_trainer_state {
    size_t step; /* done or skipped */
    size_t clipped, skipped, skipped_in_a_row;
    double lr, gradient_norm; /* of the last step; the norm before clipping */
} flow_trainer_state;

/* What one thread works with. */
typedef struct flow_seat {
    flow_pass *pass;
    double *scratch; /* (rows of a shard * options.scratch), aligned to 64 */
} flow_seat;

/* Fills the gradient of slice `slice` into `lane`, by flow_pass_backward. Any return but 0 is a failure
 * and has filled *err. */
typedef int flow_trainer_work(void *arg, const flow_slice *slice, const flow_seat *seat,
                              flow_gradient *lane, flow_err *err);

typedef struct flow_trainer flow_trainer;

/* For batches that are cut in one of n_cuts ways. The flow's parameters are what the average starts
 * from. flow and pool are borrowed. */
flow_trainer *flow_trainer_create(flow *trained, flow_pool *pool, const flow_lanes *cuts,
                                  size_t n_cuts, const flow_trainer_options *options,
                                  flow_err *err);
void flow_trainer_free(flow_trainer *self); /* accepts NULL */

size_t flow_trainer_seats(const flow_trainer *self); /* slices have workers 0 .. that - 1 */
const flow_trainer_state *flow_trainer_at(const flow_trainer *self);

/* Gradients of a batch that is cut this way, into empty lanes. After a failure, which is that of the
 * first shard that has one, lanes are empty again. */
int flow_trainer_accumulate(flow_trainer *self, const flow_lanes *cut, flow_trainer_work *work,
                            void *arg, flow_err *err);

/* How much the lanes disagree (flow_optimizer_lane_spread); empties them. */
double flow_trainer_spread(flow_trainer *self);

/* One step with the mean over the batch's rows. FLOW_EDIVERGED after FLOW_MAX_SKIPPED skipped ones. */
int flow_trainer_step(flow_trainer *self, flow_err *err);

/* Exchanges the weights with their average, where there is one; no step, save or load in between. */
void flow_trainer_swap_average(flow_trainer *self);

/* A new validation loss, with the average swapped in: drives the schedule's plateau, and keeps the
 * weights if `score` is the smallest so far. Returns whether it was. */
int flow_trainer_judge(flow_trainer *self, double loss, double score);

int flow_trainer_finite(const flow_trainer *self); /* whether all weights are */

/* The end: the flow gets the best weights, or if none were kept the averaged ones. */
void flow_trainer_finish(flow_trainer *self);

/* All of the above as pieces, for those who save more beside it; and alone. */
void flow_trainer_pieces(flow_trainer *self, flow_pieces *pieces);
int flow_trainer_save(flow_trainer *self, void **block, size_t *size, flow_err *err);
int flow_trainer_load(flow_trainer *self, const void *block, size_t size, flow_err *err);

#endif
