/* flow/layer/lu_linear.c -- y = L S U x + b: L unit lower, U unit upper triangular, S = diag(e^s)
 * with the softly bounded log-scale s = u / (1 + |u| / c), c = scale_bound (Oliva 2018, "Transformation
 * Autoregressive Networks"; Kingma & Dhariwal 2018). log|det| = sum s. It starts as the identity.
 *
 * The triangular products and solves are OpenBLAS's, in tiles of FLOW_PAD columns when a result
 * must not depend on how many rows a shard has (gemm kernels treat the edges of a matrix
 * differently).
 *
 * Parameters: one (D, D) matrix with L below the diagonal, u on
 * it and U above, then b (D). */
#include "flow/circles.h"
#include "flow/layer/layer.h"
#include "flow/layer/triangle.h"
#include "flow/layer/vmath.h"

#include <stdlib.h>
#include <string.h>

/* Whether products are BLAS's: not where every processor shall give the same bits, nor in a library for other programs, whose
 * threads BLAS takes for its own. */
#ifndef FLOW_BLAS
#define FLOW_BLAS (!FLOW_ROUNDS)
#endif

#define layer_lu_linear FLOW_NAME(layer_lu_linear)
extern const flow_layer_ops layer_lu_linear;

#if FLOW_BLAS
#include <cblas.h>
#if FLOW_BITS == 32
#define blas_trmm cblas_strmm
#define blas_trsm cblas_strsm
#define blas_gemm cblas_sgemm
#else
#define blas_trmm cblas_dtrmm
#define blas_trsm cblas_dtrsm
#define blas_gemm cblas_dgemm
#endif
#endif

typedef struct lu_linear {
    flow_layer base;
    double scale_bound; /* c */
} lu_linear;

static real inverse_bound(const flow_layer *layer)
{
    return (real)(1.0 / ((const lu_linear *)layer)->scale_bound);
}

static size_t matrix_len(size_t dim)
{
    return flow_pad(dim * dim);
}

static flow_layer *lu_linear_create(const json_t *description, const layer_scope *scope,
                                    flow_err *err)
{
    lu_linear *self = flow_kind_read(&layer_lu_linear.kind, description, err);
    if (!self)
        return NULL;
    self->base = (flow_layer){.ops = &layer_lu_linear,
                              .dim = scope->dim,
                              .context = scope->context,
                              .n_params = matrix_len(scope->dim) + flow_pad(scope->dim),
                              .n_live = scope->dim * scope->dim + scope->dim};
    return &self->base;
}

static void lu_linear_free(flow_layer *layer)
{
    free(layer);
}

static json_t *lu_linear_describe(const flow_layer *layer)
{
    return flow_kind_write(&layer_lu_linear.kind, layer);
}

static void lu_linear_init(const flow_layer *layer, real *theta, layer_draws *draws)
{
    (void)draws;
    memset(theta, 0, layer->n_params * sizeof *theta);
}

static size_t lu_linear_cache_len(const flow_layer *layer, size_t ld)
{
    return layer->dim * ld; /* S U x */
}

static size_t lu_linear_work_len(const flow_layer *layer, size_t ld)
{
    return flow_pad(layer->dim) * ld + matrix_len(layer->dim);
}

static real log_scale(const flow_layer *layer, const real *theta, size_t i)
{
    real u = theta[i * layer->dim + i];
    return u / ((real)1 + vm_abs(u) * inverse_bound(layer));
}

static double logdet_of(const flow_layer *layer, const real *theta)
{
    double sum = 0;
    for (size_t i = 0; i < layer->dim; i++)
        sum += (double)log_scale(layer, theta, i);
    return sum;
}

static void scale_rows(const flow_layer *layer, real *x, const real *theta, real sign, size_t ld)
{
    for (size_t i = 0; i < layer->dim; i++) {
        real scale = vm_exp(sign * log_scale(layer, theta, i));
        for (size_t j = 0; j < ld; j++)
            x[i * ld + j] *= scale;
    }
}

typedef enum triangle { LOWER, UPPER } triangle;

#if FLOW_BLAS
/* Tile by tile: x <- op(T) x */
static void multiply(const flow_layer *layer, real *x, const real *theta, triangle which,
                     int transposed, size_t ld)
{
    blasint d = (blasint)layer->dim;
    for (size_t j = 0; j < ld; j += FLOW_PAD)
        blas_trmm(CblasRowMajor, CblasLeft, which == LOWER ? CblasLower : CblasUpper,
                  transposed ? CblasTrans : CblasNoTrans, CblasUnit, d, FLOW_PAD, 1, theta, d,
                  x + j, (blasint)ld);
}

