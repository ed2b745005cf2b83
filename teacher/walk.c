#include "teacher/walk.h"

#include <stdlib.h>

enum { FEW = 1 << 19 }; /* numbers that are no matter: 4 MB */

/* Columns in memory at once; one less than half of them leaves room for a visit to sort one. */
static size_t columns_at_once(size_t n_columns, size_t n)
{
    size_t few = n > 0 ? FEW / n : n_columns, half = n_columns / 2 > 1 ? n_columns / 2 - 1 : 1;
    size_t k = few > half ? few : half;
    return k < n_columns ? k : n_columns;
}

/* x (k, n) = columns first .. first + k - 1; block: (DATA_PASS_ROWS, k), to work in. */
static int fill(const data_walk *self, double *x, double *block, size_t first, size_t k,
                file_stream *rows, const data_plan *plan, flow_err *err)
{
    data_pass at;
    size_t n = data_plan_n(plan);
    data_pass_begin(&at, rows, plan);
    while (data_pass_next(&at, err)) {
        int code = self->take(self->arg, block, &at, first, k, err);
        if (code)
            return code;
        for (size_t j = 0; j < k; j++)
            for (size_t i = 0; i < at.n; i++)
                x[j * n + at.place[i]] = block[i * k + j];
    }
    return at.code;
}

int data_walk_run(const data_walk *self, file_stream *rows, const data_plan *plan, flow_err *err)
{
    size_t n = data_plan_n(plan), most = columns_at_once(self->n_columns, n), count;
    int code = FLOW_OK;
    double *block = NULL;
    if (!__builtin_mul_overflow(n + DATA_PASS_ROWS, most, &count) &&
        !__builtin_mul_overflow(count, sizeof *block, &count))
        block = malloc(count);
    if (!block)
        return flow_fail(err, FLOW_ENOMEM, "no memory for %zu columns of %zu rows", most, n);
    double *x = block + DATA_PASS_ROWS * most;
    for (size_t first = 0; !code && first < self->n_columns; first += most) {
        size_t k = self->n_columns - first < most ? self->n_columns - first : most;
        code = fill(self, x, block, first, k, rows, plan, err);
        for (size_t j = 0; !code && j < k; j++)
            code = self->visit(self->arg, x + j * n, first + j, err);
    }
    free(block);
    return code;
}
