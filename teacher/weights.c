#include "teacher/weights.h"

#include "teacher/columns.h"

#include <math.h>

static int fail_negative(const data_pass *at, size_t i, const char *source, flow_err *err)
{
    char label[DATA_LABEL_SIZE];
    const file_table *head = file_stream_head(at->rows);
    size_t col = at->plan->weights;
    return flow_fail(err, FLOW_EDATA, "%s: row %zu, %s: a weight of %.9g; weights are >= 0", source,
                     at->number[i], data_column_label(label, head, col), at->row[i][col]);
}

static int add_up(double *sum, file_stream *rows, const data_plan *plan, const char *source,
                  flow_err *err)
{
    data_pass at;
    *sum = 0;
    data_pass_begin(&at, rows, plan);
    while (data_pass_next(&at, err))
        for (size_t i = 0; i < at.n; i++) {
            *sum += at.place[i] < plan->n_train ? at.row[i][plan->weights] : 0;
            if (!(at.row[i][plan->weights] >= 0))
                return fail_negative(&at, i, source, err);
        }
    return at.code;
}

static int gather(const data_numbers *weight, double mean, file_stream *rows, const data_plan *plan,
                  flow_err *err)
{
    data_pass at;
    data_pass_begin(&at, rows, plan);
    while (data_pass_next(&at, err))
        for (size_t i = 0; i < at.n; i++) {
            double one = at.row[i][plan->weights] / mean;
            data_numbers_put(weight, at.place[i], &one);
        }
    return at.code;
}

/* Parts follow one another. */
static int check_part(const data_numbers *weight, size_t first, size_t n, const char *what,
                      const char *label, const char *source, flow_err *err)
{
    const data_numbers part = data_numbers_from(weight, first);
    if (n == 0 || data_weights_worth(&part, n) > 0)
        return FLOW_OK;
    return flow_fail(err, FLOW_EDATA, "%s: the weights of the %zu %s rows, %s, are all 0", source,
                     n, what, label);
}

int data_weights_read(const data_numbers *weight, file_stream *rows, const data_plan *plan,
                      const char *source, flow_err *err)
{
    char label[DATA_LABEL_SIZE];
    double sum;
    size_t n_train = plan->n_train, n_valid = plan->n_valid;
    int code = add_up(&sum, rows, plan, source, err);
    if (code)
        return code;
    data_column_label(label, file_stream_head(rows), plan->weights);
    if (!(sum > 0) || !isfinite(sum))
        return flow_fail(err, FLOW_EDATA, "%s: the weights of the %zu training rows, %s, sum to %g",
                         source, n_train, label, sum);
    code = gather(weight, sum / (double)n_train, rows, plan, err);
    if (!code)
        code = check_part(weight, n_train, n_valid, "validation", label, source, err);
    return code ? code
                : check_part(weight, n_train + n_valid, plan->n_test, "test", label, source, err);
}

double data_weights_worth(const data_numbers *weight, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double w = data_number(weight, i, 0);
        sum += w;
        squares += w * w;
    }
    return squares > 0 ? sum * sum / squares : 0;
}

/* The standard error is that of a ratio of means, sum w (v - mean) / sum w (delta method). */
void data_weighted_mean(double *mean, double *se, const double *values, const data_numbers *weight,
                        size_t n)
{
    bool all_alike = !weight->at;
    double sum = 0, square = 0, total = all_alike ? (double)n : 0;
    for (size_t r = 0; r < n; r++) {
        double w = all_alike ? 1 : data_number(weight, r, 0);
        sum += w * values[r];
        total += all_alike ? 0 : w;
    }
    *mean = sum / total;
    for (size_t r = 0; r < n; r++) {
        double off = values[r] - *mean;
        off *= all_alike ? 1 : data_number(weight, r, 0) * (double)n / total;
        square += off * off;
    }
    *se = n > 1 ? sqrt(square / (double)(n - 1) / (double)n) : NAN;
}
