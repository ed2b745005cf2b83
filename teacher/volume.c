#include "teacher/volume.h"

#include <stdlib.h>

enum { BLOCK = 256 }; /* rows at a time */

/* logdet (n) = log|det dx/du|, n <= BLOCK; x (n, dim) is overwritten. */
static void of_block(double *logdet, double *x, const flow_units *units, const double *u, size_t n)
{
    for (size_t r = 0; r < n; r++)
        logdet[r] = 0;
    flow_units_to_user(units, x, logdet, u, n);
}

int volume_mean(double *mean, const flow_units *units, const double *u, size_t n, flow_err *err)
{
    double logdet[BLOCK], sum = 0, *x = malloc(BLOCK * units->dim * sizeof *x);
    if (!x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %d rows", BLOCK);
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t rows = n - at < BLOCK ? n - at : BLOCK;
        of_block(logdet, x, units, u + at * units->dim, rows);
        for (size_t r = 0; r < rows; r++)
            sum += logdet[r];
    }
    free(x);
    *mean = n ? sum / (double)n : 0;
    return FLOW_OK;
}
