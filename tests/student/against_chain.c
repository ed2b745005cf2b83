/* Long chains on targets of which all is known, and what they say of students that are right and of students that miss
 * something. */
#include "student/against_chain.h"

#include "student/long_chain.h"
#include "tests/common/check.h"
#include "tests/common/mixture_student.h"
#include "tests/common/sanitized.h"
#include "tests/common/target_of.h"

#include <criterion/criterion.h>
#include <math.h>

enum { ROWS = UNLESS_SANITIZED(4096, 2048), SAMPLES = 4000 };

static const char GAUSSIAN[] = "{\"kind\": \"gaussian\", \"mean\": [1, -2, 0.5], \"dim\": 3, "
                               "\"correlation\": 0.6}";

/* ---- the chains */

Test(long_chain, rhat_by_hand)
{
    /* Two chains of four states, 1 3 1 3 and 2 4 2 4: within halves 2, means of halves 2 2 3 3, of which the variance is 1/3:
     * sqrt((2 / 2 + 1 / 3) / 2). Of whole chains within 4/3, means 2 and 3: (1 + 1/2) * 2 / (1/2) rows. */
    const double x[] = {1, 2, 3, 4, 1, 2, 3, 4}, want[] = {sqrt(2 / 3.0), 6};
    double got[2];
    got[0] = long_chain_rhat(&got[1], x, 8, 2, 1);
    check_close(got, want, 2, 1e-14, 0, "R-hat and effective rows");
    const double stuck[] = {1, 2, 1, 2, 1, 2, 1, 2};
    cr_expect_eq(long_chain_rhat(NULL, stuck, 8, 2, 1), INFINITY);
}

static long_chain run(const target *t, size_t threads, uint64_t seed)
{
    long_chain out;
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(threads, NULL);
    cr_assert_eq(long_chain_run(&out, t, pool, ROWS, 0, seed, &err), 0, "%s", err.text);
    flow_pool_free(pool);
    return out;
}

/* Means at 5 standard errors of the rows that are effective, variances at 10 %. */
Test(long_chain, rows_are_those_of_the_target)
{
    target *t = target_of(GAUSSIAN);
    long_chain c = run(t, 1, 3);
    const double mean[] = {1, -2, 0.5};
    cr_assert(c.n >= ROWS && c.n < ROWS + LONG_CHAIN_CHAINS && c.chains == LONG_CHAIN_CHAINS);
    cr_expect(c.rhat < 1.05 && c.rhat_column < 1.05, "R-hat %g, %g", c.rhat, c.rhat_column);
    cr_expect(c.effective > 0.2 * (double)c.n, "%g effective rows", c.effective);
    cr_expect(c.evaluations > 300000 && c.acceptance > 0.5 && c.broken.count == 0);
    for (size_t i = 0; i < 3; i++) {
        double sum = 0, squares = 0, n = (double)c.n;
        for (size_t r = 0; r < c.n; r++) {
            double x = c.x[r * 3 + i] - mean[i];
            sum += x / n;
            squares += x * x / n;
        }
        cr_expect(fabs(sum) < 5 / sqrt(c.effective), "mean of column %zu is off by %g", i, sum);
        cr_expect(fabs(squares - 1) < 0.1, "variance of column %zu is %g", i, squares);
    }
    long_chain_close(&c);
    target_free(t);
}

/* Columns that hang together at .9999: in widths of columns the chains have .76 of its variance. */
Test(long_chain, go_along_a_ridge)
{
    target *t = target_of("{\"kind\": \"gaussian\", \"dim\": 4, \"correlation\": 0.9999}");
    long_chain c = run(t, 2, 3);
    double sum = 0, squares = 0, n = (double)c.n;
    cr_expect(c.rhat < 1.05 && c.rhat_column < 1.05, "R-hat %g, %g", c.rhat, c.rhat_column);
    for (size_t r = 0; r < c.n; r++) {
        sum += c.x[r * 4] / n;
        squares += c.x[r * 4] * c.x[r * 4] / n;
    }
    cr_expect(fabs(sum) < 0.15 && fabs(squares - 1) < 0.2, "mean %g, variance %g", sum, squares);
    long_chain_close(&c);
    target_free(t);
}

Test(long_chain, same_for_any_number_of_threads)
{
    target *t = target_of(GAUSSIAN);
    long_chain one = run(t, 1, 4), three = run(t, 3, 4), other = run(t, 1, 5);
    check_same(three.x, one.x, one.n * 3, "rows");
    check_same(three.log_p, one.log_p, one.n, "log p");
    cr_expect_neq(other.x[0], one.x[0]);
    long_chain_close(&one);
    long_chain_close(&three);
    long_chain_close(&other);
    target_free(t);
}

/* ---- students: a mixture of normals, whose places are set by hand */

typedef struct student_of {
    size_t dim, n;
    const double *shift, *log_scale; /* (n, D) */
} student_of;

/* Rows that are kept are the chains': all of them here, where the target has a density. */
static void check_kept(const student_chain_rows *kept, const student_against_chain *of,
                       const target *t)
{
    double *log_p = malloc((kept->n + 1) * sizeof *log_p);
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, NULL);
    target_status *status = malloc((kept->n + 1) * sizeof *status);
    cr_assert_eq(kept->n, of->rows < STUDENT_CHAIN_KEPT ? of->rows : STUDENT_CHAIN_KEPT);
    cr_assert_eq(target_log_density(t, pool, log_p, NULL, status, kept->x, NULL, kept->n, &err), 0,
                 "%s", err.text);
    for (size_t r = 0; r < kept->n; r++)
        cr_assert_eq(status[r], TARGET_FINITE, "row %zu", r);
    free(log_p);
    free(status);
    free(kept->x);
    flow_pool_free(pool);
}

