/* teacher/target_gaussian.c -- log p~(x) = log Z - |u|^2 / 2 - sum log L_ii - D / 2 log 2 pi, with
 * covariance = L L^T (Cholesky) and u = L^-1 (x - mean); its gradient is -L^-T u, a draw mean + L z. */
#include "teacher/target_gaussian.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct gaussian_target {
    target base;
    double *mean, *lower; /* (D), (D, D): L, what is above the diagonal is not used */
    double log_top;       /* log p~(mean) */
} gaussian_target;

static const gaussian_target *down(const target *self)
{
    return (const gaussian_target *)self;
}

/* ---- the interface */

static void *gaussian_work_create(const target *self, size_t max_rows, flow_err *err)
{
    double *z = malloc(max_rows * self->dim * sizeof *z);
    if (!z)
        flow_fail(err, FLOW_ENOMEM, "out of memory for a shard of a Gaussian");
    return z;
}

static void gaussian_work_free(const target *self, void *work)
{
    (void)self;
    free(work);
}

/* u = L^-1 (x - mean); returns |u|^2. */
static double whiten(const gaussian_target *g, double *u, const double *x)
{
    size_t dim = g->base.dim;
    double square = 0;
    for (size_t i = 0; i < dim; i++) {
        const double *l = g->lower + i * dim;
        u[i] = x[i] - g->mean[i];
        for (size_t j = 0; j < i; j++)
            u[i] -= l[j] * u[j];
        u[i] /= l[i];
        square += u[i] * u[i];
    }
    return square;
}

/* grad = -L^-T u, from the last element to the first. */
static void gradient(const gaussian_target *g, double *grad, const double *u)
{
    size_t dim = g->base.dim;
    for (size_t i = dim; i-- > 0;) {
        grad[i] = -u[i];
        for (size_t j = i + 1; j < dim; j++)
            grad[i] -= g->lower[j * dim + i] * grad[j];
        grad[i] /= g->lower[i * dim + i];
    }
}

static int gaussian_log_density(const target *self, double *logp, double *grad,
                                target_status *status, const double *x, const double *context,
                                size_t n, void *work, flow_err *err)
{
    const gaussian_target *g = down(self);
    double *u = work;
    (void)status, (void)context, (void)err;
    for (size_t r = 0; r < n; r++) {
        logp[r] = g->log_top - 0.5 * whiten(g, u, x + r * self->dim);
        if (grad)
            gradient(g, grad + r * self->dim, u);
    }
    return 0;
}

/* x = mean + L z */
static void push(const gaussian_target *g, double *x, const double *z)
{
    size_t dim = g->base.dim;
    for (size_t i = 0; i < dim; i++) {
        x[i] = g->mean[i];
        for (size_t j = 0; j <= i; j++)
            x[i] += g->lower[i * dim + j] * z[j];
    }
}

static int gaussian_sample(const target *self, double *x, double *logp, target_status *status,
                           const double *context, const target_rows *rows, size_t n, void *work,
                           flow_err *err)
{
    const gaussian_target *g = down(self);
    size_t dim = self->dim;
    double *z = work;
    (void)status, (void)context, (void)err;
    pcg_normals(z, rows->stream, rows->first, n, dim);
    for (size_t r = 0; r < n; r++) {
        double factor = target_is_wide(rows, rows->first + r) ? rows->widen_by : 1, square = 0;
        for (size_t i = r * dim; i < (r + 1) * dim; i++) {
            z[i] *= factor;
            square += z[i] * z[i];
        }
        push(g, x + r * dim, z + r * dim);
        logp[r] = g->log_top - 0.5 * square;
    }
    return 0;
}

static void gaussian_free(target *self)
{
    free(self);
}

static const target_ops gaussian_ops = {
    .name = "gaussian",
    .free = gaussian_free,
    .work_create = gaussian_work_create,
    .work_free = gaussian_work_free,
    .log_density = gaussian_log_density,
    .sample = gaussian_sample,
};

/* ---- making one */

/* a (dim, dim), symmetric, becomes its Cholesky factor in place. 0, or -1: not positive definite. */
static int cholesky(double *a, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * dim + j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i * dim + k] * a[j * dim + k];
            if (i == j && !(sum > 0 && isfinite(sum)))
                return -1;
            a[i * dim + j] = i == j ? sqrt(sum) : sum / a[j * dim + j];
        }
    return 0;
}

