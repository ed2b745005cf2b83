/* Where the student is not: counted by the diagnostics, shown by uncovered.c, and what k-hat says of it. */
#include "student/uncovered.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { N = 4000 };

static student_diagnostics diagnose(const double *forward, size_t n, double log_z)
{
    student_diagnostics d;
    flow_err err = FLOW_ERR_INIT;
    student_log_weights w = {.forward = forward, .n_forward = n, .log_z = log_z};
    cr_assert_eq(student_diagnose(&d, &w, &err), 0, "%s", err.text);
    return d;
}

Test(uncovered, rows_above_are_counted)
{
    const double l[] = {0, 3.1, 4, 5.1, 11, 2.9, -20, 10};
    student_diagnostics d = diagnose(l, 8, 0);
    cr_expect(d.uncovered[0] == 5 && d.uncovered[1] == 3 && d.uncovered[2] == 1);
    d = diagnose(l, 8, 2.2); /* log p - log q is l - log Z */
    cr_expect(d.uncovered[0] == 2 && d.uncovered[1] == 2 && d.uncovered[2] == 0);
}

/* l at x ~ p from a weight w = u^-k / (1 + k) of tail index k. */
static double *pareto(double k)
{
    static double l[N];
    pcg_stream stream = {.seed = 8, .stage = PCG_TEST, .purpose = PCG_GENERATE};
    pcg_uniforms(l, stream, 0, N, 1);
    for (size_t i = 0; i < N; i++)
        l[i] = -k * log(1 - l[i]);
    return l;
}

/* k-hat is within .15 of k at 4000 rows (190 in the tail); an error that means nothing is not given. */
Test(uncovered, forward_khat_and_the_error_of_the_forward_ess)
{
    student_diagnostics light = diagnose(pareto(0.2), N, 0), heavy = diagnose(pareto(0.9), N, 0);
    cr_expect(fabs(light.psis_forward.khat - 0.2) < 0.15, "%g", light.psis_forward.khat);
    cr_expect(fabs(heavy.psis_forward.khat - 0.9) < 0.15, "%g", heavy.psis_forward.khat);
    cr_expect(light.ess_forward.se > 0);
    cr_expect(isnan(heavy.ess_forward.se) && heavy.ess_forward.value > 0);
    cr_expect(heavy.eubo.se > 0, "log weights have a variance all the same");
}

Test(uncovered, a_row_out_of_reach_is_a_tail_without_end)
{
    double *l = pareto(0.2);
    l[17] = INFINITY;
    student_diagnostics d = diagnose(l, N, 0);
    cr_expect(d.psis_forward.khat == INFINITY && isnan(d.ess_forward.se));
    cr_expect(d.uncovered[2] == 1 && d.zero_forward == 1);
}

Test(uncovered, reverse_errors_are_dropped_with_khat)
{
    student_diagnostics d;
    flow_err err = FLOW_ERR_INIT;
    student_log_weights w = {.reverse = pareto(0.9), .n_reverse = N, .log_z = 0};
    cr_assert_eq(student_diagnose(&d, &w, &err), 0, "%s", err.text);
    cr_expect(isnan(d.log_z.se) && isnan(d.mean_w.z) && isnan(d.ess_reverse.se));
    cr_expect(d.elbo.se > 0 && d.kl_reverse.se > 0);
    w.reverse = pareto(0.5); /* no error of the ESS, but one of log Z */
    cr_assert_eq(student_diagnose(&d, &w, &err), 0, "%s", err.text);
    cr_expect(isnan(d.ess_reverse.se) && d.log_z.se > 0, "%g", d.psis.khat);
    double *even = pareto(0.9); /* even weights: the index of their tail is of no matter */
    for (size_t i = 0; i < N; i++)
        even[i] = 1e-6 * expm1(even[i]);
    w.reverse = even;
    cr_assert_eq(student_diagnose(&d, &w, &err), 0, "%s", err.text);
    cr_expect(d.psis.khat > 0.7 && d.log_z.se > 0, "%g", d.psis.khat);
}

/* ---- where they are */

static student_uncovered find(double *x, double *log_p, double *log_q, target_status *status,
                              size_t n, double log_z)
{
    student_uncovered out;
    flow_err err = FLOW_ERR_INIT;
    student_sides sides = {
        .dim = 2,
        .n = n,
        .theirs = {.x = x, .log_p = log_p, .log_q = log_q, .status = status, .n = n}};
    cr_assert_eq(student_uncovered_find(&out, &sides, log_z, NULL, &err), 0, "%s", err.text);
    return out;
}

Test(uncovered, the_worst_rows_come_first_with_their_column)
{
    enum { ROWS = 100 };
    static double x[2 * ROWS], log_p[ROWS], log_q[ROWS];
    static target_status status[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        x[2 * i] = (double)(i % 3) - 1;
        x[2 * i + 1] = (double)(i % 5) - 2;
    }
    const size_t bad[] = {40, 7, 90, 12, 55, 71, 30};
    const double nats[] = {4, 9, 3.5, 20, 6, 12, 50};
    for (size_t i = 0; i < 7; i++)
        log_p[bad[i]] = nats[i] + 1.5;
    status[30] = TARGET_BROKEN;
    x[2 * 12] = 30;
    x[2 * 71 + 1] = -40;
    student_uncovered u = find(x, log_p, log_q, status, ROWS, 1.5);
    const size_t order[] = {12, 71, 7, 55, 40};
    cr_assert_eq(u.n, 5);
    for (size_t i = 0; i < 5; i++)
        cr_expect_eq(u.rows[i].row, order[i], "place %zu: row %zu", i, u.rows[i].row);
    cr_expect(u.rows[0].nats == 20 && u.rows[0].column == 0 && u.rows[0].value == 30);
    cr_expect(u.rows[1].column == 1 && u.rows[1].value == -40 && u.rows[1].distance < -5);
}

Test(uncovered, a_student_that_covers_all_has_no_rows)
{
    double x[] = {1, 2, 3, 4}, log_p[] = {0, 1}, log_q[] = {-2.9, 1};
    target_status status[] = {TARGET_FINITE, TARGET_FINITE};
    cr_expect_eq(find(x, log_p, log_q, status, 2, 0).n, 0);
    cr_expect_eq(find(x, log_p, log_q, status, 0, 0).n, 0);
}
