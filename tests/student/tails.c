/* Tails where the answer is known: limits of binomials by their whole sums, one distribution many times over, and
 * distributions whose tails differ. */
#include "student/tails.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

/* ---- two counts */

/* P(X >= a) of a + b, term by term. */
static double chance_of(size_t a, size_t b, double odds)
{
    const double n = (double)(a + b);
    double sum = 0;
    for (size_t i = a; i <= a + b; i++)
        sum += exp(lgamma(n + 1) - lgamma((double)i + 1) - lgamma(n - (double)i + 1) +
                   (double)i * log(odds) - n * log1p(odds));
    return sum;
}

/* At the limit the chance of so many is the one that was asked for. */
Test(tails, limits_are_exact)
{
    static const size_t counts[][2] = {{1, 0},   {54, 0},    {3, 1},    {15, 40},
                                       {60, 15}, {700, 300}, {1, 2000}, {3000, 40}};
    static const double chances[] = {0.3, 1e-2, 1e-5, 1e-9};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t k = 0; k < 4; k++) {
            const size_t a = counts[i][0], b = counts[i][1], n = 50000, m = 3000;
            double least = student_tail_least(a, n, b, m, chances[k]);
            double found = chance_of(a, b, least * (double)n / (double)m);
            cr_expect_float_eq(found / chances[k], 1, 1e-7, "%zu, %zu: %g at %g", a, b, found,
                               least);
        }
    cr_expect_eq(student_tail_least(0, 100, 7, 100, 0.01), 0);
}

/* ---- samples */

enum { D = 2, N = 20000, M = 3000 };
typedef double law(double z);

static double same(double z)
{
    return z;
}

/* As Student's t of 2 degrees has it, by its quantile function. */
static double heavy(double z)
{
    double p = 0.5 * erfc(-z * 0.70710678118654752), q = 0.5 * erfc(z * 0.70710678118654752);
    return (p - q) / sqrt(2 * p * q);
}

static double whole(double z)
{
    return floor(2 * z);
}

static void draw(double *x, size_t n, law *first, law *second, uint64_t seed, pcg_purpose purpose)
{
    pcg_stream stream = {.seed = seed, .stage = PCG_TEST, .purpose = purpose};
    pcg_normals(x, stream, 0, n, D);
    for (size_t i = 0; i < n; i++) {
        x[D * i] = first(x[D * i]);
        x[D * i + 1] = second(x[D * i + 1]);
    }
}

static double samples[N * D], reference[M * D];

static student_tails compared(const flow_units *units)
{
    flow_err err = FLOW_ERR_INIT;
    student_tails out;
    const data_part own = {.x = data_numbers_of(samples, D), .n = N},
                    ref = {.x = data_numbers_of(reference, D), .n = M};
    cr_assert_eq(student_tails_measure(&out, &own, &ref, units, &err), 0, "%s", err.text);
    return out;
}

/* At most one in a hundred may be off by anything at all: of 300, ten or more have a chance of .001. And none by what a run
 * warns of. Ties and heavy tails make it no worse. */
static void is_quiet(law *first, law *second)
{
    enum { SEEDS = UNLESS_SANITIZED(300, 30) };
    size_t found = 0, warned = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        draw(samples, N, first, second, seed, PCG_BASE);
        draw(reference, M, first, second, seed, PCG_TARGET);
        student_tails t = compared(NULL);
        found += t.off > 1;
        warned += t.off > 1.25;
        student_tails_release(&t);
    }
    cr_expect(found < 10 && warned < 3, "%zu and %zu of %d", found, warned, (int)SEEDS);
}

Test(tails, one_distribution_is_one)
{
    is_quiet(same, heavy);
}

Test(tails, ties_are_no_tail)
{
    is_quiet(whole, same);
}

static double even(double z)
{
    return 0.5 * erfc(-z * 0.70710678118654752);
}

/* Data that end abruptly at 0 and 1, and a density that is smeared over it by so much; a standard deviation is .29. */
static double smeared(double width)
{
    draw(samples, N, even, same, 3, PCG_BASE);
    draw(reference, M, even, same, 3, PCG_TARGET);
    for (size_t i = 0; i < N; i++)
        samples[D * i] += width * sin((double)i);
    student_tails t = compared(NULL);
    cr_expect(t.side[0][1].level[STUDENT_TAIL_REFERENCE].samples > 20);
    const double off = t.off;
    student_tails_release(&t);
    return off;
}

Test(tails, a_smeared_end_is_none)
{
    cr_expect_eq(smeared(0.02), 1);
    cr_expect_gt(smeared(0.3), 3);
}

Test(tails, a_tail_that_is_too_heavy)
{
    draw(samples, N, same, heavy, 5, PCG_BASE);
    draw(reference, M, same, same, 5, PCG_TARGET);
    student_tails t = compared(NULL);
    cr_expect(t.off > 5 && t.column == 1, "%g of column %zu", t.off, t.column);
    const student_tail *side = &t.side[1][t.above];
    cr_expect(side->level[STUDENT_TAIL_REFERENCE].off > 5);
    cr_expect_eq(side->level[STUDENT_TAIL_REFERENCE].reference, 0);
    cr_expect_eq(side->level[STUDENT_TAIL_HUNDREDTH].reference, M / 100);
    cr_expect(isnan(side->level[STUDENT_TAIL_THOUSANDTH].beyond), "three rows tell nothing");
    cr_expect_eq(side->level[STUDENT_TAIL_LAST].reference, STUDENT_TAIL_FEW);
    cr_expect_eq(t.side[0][1].level[STUDENT_TAIL_LAST].off, 1);
    student_tails_release(&t);
}

