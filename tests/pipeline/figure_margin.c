/* Columns as the report counts them: kinds, whole ranges, ratios, ranks; and regions of pairs. */
#include "pipeline/report/figure_margin.h"

#include "flow/pcg.h"
#include "pipeline/report/figure_pair.h"
#include "tests/pipeline/drawn.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { ROWS = 6000 };

static const char *const NAMES[] = {"a \xcf\x87", "b"};

typedef struct example {
    bank rows;
    flow_units *units;
    double *x[3];
} example;

/* Data, teacher and student: normals of two columns, different ones. */
static void open_example(example *e)
{
    flow_err err = FLOW_ERR_INIT;
    cr_assert_not_null(e->units = flow_units_create(2, &err));
    for (int k = 0; k < 3; k++) {
        cr_assert_not_null(e->x[k] = malloc(ROWS * 2 * sizeof(double)));
        pcg_normals(
            e->x[k],
            (pcg_stream){.seed = 5 + (uint64_t)k, .stage = PCG_TEST, .purpose = PCG_GENERATE}, 0,
            ROWS, 2);
    }
    e->rows = (bank){.dim = 2,
                     .names = NAMES,
                     .units = e->units,
                     .data = {.x = e->x[0], .n = ROWS},
                     .teacher = {.x = e->x[1], .n = ROWS},
                     .student = {.x = e->x[2], .n = ROWS}};
}

static void close_example(example *e)
{
    for (int k = 0; k < 3; k++)
        free(e->x[k]);
    flow_units_free(e->units);
}

static void count(figure_margin *m, const example *e, size_t column)
{
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(figure_margin_count(m, &e->rows, column, &err), 0, "%s", err.text);
    plot_drawing drawing = figure_margin_of(m);
    drawn d = drawn_open(&drawing);
    drawn_close(&d);
}

static double sum(const double *x, size_t n)
{
    double all = 0;
    for (size_t i = 0; i < n; i++)
        all += x[i];
    return all;
}

Test(figure_margin, every_row_of_every_side_is_counted)
{
    example e;
    figure_margin m;
    open_example(&e);
    e.x[2][0] = 9; /* the student's alone */
    count(&m, &e, 0);
    cr_assert_eq(m.n_sides, 3);
    for (size_t k = 0; k < 3; k++)
        cr_expect_eq(sum(m.sides[k].rows.count, m.bins.n), ROWS, "no tail is cut");
    cr_expect(m.axis.bend == 0 && m.axis.hi >= 9);
    close_example(&e);
}

/* 20 classes; three standard deviations of 40 shares are left in 10 % of such tests, so twice that. */
Test(figure_margin, ranks_are_even_where_sides_are_the_same_and_only_there)
{
    example e;
    figure_margin m;
    open_example(&e);
    count(&m, &e, 1);
    cr_assert_eq(m.n_ranks, 2);
    for (size_t k = 0; k < 2; k++) {
        cr_expect_float_eq(sum(m.ranks[k].share, MARGIN_RANKS), MARGIN_RANKS, 1e-9);
        for (size_t i = 0; i < MARGIN_RANKS; i++)
            cr_expect_lt(fabs(m.ranks[k].share[i] - 1), 2 * m.ranks[k].band);
    }
    for (size_t r = 0; r < ROWS; r++)
        e.x[1][2 * r + 1] += 0.5;
    count(&m, &e, 1);
    cr_expect_gt(m.ranks[0].share[0], 1 + 3 * m.ranks[0].band, "data are below the teacher");
    cr_expect_lt(m.ranks[1].share[0], 1 - 2 * m.ranks[1].band, "and it is above the student");
    close_example(&e);
}

/* A column of steps of 0.5: every bin has one grid value, and equal values have even ranks. */
Test(figure_margin, bins_of_a_grid_are_its_steps)
{
    example e;
    figure_margin m;
    open_example(&e);
    e.units->column[0].step = 0.5;
    for (int k = 0; k < 3; k++)
        for (size_t r = 0; r < ROWS; r++)
            e.x[k][2 * r] = 0.5 * round(2 * e.x[k][2 * r]);
    count(&m, &e, 0);
    cr_expect_float_eq((m.axis.hi - m.axis.lo) / (double)m.bins.n, 0.5, 1e-12);
    double zero = plot_axis_share(&m.axis, 0) * (double)m.bins.n;
    cr_expect_float_eq(zero - floor(zero), 0.5, 1e-9, "in the middle of its bin");
    for (size_t i = 0; i < MARGIN_RANKS; i++)
        cr_expect_lt(fabs(m.ranks[0].share[i] - 1), 2 * m.ranks[0].band);
    close_example(&e);
}

Test(figure_margin, steps_of_a_wide_grid_stand_together)
{
    example e;
    figure_margin m;
    open_example(&e);
    e.units->column[0].step = 1;
    for (size_t r = 0; r < ROWS; r++)
        e.x[0][2 * r] = (double)(r % 1000);
    count(&m, &e, 0);
    cr_expect_eq(m.axis.bend, 0);
    double together = (m.axis.hi - m.axis.lo) / (double)m.bins.n;
    cr_expect(m.bins.n <= TALLY_BINS && together == floor(together) && together > 1, "%g",
              together);
    cr_expect_eq(sum(m.sides[0].rows.count, m.bins.n), ROWS);
    close_example(&e);
}

