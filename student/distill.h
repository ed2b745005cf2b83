/* student/distill.h -- a student flow trained against a target on samples that it draws itself.
 *
 * Objective (mathematics 3 and 5):  (1 - lambda) KL(q || p~^beta) + lambda KL(p || q).
 *   reverse   x = f(z): term_reverse_kl.c, which has three estimators of the gradient
 *   forward   x from the target's own sampler: term_forward_kl.c. A share `widen` of the samples comes
 *             from noise that is stretched by `widen_by`: the student learns a mixture of p and a wider p,
 *             so that its density does not fall below p's far out, where p has few samples to teach it
 *             and one of them can ruin the effective sample size (defensive mixtures: Hesterberg 1995)
 *   beta      the inverse temperature, below 1 at first: temper.h
 * The loop runs over the terms of the objective (term.h); it knows none of them by name.
 *
 * The same target, options and seed give the same bits for any number of threads, in one go or saved and
 * loaded on the way. */
#ifndef STUDENT_DISTILL_H
#define STUDENT_DISTILL_H

#include "flow/keeper.h"
#include "flow/trainer.h"
#include "student/contexts.h"
#include "teacher/broken.h"
#include "teacher/target.h"

enum { DISTILL_PROBE = 200 };

/* Estimators of the reverse gradient (term_reverse_kl.c), and whichever of them is best where the student
 * stands. */
typedef enum distill_gradient {
    DISTILL_TOTAL,
    DISTILL_PATH,
    DISTILL_LOG_VARIANCE,
    DISTILL_AUTO
} distill_gradient;

/* Rows of no context that are near a target, of equal weight. (n, D); n = 0: none. precise: their covariance is the target's
 * but for their number, and a linear map on them takes it as it is */
typedef struct distill_rows {
    const double *x;
    size_t n;
    int precise;
} distill_rows;

typedef struct distill_options {
    size_t batch, steps;
    size_t shard;  /* rows; 0: auto (lanes.h) */
    double lr;     /* 0, of a warm student alone: auto, by how far it is (ruler.h) */
    size_t warmup; /* steps */
    flow_schedule schedule;
    double weight_decay;
    double clip;    /* multiple of the running median of the gradient's norm; 0: never */
    double average; /* decay of the running average of the weights; 0: none */
    const json_t
        *objective;     /* a tagged object of objective_registry, borrowed; NULL: kl. What follows
                                has effect where the kind does not list it as unused */
    distill_rows start; /* borrowed: what a student that is not warm may begin with, for objectives
                                that say so; where it is placed (place.h) */
    distill_gradient gradient;
    double forward, forward_end; /* lambda at the first and the last step, linear between */
    double widen;                /* share of the forward term's samples, in [0, 1); 0: none */
    double widen_by;             /* factor on their noise, >= 1 */
    double temper;               /* beta at the first step, in (0, 1]; 1: off */
    double temper_until;         /* share of the steps */
    size_t late_batch;           /* the batch is multiplied by this ... */
    double late_from;            /* ... from this share of the steps on */
    uint64_t seed;
    int warm;          /* the student's weights are what training starts from; it ends with the best
                          that it had on its way (ruler.h), those of the start included. So does one
                          that starts at its teacher's quantiles (start.h) */
    int (*stop)(void); /* asked after every step; non-zero stops there. NULL: never */
    const flow_keeper *keeper; /* of student_distill; NULL: nobody. Its errors stop it */
} distill_options;

typedef struct distill_state {
    size_t step, steps, rows; /* rows drawn so far */
    size_t evaluations;       /* rows that the target was asked for so far */
    double kl_reverse;        /* E_q[log q - log p~], mean over the last DISTILL_PROBE steps */
    double kl_forward;        /* E_p[log p~ - log q], likewise, not over widened samples; NaN when
                                 lambda is 0 */
    double beta, lambda, lr, gradient_norm;
    double trust, cooling; /* multipliers of the two bounds of mass transport (trust.h) */
    double ess;            /* effective share of the last own rows that were weighed against the
                                 target; NaN: none were */
    double spread_total, spread_path; /* of the last probe: variances up to one factor; NaN: none */
    distill_gradient gradient;        /* in use */
    size_t clipped, skipped;          /* steps so far */
    size_t zero_density;              /* rows so far where the target has no density: left out */
    broken_rows broken;               /* and where it broke: left out, too; rows counted from the
                                         start of the run */
    size_t broken_step;               /* of the first of them */
    double kl_warm;                   /* reverse KL of such a student when it was last judged: its
                                         averaged weights', on rows that stay the same */
    double kl_best;                   /* of what the student ends with: the last weights whose
                                         KL cannot be told from the smallest (ruler.h) */
    double kl_start, kl_least;        /* the first, and the smallest */
    size_t best_step;                 /* when that was */
    int went_back;                    /* it is that of the start */
} distill_state;

/* ---- step by step */

typedef struct student_distillation student_distillation;

/* Whether such a distillation can begin, without memory for it: 0, or what student_distillation_create
 * would say of these three. */
int student_distillation_check(const flow *student, const target *teacher,
                               const distill_options *options, flow_err *err);

/* Initialises the student unless it is warm; it is then at its first step. All but options are
 * borrowed. FLOW_ECONFIG: a term with a weight wants what the target lacks, a sampler or a gradient.
 * FLOW_EDATA: no contexts for a target that wants one. */
student_distillation *student_distillation_create(flow *student, flow_pool *pool,
                                                  const target *teacher,
                                                  const distill_contexts *contexts,
                                                  const distill_options *options, flow_err *err);
void student_distillation_free(student_distillation *self); /* accepts NULL */

int student_distillation_over(const student_distillation *self); /* whether all steps are done */

/* One step. *probed: this one ended DISTILL_PROBE steps, or all, and the state's figures are new.
 * FLOW_EDIVERGED with the step; FLOW_EDATA: too many rows where the target broke (broken.h); what the
 * target said. */
int student_distillation_step(student_distillation *self, int *probed, flow_err *err);

const distill_state *student_distillation_at(const student_distillation *self);

/* The student gets its averaged weights. FLOW_EDIVERGED: they are not finite. No more steps after it. */
int student_distillation_finish(student_distillation *self, flow_err *err);

/* Everything that the next steps depend on, between steps. To be loaded by a distillation of the same
 * student, target and options; FLOW_EDATA for any other block, after which only free is allowed. */
int student_distillation_save(student_distillation *self, void **block, size_t *size,
                              flow_err *err);
int student_distillation_load(student_distillation *self, const void *block, size_t size,
                              flow_err *err);

/* ---- in one go */

/* Called every DISTILL_PROBE steps and at the end; non-zero stops there. */
typedef int (*distill_watch)(void *arg, const distill_state *state);

/* Initialises the student, unless it is warm, and trains it. *state is the last one. Errors as above; FLOW_ENOMEM;
 * FLOW_ESTOPPED if stop or watch said so (the student is then finished as above, as good as it got, and what the
 * keeper has is from before that). */
int student_distill(flow *self, distill_state *state, flow_pool *pool, const target *teacher,
                    const distill_contexts *contexts, const distill_options *options,
                    distill_watch watch, void *arg, flow_err *err);

#endif
