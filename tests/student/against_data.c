/* Teachers against their data, where the answer is known: the teacher is x = e^s z + b, the data are normals. */
#include "student/against_data.h"
#include "tests/common/check.h"
#include "tests/common/distilling.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { ROWS = UNLESS_SANITIZED(8000, 2000), N = UNLESS_SANITIZED(8000, 2000) };
enum { FAR = UNLESS_SANITIZED(20, 5) }; /* standard deviations of the null */

/* Rows of two columns; the last `context` of them are a context. */
typedef struct table {
    data_set *set;
    double x[2 * ROWS];
} table;

static table made;

static void fill(double mean, double sd)
{
    pcg_stream stream = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_GENERATE};
    pcg_normals(made.x, stream, 0, ROWS, 2);
    for (size_t i = 0; i < ROWS; i++)
        made.x[2 * i] = mean + sd * made.x[2 * i];
}

static void load(void)
{
    flow_err err = FLOW_ERR_INIT;
    file_table t = {.rows = ROWS, .cols = 2, .values = made.x};
    data_options options = data_options_default();
    options.standardize = false;
    made.set = data_set_create(&t, "made", &options, &err);
    cr_assert(made.set, "%s", err.text);
}

typedef struct outcome {
    student_against_data out;
    flow_err err;
    int code;
} outcome;

/* Of the teacher N(shift, e^2scale) in both columns. */
static outcome measure(double scale, double shift)
{
    outcome o = {.err = FLOW_ERR_INIT};
    flow *teacher = scales_and_shifts(2, FLOW_F64);
    const double s[] = {scale, 0}, b[] = {shift, 0};
    flow_tensor_set(teacher, s, 0, NULL);
    flow_tensor_set(teacher, b, 1, NULL);
    target *t = target_from_flow(teacher, NULL);
    flow_pool *pool = flow_pool_create(2, NULL);
    student_sides sides;
    cr_assert_eq(student_sides_init(&sides, t, pool, NULL, N, 3, &o.err), 0);
    o.code =
        student_against_data_measure(&o.out, &sides, made.set, &made.set->test, teacher, &o.err);
    student_sides_release(&sides);
    flow_pool_free(pool);
    target_free(t);
    flow_free(teacher);
    return o;
}

static double sigmas(const student_two_sample *t)
{
    return (t->value - t->null_mean) / t->null_sd;
}

static void finish(outcome *o)
{
    student_against_data_release(&o->out);
    data_set_free(made.set);
}

/* A seed at which nothing is more than 4 of its errors off; under equality one in a thousand is. */
Test(against_data, a_teacher_that_is_the_data)
{
    fill(0, 1);
    load();
    outcome o = measure(0, 0);
    const student_against_data *a = &o.out;
    cr_assert_eq(o.code, 0, "%s", o.err.text);
    cr_assert_eq(a->rows, made.set->test.n);
    cr_expect(fabs(sigmas(&a->energy)) < 4 && fabs(sigmas(&a->sliced_w2)) < 4);
    cr_expect(a->moments.mean_excess.value == 0 && a->moments.sd_excess.value == 0);
    cr_expect(a->outside.value == 0 && a->missed.value == 0 && a->tails.off == 1);
    cr_expect(isnan(a->repeated), "who has looked at the table says it");
    cr_expect(fabs(a->train_log_likelihood + 2.8379) < 4 * a->train_se, "%g +- %g",
              a->train_log_likelihood, a->train_se);
    for (size_t j = 0; j < 2; j++) {
        const student_column *c = &a->columns[j];
        cr_expect(fabs(c->mean) < 0.05 && fabs(c->sd - 1) < 0.05 && fabs(c->data_sd - 1) < 0.2);
        cr_expect(c->lo < -2.5 && c->hi > 2.5 && c->data_lo < -2.5 && c->data_hi > 2.5);
    }
    finish(&o);
}

Test(against_data, a_teacher_that_is_somewhere_else)
{
    fill(0, 1);
    load();
    outcome o = measure(0, 2);
    const student_against_data *a = &o.out;
    cr_expect(sigmas(&a->energy) > FAR && sigmas(&a->sliced_w2) > FAR);
    cr_expect(a->moments.mean_excess.column == 0 && a->moments.mean_excess.value > 1.5 &&
              a->moments.mean_excess.value < 2.2);
    cr_expect(a->moments.sd_excess.value < 0.1);
    /* P(z > 3.5 to 4 - 2), and the rows below the teacher's least. */
    cr_expect(a->outside.column == 0 && a->outside.value > 0.01 && a->outside.value < 0.1);
    cr_expect(a->missed.column == 0 && a->missed.value > 0.005);
    finish(&o);
}

