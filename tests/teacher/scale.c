#include "teacher/scale.h"

#include "flow/pcg.h"

#include <criterion/criterion.h>
#include <math.h>

enum { N = 4000 };

static const pcg_stream stream = {.seed = 12, .stage = PCG_TEST, .purpose = PCG_BASE};
static double x[N];

static data_scale measure(size_t n)
{
    data_scale out;
    data_scale_measure(&out, x, n);
    return out;
}

static void weigh(data_scale *s, const double *w)
{
    const data_numbers weight = data_numbers_of(w, 1);
    data_scale_weighted(s, x, &weight, N);
}

static void fill(size_t n)
{
    pcg_normals(x, stream, 0, n, 1);
}

/* To the last bit: these are in model files. */
Test(scale, of_good_values_is_mean_and_deviation)
{
    double mean = 0, squares = 0;
    fill(N);
    x[9] = 60; /* far out, and yet a fourth of the variance only */
    for (size_t i = 0; i < N; i++)
        mean += x[i] / N;
    for (size_t i = 0; i < N; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    data_scale s = measure(N);
    cr_expect(s.mean == mean && s.sd == sqrt(squares / N));
    cr_expect(!s.trimmed && !s.constant);
}

Test(scale, is_not_that_of_a_few_wild_values)
{
    const size_t sizes[] = {20, 300, N};
    for (size_t k = 0; k < 3; k++) {
        fill(sizes[k]);
        x[5] = 1e6;
        data_scale s = measure(sizes[k]);
        cr_expect(s.trimmed);
        cr_expect_lt(fabs(s.mean), 0.5);
        cr_expect(s.sd > 0.3 && s.sd < 1.5, "%zu: %g", sizes[k], s.sd);
    }
}

/* A tenth of the rows far out is no accident. */
Test(scale, of_rows_that_are_often_large)
{
    fill(N);
    for (size_t i = 0; i < N; i += 10)
        x[i] = 1000;
    cr_expect_not(measure(N).trimmed);
}

/* Rows of N(0, 1) that weigh like N(1, .05^2) against it: the sd of the weighted mean is .05 / sqrt(worth). */
Test(scale, of_rows_that_are_weighed)
{
    static double w[N];
    data_scale s;
    fill(N);
    for (size_t i = 0; i < N; i++) {
        double z = x[i], off = (z - 1) / 0.05;
        w[i] = exp(-off * off / 2 + z * z / 2);
    }
    weigh(&s, w);
    cr_expect(!s.trimmed && fabs(s.mean - 1) < 0.02 && fabs(s.sd - 0.05) < 0.02, "%g, %g", s.mean,
              s.sd);
    for (size_t i = 0; i < N; i++)
        w[i] = 0.7;
    weigh(&s, w);
    data_scale plain = measure(N);
    cr_expect(fabs(s.mean - plain.mean) < 1e-12 && fabs(s.sd - plain.sd) < 1e-12);
}

/* One row in the middle of the table, far out, of the weight of the others; then of weight 0; then all in one row. */
Test(scale, of_wild_rows_that_are_weighed)
{
    static double w[N];
    data_scale s;
    fill(N);
    for (size_t i = 0; i < N; i++)
        w[i] = 1 + (double)(i % 2);
    x[7] = -1e6;
    weigh(&s, w);
    cr_expect(s.trimmed && fabs(s.mean) < 0.1 && fabs(s.sd - 1) < 0.1, "%g, %g", s.mean, s.sd);
    w[7] = 0;
    weigh(&s, w);
    cr_expect(!s.trimmed && fabs(s.sd - 1) < 0.1, "%g", s.sd);
    w[9] = 1e12;
    weigh(&s, w);
    cr_expect(s.sd > 0.5 && isfinite(s.sd), "%g", s.sd);
}

Test(scale, of_one_value)
{
    for (size_t i = 0; i < N; i++)
        x[i] = 2.385;
    cr_expect(measure(N).constant);
    cr_expect_eq(data_scale_cut(4), 0);
    cr_expect_eq(data_scale_cut(5), 1);
}
