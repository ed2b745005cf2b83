#include "teacher/thin.h"

#include <stdlib.h>
#include <string.h>

static double largest(const double *weight, size_t n)
{
    double out = 0;
    for (size_t i = 0; i < n; i++)
        out = weight[i] > out ? weight[i] : out;
    return out;
}

static void copy_row(data_part *out, const data_part *part, size_t row, size_t dim, size_t c)
{
    memcpy(out->x + out->n * dim, part->x + row * dim, dim * sizeof *out->x);
    if (c)
        memcpy(out->context + out->n * c, part->context + row * c, c * sizeof *out->context);
    out->n++;
}

static void keep_some(data_part *out, const data_part *part, size_t dim, size_t c,
                      pcg_stream stream)
{
    double most = largest(part->weight, part->n), draw;
    for (size_t row = 0; row < part->n; row++) {
        pcg_uniforms(&draw, stream, row, 1, 1);
        if (draw * most < part->weight[row])
            copy_row(out, part, row, dim, c);
    }
}

int data_thin(data_part *out, const data_part *part, size_t dim, size_t n_context,
              pcg_stream stream, flow_err *err)
{
    *out = *part;
    if (!part->weight)
        return FLOW_OK;
    *out = (data_part){.x = malloc((part->n * (dim + n_context) + 1) * sizeof *out->x)};
    if (!out->x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", part->n);
    out->context = n_context ? out->x + part->n * dim : NULL;
    keep_some(out, part, dim, n_context, stream);
    return FLOW_OK;
}

void data_thin_release(data_part *out, const data_part *part)
{
    if (part->weight)
        free(out->x);
    *out = (data_part){.n = 0};
}