Test(against_data, a_teacher_that_is_too_wide)
{
    fill(0, 1);
    load();
    outcome o = measure(log(2), 0);
    cr_expect(o.out.moments.sd_excess.column == 0 && o.out.moments.sd_excess.value > 0.6 &&
                  o.out.moments.sd_excess.value < 1.2,
              "%g", o.out.moments.sd_excess.value);
    cr_expect(o.out.moments.mean_excess.value == 0);
    cr_expect(o.out.outside.value > 0.01 && o.out.missed.value == 0);
    cr_expect(o.out.tails.off > 2 && o.out.tails.column == 0, "%g", o.out.tails.off);
    cr_expect_eq(o.out.tails.reference, ROWS, "all rows have tails");
    finish(&o);
}

/* ---- weights */

/* The first column by rows whose weight makes a standard normal of one that is twice as wide: w = phi(x) / (phi(x / 2) / 2). */
static outcome measure_weighed(void)
{
    static double x[3 * ROWS];
    flow_err err = FLOW_ERR_INIT;
    fill(0, 2);
    for (size_t i = 0; i < ROWS; i++) {
        x[3 * i] = made.x[2 * i];
        x[3 * i + 1] = made.x[2 * i + 1];
        x[3 * i + 2] = exp(-0.375 * x[3 * i] * x[3 * i]);
    }
    file_table t = {.rows = ROWS, .cols = 3, .values = x};
    data_options options = data_options_default();
    options.standardize = false;
    options.weights = "2";
    made.set = data_set_create(&t, "made", &options, &err);
    cr_assert(made.set, "%s", err.text);
    return measure(0, 0);
}

Test(against_data, tails_are_those_of_weighed_rows)
{
    outcome o = measure_weighed();
    cr_assert_eq(o.code, 0, "%s", o.err.text);
    cr_expect(o.out.tails.reference > ROWS / 4 && o.out.tails.reference < ROWS * 3 / 4);
    cr_expect_eq(o.out.tails.off, 1);
    finish(&o);
}

/* One row a million sigmas away, as in a table with a marker for what is missing: the moments see nothing (their errors
 * are as large), the tests do, for their units are robust. */
Test(against_data, an_outlier_hides_nothing)
{
    fill(0, 1);
    made.x[2 * ROWS - 2] = 1e6; /* among the test rows */
    load();
    outcome good = measure(0, 0), wide = {.code = 0};
    cr_expect(sigmas(&good.out.energy) < 4 && sigmas(&good.out.sliced_w2) < 4);
    cr_expect_eq(good.out.columns[0].data_hi, 1e6);
    wide = measure(log(20), 0);
    cr_expect(sigmas(&wide.out.energy) > FAR && sigmas(&wide.out.sliced_w2) > FAR);
    student_against_data_release(&wide.out);
    finish(&good);
}

/* ---- a context */

/* x = c + noise; a teacher that draws x as the table has it and does not look at c has the right column and the wrong
 * pairs. */
Test(against_data, a_teacher_that_does_not_heed_its_context)
{
    static double x[N], c[N], free_x[N];
    flow_err err = FLOW_ERR_INIT;
    pcg_stream stream = {.seed = 6, .stage = PCG_TEST, .purpose = PCG_CONTEXT};
    fill(0, 1);
    for (size_t i = 0; i < ROWS; i++)
        made.x[2 * i + 1] = made.x[2 * i] + 0.3 * made.x[2 * i + 1];
    pcg_normals(x, stream, 0, N, 1);
    for (size_t i = 0; i < N; i++) {
        c[i] = x[i];
        x[i] = c[i] + 0.3 * x[(i + 1) % N];
        free_x[(i + N / 2) % N] = x[i];
    }
    file_table t = {.rows = ROWS, .cols = 2, .values = made.x};
    data_options options = data_options_default();
    const char *const context[] = {"0"}, *const columns[] = {"1"};
    options.standardize = false;
    options.columns = columns, options.n_columns = 1;
    options.context = context, options.n_context = 1;
    made.set = data_set_create(&t, "made", &options, &err);
    cr_assert(made.set, "%s", err.text);
    for (int heeds = 0; heeds < 2; heeds++) {
        student_against_data out;
        student_sides sides = {
            .seed = 4, .dim = 1, .n = N, .context = c, .theirs = {.x = heeds ? x : free_x, .n = N}};
        int code =
            student_against_data_measure(&out, &sides, made.set, &made.set->test, NULL, &err);
        cr_assert_eq(code, 0, "%s", err.text);
        cr_expect(heeds ? sigmas(&out.energy) < 4 : sigmas(&out.energy) > FAR, "%g",
                  sigmas(&out.energy));
        cr_expect(out.moments.mean_excess.value < 0.02);
        cr_expect(isnan(out.train_log_likelihood), "there is no flow");
        cr_expect(out.tails.off < 1.1 && out.tails.reference == made.set->test.n,
                  "rows at its contexts");
        student_against_data_release(&out);
    }
    data_set_free(made.set);
}
