/* The layer kind unrolled against what it is defined as, step by step and dense; and tied against
 * untied. The promises that all kinds make are in conformance.c and beside it. */
#include "flow/block.h"
#include "tests/common/backends.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { D = 5, C = 2, H = 9, N = 6, MAX_T = 4 };

static flow *affine_flow(const flow_backend *backend, size_t iterations, int tied)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *layer = json_pack("{s:s, s:I, s:b, s:{s:s, s:f}, s:{s:s, s:[i], s:s}}", "kind",
                              "unrolled", "iterations", (json_int_t)iterations, "tied", tied,
                              "transformer", "kind", "affine", "scale_bound", 2.1, "conditioner",
                              "kind", "mlp", "hidden", (int)H, "activation", "tanh");
    json_t *d = describe_one(D, C, "noise_to_data", layer);
    flow *f = flow_create_on(backend, d, SIZE_MAX, &err);
    cr_assert(f, "%s", err.text);
    randomise_parameters(f, 0.9, 7 + iterations);
    json_decref(d);
    return f;
}

/* ---- the definition, with dense matrices that hold the mask's zeros */

typedef struct dense {
    double w1[H * (C + D)], b1[H], w2[2 * D * H], b2[2 * D];
} dense;

static void read_step(dense *net, const flow *f, size_t step)
{
    double *parts[] = {net->w1, net->b1, net->w2, net->b2};
    size_t first = flow_n_tensors(f) > 4 ? 4 * step : 0;
    for (size_t i = 0; i < 4; i++)
        flow_tensor_get(f, parts[i], first + i);
}

/* The shift and the log-scale of every dimension. */
static void conditions(double *shift, double *scale, const dense *net, const double *x,
                       const double *context)
{
    double hidden[H];
    for (size_t h = 0; h < H; h++) {
        hidden[h] = net->b1[h];
        for (size_t i = 0; i < C + D; i++)
            hidden[h] += net->w1[h * (C + D) + i] * (i < C ? context[i] : x[i - C]);
        hidden[h] = tanh(hidden[h]);
    }
    for (size_t i = 0; i < 2 * D; i++) {
        double sum = net->b2[i];
        for (size_t h = 0; h < H; h++)
            sum += net->w2[i * H + h] * hidden[h];
        if (i % 2)
            scale[i / 2] = sum / (1 + fabs(sum) / 2.1);
        else
            shift[i / 2] = sum;
    }
}

static void naive(double *y, double *logdet, const flow *f, size_t iterations, const double *z,
                  const double *context)
{
    double shift[D], scale[D];
    memcpy(y, z, D * sizeof *y);
    for (size_t t = 0; t < iterations; t++) {
        dense net;
        read_step(&net, f, t);
        conditions(shift, scale, &net, y, context);
        *logdet = 0;
        for (size_t i = 0; i < D; i++) {
            y[i] = (z[i] - shift[i]) * exp(-scale[i]);
            *logdet -= scale[i];
        }
    }
}

static void check_naive(const flow_backend *backend, size_t iterations, int tied)
{
    flow *f = affine_flow(backend, iterations, tied);
    flow_pass *pass = flow_pass_create(f, N, 0, NULL);
    double *z = random_numbers_new(N * D, 1.2, 3), *c = random_numbers_new(N * C, 0.8, 4);
    double y[N * D], logdet[N], want[D], want_logdet;
    double tolerance = backend->precision == FLOW_F64 ? 1e-12 : 2e-4;
    flow_pass_forward(pass, NULL, y, logdet, z, c, N);
    for (size_t r = 0; r < N; r++) {
        naive(want, &want_logdet, f, iterations, z + r * D, c + r * C);
        check_close(y + r * D, want, D, tolerance, tolerance, "%s, T = %zu, tied %d, row %zu",
                    backend->name, iterations, tied, r);
        check_close(&logdet[r], &want_logdet, 1, tolerance, tolerance, "logdet, T = %zu",
                    iterations);
    }
    flow_pass_free(pass);
    flow_free(f);
    free(z);
    free(c);
}

