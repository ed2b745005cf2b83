/* Moments and their errors: by hand, calibrated on skewed data, and between two samples. */
#include "student/moments.h"

#include "flow/pcg.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pcg_stream stream = {.seed = 20240817, .stage = PCG_TEST, .purpose = PCG_GENERATE};

static student_moments *make(const double *x, size_t n, size_t dim)
{
    flow_err err = FLOW_ERR_INIT;
    student_moments *m = student_moments_create(x, n, dim, &err);
    cr_assert(m, "%s", err.text);
    return m;
}

static int near(double got, double want, double tolerance)
{
    return fabs(got - want) <= tolerance;
}

Test(moments, by_hand)
{
    /* Columns 1 2 3 6 and 2 0 4 2 and a constant, far from the origin. */
    const double x[] = {1e6 + 1, 2, 7.5, 1e6 + 2, 0, 7.5, 1e6 + 3, 4, 7.5, 1e6 + 6, 2, 7.5};
    student_moments *m = make(x, 4, 3);
    cr_assert(near(m->mean[0], 1e6 + 3, 1e-9) && m->mean[1] == 2 && m->mean[2] == 7.5);
    cr_assert(near(m->sd[0], sqrt(14.0 / 3), 1e-9) && near(m->sd[1], sqrt(8.0 / 3), 1e-15));
    cr_assert(near(m->mean_se[0], sqrt(14.0 / 3) / 2, 1e-9));
    /* kurtosis of -2 -1 0 3: mean d^4 / (mean d^2)^2 = 24.5 / 12.25 = 2 */
    cr_assert(near(m->sd_se[0], sqrt(14.0 / 3) * sqrt(1.0 / 16), 1e-9), "%.17g", m->sd_se[0]);
    cr_assert(near(m->correlation[1], 2 / sqrt(14.0 * 8), 1e-12), "%.17g", m->correlation[1]);
    cr_assert_eq(m->correlation[1], m->correlation[3]);
    cr_assert(m->sd[2] == 0 && m->sd_se[2] == 0 && m->correlation[2] == 0);
    cr_assert(m->correlation[0] == 1 && m->correlation[8] == 1 && m->correlation_se[0] == 0);
    student_moments_free(m);
}

/* The naive influence of each row, beside the matrix products. */
Test(moments, error_of_a_correlation_is_that_of_its_influence)
{
    enum { N = 777, D = 3 }; /* more than one chunk of rows, and a remainder */
    static double x[N * D];
    pcg_normals(x, stream, 0, N, D);
    for (size_t i = 0; i < N; i++)
        x[i * D + 1] = exp(x[i * D + 1] + 0.6 * x[i * D]);
    student_moments *m = make(x, N, D);
    for (size_t a = 0; a < D; a++)
        for (size_t b = 0; b < D; b++) {
            double r = 0, sum = 0;
            for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0; i < N; i++) {
                    double u = (x[i * D + a] - m->mean[a]) / m->sd[a];
                    double v = (x[i * D + b] - m->mean[b]) / m->sd[b];
                    double influence = u * v - r * (u * u + v * v) / 2;
                    r += pass ? 0 : u * v / (N - 1);
                    sum += pass ? influence * influence : 0;
                }
            cr_assert(near(m->correlation[a * D + b], r, 1e-12));
            cr_assert(near(m->correlation_se[a * D + b], sqrt(sum) / N, 1e-12));
        }
    student_moments_free(m);
}

/* 300 samples of 1000 rows of (exponential, exponential + normal): errors from normality would be
 * far off. mean z^2 over 300 is within 1 +- 4.5 sqrt(2 / 300) = .63 .. 1.37, a little wider for
 * curvature (false alarm about 1e-5). */
Test(moments, errors_are_calibrated_without_normality)
{
    enum { REPEATS = 300, N = 1000 };
    static double x[N * 2], e[N];
    double chi2[5] = {0};
    for (uint64_t t = 0; t < REPEATS; t++) {
        pcg_normals(x, stream, t * N, N, 2);
        pcg_uniforms(e, (pcg_stream){1, PCG_TEST, PCG_BASE}, t * N, N, 1);
        for (size_t i = 0; i < N; i++) {
            x[2 * i] = -log1p(-e[i]);
            x[2 * i + 1] += x[2 * i];
        }
        student_moments *m = make(x, N, 2);
        const double z[5] = {(m->mean[0] - 1) / m->mean_se[0], (m->sd[0] - 1) / m->sd_se[0],
                             (m->mean[1] - 1) / m->mean_se[1], (m->sd[1] - sqrt(2)) / m->sd_se[1],
                             (m->correlation[1] - sqrt(0.5)) / m->correlation_se[1]};
        for (size_t k = 0; k < 5; k++)
            chi2[k] += z[k] * z[k] / REPEATS;
        student_moments_free(m);
    }
    for (size_t k = 0; k < 5; k++)
        cr_assert(chi2[k] > 0.6 && chi2[k] < 1.5, "figure %zu: mean z^2 = %g", k, chi2[k]);
}

enum { ROWS = 5000, DIM = 10 };

