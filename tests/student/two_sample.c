/* Two-sample tests: closed forms and naive sums for the distances, false-alarm rate and power of
 * the p-values. */
#include "student/two_sample.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const pcg_stream stream = {.seed = 20240817, .stage = PCG_TEST, .purpose = PCG_PERMUTE};
static const pcg_stream draws = {.seed = 20240817, .stage = PCG_TEST, .purpose = PCG_GENERATE};

typedef int method(student_two_sample *, const double *, size_t, const double *, size_t, size_t,
                   const student_two_sample_options *, pcg_stream, flow_err *);

enum { METHODS = 3 };
static method *const methods[METHODS] = {student_sliced_w2, student_energy_distance, student_mmd2};
static const char *const names[METHODS] = {"sliced W2", "energy", "mmd2"};

static student_two_sample run(size_t k, const double *x, size_t n, const double *y, size_t m,
                              size_t dim, const student_two_sample_options *options)
{
    student_two_sample out;
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(methods[k](&out, x, n, y, m, dim, options, stream, &err), FLOW_OK, "%s", err.text);
    return out;
}

/* n rows N(shift, scale^2) in every column. The caller frees. */
static double *normals(uint64_t first, size_t n, size_t dim, double shift, double scale)
{
    double *x = malloc((n * dim + 1) * sizeof *x);
    pcg_normals(x, draws, first, n, dim);
    for (size_t i = 0; i < n * dim; i++)
        x[i] = shift + scale * x[i];
    return x;
}

static int near(double got, double want, double tolerance)
{
    return fabs(got - want) <= tolerance;
}

/* ---- values */

Test(two_sample, w2_of_one_column_by_hand)
{
    /* Sorted: 0 1 5 and 1 2 9: differences 1 1 4. One dimension has one direction, up to sign. */
    const double x[3] = {5, 0, 1}, y[3] = {1, 9, 2};
    student_two_sample_options o = {.max_rows = 10, .permutations = 0, .directions = 3};
    student_two_sample t = run(0, x, 3, y, 3, 1, &o);
    cr_assert(near(t.value, sqrt(6), 1e-14), "%.17g", t.value);
    cr_assert(t.rows == 3 && t.p == 1 && isnan(t.null_mean) && isnan(t.teacher));
}

/* W2^2 of a projected shift d is (d . u)^2; over the sphere |d|^2 / D on average. With equal shapes
 * a shift of 3 in each of 4 columns gives 3. Its square has sd 36 sqrt(var u_1^2) / sqrt(1000) =
 * .25 by the directions, itself .04, and .022 by the rows. */
Test(two_sample, w2_of_a_shift)
{
    double *x = normals(0, 1000, 4, 0, 1), *y = normals(1000, 1000, 4, 3, 1);
    student_two_sample_options o = {.max_rows = 1000, .permutations = 0, .directions = 1000};
    student_two_sample t = run(0, x, 1000, y, 1000, 4, &o);
    cr_assert(near(t.value, 3, 0.21), "%g", t.value); /* 4.5 sigma */
    free(x);
    free(y);
}

/* A shift of 3 along one of two columns: 3 / sqrt(2) whichever it is. |cos| of the directions has
 * mean square 1/2 +- .35 / sqrt(1000). */
Test(two_sample, w2_looks_along_every_axis)
{
    double *x = normals(0, 1000, 2, 0, 1);
    student_two_sample_options o = {.max_rows = 1000, .permutations = 0, .directions = 1000};
    for (size_t column = 0; column < 2; column++) {
        double *y = normals(1000, 1000, 2, 0, 1);
        for (size_t i = 0; i < 1000; i++)
            y[2 * i + column] += 3;
        student_two_sample t = run(0, x, 1000, y, 1000, 2, &o);
        cr_assert(near(t.value, 3 / sqrt(2), 0.22), "column %zu: %g", column, t.value);
        free(y);
    }
    free(x);
}

/* W2 between N(0, 1) and N(m, s^2) is sqrt(m^2 + (s - 1)^2). */
Test(two_sample, w2_of_gaussians)
{
    double *x = normals(0, 20000, 1, 0, 1), *y = normals(20000, 20000, 1, 0.7, 1.6);
    student_two_sample_options o = {.max_rows = 20000, .permutations = 0, .directions = 1};
    student_two_sample t = run(0, x, 20000, y, 20000, 1, &o);
    cr_assert(near(t.value, sqrt(0.49 + 0.36), 0.05), "%g", t.value);
    free(x);
    free(y);
}