/* Counts of 0 to 8 with one of 5000: each count has a bin of its own all the same, and that one is on the axis. */
Test(figure_margin, a_far_value_of_a_grid_does_not_hide_the_others)
{
    example e;
    figure_margin m;
    open_example(&e);
    e.units->column[0].step = 1;
    for (int k = 0; k < 3; k++)
        for (size_t r = 0; r < ROWS; r++)
            e.x[k][2 * r] = (double)(r % 9);
    e.x[2][0] = 5000;
    count(&m, &e, 0);
    cr_expect_gt(m.axis.bend, 0);
    for (size_t i = 0; i < 9; i++) {
        cr_expect_eq(m.bins.edge[i], (double)i - 0.5);
        cr_expect_float_eq(m.sides[0].rows.count[i], ROWS / 9.0, 1);
    }
    for (size_t i = 0; i < m.bins.n; i++)
        cr_expect_eq(m.bins.edge[i + 1] - m.bins.edge[i],
                     round(m.bins.edge[i + 1] - m.bins.edge[i]));
    cr_expect(m.bins.n > 20 && m.bins.edge[m.bins.n] == 5000.5, "%zu", m.bins.n);
    cr_expect_eq(m.sides[2].rows.count[m.bins.n - 1], 1);
    close_example(&e);
}

/* More than 99 % of the rows at one value: no range is shorter than a step. */
Test(figure_margin, a_grid_that_is_all_but_constant_is_bent_too)
{
    example e;
    figure_margin m;
    open_example(&e);
    e.units->column[0].step = 1;
    for (int k = 0; k < 3; k++)
        for (size_t r = 0; r < ROWS; r++)
            e.x[k][2 * r] = r ? 0 : 1e5;
    count(&m, &e, 0);
    cr_expect(m.axis.bend > 0 && m.bins.edge[1] == 0.5);
    cr_expect_eq(sum(m.sides[0].rows.count, m.bins.n), ROWS);
    close_example(&e);
}

Test(figure_margin, a_circle_is_shown_once_round)
{
    example e;
    figure_margin m;
    open_example(&e);
    e.units->column[0].period = 360;
    e.units->column[0].start = -180;
    count(&m, &e, 0);
    cr_expect(m.axis.lo == -180 && m.axis.hi == 180);
    close_example(&e);
}

Test(figure_margin, far_rows_bend_the_axis_and_are_on_it)
{
    example e;
    figure_margin m;
    open_example(&e);
    e.x[0][0] = 1e5;
    count(&m, &e, 0);
    cr_expect_gt(m.axis.bend, 0);
    cr_expect_geq(m.axis.hi, 1e5);
    cr_expect_eq(sum(m.sides[0].rows.count, m.bins.n), ROWS);
    close_example(&e);
}

Test(figure_margin, numbers_that_are_none_do_no_harm)
{
    example e;
    figure_margin m;
    open_example(&e);
    e.x[0][0] = NAN;
    e.x[1][0] = INFINITY;
    e.x[2][0] = -INFINITY;
    count(&m, &e, 0);
    cr_expect_eq(sum(m.sides[0].rows.count, m.bins.n), ROWS - 1);
    cr_expect_eq(m.sides[0].rows.total, ROWS);
    e.rows.data.n = e.rows.teacher.n = e.rows.student.n = 0;
    count(&m, &e, 0);
    close_example(&e);
}

/* ---- pairs */

static double inside(const figure_pair *f, size_t side, size_t level)
{
    double held = 0;
    for (size_t i = 0; i < PAIR_CELLS * PAIR_CELLS; i++)
        held +=
            f->sides[side].cells[i] >= f->sides[side].level[level] ? f->sides[side].cells[i] : 0;
    return held;
}

Test(figure_pair, contours_hold_their_shares)
{
    flow_err err = FLOW_ERR_INIT;
    example e;
    figure_pair *f = malloc(sizeof *f);
    open_example(&e);
    double missed[] = {0.5, -0.5, 9, 9};
    e.rows.missed = (bank_rows){.x = missed, .n = 2};
    cr_assert_eq(figure_pair_count(f, &e.rows, (picture_pair){0, 1}, &err), 0, "%s", err.text);
    cr_assert_eq(f->n_sides, 3);
    for (size_t k = 0; k < 3; k++) {
        cr_expect(inside(f, k, 0) >= 0.95 && inside(f, k, 0) < 0.96, "%g", inside(f, k, 0));
        cr_expect(inside(f, k, 1) >= 0.68 && inside(f, k, 1) < 0.70, "%g", inside(f, k, 1));
    }
    cr_expect_eq(f->n_missed, 2);
    plot_drawing drawing = figure_pair_of(f);
    drawn d = drawn_open(&drawing);
    cr_expect_gt(drawn_count(&d, PLOT_TEACHER, 0, 1, 30), 400);
    cr_expect_gt(drawn_count(&d, PLOT_STUDENT, 0, 1, 30), 200);
    cr_expect_gt(drawn_count(&d, PLOT_ALARM, 0, 1, 30), 20);
    drawn_close(&d);
    close_example(&e);
    free(f);
}
