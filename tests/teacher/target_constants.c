/* The built-in energies against constants that are known from elsewhere, and by quadrature in the plane. */
#include "tests/common/check.h"
#include "tests/common/sanitized.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

/* ---- log Z and E_p[log p] of the normalised density, as published or by quadrature elsewhere, to the digits
 * that are there */

typedef struct known {
    const char *text;
    double log_z, mean_log_p, digits; /* of either: half of the last */
} known;

static const known constants[] = {
    {"{\"kind\": \"rezende\", \"potential\": 1}", 1.877502, -2.66001, 5e-6},
    {"{\"kind\": \"rezende\", \"potential\": 2}", 2.625318, -3.18967, 5e-6},
    {"{\"kind\": \"rezende\", \"potential\": 3}", 3.184934, -3.15962, 5e-6},
    {"{\"kind\": \"rezende\", \"potential\": 4}", 3.253927, -3.44166, 5e-6},
    {"{\"kind\": \"gmm40\"}", 0, -6.859469, 5e-7},
    {"{\"kind\": \"many_well\", \"dim\": 2}", 10.293479707, -1.718576, 5e-7},
    {"{\"kind\": \"many_well\"}", 164.6956753, -27.49722, 5e-6},
    {"{\"kind\": \"many_well\", \"dim\": 64}", 329.391, -54.99444, 5e-4},
    {"{\"kind\": \"funnel\"}", 0, -15.287998, 5e-7},
    {"{\"kind\": \"funnel\", \"sigma_v\": 1}", 0, -14.189385, 5e-7},
    /* -D / 2 (1 + log 2 pi) - log det / 2, det = (1 - .81)^49 */
    {"{\"kind\": \"gaussian\", \"dim\": 50, \"correlation\": 0.9}", 0, -30.259012, 5e-7},
    /* the same of determinant 1 */
    {"{\"kind\": \"gaussian\", \"dim\": 18, \"condition\": 30}", 0, -25.540894, 5e-6},
    /* Gaussians that do not touch: that of one of them and of its weight, log(1/9) - 1 - log 2 pi - log .3 */
    {"{\"kind\": \"grid\"}", 0, -3.8311289, 2e-4},
    {"{\"kind\": \"rosenbrock\"}", 1.837877 + 2.302585 - 2.302585, -2.837877 - 2.302585 + 2.302585,
     5e-6},
};

/* At 5 standard errors, 14 of them: false alarm 8e-6. */
Test(target_constants, mean_log_density)
{
    enum { N = UNLESS_SANITIZED(100000, 20000) };
    double *logp = malloc(N * sizeof *logp);
    for (size_t k = 0; k < sizeof constants / sizeof *constants; k++) {
        const known *c = &constants[k];
        target *t = energy_create(c->text);
        free(energy_draws(t, logp, N, 40 + k));
        energy_mean m = energy_mean_of(logp, N);
        check_close(&t->log_z, &c->log_z, 1, 0, c->digits, "log Z of %s", c->text);
        double got = m.value - t->log_z;
        check_close(&got, &c->mean_log_p, 1, 0, 5 * m.se + c->digits, "E[log p] of %s", c->text);
        target_free(t);
    }
    free(logp);
}

/* ---- log Z and means of the plane by the trapezoid rule, which is good to all digits where p~ is smooth and falls to
 * 0 */

enum { FEATURES = 5 };

/* Where the mass is, on which sides and how far out. */
static void features(double *out, const double *x)
{
    out[0] = x[0];
    out[1] = x[1];
    out[2] = tanh(x[0]) * tanh(x[1]);
    out[3] = tanh(2 * (x[0] + x[1]) + 1);
    out[4] = x[0] * x[0];
}

/* Adds p~ / e^log_z of a line of points to sums[0], times features to the others. */
static void add_line(double *sums, const target *t, flow_pool *pool, const double *x, double *logp,
                     size_t n)
{
    double f[FEATURES];
    cr_assert_eq(target_log_density(t, pool, logp, NULL, NULL, x, NULL, n, NULL), 0);
    for (size_t j = 0; j < n; j++) {
        double p = exp(logp[j] - t->log_z);
        features(f, x + 2 * j);
        sums[0] += p;
        for (size_t k = 0; k < FEATURES; k++)
            sums[1 + k] += p * f[k];
    }
}

