/* Which rows take part in a gradient, and which steps. */
#include "student/term.h"

#include <criterion/criterion.h>
#include <math.h>

/* `until` 1 is the end, the last step included; two that follow each other share no step. */
Test(term, when_it_is_on)
{
    const objective_term first = {.until = 0.7}, second = {.from = 0.7, .until = 1};
    size_t n = 0;
    for (size_t step = 0; step < 10; step++) {
        cr_assert_eq(term_is_on(&first, step, 10) + term_is_on(&second, step, 10), 1);
        n += (size_t)term_is_on(&first, step, 10);
    }
    cr_assert_eq(n, 7);
}

/* A row stays as it is, is left out and counted, or, where it is no point at all, spoils the step: that is
 * not the target's doing. */
Test(term, rows_that_take_part)
{
    static const struct {
        target_status status;
        double x1;
        int kept, no_density, broken, spoilt;
    } cases[] = {{TARGET_FINITE, 0.5, 1, 0, 0, 0},       {TARGET_NO_DENSITY, 0.5, 0, 1, 0, 0},
                 {TARGET_BROKEN, 0.5, 0, 0, 1, 0},       {TARGET_BROKEN, NAN, 1, 0, 0, 1},
                 {TARGET_BROKEN, -INFINITY, 1, 0, 0, 1}, {TARGET_NO_DENSITY, INFINITY, 0, 1, 0, 0}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const target t = {.dim = 2};
        term_sums sums = {0};
        double x[] = {9, 9, -0.25, cases[k].x1}, grad[] = {9, 9, 1, 2}, score[] = {9, 9, 3, 4};
        double logp[] = {9, -7.5}, dlogq[] = {9, -1};
        term_shard s = {.target = &t,
                        .first = 70,
                        .n = 2,
                        .x = x,
                        .grad = grad,
                        .score = score,
                        .logp = logp,
                        .dlogq = dlogq,
                        .status = {TARGET_FINITE, cases[k].status},
                        .sums = &sums};
        cr_assert_eq(term_keeps(&s, 1), cases[k].kept, "case %zu", k);
        cr_assert(sums.no_density == (size_t)cases[k].no_density, "case %zu", k);
        cr_assert(sums.broken.count == (size_t)cases[k].broken, "case %zu", k);
        cr_assert(isnan(dlogq[1]) == cases[k].spoilt, "case %zu", k);
        if (!cases[k].kept)
            cr_assert(grad[2] == 0 && grad[3] == 0 && score[2] == 0 && score[3] == 0 &&
                      dlogq[1] == 0);
        else
            cr_assert(grad[2] == 1 && grad[3] == 2 && score[2] == 3 && score[3] == 4);
        if (cases[k].broken)
            cr_assert(sums.broken.row == 71 && sums.broken.log_p == -7.5 && sums.broken.dim == 2 &&
                      sums.broken.x[0] == -0.25 && sums.broken.x[1] == 0.5);
        cr_assert(grad[0] == 9 && score[1] == 9 && dlogq[0] == 9 && logp[0] == 9);
    }
}
