#include "student/against_data.h"

#include "flow/sort.h"
#include "teacher/fit.h"
#include "teacher/thin.h"

#include <math.h>
#include <stdlib.h>

#define NOT_COMPARED                                                                               \
    {                                                                                              \
        .value = NAN, .teacher = NAN, .null_mean = NAN, .null_sd = NAN, .p = NAN                   \
    }
#define NOT_MEASURED                                                                               \
    {                                                                                              \
        .student = NAN, .reference = NAN, .z = NAN, .p = NAN                                       \
    }

const student_against_data student_against_no_data = {
    .sliced_w2 = NOT_COMPARED,
    .energy = NOT_COMPARED,
    .moments =
        {NOT_MEASURED, NOT_MEASURED, NOT_MEASURED, {.value = NAN}, {.value = NAN}, {.value = NAN}},
    .outside.value = NAN,
    .missed.value = NAN,
    .tails = {.off = NAN},
    .train_log_likelihood = NAN,
    .train_se = NAN,
    .repeated = NAN};

/* The i-th of count rows spread over n. */
static size_t spread(size_t i, size_t count, size_t n)
{
    return i * (n / count) + i * (n % count) / count;
}

/* ---- two samples in robust units */

/* `rows` of n rows, spread, columns of the context behind the others: (rows, dim + n_context). */
typedef struct joint {
    size_t rows, dim, n_context, width;
    double *x;
} joint;

static void gather(joint *to, const data_numbers *x, const data_numbers *context, size_t n)
{
    for (size_t i = 0; i < to->rows; i++) {
        const size_t row = spread(i, to->rows, n);
        data_numbers_copy(to->x + i * to->width, x, row, 1);
        if (context->at)
            data_numbers_copy(to->x + i * to->width + to->dim, context, row, 1);
    }
}

static double deviation_of(const data_numbers *x, size_t n, size_t column)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += data_number(x, i, column) / (double)n;
    for (size_t i = 0; i < n; i++) {
        double off = data_number(x, i, column) - mean;
        squares += off * off / (double)n;
    }
    return sqrt(squares);
}

/* The interquartile range of a normal distribution over its standard deviation. */
#define QUARTILES_OF_NORMAL 1.3489795003921634

static void robust_units(double *centre, double *scale, double *sorted, const joint *of,
                         size_t column)
{
    const size_t n = of->rows;
    for (size_t i = 0; i < n; i++)
        sorted[i] = of->x[i * of->width + column];
    flow_sort_numbers(sorted, n);
    *centre = sorted[n / 2];
    *scale = (sorted[3 * n / 4] - sorted[n / 4]) / QUARTILES_OF_NORMAL;
    const data_numbers all = data_numbers_of(sorted, 1);
    if (!(*scale > 0))
        *scale = deviation_of(&all, n, 0);
    if (!(*scale > 0))
        *scale = 1;
}

static void cut(joint *of, size_t column, double centre, double scale)
{
    for (size_t i = 0; i < of->rows; i++) {
        double *x = of->x + i * of->width + column, u = (*x - centre) / scale;
        *x = fmin(fmax(u, -STUDENT_ROBUST_CUT), STUDENT_ROBUST_CUT);
    }
}

static int test_both(student_against_data *out, const joint *teacher, const joint *data,
                     const student_sides *sides, flow_err *err)
{
    student_two_sample_options o = student_two_sample_defaults;
    o.directions = 64; /* a third of the time; the null is along the same ones */
    const pcg_stream stream = student_sides_stream(sides, PCG_BOOTSTRAP);
    int code = student_sliced_w2(&out->sliced_w2, teacher->x, teacher->rows, data->x, data->rows,
                                 data->width, &o, stream, err);
    return code ? code
                : student_energy_distance(&out->energy, teacher->x, teacher->rows, data->x,
                                          data->rows, data->width, &o, stream, err);
}

