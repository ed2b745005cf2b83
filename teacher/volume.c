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

/* logp (n) as above, NULL: not wanted. *sum is that of log|det dx/du|. */
static int walk(double *logp, double *sum, const flow_units *units, const double *u, size_t n,
                flow_err *err)
{
    double logdet[BLOCK], *x = malloc(BLOCK * units->dim * sizeof *x);
    if (!x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %d rows", BLOCK);
    *sum = 0;
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t rows = n - at < BLOCK ? n - at : BLOCK;
        of_block(logdet, x, units, u + at * units->dim, rows);
        for (size_t r = 0; r < rows; r++) {
            *sum += logdet[r];
            if (logp)
                logp[at + r] -= logdet[r];
        }
    }
    free(x);
    return FLOW_OK;
}

int volume_to_user(double *logp, const flow_units *units, const double *u, size_t n, flow_err *err)
{
    double sum;
    return walk(logp, &sum, units, u, n, err);
}

int volume_mean(double *mean, const flow_units *units, const double *u, size_t n, flow_err *err)
{
    double sum = 0;
    int code = walk(NULL, &sum, units, u, n, err);
    *mean = n ? sum / (double)n : 0;
    return code;
}