/* log Z; means (FEATURES). */
static double quadrature(double *means, const target *t, double reach, double step)
{
    size_t side = (size_t)(2 * reach / step) + 1;
    double *x = malloc(3 * side * sizeof *x), sums[1 + FEATURES] = {0};
    flow_pool *pool = flow_pool_create(1, NULL);
    for (size_t i = 0; i < side; i++) {
        for (size_t j = 0; j < side; j++) {
            x[2 * j] = (double)i * step - reach;
            x[2 * j + 1] = (double)j * step - reach;
        }
        add_line(sums, t, pool, x, x + 2 * side, side);
    }
    for (size_t k = 0; k < FEATURES; k++)
        means[k] = sums[1 + k] / sums[0];
    flow_pool_free(pool);
    free(x);
    return log(sums[0] * step * step) + t->log_z;
}

/* Means of draws, at 5 standard errors: 55 of them, false alarm 4e-5. */
static void check_means(const target *t, const double *means, const char *text)
{
    enum { N = UNLESS_SANITIZED(60000, 10000) };
    double *x = energy_draws(t, NULL, N, 71), *values = malloc(N * sizeof *values), f[FEATURES];
    for (size_t k = 0; k < FEATURES; k++) {
        for (size_t r = 0; r < N; r++) {
            features(f, x + 2 * r);
            values[r] = f[k];
        }
        energy_mean m = energy_mean_of(values, N);
        cr_assert(fabs(m.value - means[k]) < 5 * m.se, "%s: mean %zu is %g +- %g, not %g", text, k,
                  m.value, m.se, means[k]);
    }
    free(values);
    free(x);
}

/* The confinement of U1 to U4 has a kink in its second derivative, at |z| = 6. */
Test(target_constants, plane_by_quadrature)
{
    static const struct plane {
        const char *text;
        double reach, step, tolerance;
    } planes[] = {
        {"{\"kind\": \"rezende\", \"potential\": 1}", 11, 0.05, 1e-8},
        {"{\"kind\": \"rezende\", \"potential\": 2}", 11, 0.05, 1e-5},
        {"{\"kind\": \"rezende\", \"potential\": 3}", 11, 0.05, 1e-5},
        {"{\"kind\": \"rezende\", \"potential\": 4}", 11, 0.05, 1e-5},
        {"{\"kind\": \"gmm40\"}", 55, 0.4, 1e-9},
        {"{\"kind\": \"grid\", \"side\": 5}", 15, 0.15, 1e-9},
        {"{\"kind\": \"many_well\", \"dim\": 2}", 9, 0.03, 1e-9},
        {"{\"kind\": \"banana\", \"sigma\": 1.1, \"curvature\": 0.4}", 25, 0.1, 1e-9},
        {"{\"kind\": \"funnel\", \"dim\": 2, \"sigma_v\": 0.5}", 30, 0.05, 1e-9},
        {"{\"kind\": \"rosenbrock\", \"steep\": 2, \"scale\": 0.5}", 25, 0.05, 1e-9},
        {"{\"kind\": \"gaussians\", \"means\": [[1, 2], [0.5, 2.6]], \"weights\": [1, 3]}", 12, 0.1,
         1e-9},
    };
    for (size_t k = 0; k < sizeof planes / sizeof *planes; k++) {
        target *t = energy_create(planes[k].text);
        double means[FEATURES], got = quadrature(means, t, planes[k].reach, planes[k].step);
        check_close(&got, &t->log_z, 1, 0, planes[k].tolerance, "%s", planes[k].text);
        check_means(t, means, planes[k].text);
        target_free(t);
    }
}

/* ---- modes */

