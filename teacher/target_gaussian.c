/* teacher/target_gaussian.c -- log p~(x) = log Z - |u|^2 / 2 - sum log L_ii - D / 2 log 2 pi, with
 * covariance = L L^T (Cholesky) and u = L^-1 (x - mean); its gradient is -L^-T u, a draw mean + L z.
 *
 * The solves are OpenBLAS's, in tiles of TILE rows, so that a row does not depend on how many there are. */
#include "teacher/target_gaussian.h"

#include "teacher/target_covariance.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>

enum { TILE = 16, MAX_DIM = 1024 };

typedef struct gaussian_options {
    uint64_t dim, seed;
    double correlation, condition, log_z;
} gaussian_options;

typedef struct gaussian_target {
    target_density base;
    double *mean, *lower; /* (D), (D, D): L, what is above the diagonal is not used */
    double log_top;       /* log p~(mean) */
} gaussian_target;

static const gaussian_target *down(const target_density *self)
{
    return (const gaussian_target *)self;
}

/* ---- the density */

/* u (TILE, D): u <- u L^-T or u L^-1 */
static void solve(const gaussian_target *g, double *u, CBLAS_TRANSPOSE trans)
{
    blasint dim = (blasint)g->base.base.dim;
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, trans, CblasNonUnit, TILE, dim, 1, g->lower,
                dim, u, dim);
}

/* u (TILE, D) = x - mean of n rows, and 0. */
static void centre(const gaussian_target *g, double *u, const double *x, size_t n)
{
    size_t dim = g->base.base.dim;
    for (size_t r = 0; r < TILE; r++)
        for (size_t i = 0; i < dim; i++)
            u[r * dim + i] = r < n ? x[r * dim + i] - g->mean[i] : 0;
}

static double square_of(const double *u, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += u[i] * u[i];
    return sum;
}

static void tile_log_p(const gaussian_target *g, double *logp, double *grad, const double *x,
                       size_t n, double *u)
{
    size_t dim = g->base.base.dim;
    centre(g, u, x, n);
    solve(g, u, CblasTrans);
    for (size_t r = 0; r < n; r++)
        logp[r] = g->log_top - 0.5 * square_of(u + r * dim, dim);
    if (grad)
        solve(g, u, CblasNoTrans);
    for (size_t i = 0; grad && i < n * dim; i++)
        grad[i] = -u[i];
}

static void gaussian_log_ps(const target_density *self, double *logp, double *grad, const double *x,
                            size_t n, double *room)
{
    size_t dim = self->base.dim;
    for (size_t r = 0; r < n; r += TILE)
        tile_log_p(down(self), logp + r, grad ? grad + r * dim : NULL, x + r * dim,
                   n - r < TILE ? n - r : TILE, room);
}

/* x = mean + L z */
static void gaussian_draw(const target_density *self, double *x, const double *z, pcg *rng)
{
    const gaussian_target *g = down(self);
    size_t dim = self->base.dim;
    (void)rng;
    for (size_t i = 0; i < dim; i++) {
        x[i] = g->mean[i];
        for (size_t j = 0; j <= i; j++)
            x[i] += g->lower[i * dim + j] * z[j];
    }
}

/* ---- making one */

/* D of what is given; 0 after an error. */
static size_t dimension(const gaussian_options *o, const json_t *object, flow_err *err)
{
    const json_t *mean = target_density_given(object, "mean");
    size_t dim = o->dim ? o->dim : json_array_size(mean);
    if (o->dim && target_density_given(object, "covariance"))
        flow_fail(err, FLOW_ECONFIG, "dim: there is a covariance, whose mean says how many");
    else if (dim == 0 || dim > MAX_DIM)
        flow_fail(err, FLOW_ECONFIG,
                  "mean: wanted a list of 1 .. %d numbers, one a dimension, or dim", MAX_DIM);
    else
        return dim;
    return 0;
}

/* The covariance, as a whole matrix, into lower. */
static int find_covariance(gaussian_target *self, const gaussian_options *o, const json_t *object,
                           flow_err *err)
{
    size_t dim = self->base.base.dim;
    if (!o->dim)
        return target_covariance_read(self->lower, target_density_given(object, "covariance"), dim,
                                      err);
    if (o->condition > 1)
        return target_covariance_random(self->lower, dim, o->condition, o->seed, err);
    target_covariance_chain(self->lower, dim, o->correlation);
    return 0;
}

