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

static int gather(double *weight, file_stream *rows, const data_plan *plan, const char *source,
                  flow_err *err)
{
    data_pass at;
    data_pass_begin(&at, rows, plan);
    while (data_pass_next(&at, err))
        for (size_t i = 0; i < at.n; i++) {
            weight[at.place[i]] = at.row[i][plan->weights];
            if (!(at.row[i][plan->weights] >= 0))
                return fail_negative(&at, i, source, err);
        }
    return at.code;
}

static int check_part(const double *weight, size_t n, const char *what, const char *label,
                      const char *source, flow_err *err)
{
    if (n == 0 || data_weights_worth(weight, n) > 0)
        return FLOW_OK;
    return flow_fail(err, FLOW_EDATA, "%s: the weights of the %zu %s rows, %s, are all 0", source,
                     n, what, label);
}

/* Parts follow one another. */
int data_weights_read(double *weight, file_stream *rows, const data_plan *plan, const char *source,
                      flow_err *err)
{
    char label[DATA_LABEL_SIZE];
    double sum = 0;
    size_t n_train = plan->n_train;
    int code = gather(weight, rows, plan, source, err);
    if (code)
        return code;
    data_column_label(label, file_stream_head(rows), plan->weights);
    for (size_t i = 0; i < n_train; i++)
        sum += weight[i];
    if (!(sum > 0) || !isfinite(sum))
        return flow_fail(err, FLOW_EDATA, "%s: the weights of the %zu training rows, %s, sum to %g",
                         source, n_train, label, sum);
    for (size_t i = 0; i < data_plan_n(plan); i++)
        weight[i] /= sum / (double)n_train;
    code = check_part(weight + n_train, plan->n_valid, "validation", label, source, err);
    return code ? code
                : check_part(weight + n_train + plan->n_valid, plan->n_test, "test", label, source,
                             err);
}

double data_weights_worth(const double *weight, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += weight[i];
        squares += weight[i] * weight[i];
    }
    return squares > 0 ? sum * sum / squares : 0;
}

/* The standard error is that of a ratio of means, sum w (v - mean) / sum w (delta method). */
void data_weighted_mean(double *mean, double *se, const double *values, const double *weight,
                        size_t n)
{
    double sum = 0, square = 0, total = weight ? 0 : (double)n;
    for (size_t r = 0; r < n; r++) {
        sum += weight ? weight[r] * values[r] : values[r];
        total += weight ? weight[r] : 0;
    }
    *mean = sum / total;
    for (size_t r = 0; r < n; r++) {
        double off = values[r] - *mean;
        off *= weight ? weight[r] * (double)n / total : 1;
        square += off * off;
    }
    *se = n > 1 ? sqrt(square / (double)(n - 1) / (double)n) : NAN;
}