/* x <- op(T)^-1 x */
static void solve(const flow_layer *layer, real *x, const real *theta, triangle which,
                  int transposed, size_t ld)
{
    blasint d = (blasint)layer->dim;
    for (size_t j = 0; j < ld; j += FLOW_PAD)
        blas_trsm(CblasRowMajor, CblasLeft, which == LOWER ? CblasLower : CblasUpper,
                  transposed ? CblasTrans : CblasNoTrans, CblasUnit, d, FLOW_PAD, 1, theta, d,
                  x + j, (blasint)ld);
}

/* matrix (D, D) = a b^T, a and b (D, ld) */
static void outer(const flow_layer *layer, real *matrix, const real *a, const real *b, size_t ld)
{
    blasint d = (blasint)layer->dim, rows = (blasint)ld;
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, d, d, rows, 1, a, rows, b, rows, 0, matrix,
              d);
}
#else
static void multiply(const flow_layer *layer, real *x, const real *theta, triangle which,
                     int transposed, size_t ld)
{
    triangle_multiply(x, theta, layer->dim, which == LOWER, transposed, ld);
}

static void solve(const flow_layer *layer, real *x, const real *theta, triangle which,
                  int transposed, size_t ld)
{
    triangle_solve(x, theta, layer->dim, which == LOWER, transposed, ld);
}

static void outer(const flow_layer *layer, real *matrix, const real *a, const real *b, size_t ld)
{
    triangle_outer(matrix, a, b, layer->dim, ld);
}
#endif

static void add_logdet(double *logdet, double value, size_t ld)
{
    for (size_t j = 0; j < ld; j++)
        logdet[j] += value;
}

static void lu_linear_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                              const layer_call *call)
{
    const real *theta = call->theta;
    const size_t ld = call->ld;
    size_t count = layer->dim * ld;
    memcpy(y, x, count * sizeof *y);
    multiply(layer, y, theta, UPPER, 0, ld);
    scale_rows(layer, y, theta, 1, ld);
    if (call->cache)
        memcpy(call->cache, y, count * sizeof *y);
    multiply(layer, y, theta, LOWER, 0, ld);
    const real *b = theta + matrix_len(layer->dim);
    for (size_t i = 0; i < layer->dim; i++)
        for (size_t j = 0; j < ld; j++)
            y[i * ld + j] += b[i];
    add_logdet(logdet, logdet_of(layer, theta), ld);
}

static void lu_linear_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                              const layer_call *call)
{
    const real *theta = call->theta;
    const size_t ld = call->ld;
    const real *b = theta + matrix_len(layer->dim);
    for (size_t i = 0; i < layer->dim; i++)
        for (size_t j = 0; j < ld; j++)
            x[i * ld + j] = y[i * ld + j] - b[i];
    solve(layer, x, theta, LOWER, 0, ld);
    if (call->cache)
        memcpy(call->cache, x, layer->dim * ld * sizeof *x);
    scale_rows(layer, x, theta, -1, ld);
    solve(layer, x, theta, UPPER, 0, ld);
    add_logdet(logdet, -logdet_of(layer, theta), ld);
}

/* The part of matrix = a b^T on one side of the diagonal, added to dtheta. */
static void add_triangle(const flow_layer *layer, real *dtheta, const real *a, const real *b,
                         triangle which, size_t ld, real *matrix)
{
    size_t d = layer->dim;
    outer(layer, matrix, a, b, ld);
    for (size_t i = 0; i < d; i++) {
        size_t from = which == LOWER ? 0 : i + 1, to = which == LOWER ? i : d;
        for (size_t k = from; k < to; k++)
            dtheta[i * d + k] += matrix[i * d + k];
    }
}

/* du_i = (sum_r dw_i w_i + dlogdet) ds/du, w = S U x; db_i = sum_r dy_i. */
static void add_scale_and_bias(const flow_layer *layer, real *dtheta, const real *theta,
                               const real *dw, const real *w, const real *dy, const real *dlogdet,
                               size_t ld)
{
    size_t d = layer->dim;
    double dl = 0;
    for (size_t j = 0; j < ld; j++)
        dl += (double)dlogdet[j];
    for (size_t i = 0; i < d; i++) {
        double ds = dl, db = 0;
        for (size_t j = 0; j < ld; j++) {
            ds += (double)(dw[i * ld + j] * w[i * ld + j]);
            db += (double)dy[i * ld + j];
        }
        real r = 1 / (1 + vm_abs(theta[i * d + i]) * inverse_bound(layer));
        dtheta[i * d + i] += (real)ds * r * r;
        dtheta[matrix_len(d) + i] += (real)db;
    }
}

