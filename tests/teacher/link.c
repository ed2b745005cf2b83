/* Which map a half line gets. Rows are the quantiles of known distributions, so nothing here hangs on chance. */
#include "teacher/link.h"
#include "tests/teacher/tables.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { N = 20000 };
typedef double law(double share); /* the quantile */

static double exponential(double p)
{
    return -log1p(-p);
}

static double pareto(double p)
{
    return pow(1 - p, -1 / 2.385);
}

static double uniform(double p)
{
    return 3 * p;
}

/* By bisection of erfc. */
static double normal(double p)
{
    double lo = -9, hi = 9;
    for (int k = 0; k < 60; k++) {
        double at = 0.5 * (lo + hi);
        *(0.5 * erfc(-at * 0.70710678118654752) < p ? &lo : &hi) = at;
    }
    return lo;
}

static double log_normal(double p)
{
    return exp(0.713 + 1.5 * normal(p));
}

static double half_normal(double p)
{
    return normal(0.5 + 0.5 * p);
}

/* Counts of mean 4, blurred within their steps as a fit has them. */
static double poisson(double p)
{
    double chance = exp(-4), before = 0;
    size_t k = 0;
    for (; p >= before + chance && k < 60; chance *= 4 / (double)++k)
        before += chance;
    return (double)k + (p - before) / chance;
}

/* Logarithms of the quantiles, in an order that is not theirs. */
static double *rows_of(law *of, double sign)
{
    double *t = malloc(N * sizeof *t);
    for (size_t i = 0; i < N; i++)
        t[i * 7919 % N] = sign * log(of(((double)i + 0.5) / N));
    return t;
}

static double soft_of(law *of, flow_support side, data_link said)
{
    flow_unit unit = {.support = side, .lo = side == FLOW_ABOVE ? 20 : 0, .scale = 1};
    const data_numbers none = {.at = NULL};
    double *t = rows_of(of, side == FLOW_BELOW ? -1 : 1);
    cr_assert_eq(data_link_fit(&unit, said, t, N, &none, NULL), 0);
    free(t);
    return unit.soft;
}

Test(link, heavy_tails_have_a_logarithm_and_light_ones_a_line)
{
    static const struct {
        law *of;
        double soft; /* the median; 0: a logarithm */
    } cases[] = {{log_normal, 0},       {pareto, 0},    {exponential, 0.6931},
                 {half_normal, 0.6745}, {uniform, 1.5}, {poisson, 4.3405}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double above = soft_of(cases[i].of, FLOW_ABOVE, DATA_LINK_AUTO),
                     below = soft_of(cases[i].of, FLOW_BELOW, DATA_LINK_AUTO);
        cr_expect_float_eq(above, cases[i].soft, 1e-3, "case %zu: %g", i, above);
        cr_expect_float_eq(below, above, 1e-12, "case %zu, mirrored: %g", i, below);
    }
}

Test(link, is_what_the_user_says)
{
    cr_expect_eq(soft_of(exponential, FLOW_ABOVE, DATA_LINK_LOG), 0);
    cr_expect_float_eq(soft_of(log_normal, FLOW_ABOVE, DATA_LINK_SOFTPLUS), exp(0.713), 1e-3);
}

/* 660 rows have 15 beyond z = 2. */
Test(link, few_rows_do_not_tell)
{
    const data_numbers none = {.at = NULL};
    for (size_t n = 640; n <= 680; n += 40) {
        flow_unit unit = {.support = FLOW_ABOVE, .scale = 1};
        double t[680];
        for (size_t i = 0; i < n; i++)
            t[i] = log(uniform(((double)i + 0.5) / (double)n));
        cr_assert_eq(data_link_fit(&unit, DATA_LINK_AUTO, t, n, &none, NULL), 0);
        cr_expect_eq(unit.soft > 0, n == 680, "%zu rows: %g", n, unit.soft);
    }
}

