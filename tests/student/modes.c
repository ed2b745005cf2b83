/* Shares of modes. */
#include "student/modes.h"

#include "flow/pcg.h"

#include <criterion/criterion.h>
#include <math.h>

static const pcg_stream stream = {.seed = 20240817, .stage = PCG_TEST, .purpose = PCG_GENERATE};

/* The nearest of the integers 0, 1, 2, ... to the second column; negative ones belong to no mode.
 */
static size_t nearest(void *arg, const double *x)
{
    ++*(size_t *)arg;
    return x[1] < -0.5 ? (size_t)-1 : (size_t)floor(x[1] + 0.5);
}

Test(modes, by_hand)
{
    const double x[] = {9, 0.1, 9, 1.2, 9, -0.2, 9, 0.9, 9, 0.4, 9, -3, 9, 0, 9, 0.3};
    const double weights[3] = {0.5, 0.25, 0.25};
    student_mode modes[3];
    student_modes_summary s;
    size_t calls = 0;
    student_modes(modes, &s, weights, 3, x, 8, 2, nearest, &calls);
    cr_assert_eq(calls, 8u);
    cr_assert(modes[0].count == 5 && modes[1].count == 2 && modes[2].count == 0);
    cr_assert(modes[0].share == 0.625 && modes[1].share == 0.25 && modes[2].share == 0);
    cr_assert(fabs(modes[0].se - sqrt(0.25 / 8)) < 1e-15);
    cr_assert(fabs(modes[0].z - 0.125 / sqrt(0.25 / 8)) < 1e-15 && modes[1].z == 0);
    cr_assert(s.worst == 2 && s.deviation == 0.25 && s.empty == 1 && s.unassigned == 1);
    cr_assert(fabs(s.max_abs_z - 0.25 / sqrt(0.1875 / 8)) < 1e-14, "%g", s.max_abs_z);
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
    student_modes(modes, &s, weights, 3, x, N, 2, nearest, &calls);
    cr_assert(s.max_abs_z < 4.5, "%g", s.max_abs_z); /* false alarm 2e-5 */
    cr_assert(s.empty == 0 && s.unassigned == 0);
    student_modes(modes, &s, wrong, 3, x, N, 2, nearest, &calls);
    cr_assert(s.max_abs_z > 6, "%g", s.max_abs_z);
}

Test(modes, nothing)
{
    const double weights[2] = {1, 0}, x[2] = {0, 0};
    student_mode modes[2];
    student_modes_summary s;
    size_t calls = 0;
    student_modes(modes, &s, weights, 2, NULL, 0, 2, nearest, &calls);
    cr_assert(isnan(modes[0].share) && isnan(s.deviation) && isnan(s.max_abs_z) && s.empty == 0);
    student_modes(modes, &s, weights, 0, x, 1, 2, nearest, &calls);
    cr_assert(isnan(s.deviation) && s.unassigned == 1);
    student_modes(modes, &s, weights, 2, x, 1, 2, nearest, &calls);
    cr_assert(s.deviation == 0 && s.max_abs_z == 0 && s.empty == 0 && modes[1].z == 0);
}