static void lu_linear_backward(const flow_layer *layer, real *dx, real *dtheta, int add,
                               const real *dy, const real *dlogdet, const real *x,
                               const layer_call *call)
{
    const real *theta = call->theta;
    const size_t ld = call->ld;
    real *dw = call->work, *matrix = call->work + flow_pad(layer->dim) * ld;
    size_t count = layer->dim * ld;
    if (dtheta && !add)
        memset(dtheta, 0, layer->n_params * sizeof *dtheta);
    memcpy(dw, dy, count * sizeof *dw);
    multiply(layer, dw, theta, LOWER, 1, ld); /* dw = L^T dy */
    if (dtheta) {
        add_triangle(layer, dtheta, dy, call->cache, LOWER, ld, matrix); /* dL += dy w^T */
        add_scale_and_bias(layer, dtheta, theta, dw, call->cache, dy, dlogdet, ld);
    }
    scale_rows(layer, dw, theta, 1, ld); /* dv = S dw, v = U x */
    if (dtheta)
        add_triangle(layer, dtheta, dw, x, UPPER, ld, matrix); /* dU += dv x^T */
    memcpy(dx, dw, count * sizeof *dx);
    multiply(layer, dx, theta, UPPER, 1, ld); /* dx = U^T dv */
}

static void lu_linear_score(const flow_layer *layer, real *score_y, const real *score_x,
                            const real *x, const layer_call *call)
{
    (void)x;
    const real *theta = call->theta;
    const size_t ld = call->ld;
    memcpy(score_y, score_x, layer->dim * ld * sizeof *score_y);
    solve(layer, score_y, theta, UPPER, 1, ld);
    scale_rows(layer, score_y, theta, -1, ld);
    solve(layer, score_y, theta, LOWER, 1, ld);
}

static size_t lu_linear_n_tensors(const flow_layer *layer)
{
    (void)layer;
    return 2;
}

static void lu_linear_tensor(const flow_layer *layer, flow_tensor_info *info, size_t index)
{
    strcpy(info->name, index ? "bias" : "lu");
    info->rows = layer->dim;
    info->cols = index ? 0 : layer->dim;
}

static void lu_linear_tensor_get(const flow_layer *layer, double *values, const real *theta,
                                 size_t index)
{
    size_t d = layer->dim, count = index ? d : d * d;
    for (size_t i = 0; i < count; i++)
        values[i] = (double)theta[(index ? matrix_len(d) : 0) + i];
}

static void lu_linear_tensor_set(const flow_layer *layer, real *theta, const double *values,
                                 size_t index)
{
    size_t d = layer->dim, count = index ? d : d * d;
    for (size_t i = 0; i < count; i++)
        theta[(index ? matrix_len(d) : 0) + i] = (real)values[i];
}

static const flow_key lu_linear_keys[] = {
    {FLOW_KEY(lu_linear, scale_bound), .type = FLOW_KEY_REAL, .min = 0.1, .max = 20, .def = "5",
     .unit = "nats", .doc = "Soft bound of the log of each of the matrix's scales."},
    {.name = NULL}};

const flow_layer_ops layer_lu_linear = {
    .kind = {.name = "lu_linear",
             .doc = "a learned matrix, kept invertible as its LU factors, and a shift",
             .keys = lu_linear_keys,
             .size = sizeof(lu_linear),
             .circle = flow_circles_part},
    .flat = 1,
    .create = lu_linear_create,
    .free = lu_linear_free,
    .describe = lu_linear_describe,
    .unroll = layer_unroll_inverted,
    .init = lu_linear_init,
    .init_data = NULL,
    .cache_len = lu_linear_cache_len,
    .work_len = lu_linear_work_len,
    .forward = lu_linear_forward,
    .inverse = lu_linear_inverse,
    .backward = lu_linear_backward,
    .score = lu_linear_score,
    .n_tensors = lu_linear_n_tensors,
    .tensor = lu_linear_tensor,
    .tensor_get = lu_linear_tensor_get,
    .tensor_set = lu_linear_tensor_set,
};
