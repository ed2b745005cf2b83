#include "teacher/part.h"

#include <stdlib.h>

enum { MOST = 64 * FLOW_SHARD, NUMBERS = 1 << 17 };

/* Whole shards, so that a flow cuts them as it would cut all rows. */
static size_t rows_at_a_time(size_t width)
{
    size_t shards = NUMBERS / FLOW_SHARD / (width + 1);
    size_t rows = (shards > 0 ? shards : 1) * FLOW_SHARD;
    return rows < MOST ? rows : MOST;
}

static void copy(double *x, double *context, const data_part *self, size_t first, size_t n)
{
    data_numbers_copy(x, &self->x, first, n);
    if (context)
        data_numbers_copy(context, &self->context, first, n);
}

int data_part_visit(const data_part *self, data_visit visit, void *arg, flow_err *err)
{
    size_t d = self->x.width, c = self->context.at ? self->context.width : 0, n = self->n;
    size_t most = rows_at_a_time(d + c), rows = n < most ? n : most;
    double *x = malloc((rows * (d + c) + 1) * sizeof *x), *context = c && x ? x + rows * d : NULL;
    int code = x ? FLOW_OK : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", rows);
    for (size_t first = 0; !code && first < n; first += rows) {
        size_t some = n - first < rows ? n - first : rows;
        copy(x, context, self, first, some);
        code = visit(arg, x, context, first, some, err);
    }
    free(x);
    return code;
}
