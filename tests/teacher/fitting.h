/* tests/teacher/fitting.h -- a fit as a test sets it up: rows of a Gaussian, a small MAF, what was watched. */
#ifndef TESTS_TEACHER_FITTING_H
#define TESTS_TEACHER_FITTING_H

#include "flow/lanes.h"
#include "teacher/fit.h"
#include "tests/common/check.h"
#include "tests/common/gaussian.h"
#include "tests/common/sanitized.h"
#include "tests/common/spec.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- data: rows of a Gaussian with known entropy */

typedef struct rows {
    data_set set;
    double *x, *context;
} rows;

/* Contexts are standard normal. */
static inline void rows_init(rows *self, const gaussian *g, size_t train, size_t valid, size_t test)
{
    const pcg_stream noise = {.seed = 31, .stage = PCG_TEST, .purpose = PCG_TARGET};
    const pcg_stream columns = {.seed = 31, .stage = PCG_TEST, .purpose = PCG_CONTEXT};
    size_t dim = g->base.dim, c = g->base.context, n = train + valid + test;
    double *z = malloc(n * dim * sizeof *z);
    *self = (rows){.x = malloc(n * dim * sizeof *z), .context = malloc((n * c + 1) * sizeof *z)};
    pcg_normals(z, noise, 0, n, dim);
    if (c)
        pcg_normals(self->context, columns, 0, n, c);
    gaussian_sample(g, self->x, z, self->context, n);
    free(z);
    size_t from[] = {0, train, train + valid}, count[] = {train, valid, test};
    data_part *parts[] = {&self->set.train, &self->set.valid, &self->set.test};
    self->set.dim = dim;
    self->set.n_context = c;
    for (size_t p = 0; p < 3; p++)
        *parts[p] =
            (data_part){.x = data_numbers_of(self->x + from[p] * dim, dim),
                        .context = data_numbers_of(c ? self->context + from[p] * c : NULL, c),
                        .n = count[p]};
}

static inline void rows_release(rows *self)
{
    free(self->x);
    free(self->context);
}

static inline flow *maf(const gaussian *g, const char *transformer, size_t width)
{
    const size_t hidden[] = {width};
    flow_err err = FLOW_ERR_INIT;
    flow_spec spec = {.dim = g->base.dim,
                      .context = g->base.context,
                      .layers = 2,
                      .hidden = hidden,
                      .n_hidden = 1,
                      .activation = "relu",
                      .transformer = transformer,
                      .bins = 6,
                      .bound = 4,
                      .scale_bound = 3,
                      .permute = FLOW_REVERSE,
                      .actnorm = 1};
    flow *f = flow_spec_create(&spec, FLOW_F32, &err);
    cr_assert(f, "%s", err.text);
    return f;
}

static inline teacher_fit_options usual(void)
{
    return (teacher_fit_options){.batch = 256,
                                 .epochs = 12,
                                 .lr = 5e-3,
                                 .warmup = 20,
                                 .schedule = FLOW_COSINE,
                                 .clip = 5,
                                 .patience = 0,
                                 .seed = 11};
}

/* What a watch saw of each epoch; stops after `stop_after` epochs. */
typedef struct history {
    teacher_fit_state states[256];
    size_t n, stop_after;
} history;

static inline int watch(void *arg, const teacher_fit_state *state)
{
    history *h = arg;
    cr_assert_lt(h->n, 256);
    h->states[h->n++] = *state;
    cr_assert_eq(state->epoch, h->n);
    return h->n == h->stop_after;
}

static inline int fit(flow *f, teacher_fit_state *state, const rows *r,
                      const teacher_fit_options *options, history *h, size_t threads)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(threads, NULL);
    int code = teacher_fit(f, state, pool, &r->set, options, h ? watch : NULL, h, &err);
    cr_assert_eq(code, err.code, "returned %d, wrote %d: %s", code, err.code, err.text);
    cr_assert(code == 0 || *err.text);
    flow_pool_free(pool);
    return code;
}

static inline double log_likelihood(const flow *f, const data_part *part)
{
    double mean, se;
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(teacher_log_likelihood(f, pool, &mean, &se, part, NULL), 0);
    flow_pool_free(pool);
    return mean;
}

#endif
