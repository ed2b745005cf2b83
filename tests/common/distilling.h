/* tests/common/distilling.h -- a distillation as a test sets it up: student, target, options, what
 * was watched. */
#ifndef TESTS_COMMON_DISTILLING_H
#define TESTS_COMMON_DISTILLING_H

#include "student/distill.h"

/* What a watch saw; asks to stop at the call number stop_at, counted from 1. */
typedef struct distilling_history {
    distill_state states[64];
    size_t n, stop_at;
} distilling_history;

/* The caller fills the first block; the rest are results. threads 0 is 1. */
typedef struct distilling {
    flow *student;
    const target *teacher;
    distill_options options;
    distill_contexts contexts;
    size_t threads;

    distill_state state;
    distilling_history history;
    flow_err err;
} distilling;

/* A good run of 800 steps of 256 rows. */
distill_options distilling_options(void);

/* y = x e^s + b: a student whose gradients are known. Tensors: s, b. */
flow *scales_and_shifts(size_t dim, flow_precision precision);

/* Two affine autoregressive layers that are parallel in this direction. */
flow *student_affine(const target *t, flow_direction direction, flow_precision precision);
flow *student_iaf(const target *t, flow_precision precision); /* from noise to data */

/* student_distill, whose code is returned and must be that of its error. */
int distilling_run(distilling *self);

/* KL(q || p) or, forward, from the target's own samples, KL(p || q), in nats: below the bound, with
 * a standard error below a tenth of it. */
void check_kl(const distilling *self, int forward, double bound);

#endif
