/* Rows of both sides: drawn once, met by one student after the other; and the clock's figures. */
#include "student/sides.h"
#include "student/speed.h"
#include "tests/common/distilling.h"
#include "tests/common/gaussian.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N = 500, D = 2 };

static const double shifts[] = {0.4, -0.2};

static flow *student_of(double log_scale)
{
    const double s[] = {log_scale, -log_scale};
    flow *f = scales_and_shifts(D, FLOW_F64);
    cr_assert_eq(flow_tensor_set(f, s, 0, NULL), 0);
    cr_assert_eq(flow_tensor_set(f, shifts, 1, NULL), 0);
    return f;
}

typedef struct given {
    flow_pool *pool;
    flow *of; /* the teacher */
    target *teacher;
    student_sides sides;
    flow_err err;
} given;

static void open_sides(given *g, size_t n)
{
    *g = (given){.err = FLOW_ERR_INIT, .pool = flow_pool_create(2, NULL), .of = student_of(0.3)};
    g->teacher = target_from_flow(g->of, &g->err);
    cr_assert(g->teacher, "%s", g->err.text);
    cr_assert_eq(student_sides_init(&g->sides, g->teacher, g->pool, NULL, n, 7, &g->err), 0);
}

static void close_sides(given *g)
{
    student_sides_release(&g->sides);
    target_free(g->teacher);
    flow_free(g->of);
    flow_pool_free(g->pool);
}

static student_diagnostics met(given *g, const flow *student)
{
    student_diagnostics out;
    cr_assert_eq(student_sides_meet(&g->sides, student, &g->err), 0, "%s", g->err.text);
    cr_assert_eq(student_sides_diagnose(&g->sides, &out, &g->err), 0, "%s", g->err.text);
    return out;
}

/* A student leaves nothing behind for the next one. */
Test(sides, each_student_is_met_as_if_it_were_the_first)
{
    given g;
    flow *first = student_of(0.1), *second = student_of(-0.2);
    open_sides(&g, N);
    met(&g, first);
    student_diagnostics after = met(&g, second);
    close_sides(&g);
    open_sides(&g, N);
    student_diagnostics alone = met(&g, second);
    cr_expect_eq(after.kl_reverse.value, alone.kl_reverse.value);
    cr_expect_eq(after.kl_forward.value, alone.kl_forward.value);
    cr_expect_eq(after.ess_forward.value, alone.ess_forward.value);
    cr_expect(alone.kl_reverse.value > 0.05 && alone.kl_forward.value > 0.05);
    close_sides(&g);
    flow_free(first);
    flow_free(second);
}

Test(sides, a_student_that_is_its_teacher_has_equal_densities)
{
    given g;
    open_sides(&g, N);
    student_diagnostics d = met(&g, g.of);
    cr_expect(fabs(d.kl_reverse.value) < 1e-12 && fabs(d.kl_forward.value) < 1e-12);
    cr_expect(g.sides.own.n_w == N && g.sides.theirs.n_w == N);
    cr_expect(memcmp(g.sides.own.x, g.sides.theirs.x, N * D * sizeof(double)) != 0,
              "both sides are the same rows");
    close_sides(&g);
}

/* ---- speed */

Test(speed, figures_are_positive_and_none_without_rows)
{
    given g;
    double sampling, density, row;
    for (size_t n = 0; n <= N; n += N) {
        open_sides(&g, n);
        if (n)
            met(&g, g.of);
        cr_assert_eq(student_speed_sample(&sampling, g.of, &g.sides, &g.err), 0);
        cr_assert_eq(student_speed_density(&density, g.of, &g.sides, &g.err), 0);
        cr_assert_eq(student_speed_row(&row, g.of, &g.sides, &g.err), 0);
        if (n == 0)
            cr_expect(isnan(sampling) && isnan(density) && isnan(row));
        else
            cr_expect(sampling > 0 && density > 0 && row > 0 && row < 1,
                      "%g rows/s, %g rows/s, %g s", sampling, density, row);
        close_sides(&g);
    }
}
