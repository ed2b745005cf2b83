/* Shares of modes. */
#include "student/modes.h"

#include "flow/pcg.h"

#include <criterion/criterion.h>
#include <math.h>

static const pcg_stream stream = {.seed = 20240817, .stage = PCG_TEST, .purpose = PCG_GENERATE};

/* The nearest of the integers 0, 1, 2, ... to the second column; negative ones belong to no mode. */
static void nearest(void *arg, size_t *mode, const double *x)
{
    ++*(size_t *)arg;
    *mode = x[1] < -0.5 ? (size_t)-1 : (size_t)floor(x[1] + 0.5);
}

static void judge(student_mode *modes, student_modes_summary *s, const double *weights,
                  size_t n_modes, const double *x, size_t n, size_t *calls)
{
    const target_partition one = {.name = "integer", .n = n_modes, .weights = weights};
    const target_modes known = {
        .partitions = 1, .partition = &one, .modes_of = nearest, .arg = calls};
    cr_assert_eq(student_modes(modes, s, &known, x, n, 2, NULL), 0);
}

Test(modes, by_hand)
{
    const double x[] = {9, 0.1, 9, 1.2, 9, -0.2, 9, 0.9, 9, 0.4, 9, -3, 9, 0, 9, 0.3};
    const double weights[3] = {0.5, 0.25, 0.25};
    student_mode modes[3];
    student_modes_summary s;
    size_t calls = 0;
    judge(modes, &s, weights, 3, x, 8, &calls);
    cr_assert_eq(calls, 8u);
    cr_assert(modes[0].count == 5 && modes[1].count == 2 && modes[2].count == 0);
    cr_assert(modes[0].share == 0.625 && modes[1].share == 0.25 && modes[2].share == 0);
    cr_assert(fabs(modes[0].se - sqrt(0.25 / 8)) < 1e-15);
    cr_assert(fabs(modes[0].z - 0.125 / sqrt(0.25 / 8)) < 1e-15 && modes[1].z == 0);
    cr_assert(s.worst == 2 && s.deviation == 0.25 && s.empty == 1 && s.unassigned == 1);
    cr_assert(fabs(s.max_abs_z - 0.25 / sqrt(0.1875 / 8)) < 1e-14, "%g", s.max_abs_z);
    double p = erfc(0.25 / modes[0].se / sqrt(2)) + 2 * erfc(0.25 / modes[1].se / sqrt(2));
    cr_assert(fabs(s.p - p) < 1e-14, "%g, not %g", s.p, p);
}

Test(modes, true_weights_pass_and_wrong_ones_do_not)
{
    enum { N = 20000 };
    static double x[2 * N];
    const double weights[3] = {0.2, 0.5, 0.3}, wrong[3] = {0.23, 0.47, 0.3};
    student_mode modes[3];
    student_modes_summary s;
    size_t calls = 0;
    pcg_uniforms(x, stream, 0, N, 2);
    for (size_t i = 0; i < N; i++)
        x[2 * i + 1] = x[2 * i] < 0.2 ? 0 : x[2 * i] < 0.7 ? 1 : 2;
    judge(modes, &s, weights, 3, x, N, &calls);
    cr_assert(s.max_abs_z < 4.5, "%g", s.max_abs_z); /* false alarm 2e-5 */
    cr_assert(s.empty == 0 && s.unassigned == 0);
    cr_assert(s.p > 2e-5 && s.deviation < 2 * s.chance);
    judge(modes, &s, wrong, 3, x, N, &calls);
    cr_assert(s.max_abs_z > 6, "%g", s.max_abs_z);
    cr_assert(s.p < 1e-6 && s.deviation > s.chance, "%g beyond %g", s.deviation, s.chance);
}

Test(modes, nothing)
{
    const double weights[2] = {1, 0}, x[2] = {0, 0};
    student_mode modes[2];
    student_modes_summary s;
    size_t calls = 0;
    judge(modes, &s, weights, 2, NULL, 0, &calls);
    cr_assert(isnan(modes[0].share) && isnan(s.deviation) && isnan(s.max_abs_z) && s.empty == 0);
    cr_assert(isnan(s.p) && isnan(s.chance));
    judge(modes, &s, weights, 0, x, 1, &calls);
    cr_assert(isnan(s.deviation) && s.unassigned == 1);
    judge(modes, &s, weights, 2, x, 1, &calls);
    cr_assert(s.deviation == 0 && s.max_abs_z == 0 && s.empty == 0 && modes[1].z == 0);
}