/* The numbers are those of the map afterwards, or are left alone. */
Test(link, numbers_become_those_of_the_map)
{
    const data_numbers none = {.at = NULL};
    for (int soft = 0; soft < 2; soft++) {
        flow_units *units = flow_units_create(1, NULL);
        flow_unit *unit = &units->column[0];
        *unit = (flow_unit){.support = FLOW_BELOW, .hi = -3, .scale = 1};
        double *t = rows_of(soft ? half_normal : log_normal, -1),
               *was = rows_of(soft ? half_normal : log_normal, -1);
        cr_assert_eq(data_link_fit(unit, DATA_LINK_AUTO, t, N, &none, NULL), 0);
        cr_assert_eq(unit->soft > 0, soft);
        for (size_t i = 0; i < N; i++) {
            double x = -3 - exp(-was[i]), want;
            flow_units_to_flow(units, &want, NULL, &x, 1);
            cr_assert_float_eq(t[i], soft ? want : was[i], soft ? 1e-11 : 0, "%zu: %.17g", i, t[i]);
        }
        free(t);
        free(was);
        flow_units_free(units);
    }
}

/* Rows of one law and of another, of which one kind has no weight. */
static double weighed_soft(bool light)
{
    flow_unit unit = {.support = FLOW_ABOVE, .scale = 1};
    double *heavy = rows_of(log_normal, 1), *thin = rows_of(exponential, 1),
           *t = malloc(2 * N * sizeof *t);
    data_numbers weight;
    cr_assert_eq(data_numbers_create(&weight, 2 * N, 1, FLOW_F32, NULL), 0);
    for (size_t i = 0; i < 2 * N; i++) {
        double w = (i % 2 == 0) == light ? 2 : 0;
        t[i] = i % 2 ? heavy[i / 2] : thin[i / 2];
        data_numbers_put(&weight, i, &w);
    }
    cr_assert_eq(data_link_fit(&unit, DATA_LINK_AUTO, t, 2 * N, &weight, NULL), 0);
    free(weight.at);
    free(heavy);
    free(thin);
    free(t);
    return unit.soft;
}

Test(link, weights_count)
{
    cr_expect_eq(weighed_soft(false), 0);
    cr_expect_float_eq(weighed_soft(true), 0.6931, 1e-3);
}

/* ---- a table */

/* Counts, a heavy energy, and a mass below 20: what the flow has is the table's. */
static file_table *events(void)
{
    file_table *table = data_table(N, 3, data_names3);
    for (size_t i = 0; i < N; i++) {
        double p = ((double)i + 0.5) / N;
        double *row = table->values + 3 * (i * 7919 % N);
        row[0] = floor(poisson(p));
        row[1] = log_normal(p);
        row[2] = 20 - exponential(1 - p);
    }
    return table;
}

Test(link, of_a_table)
{
    data_kind kinds[3] = {{.lo = 0, .hi = INFINITY, .step = 1},
                          {.lo = 0, .hi = INFINITY},
                          {.lo = -INFINITY, .hi = 20}};
    data_options options = data_options_default();
    options.kinds = kinds;
    file_table *table = events();
    double *want = malloc(3 * N * sizeof *want);
    for (size_t i = 0; i < 3 * N; i++)
        want[i] = table->values[i];
    data_set *set = data_made(table, &options);
    const flow_unit *unit = set->units->column;
    cr_expect_float_eq(unit[0].soft, 4.34, 0.05, "%g", unit[0].soft);
    cr_expect_eq(unit[1].soft, 0);
    cr_expect_float_eq(unit[2].soft, 0.69, 0.02, "%g", unit[2].soft);
    const data_part all = data_set_all(set);
    double *u = data_x(&all), mean = 0, square = 0;
    for (size_t i = 0; i < set->train.n; i++) {
        mean += u[3 * i] / (double)set->train.n;
        square += u[3 * i] * u[3 * i] / (double)set->train.n;
    }
    cr_expect_float_eq(mean, 0, 1e-9, "it is scaled as it is linked");
    cr_expect_float_eq(square, 1, 1e-9);
    flow_units_to_user(set->units, u, NULL, u, N);
    for (size_t i = 0; i < 3 * N; i++)
        cr_assert_float_eq(u[i], want[i], i % 3 ? 1e-12 * (1 + fabs(want[i])) : 0,
                           "%zu: %.17g, not %.17g", i, u[i], want[i]);
    free(want);
    data_set_free(set);
}
