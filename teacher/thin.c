#include "teacher/thin.h"

#include <math.h>
#include <stdlib.h>

static double largest(const data_numbers *weight, size_t n)
{
    double out = 0;
    for (size_t i = 0; i < n; i++)
        out = fmax(out, data_number(weight, i, 0));
    return out;
}

/* Returns how many rows are kept; keep NULL: only counts them. */
static size_t choose(uint32_t *keep, const data_part *part, pcg_stream stream)
{
    double most = largest(&part->weight, part->n), draw;
    size_t kept = 0;
    for (size_t row = 0; row < part->n; row++) {
        pcg_uniforms(&draw, stream, row, 1, 1);
        if (!(draw * most < data_number(&part->weight, row, 0)))
            continue;
        if (keep)
            keep[kept] = (uint32_t)row;
        kept++;
    }
    return kept;
}

int data_thin(data_part *out, const data_part *part, pcg_stream stream, flow_err *err)
{
    *out = *part;
    if (!part->weight.at)
        return FLOW_OK;
    size_t n = choose(NULL, part, stream);
    uint32_t *keep = malloc((n + 1) * sizeof *keep);
    if (!keep)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", n);
    out->weight.at = NULL;
    out->n = choose(keep, part, stream);
    out->x.pick = out->context.pick = keep;
    return FLOW_OK;
}

void data_thin_release(data_part *out)
{
    free((void *)(uintptr_t)out->x.pick);
    *out = (data_part){.n = 0};
}
