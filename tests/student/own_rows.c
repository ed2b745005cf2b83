/* Rows of the student's own: the density that wide ones are drawn from, and rows picked by weight. */
#include "student/own_rows.h"
#include "tests/common/distilling.h"
#include "tests/common/gaussian.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct drawn {
    gaussian g;
    flow *student;
    flow_pool *pool;
    own_rows rows;
    term_sums sums;
} drawn;

static void open_rows(drawn *d, size_t n, own_rows_width width)
{
    flow_err err = FLOW_ERR_INIT;
    gaussian_init(&d->g, 2, lower2, mean2);
    d->student = scales_and_shifts(2, FLOW_F64);
    flow_tensor_set(d->student, (double[]){0.3, -0.7}, 0, NULL);
    flow_tensor_set(d->student, (double[]){0.9, 0.2}, 1, NULL);
    d->pool = flow_pool_create(2, NULL);
    d->rows = (own_rows){.n = 0};
    d->sums = (term_sums){0};
    const term_scene scene = {d->student, d->pool, &d->g.base, NULL, 5};
    cr_assert_eq(own_rows_open(&d->rows, n, &scene, &err), 0);
    cr_assert_eq(own_rows_draw(&d->rows, &scene, &width, 70, &d->sums, &err), 0, "%s", err.text);
}

static void close_rows(drawn *d)
{
    own_rows_close(&d->rows);
    flow_pool_free(d->pool);
    flow_free(d->student);
}

/* log N((x - shift) e^-scale; 0, t^2 I) - sum scale */
static double log_density(const double *x, double t)
{
    double a = (x[0] - 0.9) * exp(-0.3) / t, b = (x[1] - 0.2) * exp(0.7) / t;
    return -0.5 * (a * a + b * b) + 0.4 - 2 * log(t) - 1.8378770664093453;
}

/* E_r[q / r] = 1 and E_r[p / r] = 1, within four standard errors; the density is that of both parts. */
Test(own_rows, wide_ones_have_the_density_of_the_mixture)
{
    enum { N = 20000 };
    drawn d;
    double q = 0, p = 0;
    size_t far = 0;
    open_rows(&d, N, (own_rows_width){0.25, 2.5, 1});
    for (size_t r = 0; r < N; r++) {
        const double *x = d.rows.x + 2 * r;
        double narrow = log_density(x, 1), wide = log_density(x, 2.5);
        cr_assert_float_eq(d.rows.log_q[r], narrow, 1e-9);
        cr_assert_float_eq(d.rows.log_r[r], log(0.75 * exp(narrow) + 0.25 * exp(wide)), 1e-9);
        q += exp(d.rows.log_q[r] - d.rows.log_r[r]) / N;
        p += exp(d.rows.log_p[r] - d.rows.log_r[r]) / N;
        far += wide > narrow;
    }
    cr_assert_float_eq(q, 1, 0.01, "%g", q);
    cr_assert_float_eq(p, 1, 0.15, "%g", p);
    cr_assert_float_eq((double)far / N, 0.261, 0.014 /* 4.5 sigma */, "%zu rows are far out", far);
    cr_assert_eq(d.sums.asked, N);
    close_rows(&d);
}

/* Of three widths, half, a quarter and a quarter of the wide ones. */
Test(own_rows, wide_ones_of_several_widths)
{
    enum { N = 20000 };
    const double share[] = {0.2, 0.4, 0.2, 0.2};
    drawn d;
    double q = 0, p = 0, mean = 0;
    open_rows(&d, N, (own_rows_width){0.8, 1.5, 3});
    for (size_t r = 0; r < N; r++) {
        const double *x = d.rows.x + 2 * r;
        double sum = 0;
        for (size_t k = 0; k < 4; k++)
            sum += share[k] * exp(log_density(x, pow(1.5, (double)k)));
        cr_assert_float_eq(d.rows.log_q[r], log_density(x, 1), 1e-9);
        cr_assert_float_eq(d.rows.log_r[r], log(sum), 1e-9);
        q += exp(d.rows.log_q[r] - d.rows.log_r[r]) / N;
        p += exp(d.rows.log_p[r] - d.rows.log_r[r]) / N;
        mean -= 2 * (log_density(x, 1) + 1.4378770664093453) / N; /* |z|^2 */
    }
    cr_assert_float_eq(q, 1, 0.01, "%g", q);
    cr_assert_float_eq(p, 1, 0.1, "%g", p);
    cr_assert_float_eq(mean, 2 * (0.2 + 0.4 * 2.25 + 0.2 * 5.0625 + 0.2 * 11.390625), 0.5, "%g",
                       mean); /* 8 sigma */
    close_rows(&d);
}

Test(own_rows, without_wide_ones_it_is_the_student)
{
    drawn d;
    open_rows(&d, 300, (own_rows_width){0, 3, 1});
    for (size_t r = 0; r < 300; r++)
        cr_assert_eq(d.rows.log_r[r], d.rows.log_q[r]);
    close_rows(&d);
}

/* A batch has each row as often as its weight says, to less than one row. */
Test(own_rows, picked_by_weight)
{
    enum { N = 7, BATCH = 1000 };
    const double weight[N] = {0, 0.3, 0.002, 0, 0.5, 0.198, 0};
    drawn d;
    open_rows(&d, N, (own_rows_width){0, 3, 1});
    for (size_t i = 0; i < N; i++)
        d.rows.weight[i] = weight[i];
    own_rows_weighed(&d.rows);
    for (double u = 0; u < 1; u += 0.24) {
        size_t count[N] = {0};
        for (size_t r = 0; r < BATCH; r++)
            count[own_rows_pick(&d.rows, r, BATCH, u)]++;
        for (size_t i = 0; i < N; i++)
            cr_assert(fabs((double)count[i] - BATCH * weight[i]) <= 1 &&
                          (weight[i] > 0 || !count[i]),
                      "row %zu was picked %zu times", i, count[i]);
    }
    close_rows(&d);
}

/* Rows where the target breaks have no weight, and are counted. */
Test(own_rows, broken_ones)
{
    drawn d;
    open_rows(&d, 200, (own_rows_width){0, 3, 1});
    const term_scene scene = {d.student, d.pool, &d.g.base, NULL, 5};
    d.g.broken_above = 1;
    d.g.wall = -0.5;
    d.sums = (term_sums){0};
    cr_assert_eq(own_rows_draw(&d.rows, &scene, &(own_rows_width){0, 3, 1}, 70, &d.sums, NULL), 0);
    size_t broken = 0, without = 0;
    for (size_t r = 0; r < 200; r++) {
        double x = d.rows.x[2 * r];
        broken += x > 1;
        without += x < -0.5;
        cr_assert_eq(d.rows.log_p[r] == -INFINITY, x > 1 || x < -0.5);
    }
    cr_assert(broken > 0 && without > 0);
    cr_assert_eq(d.sums.broken.count, broken);
    cr_assert_eq(d.sums.no_density, without);
    close_rows(&d);
}
