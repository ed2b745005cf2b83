/* Made-up data: rows that do not depend on how many are asked for, points where the doc says, modes
 * that are recovered. Statistical checks use fixed seeds; false-alarm rates (the chance that a
 * sound generator would fail at a seed picked at random) are beside them. */
#include "teacher/generate.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846
enum { N = 20000, MANY_MODES = 16 };
static const uint64_t seed = 20240817;

static double *draw(const data_generator *g, double noise, uint64_t from_seed)
{
    double *x = malloc(2 * N * sizeof *x);
    cr_assert_not_null(x);
    data_generate(g, x, noise, from_seed, 0, N);
    return x;
}

static const data_generator *find(const char *name)
{
    flow_err err = FLOW_ERR_INIT;
    const data_generator *g = data_generator_find(name, &err);
    cr_assert_not_null(g, "%s", err.text);
    return g;
}

Test(generate, rows_depend_on_seed_and_number_alone)
{
    for (const data_generator *g = data_generators; g->draw; g++) {
        double *x = draw(g, g->noise, seed), *other = draw(g, g->noise, seed + 1), part[2 * 7];
        data_generate(g, part, g->noise, seed, 713, 7);
        cr_assert_eq(memcmp(part, x + 2 * 713, sizeof part), 0, "%s", g->kind.name);
        cr_assert_neq(memcmp(x, other, sizeof part), 0, "%s: the seed has no effect", g->kind.name);
        data_generate(g, NULL, g->noise, seed, 0, 0);
        free(x);
        free(other);
    }
}

Test(generate, all_are_complete)
{
    size_t count = 0;
    for (const data_generator *g = data_generators; g->draw; g++, count++) {
        cr_assert(g->kind.doc && *g->kind.doc, "%s", g->kind.name);
        cr_assert(g->draw, "%s", g->kind.name);
        cr_assert_eq(g->modes > 0, g->mode_of != NULL, "%s", g->kind.name);
        cr_assert_leq(g->modes, MANY_MODES);
        cr_assert(find(g->kind.name) == g);
    }
    cr_assert_eq(count, 6);
}

Test(generate, unknown_name)
{
    flow_err err = FLOW_ERR_INIT;
    cr_assert_null(data_generator_find("two_moon", &err));
    cr_assert_eq(err.code, FLOW_ECONFIG);
    cr_assert_str_eq(err.text, "there is no generator 'two_moon'; did you mean 'two_moons'?");
    cr_assert_null(data_generator_find("banana", &err));
    cr_assert_str_eq(err.text, "there is no generator 'banana'");
}

Test(generate, tables)
{
    flow_err err = FLOW_ERR_INIT;
    const data_generator *g = find("rings");
    for (size_t n = 0; n < 4; n++) {
        double x[2 * 3];
        file_table *table = data_generate_table(g, 0.3, seed, n, &err);
        cr_assert_not_null(table, "%s", err.text);
        cr_assert(table->rows == n && table->cols == 2);
        cr_assert_str_eq(table->names[0], "x1");
        cr_assert_str_eq(table->names[1], "x2");
        data_generate(g, x, 0.3, seed, 0, n);
        cr_assert_eq(memcmp(table->values, x, n * 2 * sizeof *x), 0);
        file_table_free(table);
    }
}

/* ---- modes */

/* Counts within 5 standard deviations of N / modes: below 6e-7 a mode, 1.3e-5 over the 21 modes. */
Test(generate, modes_have_equal_weight)
{
    for (const data_generator *g = data_generators; g->draw; g++) {
        if (g->modes == 0)
            continue;
        size_t counts[MANY_MODES] = {0};
        double *x = draw(g, g->noise, seed), share = 1 / (double)g->modes;
        for (size_t i = 0; i < N; i++) {
            size_t mode = g->mode_of(x + 2 * i);
            cr_assert_lt(mode, g->modes, "%s", g->kind.name);
            counts[mode]++;
        }
        for (size_t mode = 0; mode < g->modes; mode++)
            cr_assert_float_eq((double)counts[mode], N * share, 5 * sqrt(N * share * (1 - share)),
                               "%s: mode %zu has %zu", g->kind.name, mode, counts[mode]);
        free(x);
    }
}

