#include "teacher/start.h"

#include "flow/column_start.h"
#include "flow/sort.h"

#include <stdlib.h>

enum { INIT_ROWS = 4096, QUANTILE_ROWS = 1 << 18 };

/* ---- layers that are set from data */

/* to = count rows of from (n) at even distances: the first ones of a sorted table are no sample of it. */
static void spread_out(double *to, const data_numbers *from, size_t count, size_t n)
{
    for (size_t i = 0; i < count; i++)
        data_numbers_copy(to + i * from->width, from, n / count * i + n % count * i / count, 1);
}

static int set_from_rows(flow *fitted, const data_set *data, flow_err *err)
{
    const data_part *train = &data->train;
    const size_t d = data->dim, c = data->n_context;
    const size_t n = train->n < INIT_ROWS ? train->n : INIT_ROWS;
    double *rows = malloc((n * (d + c) + 1) * sizeof *rows);
    if (!rows)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows to start from", n);
    spread_out(rows, &train->x, n, train->n);
    if (c)
        spread_out(rows + n * d, &train->context, n, train->n);
    int code = flow_init_data(fitted, rows, c ? rows + n * d : NULL, n, err);
    free(rows);
    return code;
}

/* ---- one column */

static int start_column(flow *fitted, const data_part *train, flow_err *err)
{
    bool done;
    size_t n = train->n < QUANTILE_ROWS ? train->n : QUANTILE_ROWS;
    double *sorted = malloc(n * sizeof *sorted);
    if (!sorted)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu numbers", n);
    spread_out(sorted, &train->x, n, train->n);
    flow_sort_numbers(sorted, n);
    int code = flow_start_column(fitted, &done, sorted, n, err);
    free(sorted);
    return code;
}

int teacher_start(flow *fitted, const data_set *data, pcg_stream stream, flow_err *err)
{
    flow_init(fitted, stream);
    int code = set_from_rows(fitted, data, err);
    if (!code && data->dim == 1 && data->n_context == 0 && !data->train.weight.at)
        code = start_column(fitted, &data->train, err);
    return code;
}