static int compare_samples(student_against_data *out, const student_sides *sides,
                           const data_set *data, const data_part *held_out, flow_err *err)
{
    const student_side *theirs = &sides->theirs;
    size_t rows = student_two_sample_defaults.max_rows;
    rows = theirs->n < rows ? theirs->n : rows;
    rows = held_out->n < rows ? held_out->n : rows;
    joint of = {rows, data->dim, data->n_context, data->dim + data->n_context, NULL};
    double *block = malloc((2 * rows * of.width + rows + 1) * sizeof *block);
    if (!block)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for 2 x %zu rows", rows);
    joint teacher = of, rest = of;
    teacher.x = block;
    rest.x = teacher.x + rows * of.width;
    const data_numbers x = data_numbers_of(theirs->x, data->dim);
    const data_numbers context = data_numbers_of(sides->context, data->n_context);
    gather(&teacher, &x, &context, theirs->n);
    gather(&rest, &held_out->x, &held_out->context, held_out->n);
    for (size_t j = 0; j < of.width; j++) {
        double centre, scale;
        robust_units(&centre, &scale, rest.x + rows * of.width, &rest, j);
        cut(&teacher, j, centre, scale);
        cut(&rest, j, centre, scale);
    }
    int code = test_both(out, &teacher, &rest, sides, err);
    free(block);
    return code;
}

/* ---- moments */

static void take_moments(student_against_data *out, const student_moments *teacher,
                         const student_moments *data)
{
    student_moments_compare(&out->moments, teacher, data);
    for (size_t j = 0; j < out->dim; j++) {
        student_column *c = &out->columns[j];
        c->mean = teacher->mean[j];
        c->sd = teacher->sd[j];
        c->data_mean = data->mean[j];
        c->data_sd = data->sd[j];
    }
}

static int compare_moments(student_against_data *out, const student_side *theirs,
                           const data_part *held_out, flow_err *err)
{
    student_moments *teacher = student_moments_create(theirs->x, theirs->n, out->dim, err);
    student_moments *data = teacher ? student_moments_of(&held_out->x, held_out->n, err) : NULL;
    if (data)
        take_moments(out, teacher, data);
    student_moments_free(teacher);
    student_moments_free(data);
    return data ? 0 : err->code;
}

/* ---- ranges */

static void range_of(double *lo, double *hi, const data_numbers *x, size_t n, size_t column)
{
    *lo = INFINITY, *hi = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        *lo = fmin(*lo, data_number(x, i, column));
        *hi = fmax(*hi, data_number(x, i, column));
    }
}

/* By more than `by`. */
static double share_outside(const data_numbers *x, size_t n, size_t column, double lo, double hi,
                            double by)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        double at = data_number(x, i, column);
        count += at < lo - by || at > hi + by;
    }
    return (double)count / (double)n;
}

static void consider(student_share *worst, size_t column, double share, size_t of)
{
    double value = fmax(share - STUDENT_CHANCE / (double)of, 0);
    if (column == 0 || value > worst->value)
        *worst = (student_share){column, value};
}

static void compare_ranges(student_against_data *out, const student_side *theirs,
                           const data_set *data)
{
    const data_part all = data_set_all(data);
    const data_numbers x = data_numbers_of(theirs->x, out->dim);
    for (size_t j = 0; j < out->dim; j++) {
        student_column *c = &out->columns[j];
        range_of(&c->lo, &c->hi, &x, theirs->n, j);
        c->data_lo = data->ranges[j].low;
        c->data_hi = data->ranges[j].high;
        double edge = STUDENT_EDGE * deviation_of(&all.x, all.n, j);
        c->outside = share_outside(&x, theirs->n, j, c->data_lo, c->data_hi, edge);
        c->missed = share_outside(&all.x, all.n, j, c->lo, c->hi, edge);
        consider(&out->outside, j, c->outside, all.n);
        consider(&out->missed, j, c->missed, theirs->n);
    }
}

enum { ENDS = 4 };
static double *end_of(student_column *c, size_t which)
{
    double *const ends[ENDS] = {&c->lo, &c->hi, &c->data_lo, &c->data_hi};
    return ends[which];
}