/* A point and its noise-free twin (same row, noise 0) are on the same piece, but for the few that
 * the default noise carries over to another. */
Test(generate, noise_rarely_changes_the_mode)
{
    for (const data_generator *g = data_generators; g->draw; g++) {
        if (g->modes == 0)
            continue;
        double *x = draw(g, g->noise, seed), *clean = draw(g, 0, seed);
        size_t moved = 0;
        for (size_t i = 0; i < N; i++)
            moved += g->mode_of(x + 2 * i) != g->mode_of(clean + 2 * i);
        cr_assert_lt(moved, N / 100, "%s: %zu of %d", g->kind.name, moved, N);
        free(x);
        free(clean);
    }
}

Test(generate, modes_far_away)
{
    static const double outside[] = {10, 0}, middle[] = {0.1, 0.1};
    cr_assert_eq(find("rings")->mode_of(outside), 3);
    cr_assert_eq(find("rings")->mode_of(middle), 0);
    static const double far[][2] = {{1e300, -1e300}, {0, 0}, {INFINITY, 0}, {-0.0, -INFINITY}};
    for (const data_generator *g = data_generators; g->draw; g++)
        for (size_t i = 0; g->modes > 0 && i < 4; i++)
            cr_assert_lt(g->mode_of(far[i]), g->modes, "%s, point %zu", g->kind.name, i);
}

/* ---- shapes, at noise 0 */

/* The largest distance of a point from where it may be. */
static double worst_defect(const char *name, double (*defect)(const double *x))
{
    double *x = draw(find(name), 0, seed), worst = 0;
    for (size_t i = 0; i < N; i++)
        worst = fmax(worst, defect(x + 2 * i));
    free(x);
    return worst;
}

static double moons_defect(const double *x)
{
    double upper = x[1] >= 0 ? fabs(hypot(x[0], x[1]) - 1) : 1;
    double lower = x[1] <= 0.5 ? fabs(hypot(1 - x[0], 0.5 - x[1]) - 1) : 1;
    bool is_lower = find("two_moons")->mode_of(x) == 1;
    return is_lower ? lower : upper;
}

static double rings_defect(const double *x)
{
    double radius = hypot(x[0], x[1]);
    double own = 0.75 * (double)(find("rings")->mode_of(x) + 1);
    return fabs(radius - own);
}

static double gaussians_defect(const double *x)
{
    double angle = PI / 4 * (double)find("eight_gaussians")->mode_of(x);
    return hypot(x[0] - 4 * cos(angle), x[1] - 4 * sin(angle));
}

static double spirals_defect(const double *x)
{
    double t = 3 * hypot(x[0], x[1]), sign = find("spirals")->mode_of(x) ? -1 : 1;
    return t > 3 * PI ? t : hypot(x[0] + sign * cos(t) * t / 3, x[1] - sign * sin(t) * t / 3);
}

static double checkerboard_defect(const double *x)
{
    bool inside = fabs(x[0]) <= 4 && fabs(x[1]) <= 4;
    long square = lrint(floor(x[0] / 2)) + lrint(floor(x[1] / 2));
    return inside && square % 2 == 0 ? 0 : 1;
}

/* At noise 0 a blade is a curve: bent back by exp(r) / 4, every point is on one of five rays. A
 * blade's distance is 1 + 0.3 z, negative once in 2500 points: those are on the opposite ray. */
static double pinwheel_defect(const double *x)
{
    double along = hypot(x[0], x[1]) / 2, angle = atan2(x[1], x[0]);
    double front = (angle - exp(along) / 4) / (2 * PI / 5);
    double back = (angle + PI - exp(-along) / 4) / (2 * PI / 5);
    return fmin(fabs(front - round(front)), fabs(back - round(back)));
}

Test(generate, shapes)
{
    cr_assert_lt(worst_defect("two_moons", moons_defect), 1e-14);
    cr_assert_lt(worst_defect("rings", rings_defect), 1e-14);
    cr_assert_lt(worst_defect("eight_gaussians", gaussians_defect), 1e-14);
    cr_assert_lt(worst_defect("spirals", spirals_defect), 1e-13);
    cr_assert_eq(worst_defect("checkerboard", checkerboard_defect), 0);
    cr_assert_lt(worst_defect("pinwheel", pinwheel_defect), 1e-12);
}

