/* teacher/target.h -- what a student can learn from: a log-density up to a constant and its gradient,
 * and, where there is one, an exact sampler.
 *
 * All numbers are double. A target is read-only while it is used; each thread has its own work. An
 * implementation is one file that ends in its table of operations. */
#ifndef TEACHER_TARGET_H
#define TEACHER_TARGET_H

#include "flow/flow.h"

typedef struct target target;

typedef struct target_ops {
    const char *name;
    void (*free)(target *self);

    /* Scratch for shards of up to max_rows <= FLOW_SHARD rows. */
    void *(*work_create)(const target *self, size_t max_rows, flow_err *err);
    void (*work_free)(const target *self, void *work);

    /* logp (n) = log p~(x | context), -inf where there is no density; grad (n, D) its gradient in x,
     * NULL: not wanted. */
    int (*log_density)(const target *self, double *logp, double *grad, const double *x,
                       const double *context, size_t n, void *work, flow_err *err);

    /* z (n, D): what sample makes samples of, rows first .. of the stream. NULL: standard normals. */
    void (*noise)(const target *self, double *z, pcg_stream stream, uint64_t first, size_t n);

    /* x (n, D) from that noise z (n, D), exactly distributed as p; logp (n) = log p~(x).
     * NULL: the target has no sampler. */
    int (*sample)(const target *self, double *x, double *logp, const double *z,
                  const double *context, size_t n, void *work, flow_err *err);
} target_ops;

struct target {
    const target_ops *ops;
    size_t dim, context;
    double log_z; /* log of the integral of p~; 0: normalised, NaN: not known */
};

/* A fitted flow as a target; normalised. The flow is borrowed and must outlive the target. */
target *target_from_flow(const flow *teacher, flow_err *err);
void target_free(target *self); /* accepts NULL */

/* The noise of its samples: see above. */
void target_noise(const target *self, double *z, pcg_stream stream, uint64_t first, size_t n);

/* ---- whole batches, spread over a pool; rows do not depend on n or on the pool */

/* logp (n) of x (n, D); grad (n, D), NULL: not wanted. */
int target_log_density(const target *self, flow_pool *pool, double *logp, double *grad,
                       const double *x, const double *context, size_t n, flow_err *err);

/* x (n, D), logp (n): rows first .. first + n - 1 of the stream. The target must have a sampler. */
int target_sample(const target *self, flow_pool *pool, double *x, double *logp,
                  const double *context, pcg_stream stream, uint64_t first, size_t n,
                  flow_err *err);

#endif
