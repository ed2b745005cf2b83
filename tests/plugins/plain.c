/* tests/plugins/plain.c -- a standard normal of two columns without a gradient. */
#include "distill_target.h"

static int plain_open(void **handle, distill_about *about, const char *options, char *message)
{
    (void)handle, (void)options, (void)message;
    about->dim = 2;
    about->flags = DISTILL_THREADS;
    return DISTILL_GOOD;
}

static int plain_rows(void *handle, double *logp, double *grad, int *status, const double *x,
                      size_t n, char *message)
{
    (void)handle, (void)grad, (void)status, (void)message;
    for (size_t r = 0; r < n; r++)
        logp[r] = -0.5 * (x[2 * r] * x[2 * r] + x[2 * r + 1] * x[2 * r + 1]);
    return DISTILL_GOOD;
}

const distill_target distill_plugin = {DISTILL_TARGET_VERSION, plain_open, NULL, plain_rows, 0};