/* The left well holds .155693 of each pair: so many modes, of these weights; E[x1] = 1.187961. */
Test(target_constants, wells)
{
    enum { N = UNLESS_SANITIZED(20000, 5000), DIM = 32 };
    target *t = energy_create("{\"kind\": \"many_well\"}");
    double *x = energy_draws(t, NULL, N, 51), *one = malloc(N * sizeof *one);
    for (size_t i = 0; i < DIM; i += 2) {
        size_t left = 0;
        for (size_t r = 0; r < N; r++) {
            one[r] = x[r * DIM + i];
            left += one[r] < 0;
        }
        energy_mean m = energy_mean_of(one, N);
        double share = (double)left / N, se = sqrt(0.155693 * 0.844307 / N);
        cr_assert(fabs(share - 0.155693) < 5 * se, "pair %zu: %g on the left", i / 2, share);
        cr_assert(fabs(m.value - 1.187961) < 5 * m.se, "pair %zu: mean %g", i / 2, m.value);
    }
    cr_assert_eq(t->modes->partitions, 17);
    for (size_t k = 0; k < 16; k++)
        cr_assert(t->modes->partition[k].n == 2 &&
                  fabs(t->modes->partition[k].weights[0] - 0.155693) < 1e-6);
    const target_partition *number = &t->modes->partition[16];
    cr_assert_eq(number->n, 7, "%zu", number->n);
    double none = pow(1 - 0.155693, 16), two = 120 * pow(0.155693, 2) * pow(1 - 0.155693, 14);
    check_close(&number->weights[0], &none, 1, 1e-4, 0, "no pair on the left");
    check_close(&number->weights[2], &two, 1, 1e-4, 0, "two pairs on the left");
    free(one);
    free(x);
    target_free(t);
}

/* Pairs 1 and 2 of three are on the left, and so are two of them. */
Test(target_constants, which_well)
{
    target *t = energy_create("{\"kind\": \"many_well\", \"dim\": 6}");
    const double x[] = {1.7, -1, -1.6, 1, -0.1, 0};
    const size_t want[] = {1, 0, 0, 2};
    cr_assert_eq(t->modes->partitions, 4);
    for (size_t p = 0; p < 4; p++)
        cr_expect_eq(energy_mode(t, p, x), want[p], "%s", t->modes->partition[p].name);
    cr_expect_str_eq(t->modes->partition[1].name, "well of x2");
    target_free(t);
}

/* Mixtures tell their modes where these are apart. */
Test(target_constants, which_modes_are_known)
{
    static const struct modes {
        const char *text;
        size_t n; /* of all partitions */
    } cases[] = {
        {"{\"kind\": \"grid\"}", 9},
        {"{\"kind\": \"grid\", \"side\": 5}", 25},
        {"{\"kind\": \"grid\", \"spacing\": 2}", 0},
        {"{\"kind\": \"gmm40\"}", 40},
        {"{\"kind\": \"gaussians\", \"components\": 10, \"dim\": 50, \"weights\": "
         "[0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.1, 0.12, 0.13, 0.2]}",
         10},
        {"{\"kind\": \"gaussians\", \"means\": [[0, 0], [3, 1]]}", 0},
        {"{\"kind\": \"rezende\"}", 2},
        {"{\"kind\": \"rezende\", \"potential\": 2}", 0},
        {"{\"kind\": \"phi4\"}", 2},
        {"{\"kind\": \"many_well\", \"dim\": 4}", 2 * 2 + 3},
        {"{\"kind\": \"double_well\"}", 0},
        {"{\"kind\": \"double_well\", \"coordinates\": \"cartesian\"}", 3 * 2},
        {"{\"kind\": \"funnel\"}", 0},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        target *t = energy_create(cases[k].text);
        size_t n = t->modes ? target_modes_count(t->modes) : 0;
        cr_assert_eq(n, cases[k].n, "%s: %zu", cases[k].text, n);
        target_free(t);
    }
}

/* ---- covariances by rule: precision column i is the gradient at mean - e_i */

