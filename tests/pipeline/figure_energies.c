/* The picture of energies as who looks at it finds it. */
#include "pipeline/report/figure_energies.h"

#include "tests/pipeline/drawn.h"

#include <criterion/criterion.h>
#include <string.h>

/* The chains on the left, the student on the right, weighed on the left again. */
Test(figure_energies, has_bars_and_both_outlines_where_they_belong)
{
    student_against_chain c = student_against_no_chain;
    c.rows = 100;
    c.lo = -3;
    c.hi = 5;
    for (size_t i = 0; i < 10; i++) {
        c.bins[STUDENT_ENERGY_CHAIN][i + 5] = 0.1;
        c.bins[STUDENT_ENERGY_WEIGHED][i + 5] = 0.05;
        c.bins[STUDENT_ENERGY_OWN][i + 30] = 0.1;
    }
    plot_drawing drawing = figure_energies_of(&c);
    drawn d = drawn_open(&drawing);
    size_t bars = drawn_count(&d, PLOT_PALE, 0, 0.5, 44);
    size_t student = drawn_count(&d, PLOT_STUDENT, 0.6, 1, 44);
    cr_expect(bars > 20000, "%zu pixels of bars", bars);
    cr_expect_lt(drawn_count(&d, PLOT_PALE, 0.5, 1, 44), bars / 50);
    cr_expect_gt(student, 300, "%zu pixels of the student", student);
    cr_expect_gt(drawn_count(&d, PLOT_THIRD, 0, 0.5, 44), 200);
    drawn_close(&d);
    memset(c.bins, 0, sizeof c.bins);
    d = drawn_open(&drawing);
    cr_expect_lt(drawn_count(&d, PLOT_PALE, 0, 1, 44), bars / 50);
    drawn_close(&d);
}