/* An end of all columns is a row. */
static int ranges_to_user(student_against_data *out, const flow_units *units, flow_err *err)
{
    double *row = malloc((out->dim + 1) * sizeof *row);
    if (!row)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a row of %zu columns", out->dim);
    for (size_t which = 0; which < ENDS; which++) {
        for (size_t j = 0; j < out->dim; j++)
            row[j] = *end_of(&out->columns[j], which);
        flow_units_to_user(units, row, NULL, row, 1);
        for (size_t j = 0; j < out->dim; j++)
            *end_of(&out->columns[j], which) = row[j];
    }
    free(row);
    return 0;
}

/* ---- likelihoods */

/* On rows spread over the training part: a mean does not want more. */
static int likelihood_of_training(student_against_data *out, const student_sides *sides,
                                  const data_set *data, const flow *teacher, flow_err *err)
{
    enum { MOST = 20000 };
    data_part some = data->train;
    some.n = some.n < MOST ? some.n : MOST;
    uint32_t *rows = malloc((some.n + 1) * sizeof *rows);
    int code =
        rows ? FLOW_OK : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu training rows", some.n);
    if (!code) {
        for (size_t i = 0; i < some.n; i++)
            rows[i] = (uint32_t)spread(i, some.n, data->train.n);
        some.x.pick = some.context.pick = some.weight.pick = rows;
        out->train_rows = some.n;
        code = teacher_log_likelihood(teacher, sides->pool, &out->train_log_likelihood,
                                      &out->train_se, &some, err);
    }
    free(rows);
    return code;
}

/* ---- the whole */

/* held_out: rows that count alike. */
static int compare_rows(student_against_data *out, const student_sides *sides, const data_set *data,
                        const data_part *held_out, flow_err *err)
{
    out->dim = data->dim;
    out->rows = held_out->n;
    out->columns = calloc(data->dim + 1, sizeof *out->columns);
    if (!out->columns)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu columns", data->dim);
    compare_ranges(out, &sides->theirs, data);
    int code = ranges_to_user(out, data->units, err);
    if (!code)
        code = compare_moments(out, &sides->theirs, held_out, err);
    return code ? code : compare_samples(out, sides, data, held_out, err);
}

/* Of weighed rows some, drawn by their weights. */
static int compare_tails(student_against_data *out, const student_sides *sides,
                         const data_set *data, const data_part *held_out, flow_err *err)
{
    const data_part theirs = {.x = data_numbers_of(sides->theirs.x, data->dim),
                              .n = sides->theirs.n},
                    reference = data->n_context ? *held_out : data_set_all(data);
    data_part rows;
    int code = data_thin(&rows, &reference, student_sides_stream(sides, PCG_THIN), err);
    if (code)
        return code;
    code = student_tails_measure(&out->tails, &theirs, &rows, data->units, err);
    data_thin_release(&rows);
    return code;
}

static int compare(student_against_data *out, const student_sides *sides, const data_set *data,
                   const data_part *held_out, flow_err *err)
{
    data_part rows;
    int code = data_thin(&rows, held_out, student_sides_stream(sides, PCG_THIN), err);
    if (code)
        return code;
    if (rows.n > 1)
        code = compare_rows(out, sides, data, &rows, err);
    data_thin_release(&rows);
    return code;
}

int student_against_data_measure(student_against_data *out, const student_sides *sides,
                                 const data_set *data, const data_part *held_out,
                                 const flow *teacher, flow_err *err)
{
    int code = 0;
    *out = student_against_no_data;
    if (sides->theirs.n > 0 && held_out->n > 0)
        code = compare(out, sides, data, held_out, err);
    if (!code && sides->theirs.n > 0)
        code = compare_tails(out, sides, data, held_out, err);
    if (!code && teacher)
        code = likelihood_of_training(out, sides, data, teacher, err);
    return code;
}

void student_against_data_release(student_against_data *self)
{
    free(self->columns);
    student_tails_release(&self->tails);
    self->columns = NULL;
    self->dim = 0;
}