static double *precision_of(const char *text, size_t dim)
{
    target *t = energy_create(text);
    double *x = calloc(2 * dim * dim + dim, sizeof *x), *precision = x + dim * dim, *logp;
    flow_pool *pool = flow_pool_create(1, NULL);
    logp = precision + dim * dim;
    cr_assert_eq(t->dim, dim);
    for (size_t i = 0; i < dim; i++)
        x[i * dim + i] = -1;
    cr_assert_eq(target_log_density(t, pool, logp, precision, NULL, x, NULL, dim, NULL), 0);
    flow_pool_free(pool);
    target_free(t);
    for (size_t i = 0; i < dim * dim; i++)
        x[i] = precision[i];
    return x;
}

/* Neighbours' r^|i - j| has a precision of three diagonals: 1, 1 + r^2, .., 1 and -r, over 1 - r^2. */
Test(target_constants, chain)
{
    enum { D = 5 };
    const double r = 0.8, over = 1 / (1 - r * r);
    double *got = precision_of("{\"kind\": \"gaussian\", \"dim\": 5, \"correlation\": 0.8}", D);
    for (size_t i = 0; i < D; i++)
        for (size_t j = 0; j < D; j++) {
            double ends = i == 0 || i == D - 1 ? 1 : 1 + r * r;
            double want = i == j ? ends * over : i == j + 1 || j == i + 1 ? -r * over : 0;
            check_close(got + i * D + j, &want, 1, 1e-12, 1e-12, "precision %zu, %zu", i, j);
        }
    free(got);
}

/* Traces of the precision and of its square are those of the eigenvalues, and it is no diagonal matrix. */
Test(target_constants, random_covariance)
{
    enum { D = 18 };
    double *got = precision_of("{\"kind\": \"gaussian\", \"dim\": 18, \"condition\": 30}", D);
    double want[2] = {0}, traces[2] = {0}, diagonal = 0;
    for (size_t k = 0; k < D; k++) {
        double l = pow(30, 0.5 - (double)k / (D - 1));
        want[0] += l;
        want[1] += l * l;
        traces[0] += got[k * D + k];
        diagonal += pow(got[k * D + k], 2);
    }
    for (size_t i = 0; i < D * D; i++)
        traces[1] += got[i] * got[i];
    check_close(traces, want, 2, 1e-12, 0, "traces");
    cr_assert(diagonal < 0.8 * traces[1], "%g of %g is on the diagonal", diagonal, traces[1]);
    free(got);
}

/* ---- symmetries of those that have no sampler */

static void log_p(const target *t, double *logp, const double *x, size_t n)
{
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(target_log_density(t, pool, logp, NULL, NULL, x, NULL, n, NULL), 0);
    flow_pool_free(pool);
}

/* Action of one lattice by hand: phi = (1, 2; 3, 4) / 10 on 2 x 2, where each neighbour counts twice; and phi and
 * -phi, and the lattice moved round by one site, are as likely. */
Test(target_constants, lattice)
{
    target *t = energy_create("{\"kind\": \"phi4\", \"side\": 2, \"m2\": -3, \"lambda\": 5}");
    const double x[] = {0.1, 0.2, 0.3, 0.4, -0.1, -0.2, -0.3, -0.4, 0.2, 0.1, 0.4, 0.3};
    const double around[] = {1.0, 1.0, 1.0, 1.0};
    double want[3] = {0}, got[3];
    for (size_t i = 0; i < 4; i++)
        want[0] -= x[i] * (4 * x[i] - around[i]) - 3 * pow(x[i], 2) + 5 * pow(x[i], 4);
    want[1] = want[2] = want[0];
    log_p(t, got, x, 3);
    check_close(got, want, 3, 1e-13, 0, "minus the action");
    cr_assert(isnan(t->log_z) && !t->ops->sample);
    cr_assert_eq(energy_mode(t, 0, x), 1);
    cr_assert_eq(energy_mode(t, 0, x + 4), 0);
    target_free(t);
}

