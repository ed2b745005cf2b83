/* student/term.h -- one term of what a student minimises: its gradient, with a weight that may change over the
 * course of a distillation. Which terms there are is up to the objective (objective.h).
 *
 * A term is one file that ends in its table of operations. It says what it needs of the target, adds the
 * gradient of a shard of rows to a lane, and may do something between steps. It is read-only while shards
 * are in work, but for what belongs to their rows. */
#ifndef STUDENT_TERM_H
#define STUDENT_TERM_H

#include "flow/trainer.h"
#include "student/distill.h"

typedef struct objective_term objective_term;

/* What a distillation has, for a term that does work of its own between steps. */
typedef struct term_scene {
    const flow *student;
    flow_pool *pool;
    const target *target;
    const distill_contexts *contexts; /* NULL if the target wants none */
    uint64_t seed;                    /* of all streams of the distillation */
} term_scene;

/* What a term counts of the rows of a shard. */
typedef struct term_sums {
    double loss;
    size_t rows;       /* that `loss` is the sum of */
    size_t asked;      /* of the target; of those: */
    size_t no_density; /* left out */
    broken_rows broken;
    size_t wild;       /* rows where the student's own numbers are no point */
    uint64_t wild_row; /* the first of them; as broken rows are counted */
} term_sums;

/* A shard in work. Blocks of D or C columns and FLOW_SHARD rows at most. */
typedef struct term_shard {
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
    term_sums *sums; /* zero at first */
} term_shard;

/* Where a distillation stands, for what is done between steps. */
typedef struct term_step {
    const term_scene *scene;
    size_t step, steps;    /* done, in all */
    const flow_lanes *cut; /* of the batch of this step */
    double kl;             /* reverse KL of a warm student when it was last judged; NaN: not warm */
    term_sums *sums;       /* of rows that the term asks for between steps */
    /* Gradients of the term alone, with weight 1, thrown away: how much their lanes disagree. */
    int (*spread)(void *arg, double *spread, const objective_term *term, flow_err *err);
    void *arg;
} term_step;

/* What a term needs: of the target, and a student that can tell its density anywhere, or whose samples
 * depend on all its parameters in a way that can be differentiated (flow_check_path). */
enum { TERM_GRADIENT = 1, TERM_SAMPLER = 2, TERM_LOG_PROB = 4, TERM_PATH = 8 };

typedef struct term_ops {
    const char *name, *doc;
    const char *remedy; /* what to do about a target that lacks it: "set KEY to VALUE" */

    unsigned (*needs)(const objective_term *self);

    void (*free)(objective_term *self);

    /* Takes what memory it needs beyond that of its options, once it is sure that it is needed. NULL: none. */
    int (*open)(objective_term *self, const term_scene *scene, flow_err *err);

    /* Its weight when `share` of the course, 0 to 1, is over; in [0, 1], largest at one of the ends. */
    double (*weight)(const objective_term *self, double share);

    /* What else it asks of the two, and what it does differently because of them. NULL: nothing. */
    int (*check)(objective_term *self, const flow *student, const target *teacher, flow_err *err);

    /* Adds s->weight times the gradient of the rows' sum to the lane. */
    int (*shard)(const objective_term *self, term_shard *s, flow_err *err);

    /* Before a step in which its weight is above 0, and after every step (of a step without it, too: weight
     * is then 0). NULL: nothing. */
    int (*before_step)(objective_term *self, const term_step *at, flow_err *err);
    void (*after_step)(objective_term *self, const term_step *at);

    /* Writes what is its own into the state, at the start and after every step that it is on. */
    void (*report)(const objective_term *self, distill_state *state);

    /* What its next steps depend on. NULL: nothing. */
    void (*pieces)(objective_term *self, flow_pieces *pieces);
} term_ops;

struct objective_term {
    const term_ops *ops;
    double from,
        until;     /* shares of the course between which it is on; elsewhere it weighs nothing */
    double weight; /* in the step in work */
    double loss;   /* mean over the last DISTILL_PROBE steps; NaN: had no rows */
};

/* Whether it is on in a step. `until` 1 is the end of the course, the last step included. */
int term_is_on(const objective_term *self, size_t step, size_t steps);

/* ---- for terms */

/* A weight that goes from first to last in a straight line; share of the course, 0 to 1. */
double term_line(double first, double last, double share);

/* Whether the term, if it ever has a weight, can be had of this target and student: FLOW_ECONFIG says what is
 * missing, and what to do. */
int term_check(objective_term *term, const target *t, const flow *student, flow_err *err);

/* Whether row r takes part in the gradient. One where the target has no density, or broke, does not: it is
 * counted, and its cotangents grad, score and dlogq are set to 0. But at what is no point it is the
 * student that broke: that row stays, as NaN, and the step will be skipped. */
int term_keeps(term_shard *s, size_t r);

/* For terms that compare weights p~ / q across rows: FLOW_ECONFIG where these have contexts, each of which has a log Z of
 * its own. */
int term_check_scale(const objective_term *self, const target *t, flow_err *err);

#endif
