/* Networks so wide that the threads of a pool share their maps: the same bits as by one thread
 * alone, forwards, backwards, and for a single row. */
#include "flow/block.h"
#include "flow/flow.h"
#include "tests/common/backends.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"
#include "tests/common/rounded.h"
#include "tests/common/sanitized.h"
#include "tests/common/spec.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { D = 9, N = 100 };

/* One pass, all that it computes, and the noise that it starts from. */
typedef struct job {
    flow_pass *pass;
    flow_gradient gradient;
    size_t n, turns; /* rows; backwards, of which the later ones add */
    double *x, *y, *logdet, *dx, *logp;
} job;

static flow *wide_flow(const flow_backend *backend, const size_t *hidden, size_t n_hidden,
                       size_t residual)
{
    flow_spec spec = {.dim = D,
                      .direction = FLOW_NOISE_TO_DATA,
                      .layers = 2,
                      .hidden = hidden,
                      .n_hidden = n_hidden,
                      .residual = residual,
                      .activation = "silu",
                      .transformer = "affine",
                      .scale_bound = 2.1,
                      .permute = FLOW_REVERSE};
    return random_flow(backend, &spec, 0.4);
}

/* Sampled through its inverse, whose pieces are whole maps. */
static flow *wide_coupling(const flow_backend *backend)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(
        D, 0, "data_to_noise",
        json_loads("{\"kind\": \"autoregressive\", \"groups\": 2, \"conditioner\": {\"kind\": "
                   "\"mlp\", \"hidden\": [192, 200], \"activation\": \"relu\"}}",
                   0, NULL));
    flow *f = flow_create_on(backend, d, SIZE_MAX, &err);
    cr_assert(f, "%s", err.text);
    randomise_parameters(f, 0.4, 99);
    json_decref(d);
    return f;
}

static flow *wide_unrolled(const flow_backend *backend, int tied)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *layers =
        json_pack("[{s:s, s:i, s:b, s:s, s:{s:s, s:[i, i]}}, {s:s, s:[s]}]", "kind", "unrolled",
                  "iterations", 2, "tied", tied, "transformer", "affine", "conditioner", "kind",
                  "mlp", "hidden", 192, 200, "kind", "inverted", "layers", "lu_linear");
    json_t *d = describe_one(D, 0, "noise_to_data", layers);
    flow *f = flow_create_on(backend, d, SIZE_MAX, &err);
    cr_assert(f, "%s", err.text);
    randomise_parameters(f, 0.4, 99);
    json_decref(d);
    return f;
}

static job job_new(const flow *f, size_t n, size_t turns)
{
    job out = {.n = n, .turns = turns};
    out.pass = flow_pass_create(f, n, turns ? FLOW_PASS_TRAIN : 0, NULL);
    out.gradient.block = flow_block_new(flow_params_bytes(f));
    out.x = random_numbers_new(n * D, 1.1, 5);
    out.y = calloc(2 * n * D + 2 * n, sizeof *out.y);
    out.dx = out.y + n * D;
    out.logdet = out.dx + n * D;
    out.logp = out.logdet + n;
    cr_assert(out.pass && out.gradient.block && out.y);
    return out;
}

static void job_free(job *self)
{
    flow_pass_free(self->pass);
    free(self->gradient.block);
    free(self->x);
    free(self->y);
}

static void work(void *arg, size_t index, size_t worker)
{
    job *j = arg;
    (void)index, (void)worker;
    flow_pass_transport(j->pass, NULL, j->y, j->logp, j->x, NULL, j->n);
    for (size_t t = 0; t < j->turns; t++)
        flow_pass_backward(j->pass, NULL, j->dx, &j->gradient, j->y, j->logp);
}

static void check_shared(const flow *f, size_t n, size_t turns, const char *what)
{
    job alone = job_new(f, n, turns);
    work(&alone, 0, 0);
    for (size_t threads = 2; threads <= 4; threads++) {
        flow_pool *pool = flow_pool_create(threads, NULL);
        for (int again = 0; again < UNLESS_SANITIZED(6, 2); again++) {
            job shared = job_new(f, n, turns);
            flow_pool_run(pool, work, &shared, 1);
            check_same(shared.y, alone.y, n * D, "%s, %zu threads: y", what, threads);
            check_same(shared.logp, alone.logp, n, "%s, %zu threads: log q", what, threads);
            check_same(shared.dx, alone.dx, n * D, "%s, %zu threads: dx", what, threads);
            cr_assert(memcmp(shared.gradient.block, alone.gradient.block, flow_params_bytes(f)) ==
                          0,
                      "%s, %zu threads: gradient", what, threads);
            job_free(&shared);
        }
        flow_pool_free(pool);
    }
    job_free(&alone);
}

ParameterizedTestParameters(shared, same_bits)
{
    return every_backend();
}

ParameterizedTest(const size_t *which, shared, same_bits, .timeout = 300)
{
    static const size_t plain[] = {192, 200}, residual[] = {176}, wider[] = {520, 512};
    const flow_backend *backend = flow_backend_at(*which);
    flow *f = wide_flow(backend, plain, 2, 0), *g = wide_flow(backend, residual, 1, 1),
         *h = wide_flow(backend, wider, 2, 0), *c = wide_coupling(backend),
         *u = wide_unrolled(backend, 0), *v = wide_unrolled(backend, 1);
    check_shared(f, N, 0, "plain, forwards");
    check_shared(f, N, 2, "plain");
    check_shared(g, N, 2, "residual");
    check_shared(h, 1, 0, "a single row");
    check_shared(c, N, 0, "a coupling's inverse");
    check_shared(c, N, 2, "a coupling");
    check_shared(u, N, 2, "unrolled");
    check_shared(v, N, 2, "unrolled, tied");
    check_shared(v, 1, 0, "a single row, unrolled");
    flow_free(u);
    flow_free(v);
    flow_free(c);
    flow_free(f);
    flow_free(g);
    flow_free(h);
}

static void check_rounded(flow *f, size_t n, const char *what)
{
    for (size_t k = 0; k < ROUNDED_NETWORKS; k++) {
        flow *rounded = rounded_new(f, rounded_networks[k], NULL);
        check_shared(rounded, n, 0, what);
        flow_free(rounded);
    }
    flow_free(f);
}

Test(shared, same_bits_in_low_precision, .timeout = 300)
{
    static const size_t plain[] = {192, 200}, wider[] = {520, 512};
    const flow_backend *backend = flow_backend_find(FLOW_F32, NULL);
    check_rounded(wide_flow(backend, plain, 2, 0), N, "rounded");
    check_rounded(wide_flow(backend, wider, 2, 0), 1, "a single rounded row");
    check_rounded(wide_coupling(backend), N, "a rounded coupling's inverse");
    check_rounded(wide_unrolled(backend, 1), 1, "a single rounded row, unrolled");
}