/* ---- distributions */

typedef struct moments {
    double mean[2], var[2];
} moments;

static moments measure(const double *x)
{
    moments out = {{0}, {0}};
    for (size_t i = 0; i < 2 * N; i++)
        out.mean[i % 2] += x[i] / N;
    for (size_t i = 0; i < 2 * N; i++)
        out.var[i % 2] += (x[i] - out.mean[i % 2]) * (x[i] - out.mean[i % 2]) / N;
    return out;
}

/* Means within 5 standard errors, variances within 5 * var * sqrt(4 / N): bounded shapes have a
 * kurtosis below 5. Below 3e-6 for each of the 20 checks, 6e-5 in all. */
Test(generate, moments_in_closed_form)
{
    static const struct {
        const char *name;
        double noise, mean[2], var[2];
    } cases[] = {
        /* x1 = +-(cos a - 1/2) + 1/2; x2 = +-(sin a - 1/4) + 1/4; E sin a = 2 / pi */
        {"two_moons", 0.1, {0.5, 0.25}, {0.75 + 0.01, 0.5 - 1 / PI + 0.0625 + 0.01}},
        /* E r^2 / 2, r = 0.75 (1, 2, 3, 4): 0.5625 * 7.5 / 2 */
        {"rings", 0.4, {0, 0}, {2.109375 + 0.16, 2.109375 + 0.16}},
        /* each coordinate alone is uniform on [-4, 4] */
        {"checkerboard", 0.2, {0, 0}, {16. / 3 + 0.04, 16. / 3 + 0.04}},
        /* r^2 = 4 ((1 + 0.3 z)^2 + noise^2 z^2) */
        {"pinwheel", 1, {0, 0}, {2 * (1.09 + 1), 2 * (1.09 + 1)}},
        {"eight_gaussians", 0.5, {0, 0}, {8.25, 8.25}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double *x = draw(find(cases[i].name), cases[i].noise, seed);
        moments got = measure(x);
        for (size_t j = 0; j < 2; j++) {
            double var = cases[i].var[j];
            cr_assert_float_eq(got.mean[j], cases[i].mean[j], 5 * sqrt(var / N), "%s: mean %g",
                               cases[i].name, got.mean[j]);
            cr_assert_float_eq(got.var[j], var, 5 * var * sqrt(4. / N), "%s: variance %g, not %g",
                               cases[i].name, got.var[j], var);
        }
        free(x);
    }
}

/* Along a blade, distances are 1 + 0.3 z in units of 2: E r^2 = 4.36, and E r^4 = 16 E (1 + 0.3
 * z)^4 = 16 (1 + 6 * 0.09 + 3 * 0.0081) = 25.0288, so r^2 has variance 25.0288 - 4.36^2. */
Test(generate, pinwheel_along_the_blade)
{
    double *x = draw(find("pinwheel"), 0, seed), mean = 0;
    for (size_t i = 0; i < N; i++)
        mean += (x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1]) / N;
    cr_assert_float_eq(mean, 4.36, 5 * sqrt((25.0288 - 4.36 * 4.36) / N), "%g", mean); /* 6e-7 */
    free(x);
}

/* On a spiral t has density ~ t on [0, 3 pi], so (t / 3 pi)^2 is uniform. */
Test(generate, spirals_along_the_arm)
{
    double *x = draw(find("spirals"), 0, seed), mean = 0, square = 0;
    for (size_t i = 0; i < N; i++) {
        double u = pow(hypot(x[2 * i], x[2 * i + 1]) / PI, 2);
        mean += u / N;
        square += u * u / N;
    }
    cr_assert_float_eq(mean, 0.5, 5 * sqrt(1. / 12 / N), "%g", mean);        /* 6e-7 */
    cr_assert_float_eq(square, 1. / 3, 5 * sqrt(4. / 45 / N), "%g", square); /* 6e-7 */
    free(x);
}