static student_against_chain against(const target *t, const student_of *s, double log_z)
{
    student_against_chain out;
    student_sides sides;
    flow_err err = FLOW_ERR_INIT;
    flow *student = mixture_student(s->dim, s->n, s->shift, s->log_scale, NULL);
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(student_sides_init(&sides, t, pool, NULL, SAMPLES, 11, &err), 0, "%s", err.text);
    cr_assert_eq(student_sides_meet(&sides, student, &err), 0, "%s", err.text);
    student_chain_rows kept = {NULL, 0};
    const student_chain_question question = {student, log_z, NULL, ROWS, 0, 1, &kept};
    cr_assert_eq(student_against_chain_measure(&out, &sides, &question, &err), 0, "%s", err.text);
    check_kept(&kept, &out, t);
    student_sides_release(&sides);
    flow_pool_free(pool);
    flow_free(student);
    return out;
}

static const char THREE[] = "{\"kind\": \"gaussians\", \"means\": [[-6, 0], [6, 1], [0, 9]]}";
static const double places[] = {-6, 0, 6, 1, 0, 9}, unit[6] = {0};

Test(against_chain, a_good_student_is_not_accused)
{
    target *t = target_of(THREE);
    student_against_chain a = against(t, &(student_of){2, 3, places, unit}, 0);
    const double got[] = {a.kl_forward, a.worst, a.eubo.value}, none[3] = {0};
    check_close(got, none, 3, 0, 1e-9, "forward figures");
    cr_expect_eq(a.uncovered[0], 0);
    cr_expect(a.rhat < STUDENT_CHAIN_AGREES && a.apart < a.chance && a.weighed_apart < a.chance,
              "R-hat %g, %g apart, weighed %g, chance %g", a.rhat, a.apart, a.weighed_apart,
              a.chance);
    cr_expect(a.rhat_column > 1.5, "the chains cross between modes: %g", a.rhat_column);
    target_free(t);
}

/* Its own samples are perfect, and a third of the target is not there. */
Test(against_chain, a_mode_that_was_left_out_is_found)
{
    target *t = target_of(THREE);
    student_against_chain a = against(t, &(student_of){2, 2, places, unit}, -log(1.5));
    double share = (double)a.uncovered[STUDENT_UNCOVERED - 1] / (double)a.rows;
    cr_expect(fabs(share - 1 / 3.0) < 0.15, "%g of the rows", share);
    cr_expect(a.worst > 20 && a.kl_forward > 5);
    cr_expect_lt(a.apart, a.chance, "by their energies they are alike");
    target_free(t);
}

/* Many-well, 6 dimensions, all in the right wells: own samples look nearly perfect, log Z is 3 log .844 too low. */
Test(against_chain, left_wells_are_found)
{
    const double wells[] = {1.72, 0, 1.72, 0, 1.72, 0}, narrow = log(0.215),
                 scale[] = {narrow, 0, narrow, 0, narrow, 0};
    target *t = target_of("{\"kind\": \"many_well\", \"dim\": 6}");
    student_against_chain a = against(t, &(student_of){6, 1, wells, scale}, t->log_z);
    double share = (double)a.uncovered[STUDENT_UNCOVERED - 1] / (double)a.rows;
    cr_expect(share > 0.25 && share < 0.55, "%g of the rows have a left well, .4 should", share);
    target_free(t);
}

/* The right places, 1.5 times as wide: samples have the wrong energies, and weighed they have the right ones. */
Test(against_chain, wrong_energies_are_seen)
{
    const double wide[] = {log(1.5), log(1.5)}, at[] = {0.5, -1};
    target *t =
        target_of("{\"kind\": \"gaussian\", \"mean\": [0.5, -1], \"dim\": 2, \"correlation\": 0}");
    student_against_chain a = against(t, &(student_of){2, 1, at, wide}, 0);
    /* -log p~ is exponential of mean 1, and 1.5^2: the largest difference of the two, at e = log(2.25) / (1 - 1 / 2.25) */
    double e = log(2.25) / (1 - 1 / 2.25), want = exp(-e / 2.25) - exp(-e);
    cr_expect(fabs(a.apart - want) < a.chance, "%g apart, not %g", a.apart, want);
    cr_expect(a.apart > 3 * a.chance && a.weighed_apart < a.chance, "%g, %g, chance %g", a.apart,
              a.weighed_apart, a.chance);
    cr_expect(fabs(a.kl_forward - (2 * log(1.5) + 1 / 2.25 - 1)) < 5 * a.eubo.se, "%g +- %g",
              a.kl_forward, a.eubo.se);
    double inside[STUDENT_ENERGY_COUNT] = {0};
    for (size_t k = 0; k < STUDENT_ENERGY_COUNT; k++)
        for (size_t i = 0; i < ENERGY_BINS; i++)
            inside[k] += a.bins[k][i];
    for (size_t k = 0; k < STUDENT_ENERGY_COUNT; k++)
        cr_expect(inside[k] > 0.98 && inside[k] < 1 + 1e-9, "%g of side %zu", inside[k], k);
    target_free(t);
}
