#include "teacher/weights.h"

#include "teacher/columns.h"

#include <math.h>

static int fail_negative(const file_table *table, const char *source, size_t col, size_t row,
                         flow_err *err)
{
    char label[DATA_LABEL_SIZE];
    return flow_fail(err, FLOW_EDATA, "%s: row %zu, %s: a weight of %.9g; weights are >= 0", source,
                     row, data_column_label(label, table, col),
                     table->values[row * table->cols + col]);
}

/* Parts follow one another: what trains, then the rest. */
int data_weights_read(double *weight, const file_table *table, const char *source, size_t col,
                      const size_t *rows, size_t n, size_t n_train, flow_err *err)
{
    char label[DATA_LABEL_SIZE];
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        weight[i] = table->values[rows[i] * table->cols + col];
        if (!(weight[i] >= 0))
            return fail_negative(table, source, col, rows[i], err);
        sum += i < n_train ? weight[i] : 0;
    }
    if (!(sum > 0) || !isfinite(sum))
        return flow_fail(err, FLOW_EDATA, "%s: the weights of the %zu training rows, %s, sum to %g",
                         source, n_train, data_column_label(label, table, col), sum);
    for (size_t i = 0; i < n; i++)
        weight[i] /= sum / (double)n_train;
    return FLOW_OK;
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