static int factorise(gaussian_target *self, flow_err *err)
{
    size_t dim = self->base.base.dim;
    if (target_cholesky(self->lower, dim))
        return flow_fail(err, FLOW_ECONFIG, "covariance: not positive definite");
    self->log_top = self->base.base.log_z - TARGET_HALF_LOG_2PI * (double)dim;
    for (size_t i = 0; i < dim; i++)
        self->log_top -= log(self->lower[i * dim + i]);
    return 0;
}

static int gaussian_begin(target_density *base, const void *options, const json_t *object,
                          flow_err *err)
{
    const gaussian_options *o = options;
    gaussian_target *self = (gaussian_target *)base;
    const json_t *mean = target_density_given(object, "mean");
    size_t dim = dimension(o, object, err);
    if (!dim || (!o->dim && target_density_idle(&target_gaussian.kind, o, "dim", err)) ||
        (!(o->condition > 1) &&
         target_density_idle(&target_gaussian.kind, o, "condition > 1", err)))
        return FLOW_ECONFIG;
    if (!(self->mean = target_density_hold(base, dim * (dim + 1), err)))
        return FLOW_ENOMEM;
    self->lower = self->mean + dim;
    base->base.dim = base->normals = dim;
    base->base.log_z = o->log_z;
    base->room = TILE * dim;
    int code = mean ? target_density_list(self->mean, mean, dim, "mean", err) : 0;
    if (!code)
        code = find_covariance(self, o, object, err);
    return code ? code : factorise(self, err);
}

static const target_density_ops gaussian_ops = {.kind = &target_gaussian,
                                                .size = sizeof(gaussian_target),
                                                .begin = gaussian_begin,
                                                .log_ps = gaussian_log_ps,
                                                .draw = gaussian_draw};

/* ---- the kind */

static target *gaussian_create(const json_t *object, flow_err *err)
{
    return target_density_create(&gaussian_ops, object, err);
}

static const char *gaussian_conflict(char *why, size_t size, const void *options)
{
    const gaussian_options *o = options;
    snprintf(why, size,
             "> 1 rotates the directions at random: there is no correlation of neighbours");
    return o->condition > 1 && o->correlation != 0 ? "condition" : NULL;
}

static const flow_key gaussian_keys[] = {
    {.name = "mean",
     .type = FLOW_KEY_OWN,
     .wants = "a list of D numbers",
     .doc = "The mean; as many dimensions as there are numbers. With `dim` it may be left out: 0."},
    {.name = "covariance",
     .type = FLOW_KEY_OWN,
     .wants = "a list of D lists of D numbers",
     .doc = "The covariance: symmetric and positive definite; or say `dim`."},
    {FLOW_KEY(gaussian_options, dim), .type = FLOW_KEY_WHOLE, .min = 1, .max = MAX_DIM,
     .doc = "So many dimensions, with a covariance by rule."},
    {FLOW_KEY(gaussian_options, correlation), .type = FLOW_KEY_REAL,
     .flags = FLOW_KEY_OPEN_MIN | FLOW_KEY_OPEN_MAX, .min = -1, .max = 1, .def = "0", .only = "dim",
     .doc = "Of each number with the next; with the one k further it is the k-th power. Variances "
            "are 1."},
    {FLOW_KEY(gaussian_options, condition), .type = FLOW_KEY_REAL, .min = 1, .max = 1e12,
     .def = "1", .only = "dim",
     .doc = "More than 1: a random covariance, whose largest variance in any direction is so many "
            "times the smallest; geometric between them, the middle 1."},
    {FLOW_KEY(gaussian_options, seed), .type = FLOW_KEY_WHOLE, .min = 0, .max = INFINITY,
     .def = "1", .only = "condition > 1", .doc = "Of the random directions."},
    {FLOW_KEY(gaussian_options, log_z), .type = FLOW_KEY_REAL, .min = -INFINITY, .max = INFINITY,
     .def = "0", .unit = "nats", .doc = "log of the integral of the density; 0: it is normalised."},
    TARGET_COLUMNS_KEY,
    {.name = NULL}};

const target_kind target_gaussian = {
    .kind = {.name = "gaussian",
             .doc = "a Gaussian of any mean and covariance, of which everything is known",
             .keys = gaussian_keys,
             .size = sizeof(gaussian_options),
             .conflict = gaussian_conflict},
    .example = "{\"kind\": \"gaussian\", \"mean\": [0.7, -0.4], "
               "\"covariance\": [[0.64, 0.4], [0.4, 1.69]], \"log_z\": 1.25}",
    .create = gaussian_create,
};
