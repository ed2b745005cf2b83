/* The ladder's picture as who looks at it finds it. */
#include "pipeline/report/figure_ladder.h"

#include "tests/pipeline/drawn.h"

#include <criterion/criterion.h>

static student_rung rung(size_t t, double reverse, double forward)
{
    return (student_rung){
        .how = {.iterations = t, .width = 1},
        .weights = {.kl_reverse = {.value = reverse}, .kl_forward = {.value = forward}},
        .rows_per_s = 1e6 / (double)t};
}

/* Pixels of both curves below the legend. */
static void count(size_t *reverse, size_t *forward, const student_rung *rungs, size_t n)
{
    figure_ladder figure;
    plot_drawing drawing = figure_ladder_of(&figure, rungs, n, 1e6);
    drawn d = drawn_open(&drawing);
    *reverse = drawn_count(&d, PLOT_STUDENT, 0, 1, 40);
    *forward = drawn_count(&d, PLOT_TEACHER, 0, 1, 40);
    drawn_close(&d);
}

Test(figure_ladder, has_both_curves_and_leaves_out_the_wild)
{
    student_rung rungs[] = {rung(1, 0.3, 0.4), rung(2, 1e-2, 2e-2), rung(3, -1e-9, 0)};
    size_t reverse, forward, all;
    count(&all, &forward, rungs, 3);
    cr_expect(all > 200 && forward > 200, "%zu and %zu pixels", all, forward);
    rungs[1].wild = rungs[2].wild = 1;
    count(&reverse, &forward, rungs, 3);
    cr_expect(reverse < all / 3 && reverse > 0, "a dot is left: %zu of %zu", reverse, all);
    rungs[0].wild = 1;
    count(&reverse, &forward, rungs, 3);
    cr_expect_eq(reverse + forward, 0);
}

/* A trained student is a ring beside the curve: ink around a hole. */
Test(figure_ladder, trained_ones_are_rings)
{
    student_rung rungs[] = {rung(1, 0.3, 0.3), rung(2, 1e-2, 1e-2), rung(1, 1e-1, 1e-3)};
    size_t without, with, forward;
    count(&without, &forward, rungs, 2);
    rungs[2].trained = true;
    rungs[2].how.width = 0.5;
    count(&with, &forward, rungs, 3);
    cr_expect(with > without + 40 && with < without + 250, "%zu pixels, %zu without a ring", with,
              without);
}
