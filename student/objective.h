/* student/objective.h -- what a student minimises: a sum of terms, each with a weight that may change over
 * the course of a distillation.
 *
 * A term is one file that ends in its table of operations. It says what it needs of the target, adds the
 * gradient of a shard of rows to a lane, and may do something between steps. It is read-only while shards
 * are in work, but for what belongs to their rows. */
#ifndef STUDENT_OBJECTIVE_H
#define STUDENT_OBJECTIVE_H

#include "flow/trainer.h"
#include "student/distill.h"

typedef struct objective objective;

/* What a term counts of the rows of a shard. */
typedef struct objective_sums {
    double loss;
    size_t rows;       /* that `loss` is the sum of */
    size_t asked;      /* of the target; of those: */
    size_t no_density; /* left out */
    broken_rows broken;
} objective_sums;

/* A shard in work. Blocks of D or C columns and FLOW_SHARD rows at most. */
typedef struct objective_shard {
    const flow *student;
    const target *target;
    void *work;     /* of the target */
    uint64_t seed;  /* of all streams of the distillation */
    uint64_t first; /* the number of its first row in each of them */
    size_t row, n;  /* rows row .. row + n - 1 of the batch */
    double weight;
    flow_pass *pass;
    flow_gradient *lane;
    double *x, *z, *grad, *score, *context; /* context is filled */
    double *logp, *logq, *dlogq;            /* dlogq: cotangents of log q */
    target_status status[FLOW_SHARD];
    objective_sums *sums; /* zero at first */
} objective_shard;

/* Where a distillation stands, for what is done between steps. */
typedef struct objective_step {
    size_t step, steps;    /* done, in all */
    const flow_lanes *cut; /* of the batch of this step */
    double kl;             /* reverse KL of a warm student when it was last judged; NaN: not warm */
    /* Gradients of the term alone, with weight 1, thrown away: how much their lanes disagree. */
    int (*spread)(void *arg, double *spread, const objective *term, flow_err *err);
    void *arg;
} objective_step;

/* What a term needs: of the target, and a student that can tell its density anywhere, or whose samples
 * depend on all its parameters in a way that can be differentiated (flow_check_path). */
enum { OBJECTIVE_GRADIENT = 1, OBJECTIVE_SAMPLER = 2, OBJECTIVE_LOG_PROB = 4, OBJECTIVE_PATH = 8 };

typedef struct objective_ops {
    const char *name, *doc;
    const char *remedy; /* what to do about a target that lacks it: "set KEY to VALUE" */

    unsigned (*needs)(const objective *self);

    /* For batches of up to most_rows rows. */
    objective *(*create)(const distill_options *options, size_t most_rows, flow_err *err);
    void (*free)(objective *self);

    /* Its weight when `share` of the course, 0 to 1, is over; in [0, 1], largest at one of the ends. */
    double (*weight)(const objective *self, double share);

    /* What else it asks of the two, and what it does differently because of them. NULL: nothing. */
    int (*check)(objective *self, const flow *student, const target *teacher, flow_err *err);

    /* Adds s->weight times the gradient of the rows' sum to the lane. */
    int (*shard)(const objective *self, objective_shard *s, flow_err *err);

    /* Before a step in which its weight is above 0, and after every step (of a step without it, too: weight
     * is then 0). NULL: nothing. */
    int (*before_step)(objective *self, const objective_step *at, flow_err *err);
    void (*after_step)(objective *self, const objective_step *at);

    /* Writes what is its own into the state. */
    void (*report)(const objective *self, distill_state *state);

    /* What its next steps depend on. NULL: nothing. */
    void (*pieces)(objective *self, flow_pieces *pieces);
} objective_ops;

struct objective {
    const objective_ops *ops;
    double weight; /* in the step in work */
    double loss;   /* mean over the last DISTILL_PROBE steps; NaN: had no rows */
};

/* Every kind, a line each: a file that ends in its table, objective_NAME. In this order their gradients are
 * added up. */
#define OBJECTIVES(KIND)                                                                           \
    KIND(reverse_kl)                                                                               \
    KIND(forward_kl)

#define OBJECTIVE_DECLARE(NAME) extern const objective_ops objective_##NAME;
OBJECTIVES(OBJECTIVE_DECLARE)

extern const objective_ops *const objective_kinds[]; /* NULL past the end */
enum { OBJECTIVE_MOST = 8 };

/* ---- for terms */

/* A weight that goes from first to last in a straight line; share of the course, 0 to 1. */
double objective_line(double first, double last, double share);

/* Whether the term, if it ever has a weight, can be had of this target and student: FLOW_ECONFIG says what is
 * missing, and what to do. */
int objective_check(objective *term, const target *t, const flow *student, flow_err *err);

/* Whether row r takes part in the gradient. One where the target has no density, or broke, does not: it is
 * counted, and its cotangents grad, score and dlogq are set to 0. But at what is no point it is the
 * student that broke: that row stays, as NaN, and the step will be skipped. */
int objective_keeps(objective_shard *s, size_t r);

#endif