static int read_numbers(double *out, const json_t *list, size_t n, const char *key, flow_err *err)
{
    if (!json_is_array(list) || json_array_size(list) != n)
        return flow_fail(err, FLOW_ECONFIG, "gaussian: %s: wanted a list of %zu numbers", key, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_number(item))
            return flow_fail(err, FLOW_ECONFIG, "gaussian: %s: item %zu is no number", key, i);
        out[i] = json_number_value(item);
    }
    return 0;
}

static int read_covariance(double *out, const json_t *rows, size_t dim, flow_err *err)
{
    if (!json_is_array(rows) || json_array_size(rows) != dim)
        return flow_fail(err, FLOW_ECONFIG, "gaussian: covariance: wanted a list of %zu rows", dim);
    for (size_t i = 0; i < dim; i++)
        if (read_numbers(out + i * dim, json_array_get(rows, i), dim, "covariance", err))
            return FLOW_ECONFIG;
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < i; j++)
            if (!(out[i * dim + j] == out[j * dim + i]))
                return flow_fail(err, FLOW_ECONFIG,
                                 "gaussian: covariance: element %zu, %zu is %.9g, element %zu, %zu "
                                 "is %.9g; wanted a symmetric matrix",
                                 i, j, out[i * dim + j], j, i, out[j * dim + i]);
    if (cholesky(out, dim))
        return flow_fail(err, FLOW_ECONFIG, "gaussian: covariance: not positive definite");
    return 0;
}

/* ---- the kind */

typedef struct gaussian_options {
    double log_z;
} gaussian_options;

static const flow_key gaussian_keys[] = {
    {.name = "mean",
     .type = FLOW_KEY_OWN,
     .flags = FLOW_KEY_REQUIRED,
     .wants = "a list of D numbers",
     .doc = "The mean; as many dimensions as there are numbers."},
    {.name = "covariance",
     .type = FLOW_KEY_OWN,
     .flags = FLOW_KEY_REQUIRED,
     .wants = "a list of D lists of D numbers",
     .doc = "The covariance: symmetric and positive definite."},
    {FLOW_KEY(gaussian_options, log_z), .type = FLOW_KEY_REAL, .min = -INFINITY, .max = INFINITY,
     .def = "0", .unit = "nats", .doc = "log of the integral of the density; 0: it is normalised."},
    {.name = NULL}};

static int read_all(gaussian_target *self, const json_t *object, flow_err *err)
{
    size_t dim = self->base.dim;
    gaussian_options *options = flow_kind_read(&target_gaussian.kind, object, err);
    if (!options)
        return FLOW_ECONFIG;
    self->base.log_z = options->log_z;
    free(options);
    int code = read_numbers(self->mean, json_object_get(object, "mean"), dim, "mean", err);
    if (!code)
        code = read_covariance(self->lower, json_object_get(object, "covariance"), dim, err);
    if (code)
        return code;
    self->log_top = self->base.log_z - 0.91893853320467274178 * (double)dim; /* log(2 pi) / 2 */
    for (size_t i = 0; i < dim; i++)
        self->log_top -= log(self->lower[i * dim + i]);
    return 0;
}

static target *gaussian_create(const json_t *object, flow_err *err)
{
    size_t dim = json_array_size(json_object_get(object, "mean"));
    if (dim == 0) {
        flow_fail(err, FLOW_ECONFIG, "gaussian: mean: wanted a list of numbers, one a dimension");
        return NULL;
    }
    gaussian_target *self = calloc(1, sizeof *self + dim * (dim + 1) * sizeof(double));
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a Gaussian in %zu dimensions", dim);
        return NULL;
    }
    self->base = (target){.ops = &gaussian_ops,
                          .dim = dim,
                          .flags = TARGET_GRADIENT | TARGET_THREADS | TARGET_WIDENS};
    self->mean = (double *)(self + 1);
    self->lower = self->mean + dim;
    if (!read_all(self, object, err))
        return &self->base;
    free(self);
    return NULL;
}

const target_kind target_gaussian = {
    .kind = {.name = "gaussian",
             .doc = "a Gaussian of any mean and covariance, of which everything is known",
             .keys = gaussian_keys,
             .size = sizeof(gaussian_options)},
    .example = "{\"kind\": \"gaussian\", \"mean\": [0.7, -0.4], "
               "\"covariance\": [[0.64, 0.4], [0.4, 1.69]], \"log_z\": 1.25}",
    .create = gaussian_create,
};