/* The definitions, written as sums over pairs. */
static double naive(const double *x, const double *y, size_t r, size_t dim, double h)
{
    double within = 0, across = 0;
    for (size_t i = 0; i < r; i++)
        for (size_t j = 0; j < r; j++) {
            double d2[3] = {0};
            for (size_t c = 0; c < dim; c++) {
                d2[0] += pow(x[i * dim + c] - x[j * dim + c], 2);
                d2[1] += pow(y[i * dim + c] - y[j * dim + c], 2);
                d2[2] += pow(x[i * dim + c] - y[j * dim + c], 2);
            }
            for (size_t k = 0; k < 3; k++)
                d2[k] = h > 0 ? exp(-d2[k] / (2 * h * h)) : -sqrt(d2[k]);
            within += i == j ? 0 : d2[0] + d2[1];
            across += d2[2];
        }
    return within / (double)(r * (r - 1)) - 2 * across / (double)(r * r);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double naive_median(const double *x, const double *y, size_t r, size_t dim)
{
    double *d = malloc(2 * r * r * 2 * sizeof *d);
    size_t count = 0;
    for (size_t i = 0; i < 2 * r; i++)
        for (size_t j = 0; j < i; j++) {
            const double *a = i < r ? x + i * dim : y + (i - r) * dim;
            const double *b = j < r ? x + j * dim : y + (j - r) * dim;
            double sum = 0;
            for (size_t c = 0; c < dim; c++)
                sum += (a[c] - b[c]) * (a[c] - b[c]);
            d[count++] = sqrt(sum);
        }
    qsort(d, count, sizeof *d, ascending);
    double median = d[count / 2];
    free(d);
    return median;
}

Test(two_sample, kernels_equal_their_definitions)
{
    enum { R = 99, D = 3 }; /* several blocks of rows and a remainder */
    double *x = normals(0, R, D, 1e6, 1), *y = normals(R, R, D, 1e6 + 0.3, 1.2);
    student_two_sample_options o = {.max_rows = R, .permutations = 5, .directions = 1};
    student_two_sample e = run(1, x, R, y, R, D, &o), g = run(2, x, R, y, R, D, &o);
    double h = naive_median(x, y, R, D);
    cr_assert(near(e.value, naive(x, y, R, D, 0), 1e-8), "%g", e.value);
    cr_assert(near(g.value, naive(x, y, R, D, h), 1e-8), "%g", g.value);
    free(x);
    free(y);
}

/* Energy distance of N(0,1) and N(3,1): E|N(d, 2)| with E|N(m, s^2)| = s sqrt(2/pi) exp(-m^2/2s^2)
 * + m erf(m / (s sqrt 2)). */
Test(two_sample, energy_of_a_shift)
{
    double *x = normals(0, 2000, 1, 0, 1), *y = normals(2000, 2000, 1, 3, 1);
    student_two_sample_options o = student_two_sample_defaults;
    o.permutations = 1;
    student_two_sample t = run(1, x, 2000, y, 2000, 1, &o);
    cr_assert_eq(t.rows, 2000u);
    double apart = 2 * exp(-9.0 / 4) / sqrt(acos(-1)) + 3 * erf(1.5), near_by = 2 / sqrt(acos(-1));
    cr_assert(near(t.value, 2 * (apart - near_by), 0.2), "%g", t.value);
    free(x);
    free(y);
}

Test(two_sample, columns_are_scaled)
{
    enum { R = 200, D = 2 };
    double *x = normals(0, R, D, 0, 1), *y = normals(R, R, D, 0.5, 1), scaled[2][R * D];
    const double scale[D] = {1e-3, 250};
    student_two_sample_options plain = {.max_rows = R, .permutations = 20, .directions = 50}, with;
    with = plain;
    with.scale = scale;
    for (size_t i = 0; i < R * D; i++) {
        scaled[0][i] = x[i] * scale[i % D];
        scaled[1][i] = y[i] * scale[i % D];
    }
    for (size_t k = 0; k < METHODS; k++) {
        student_two_sample a = run(k, x, R, y, R, D, &plain);
        student_two_sample b = run(k, scaled[0], R, scaled[1], R, D, &with);
        cr_assert(near(a.value, b.value, 1e-12), "%s: %g %g", names[k], a.value, b.value);
        cr_assert(near(a.null_mean, b.null_mean, 1e-12) && a.p == b.p, "%s", names[k]);
    }
    free(x);
    free(y);
}

/* ---- p-values */

Test(two_sample, equal_distributions_pass)
{
    double *x = normals(0, 1500, 5, 0, 1), *y = normals(1500, 3000, 5, 0, 1);
    student_two_sample_options o = {.max_rows = 400, .permutations = 199, .directions = 200};
    for (size_t k = 0; k < METHODS; k++) {
        student_two_sample t = run(k, x, 1500, y, 3000, 5, &o);
        cr_assert(t.p > 0.01, "%s: %g", names[k], t.p); /* false alarm 1 in 100 each */
        cr_assert(fabs(t.value - t.null_mean) < 4 * t.null_sd, "%s", names[k]);
        cr_assert(fabs(t.teacher - t.null_mean) < 5 * t.null_sd, "%s: %g", names[k], t.teacher);
        cr_assert_eq(t.rows, 400u);
    }
    free(x);
    free(y);
}

/* Under equality p is uniform on 1/20 .. 20/20: the mean over 100 runs is .525 +- 4.5 * .29 / 10.
 */
Test(two_sample, p_values_are_uniform_under_equality)
{
    enum { RUNS = 100, R = 40 };
    student_two_sample_options o = {.max_rows = R, .permutations = 19, .directions = 20};
    for (size_t k = 0; k < METHODS; k++) {
        double mean = 0;
        size_t smallest = 0;
        for (uint64_t t = 0; t < RUNS; t++) {
            double *x = normals(2 * t * R, 2 * R, 2, 0, 1);
            double p = run(k, x, R, x + 2 * R, R, 2, &o).p;
            mean += p / RUNS;
            smallest += p < 0.051;
            free(x);
        }
        cr_assert(near(mean, 0.525, 0.13), "%s: mean p %g", names[k], mean);
        /* Binomial(100, .05): above 17 with chance 1e-6. */
        cr_assert(smallest >= 1 && smallest <= 17, "%s: %zu of 100 at 5 %%", names[k], smallest);
    }
}

Test(two_sample, differences_are_found)
{
    enum { R = 500, D = 3 };
    double *x = normals(0, R, D, 0, 1);
    double *shifted = normals(R, 2 * R, D, 0.25, 1), *wider = normals(R, 2 * R, D, 0, 1.3);
    student_two_sample_options o = {.max_rows = R, .permutations = 99, .directions = 200};
    for (size_t k = 0; k < METHODS; k++) {
        student_two_sample a = run(k, x, R, shifted, 2 * R, D, &o);
        student_two_sample b = run(k, x, R, wider, 2 * R, D, &o);
        cr_assert_eq(a.p, 0.01, "%s: shift, p = %g", names[k], a.p);
        cr_assert_eq(b.p, 0.01, "%s: width, p = %g", names[k], b.p);
        cr_assert(a.value > a.null_mean + 4 * a.null_sd, "%s", names[k]);
        cr_assert(a.value > a.teacher && b.value > b.teacher, "%s", names[k]);
    }
    free(x);
    free(shifted);
    free(wider);
}

Test(two_sample, a_dropped_mode_is_found)
{
    enum { R = 400 };
    double *x = normals(0, R, 2, 0, 1), *y = normals(R, R, 2, 0, 1);
    for (size_t i = 0; i < R; i++) { /* teacher at +-3, student at +3 alone */
        x[2 * i] += 3;
        y[2 * i] += i % 4 ? 3 : -3;
    }
    student_two_sample_options o = {.max_rows = R, .permutations = 99, .directions = 200};
    for (size_t k = 0; k < METHODS; k++)
        cr_assert_eq(run(k, x, R, y, R, 2, &o).p, 0.01, "%s", names[k]);
    free(x);
    free(y);
}

/* ---- which rows, which numbers */

Test(two_sample, same_stream_same_bits)
{
    double *x = normals(0, 100, 2, 0, 1), *y = normals(100, 300, 2, 0.1, 1);
    student_two_sample_options o = {.max_rows = 100, .permutations = 20, .directions = 40};
    for (size_t k = 0; k < METHODS; k++) {
        student_two_sample a = run(k, x, 100, y, 300, 2, &o), b = run(k, x, 100, y, 300, 2, &o), c;
        flow_err err = FLOW_ERR_INIT;
        cr_assert_eq(memcmp(&a, &b, sizeof a), 0, "%s", names[k]);
        cr_assert_eq(methods[k](&c, x, 100, y, 300, 2, &o, draws, &err), FLOW_OK);
        cr_assert_neq(a.null_mean, c.null_mean, "%s", names[k]);
    }
    free(x);
    free(y);
}

Test(two_sample, rows_are_spread_over_the_samples)
{
    /* A teacher that drifts: its first rows alone would look wrong. */
    double x[200], y[4000];
    for (size_t i = 0; i < 4000; i++)
        y[i] = (double)i;
    for (size_t i = 0; i < 200; i++)
        x[i] = (double)((i * 77) % 200) * 20 + 10;
    student_two_sample_options o = {.max_rows = 200, .permutations = 20, .directions = 1};
    for (size_t k = 0; k < METHODS; k++) {
        student_two_sample t = run(k, x, 200, y, 4000, 1, &o);
        cr_assert_eq(t.p, 1, "%s: %g", names[k], t.p);
        cr_assert(t.teacher < t.null_mean, "%s: %g", names[k], t.teacher);
    }
}

Test(two_sample, identical_points_have_no_distance)
{
    double x[60], y[80];
    for (size_t i = 0; i < 80; i++)
        x[i % 60] = y[i] = 0.1;
    student_two_sample_options o = {.max_rows = 50, .permutations = 10, .directions = 5};
    for (size_t k = 0; k < METHODS; k++) {
        student_two_sample t = run(k, x, 30, y, 40, 2, &o);
        cr_assert(fabs(t.value) < 1e-15 && t.p == 1, "%s: %g, p = %g", names[k], t.value, t.p);
    }
}

Test(two_sample, too_few_rows)
{
    const double x[4] = {1, 2, 3, 4};
    student_two_sample_options o = {.max_rows = 50, .permutations = 10, .directions = 5};
    for (size_t k = 0; k < METHODS; k++) {
        const student_two_sample some[4] = {run(k, x, 0, x, 4, 1, &o), run(k, x, 1, x, 4, 1, &o),
                                            run(k, x, 4, x, 0, 1, &o), run(k, x, 4, x, 4, 0, &o)};
        for (size_t t = 0; t < 4; t++)
            cr_assert(isnan(some[t].value) && some[t].p == 1, "%s, case %zu", names[k], t);
        cr_assert(isfinite(run(k, x, 2, x + 2, 2, 1, &o).value));
    }
}

Test(two_sample, impossible_sizes_are_errors)
{
    double x[40] = {0};
    student_two_sample_options o = {.max_rows = 50, .directions = 5};
    const size_t permutations[2] = {(size_t)1 << 31, SIZE_MAX - 1};
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < METHODS; k++) {
            student_two_sample t;
            flow_err err = FLOW_ERR_INIT;
            o.permutations = permutations[i];
            cr_assert_eq(methods[k](&t, x, 20, x, 20, 2, &o, stream, &err), FLOW_ENOMEM);
            cr_assert(strstr(err.text, "2 x 20 rows of 2 columns"), "%s", err.text);
        }
}

Test(two_sample, not_finite_is_an_error)
{
    double x[40] = {0}, y[40] = {0};
    student_two_sample_options o = {.max_rows = 50, .permutations = 10, .directions = 5};
    y[2 * 13 + 1] = INFINITY;
    for (size_t k = 0; k < METHODS; k++) {
        student_two_sample t;
        flow_err err = FLOW_ERR_INIT;
        cr_assert_eq(methods[k](&t, x, 20, y, 20, 2, &o, stream, &err), FLOW_EDIVERGED);
        cr_assert(strstr(err.text, "row 13, column 1 of the teacher"), "%s", err.text);
    }
}