/* Two particles at distance 5: .9 - 4. Moved together only the mean counts; turned or swapped, nothing does. */
Test(target_constants, particles)
{
    target *t = energy_create("{\"kind\": \"double_well\", \"particles\": 2, \"centre\": 0.5, "
                              "\"coordinates\": \"cartesian\"}");
    const double x[] = {-1.5, -2, 1.5, 2, 1.5, 2, -1.5, -2, -0.5, -3, 2.5, 1, 2, -1.5, -2, 1.5};
    const double want[] = {3.1, 3.1, 3.1 - 2 * (1 + 1), 3.1};
    double got[4];
    log_p(t, got, x, 4);
    check_close(got, want, 4, 1e-13, 0, "minus the energy");
    cr_assert(energy_mode(t, 0, x) == 0 && energy_mode(t, 0, x + 4) == 1); /* swapped */
    target_free(t);
}

/* ---- wrong values */

Test(target_constants, wrong_descriptions)
{
    static const char *const cases[][2] = {
        {"{\"kind\": \"rezende\", \"potential\": 5}", "rezende: potential wants"},
        {"{\"kind\": \"many_well\", \"dim\": 7}", "many_well: dim wants an even number"},
        {"{\"kind\": \"many_well\", \"dim\": 0}", "many_well: dim"},
        {"{\"kind\": \"rosenbrock\", \"dim\": 3}", "rosenbrock: dim wants an even number"},
        {"{\"kind\": \"rosenbrock\", \"steep\": 0}", "rosenbrock: steep"},
        {"{\"kind\": \"funnel\", \"dim\": 1}", "funnel: dim"},
        {"{\"kind\": \"funnel\", \"sigma_v\": -1}", "funnel: sigma_v"},
        {"{\"kind\": \"banana\", \"sigma\": 0}", "banana: sigma"},
        {"{\"kind\": \"student_t\", \"dof\": 0.1}", "student_t: dof"},
        {"{\"kind\": \"phi4\", \"lambda\": 0}", "phi4: lambda"},
        {"{\"kind\": \"phi4\", \"side\": 1}", "phi4: side"},
        {"{\"kind\": \"double_well\", \"particles\": 1}", "double_well: particles"},
        {"{\"kind\": \"double_well\", \"centre\": 0}", "double_well: centre"},
        {"{\"kind\": \"grid\", \"side\": 9, \"dim\": 9}", "grid: side to the power of dim"},
        {"{\"kind\": \"grid\", \"sd\": 0}", "grid: sd"},
        {"{\"kind\": \"gmm40\", \"dim\": 3}", "no key 'dim'"},
        {"{\"kind\": \"gaussians\"}", "means or components"},
        {"{\"kind\": \"gaussians\", \"components\": 2, \"means\": [[1]]}",
         "gaussians: components: there are means"},
        {"{\"kind\": \"gaussians\", \"means\": [[1, 2], [1]]}",
         "gaussians: means: wanted a list of 2"},
        {"{\"kind\": \"gaussians\", \"means\": []}", "gaussians: means"},
        {"{\"kind\": \"gaussians\", \"means\": [1]}", "gaussians: means"},
        {"{\"kind\": \"gaussians\", \"means\": [[1], [2]], \"weights\": [1]}",
         "gaussians: weights: wanted a list of 2"},
        {"{\"kind\": \"gaussians\", \"means\": [[1], [2]], \"weights\": [1, 0]}",
         "gaussians: weights: item 1 is 0"},
        {"{\"kind\": \"gaussian\", \"dim\": 2, \"covariance\": [[1]]}", "gaussian: dim"},
        {"{\"kind\": \"gaussian\", \"dim\": 2, \"mean\": [1]}", "gaussian: mean"},
        {"{\"kind\": \"gaussian\", \"mean\": [1], \"covariance\": [[1]], \"condition\": 2}",
         "gaussian: condition has effect only with dim"},
        {"{\"kind\": \"gaussian\", \"dim\": 2, \"seed\": 3}",
         "gaussian: seed has effect only with condition > 1"},
        {"{\"kind\": \"gaussians\", \"means\": [[1]], \"spread\": 4}",
         "gaussians: spread has effect only with components"},
        {"{\"kind\": \"gaussian\", \"dim\": 2, \"correlation\": 1}", "gaussian: correlation"},
        {"{\"kind\": \"gaussian\", \"dim\": 2, \"condition\": 4, \"correlation\": 0.5}",
         "gaussian: condition"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        energy_refuse(cases[k][0], cases[k][1]);
}