static student_moments *normals(uint64_t first, size_t column, double shift, double scale,
                                double mix)
{
    double *x = malloc(ROWS * DIM * sizeof *x);
    pcg_normals(x, stream, first, ROWS, DIM);
    for (size_t i = 0; i < ROWS; i++) {
        double *row = x + i * DIM;
        row[column] = shift + scale * (sqrt(1 - mix * mix) * row[column] + mix * row[2]);
    }
    student_moments *m = make(x, ROWS, DIM);
    free(x);
    return m;
}

Test(moments, equal_distributions_agree)
{
    student_moments *a = normals(0, 4, 0, 1, 0), *b = normals(ROWS, 4, 0, 1, 0);
    student_moments_difference d;
    student_moments_compare(&d, a, b);
    /* p is below 1e-4 with chance 1e-4, each. */
    cr_assert(d.mean.p > 1e-4 && d.sd.p > 1e-4 && d.correlation.p > 1e-4, "%g %g %g", d.mean.p,
              d.sd.p, d.correlation.p);
    cr_assert(d.mean.p <= 1 && d.correlation.column < d.correlation.other);
    student_moments_compare(&d, a, a);
    cr_assert(d.mean.z == 0 && d.mean.p == 1 && d.sd.z == 0 && d.correlation.z == 0);
    student_moments_free(a);
    student_moments_free(b);
}

Test(moments, each_difference_is_found_where_it_is)
{
    student_moments *b = normals(ROWS, 4, 0, 1, 0);
    student_moments_difference d;
    student_moments *a = normals(0, 7, -0.15, 1, 0);
    student_moments_compare(&d, a, b);
    cr_assert(d.mean.column == 7 && d.mean.z < -5 && d.mean.p < 1e-5 && d.sd.p > 1e-4);
    cr_assert_eq(d.mean.student, a->mean[7]);
    cr_assert_eq(d.mean.reference, b->mean[7]);
    double z = (a->mean[7] - b->mean[7]) / hypot(a->mean_se[7], b->mean_se[7]);
    cr_assert(near(d.mean.z, z, 1e-12));
    cr_assert(near(d.mean.p / (10 * erfc(fabs(z) / sqrt(2))), 1, 1e-9));
    student_moments_free(a);
    a = normals(0, 0, 0, 1.15, 0);
    student_moments_compare(&d, a, b);
    cr_assert(d.sd.column == 0 && d.sd.z > 5 && d.mean.p > 1e-4 && d.correlation.p > 1e-4);
    student_moments_free(a);
    a = normals(0, 9, 0, 1, 0.2);
    student_moments_compare(&d, a, b);
    cr_assert(d.correlation.column == 2 && d.correlation.other == 9 && d.correlation.z > 5);
    cr_assert(d.mean.p > 1e-4 && d.sd.p > 1e-4);
    student_moments_free(a);
    student_moments_free(b);
}

Test(moments, one_row_none_and_no_columns)
{
    const double x[3] = {2.385, -0.713, 11};
    student_moments_difference d;
    student_moments *one = make(x, 1, 3), *none = make(x, 0, 3), *flat = make(x, 3, 0);
    cr_assert(one->mean[1] == -0.713 && isnan(one->sd[1]) && isnan(one->mean_se[1]));
    cr_assert(isnan(one->sd_se[0]) && isnan(one->correlation[0]) && isnan(one->correlation_se[8]));
    cr_assert(isnan(none->mean[0]) && isnan(none->sd[2]));
    student_moments_compare(&d, one, none);
    cr_assert(isnan(d.mean.z) && isnan(d.sd.p) && isnan(d.correlation.p));
    student_moments_compare(&d, flat, flat);
    cr_assert(isnan(d.mean.z) && isnan(d.mean.p));
    student_moments_free(one);
    student_moments_free(none);
    student_moments_free(flat);
    student_moments_free(NULL);
}

Test(moments, differing_constants_are_infinitely_far)
{
    const double a[6] = {3, 1, 3, 2, 3, 3}, b[6] = {4, 1, 4, 2, 4, 3};
    student_moments *x = make(a, 3, 2), *y = make(b, 3, 2);
    student_moments_difference d;
    student_moments_compare(&d, x, y);
    cr_assert(d.mean.column == 0 && d.mean.z == -INFINITY && d.mean.p == 0 && d.sd.z == 0);
    student_moments_free(x);
    student_moments_free(y);
}

Test(moments, a_column_that_overflows_hides_no_other)
{
    double a[8] = {1, 1e200, 2, -1e200, 1, 3e200, 2, 1e200}, b[8];
    for (size_t i = 0; i < 8; i++)
        b[i] = i % 2 ? a[i] : 5 * a[i];
    student_moments *x = make(a, 4, 2), *y = make(b, 4, 2);
    student_moments_difference d;
    student_moments_compare(&d, x, y);
    cr_assert(isinf(x->sd[1]) && d.sd.column == 0 && d.sd.z < 0, "%g", d.sd.z);
    student_moments_free(x);
    student_moments_free(y);
}

Test(moments, not_finite_is_an_error)
{
    double x[12] = {0};
    flow_err err = FLOW_ERR_INIT;
    x[8] = NAN;
    cr_assert_null(student_moments_create(x, 4, 3, &err));
    cr_assert_eq(err.code, FLOW_EDIVERGED);
    cr_assert(strstr(err.text, "row 2, column 2"), "%s", err.text);
    cr_assert_null(student_moments_create(NULL, 0, (size_t)1 << 31, &err));
    cr_assert_eq(err.code, FLOW_ENOMEM);
}
