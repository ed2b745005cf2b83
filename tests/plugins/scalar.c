/* tests/plugins/scalar.c -- a standard normal, one row at a time, on one thread, without names and without a
 * handle; nothing where x0 < -3. */
#include "distill_target.h"

static int scalar_open(void **handle, distill_about *about, const char *options, char *message)
{
    (void)handle, (void)options, (void)message;
    about->dim = 3;
    about->flags = DISTILL_GRADIENT;
    return DISTILL_GOOD;
}

static int scalar_row(void *handle, double *logp, double *grad, const double *x, char *message)
{
    (void)handle, (void)message;
    *logp = 0;
    for (int i = 0; i < 3; i++) {
        *logp -= 0.5 * x[i] * x[i];
        if (grad)
            grad[i] = -x[i];
    }
    return x[0] < -3 ? DISTILL_NO_DENSITY : DISTILL_GOOD;
}

const distill_target distill_plugin = {DISTILL_TARGET_VERSION, scalar_open, NULL, NULL, scalar_row};