/* The other way round samples are too few: 1 % of Student's t is beyond 7, where a normal is not. */
Test(tails, a_tail_that_is_too_light)
{
    draw(samples, N, heavy, same, 5, PCG_BASE);
    for (size_t i = 0; i < N; i++)
        samples[D * i] = 0.5 * fmin(fmax(samples[D * i], -6), 6);
    draw(reference, M, heavy, same, 5, PCG_TARGET);
    student_tails t = compared(NULL);
    const student_tail_count *c = &t.side[0][1].level[STUDENT_TAIL_HUNDREDTH];
    cr_expect(t.off > 5 && t.column == 0);
    cr_expect(c->off < 0.2 && c->off > 0 && c->samples == 0, "%g", c->off);
    cr_expect(t.side[0][1].level[STUDENT_TAIL_SAMPLES].off < 0.2);
    cr_expect_eq(t.side[0][1].level[STUDENT_TAIL_SAMPLES].samples, 0);
    student_tails_release(&t);
}

/* What a logarithm made of counts: the bulk is right, and 1 sample in 100 is beyond every row, on one side. */
Test(tails, far_samples_of_a_count)
{
    draw(samples, N, whole, same, 7, PCG_BASE);
    draw(reference, M, whole, same, 7, PCG_TARGET);
    for (size_t i = 0; i < N; i += 100)
        samples[D * i] = 40 + (double)i;
    student_tails t = compared(NULL);
    cr_expect(t.column == 0 && t.above && t.level == STUDENT_TAIL_REFERENCE, "%d", t.level);
    cr_expect(t.off > 3, "%g", t.off);
    cr_expect_eq(t.side[0][1].samples, 40 + (N - 100));
    cr_expect(t.side[0][1].level[STUDENT_TAIL_REFERENCE].samples >= N / 100);
    student_tails_release(&t);
}

/* But for the rounding of a standard deviation. */
static void same_count(const student_tail_count *a, const student_tail_count *b)
{
    cr_expect(isnan(a->beyond) == isnan(b->beyond));
    cr_expect(!(fabs(a->beyond + b->beyond) > 1e-12 * fabs(a->beyond)));
    cr_expect_eq(a->samples, b->samples);
    cr_expect_eq(a->reference, b->reference);
}

Test(tails, below_is_above_turned_round)
{
    draw(samples, N, whole, heavy, 9, PCG_BASE);
    draw(reference, M, whole, same, 9, PCG_TARGET);
    student_tails a = compared(NULL);
    for (size_t i = 0; i < N * D; i++)
        samples[i] = -samples[i];
    for (size_t i = 0; i < M * D; i++)
        reference[i] = -reference[i];
    student_tails b = compared(NULL);
    for (size_t i = 0; i < 2 * D; i++)
        for (int k = 0; k < STUDENT_TAIL_LEVELS; k++)
            same_count(&a.side[i / 2][i % 2].level[k], &b.side[i / 2][1 - i % 2].level[k]);
    cr_expect(a.off == b.off && a.above != b.above && a.column == b.column);
    student_tails_release(&a);
    student_tails_release(&b);
}

/* Values are the user's; a circle has no tail. */
Test(tails, in_the_units_of_the_user)
{
    flow_units *units = flow_units_create(D, NULL);
    units->column[0] =
        (flow_unit){.support = FLOW_ABOVE, .lo = 20, .step = 1, .shift = 0.5, .scale = 0.7};
    units->column[1] = (flow_unit){.period = 6};
    flow_unit_set_angle(&units->column[1], 1);
    draw(samples, N, same, heavy, 11, PCG_BASE);
    draw(reference, M, same, same, 11, PCG_TARGET);
    student_tails t = compared(units);
    cr_expect_eq(t.off, 1);
    double largest = 0;
    for (size_t i = 0; i < M; i++)
        largest = fmax(largest, reference[D * i]);
    cr_expect_eq(t.side[0][1].reference, floor(20 + exp(0.5 + 0.7 * largest)));
    cr_expect_eq(t.side[0][0].reference, 20);
    for (int k = 0; k < STUDENT_TAIL_LEVELS; k++)
        cr_expect(isnan(t.side[1][0].level[k].beyond) && isnan(t.side[1][1].level[k].off));
    student_tails_release(&t);
    flow_units_free(units);
}

Test(tails, of_nothing_and_of_no_number)
{
    flow_err err = FLOW_ERR_INIT;
    student_tails t;
    data_part own = {.x = data_numbers_of(samples, D), .n = 0},
              ref = {.x = data_numbers_of(reference, D), .n = M};
    cr_assert_eq(student_tails_measure(&t, &own, &ref, NULL, &err), 0);
    cr_expect(t.dim == 0 && isnan(t.off));
    student_tails_release(&t);
    own.n = 3; /* a few rows of a few: ends alone are looked at */
    ref.n = 20;
    draw(samples, 3, same, same, 1, PCG_BASE);
    draw(reference, 20, same, same, 1, PCG_TARGET);
    cr_assert_eq(student_tails_measure(&t, &own, &ref, NULL, &err), 0);
    cr_expect(t.off == 1 && isnan(t.side[0][0].level[STUDENT_TAIL_LAST].beyond));
    student_tails_release(&t);
    samples[3] = (double)INFINITY;
    cr_assert_eq(student_tails_measure(&t, &own, &ref, NULL, &err), FLOW_EDIVERGED);
    cr_expect_str_eq(err.text, "tails: row 1, column 1 is inf");
    student_tails_release(&t);
}