Test(unrolled, is_what_it_is_defined_as)
{
    for (size_t b = 0; flow_backend_at(b); b++)
        for (size_t iterations = 1; iterations <= MAX_T; iterations++)
            for (int tied = 0; tied < 2; tied++)
                check_naive(flow_backend_at(b), iterations, tied);
}

/* ---- tied: the same as copies, whose gradients it adds, the last one's first */

/* Every step of `to` gets the one network of `from`. */
static void copy_steps(flow *to, const flow *from)
{
    for (size_t t = 0; t < flow_n_tensors(to); t++) {
        double values[2 * D * H];
        flow_tensor_get(from, values, t % flow_n_tensors(from));
        cr_assert_eq(flow_tensor_set(to, values, t, NULL), 0);
    }
}

/* Forward, backward at cotangents; the gradient in a new block. */
static void *gradient_of(const flow *f, double *y, double *dx, const double *z, const double *c,
                         const double *dlogdet)
{
    flow_pass *pass = flow_pass_create(f, N, FLOW_PASS_TRAIN, NULL);
    flow_gradient g = {.block = flow_block_new(flow_params_bytes(f))};
    double logdet[N];
    flow_pass_forward(pass, NULL, y, logdet, z, c, N);
    flow_pass_backward(pass, NULL, dx, &g, z, dlogdet);
    flow_pass_free(pass);
    return g.block;
}

static void check_tied(const flow_backend *backend, size_t iterations)
{
    flow *tied = affine_flow(backend, iterations, 1), *own = affine_flow(backend, iterations, 0);
    copy_steps(own, tied);
    double *z = random_numbers_new(N * D, 1.2, 3), *c = random_numbers_new(N * C, 0.8, 4);
    double *dlogdet = random_numbers_new(N, 0.8, 5), y[2][N * D], dx[2][N * D];
    size_t n = flow_n_params(tied);
    double *sum = gradient_of(tied, y[0], dx[0], z, c, dlogdet);
    double *parts = gradient_of(own, y[1], dx[1], z, c, dlogdet);
    cr_assert_eq(flow_n_params(own), iterations * n);
    cr_assert_eq(flow_n_weights(own), iterations * flow_n_weights(tied));
    check_same(y[0], y[1], N * D, "y, tied against copies, T = %zu", iterations);
    check_same(dx[0], dx[1], N * D, "dx, tied against copies, T = %zu", iterations);
    for (size_t i = 0; i < n; i++) {
        double want = parts[(iterations - 1) * n + i];
        for (size_t t = iterations - 1; t-- > 0;)
            want += parts[t * n + i];
        check_close(&sum[i], &want, 1, 1e-13, 1e-15, "gradient %zu, T = %zu", i, iterations);
    }
    free(sum), free(parts), free(z), free(c), free(dlogdet);
    flow_free(tied);
    flow_free(own);
}

Test(unrolled, tied_is_the_sum_of_copies)
{
    for (size_t iterations = 1; iterations <= MAX_T; iterations++)
        check_tied(first_f64_backend(), iterations);
}

/* ---- names */

Test(unrolled, names_of_tensors)
{
    static const char *const names[2][2] = {
        {"layers.0.step.1.conditioner.0.weight", "layers.0.step.3.conditioner.1.bias"},
        {"layers.0.conditioner.0.weight", "layers.0.conditioner.1.bias"}};
    for (int tied = 0; tied < 2; tied++) {
        flow *f = affine_flow(first_f64_backend(), 3, tied);
        flow_tensor_info first, last;
        flow_tensor(f, &first, 0);
        flow_tensor(f, &last, flow_n_tensors(f) - 1);
        cr_assert_str_eq(first.name, names[tied][0]);
        cr_assert_str_eq(last.name, names[tied][1]);
        flow_free(f);
    }
}
