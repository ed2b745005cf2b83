/* student/distill.h -- a student flow trained against a target on samples that it draws itself.
 *
 * Objective (mathematics 3 and 5):  (1 - lambda) KL(q || p~^beta) + lambda KL(p || q).
 *   reverse   x = f(z), gradient by one of two estimators:
 *             total  -beta grad log p~ on x, 1 on log q                 (Kingma & Welling 2014)
 *             path   grad log q - beta grad log p~ on x                 (Roeder 2017; Vaitl 2022)
 *             auto   whichever has the smaller variance between the lanes of a batch, measured anew
 *                    every DISTILL_PROBE steps; total where the student's base has an edge
 *                    (flow_has_edge)
 *   forward   x from the target's own sampler, z by the student's inverse, d log q(x) at
 *             fixed x: needs a target that can be sampled. A share `widen` of the samples
 *             comes from noise that is stretched by `widen_by`: the student learns a mixture of p and
 *             a wider p, so that its density does not fall below p's far out, where p has few samples
 *             to teach it and one of them can ruin the effective sample size (defensive mixtures:
 *             Hesterberg 1995)
 *   beta      the inverse temperature, below 1 at first: raised as far as the effective sample size
 *             of the student under p~^beta allows, and to 1 in any case by `temper_until`
 *
 * The same target, options and seed give the same bits for any number of threads. */
#ifndef STUDENT_DISTILL_H
#define STUDENT_DISTILL_H

#include "flow/optimizer.h"
#include "teacher/target.h"

enum { DISTILL_PROBE = 200 };

typedef enum distill_gradient { DISTILL_TOTAL, DISTILL_PATH, DISTILL_AUTO } distill_gradient;

typedef struct distill_options {
    size_t batch, steps;
    size_t shard; /* rows; 0: auto (lanes.h) */
    double lr;
    size_t warmup; /* steps */
    flow_schedule schedule;
    double weight_decay;
    double clip;    /* multiple of the running median of the gradient's norm; 0: never */
    double average; /* decay of the running average of the weights; 0: none */
    distill_gradient gradient;
    double forward, forward_end; /* lambda at the first and the last step, linear between */
    double widen;                /* share of the forward term's samples, in [0, 1); 0: none */
    double widen_by;             /* factor on their noise, >= 1 */
    double temper;               /* beta at the first step, in (0, 1]; 1: off */
    double temper_until;         /* share of the steps */
    size_t late_batch;           /* the batch is multiplied by this ... */
    double late_from;            /* ... from this share of the steps on */
    uint64_t seed;
    int (*stop)(void); /* asked after every step; non-zero stops there. NULL: never */
} distill_options;

typedef struct distill_state {
    size_t step, steps, rows; /* rows drawn so far */
    double kl_reverse;        /* E_q[log q - log p~], mean over the last DISTILL_PROBE steps */
    double kl_forward;        /* E_p[log p~ - log q], likewise, not over widened samples; NaN when
                                 lambda is 0 */
    double beta, lambda, lr, gradient_norm;
    double spread_total, spread_path; /* of the last probe: variances up to one factor; NaN: none */
    distill_gradient gradient;        /* in use */
    size_t clipped, skipped;          /* steps so far */
    size_t zero_density;              /* rows so far where the target has no density: left out */
} distill_state;

/* Contexts that the student is trained for: rows of a table, drawn at random. (n, C); NULL if C =
 * 0. */
typedef struct distill_contexts {
    const double *rows;
    size_t n;
} distill_contexts;

/* Called every DISTILL_PROBE steps and at the end; non-zero stops there. */
typedef int (*distill_watch)(void *arg, const distill_state *state);

/* Initialises the student (parallel in sampling) and trains it. At the end it holds the averaged
 * weights. Errors: FLOW_EDIVERGED with the step; FLOW_ECONFIG: lambda > 0 without a sampler, or
 * lambda < 1 with a base that own samples cannot train (flow_check_path), or path gradients of one
 * with an edge; FLOW_ENOMEM; FLOW_ESTOPPED if stop or watch said so (the student is then as good as
 * it got). */
int student_distill(flow *self, distill_state *state, flow_pool *pool, const target *teacher,
                    const distill_contexts *contexts, const distill_options *options,
                    distill_watch watch, void *arg, flow_err *err);

#endif