/* ---- several partitions: each column by itself, below .3 or not; then how many of them are */

enum { COLUMNS = 16 };

static void below(void *arg, size_t *mode, const double *x)
{
    size_t low = 0;
    (void)arg;
    for (size_t j = 0; j < COLUMNS; j++) {
        mode[j] = !(x[j] < 0.3);
        low += x[j] < 0.3;
    }
    mode[COLUMNS] = low < 4 ? 0 : low < 6 ? 1 : 2;
}

static const double sides[2] = {0.3, 0.7};
static const double counts[3] = {0.245855863908, 0.413926462003,
                                 0.340217674089}; /* of binomial (16, .3): 0 to 3, 4 and 5, more */

static void judge_columns(student_mode *modes, student_modes_summary *s, const double *x, size_t n)
{
    target_partition all[COLUMNS + 1];
    for (size_t j = 0; j <= COLUMNS; j++)
        all[j] =
            (target_partition){.n = j < COLUMNS ? 2 : 3, .weights = j < COLUMNS ? sides : counts};
    const target_modes known = {.partitions = COLUMNS + 1, .partition = all, .modes_of = below};
    cr_assert_eq(target_modes_count(&known), 2 * COLUMNS + 3u);
    cr_assert_eq(student_modes(modes, s, &known, x, n, COLUMNS, NULL), 0);
}

/* One of sixteen columns is wrong by 4 %: it is found, and named. */
Test(modes, the_worst_of_many_partitions)
{
    enum { N = 20000 };
    static double x[COLUMNS * N];
    student_mode modes[2 * COLUMNS + 3];
    student_modes_summary s;
    pcg_uniforms(x, stream, 0, N, COLUMNS);
    judge_columns(modes, &s, x, N);
    cr_assert(s.deviation < 1.5 * s.chance && s.p > 1e-5, "%g, by chance %g", s.deviation,
              s.chance);
    cr_assert(s.empty == 0 && s.unassigned == 0);
    for (size_t i = 0; i < N; i++)
        x[i * COLUMNS + 11] *= 0.3 / 0.34;
    judge_columns(modes, &s, x, N);
    cr_assert(modes[s.worst].partition == 11 && modes[s.worst].number == 0);
    cr_assert(fabs(s.deviation - 0.04) < 4 * modes[22].se && s.p < 1e-10, "%g", s.deviation);
    cr_assert(modes[2 * COLUMNS + 2].partition == COLUMNS && modes[2 * COLUMNS + 2].number == 2);
}

/* Columns that go together have right shares each, and a wrong number of them. */
Test(modes, partitions_that_go_together)
{
    enum { N = 4000 };
    static double x[COLUMNS * N];
    student_mode modes[2 * COLUMNS + 3];
    student_modes_summary s;
    pcg_uniforms(x, stream, 0, N, COLUMNS);
    for (size_t k = 0; k < COLUMNS * N; k++)
        x[k] = x[k / COLUMNS * COLUMNS];
    judge_columns(modes, &s, x, N);
    cr_assert(modes[s.worst].partition == COLUMNS && s.deviation > 0.3, "%g", s.deviation);
}

/* Of many samples that are right, the largest of sixteen deviations is beyond `chance` in one of a hundred. */
Test(modes, chance_is_what_it_says)
{
    enum { N = 400, TIMES = 1000 };
    static double x[COLUMNS * N];
    student_mode modes[2 * COLUMNS + 3];
    student_modes_summary s;
    size_t beyond = 0, half = 0;
    for (size_t t = 0; t < TIMES; t++) {
        pcg_uniforms(x, stream, t * N, N, COLUMNS);
        judge_columns(modes, &s, x, N);
        beyond += s.deviation > s.chance;
        half += s.p < 0.5;
        cr_assert_eq(s.deviation > s.chance, s.p < STUDENT_MODES_CHANCE, "%g, %g: %g", s.deviation,
                     s.chance, s.p);
    }
    cr_assert(beyond >= 2 && beyond <= 22, "%zu",
              beyond); /* of 10: false alarms 5e-4 at either end */
    cr_assert(half > TIMES / 4 && half < 6 * TIMES / 10, "%zu", half);
}
