/* The layer that follows its context: what it starts as, from data. */
#include "flow/flow.h"
#include "tests/common/backends.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { N = 400, D = 2, C = 2 };

/* x = shift + slope c + sd noise */
static const double shift[D] = {1.3, -0.4}, slope[D][C] = {{0.9, 0}, {-1.7, 0.6}},
                    sd[D] = {0.1, 0.02};

static double *make_rows(double *c)
{
    double *x = random_numbers_new(N * D, 1, 31);
    for (size_t r = 0; r < N; r++)
        for (size_t i = 0; i < D; i++) {
            x[r * D + i] = shift[i] + sd[i] * x[r * D + i];
            for (size_t k = 0; k < C; k++)
                x[r * D + i] += slope[i][k] * c[r * C + k];
        }
    return x;
}

static flow *started(const flow_backend *backend, const double *x, const double *c, size_t n)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(D, C, "data_to_noise", json_pack("{s:s}", "kind", "context_linear"));
    flow *f = flow_create_on(backend, d, SIZE_MAX, &err);
    cr_assert(f, "%s", err.text);
    flow_init(f, (pcg_stream){.seed = 1, .stage = PCG_TEST});
    cr_assert_eq(flow_init_data(f, x, c, n, &err), 0, "%s", err.text);
    json_decref(d);
    return f;
}

/* The spread of noise is known within 1 / sqrt(2 N), a slope within sd / sqrt(N); five of them. */
static void check_start(const flow *f, const char *backend)
{
    double s[D], b[D], a[D][C];
    flow_tensor_get(f, s, 0);
    flow_tensor_get(f, b, 1);
    flow_tensor_get(f, &a[0][0], 2);
    for (size_t i = 0; i < D; i++) {
        double scale = exp(-s[i]);
        check_close(&scale, &sd[i], 1, 0.18, 0, "scale %zu, %s", i, backend);
        double from = -b[i] * scale;
        check_close(&from, &shift[i], 1, 0, 0.25 * sd[i] + 0.005, "shift %zu, %s", i, backend);
        for (size_t k = 0; k < C; k++) {
            double by = -a[i][k] * scale;
            check_close(&by, &slope[i][k], 1, 0, 0.25 * sd[i] + 0.005, "slope %zu %zu, %s", i, k,
                        backend);
        }
    }
}

Test(context_linear, starts_as_least_squares)
{
    double *c = random_numbers_new(N * C, 1, 30), *x = make_rows(c);
    for (size_t b = 0; flow_backend_at(b); b++) {
        flow *f = started(flow_backend_at(b), x, c, N);
        check_start(f, flow_backend_at(b)->name);
        flow_free(f);
    }
    free(c);
    free(x);
}

/* One value of a million in the context, and one in the first column: the second column is still followed. */
Test(context_linear, wild_values_do_not_ruin_it)
{
    double *c = random_numbers_new(N * C, 1, 30), *x = make_rows(c), a[D][C], s[D];
    x[6] = 1e6;
    c[6] = -1e6;
    flow *f = started(first_f64_backend(), x, c, N);
    flow_tensor_get(f, s, 0);
    flow_tensor_get(f, &a[0][0], 2);
    double by = -a[1][0] * exp(-s[1]);
    check_close(&by, &slope[1][0], 1, 0.3, 0, "the slope on a column with a wild value");
    flow_free(f);
    free(c);
    free(x);
}

/* Half of the first column is its context, all of the second: only that is moved. */
Test(context_linear, leaves_wide_columns_alone)
{
    double *c = random_numbers_new(N * C, 1, 30), *x = make_rows(c), a[D][C], s[D];
    double *wide = random_numbers_new(N, 0.9, 32);
    for (size_t r = 0; r < N; r++)
        x[r * D] += wide[r];
    flow *f = started(first_f64_backend(), x, c, N);
    flow_tensor_get(f, s, 0);
    flow_tensor_get(f, &a[0][0], 2);
    cr_assert(s[0] == 0 && a[0][0] == 0 && a[0][1] == 0);
    cr_assert(s[1] > 3 && a[1][0] > 30);
    flow_free(f);
    free(wide);
    free(c);
    free(x);
}

/* Columns of context that are the same one share its slope; of too few rows it is the identity. */
Test(context_linear, tied_contexts_and_few_rows)
{
    double *c = random_numbers_new(N * C, 1, 30), a[D][C], s[D];
    for (size_t r = 0; r < N; r++)
        c[r * C + 1] = c[r * C];
    double *x = make_rows(c);
    flow *f = started(first_f64_backend(), x, c, N);
    flow_tensor_get(f, s, 0);
    flow_tensor_get(f, &a[0][0], 2);
    double sum = -(a[1][0] + a[1][1]) * exp(-s[1]);
    check_close(&sum, &(double){-1.1}, 1, 0, 0.01, "the sum of tied slopes");
    check_close(&a[1][0], &a[1][1], 1, 1e-6, 0, "tied slopes");
    flow_free(f);
    f = started(first_f64_backend(), x, c, 2 * (C + 1));
    flow_tensor_get(f, s, 0);
    cr_assert(s[0] == 0 && s[1] == 0);
    flow_free(f);
    free(c);
    free(x);
}
