/* tests/plugins/bounded.c -- columns with a support: a Gamma(3), an exponential that ends at 5, a Beta(2, 3) on
 * [-1, 3], and a normal. Outside it fails. With "upside down" the support is, too. */
#include "distill_target.h"

#include <math.h>
#include <stdio.h>

static const double lower[] = {0, -INFINITY, -1, -INFINITY}, upper[] = {INFINITY, 5, 3, INFINITY};

static int bounded_open(void **handle, distill_about *about, const char *options, char *message)
{
    (void)handle, (void)message;
    about->dim = 4;
    about->flags = DISTILL_GRADIENT | DISTILL_THREADS;
    about->log_z = log(2) - log(3) + 0.5 * log(2 * 3.14159265358979323846);
    about->lower = *options ? upper : lower;
    about->upper = *options ? lower : upper;
    return DISTILL_GOOD;
}

static int bounded_row(void *handle, double *logp, double *grad, const double *x, char *message)
{
    double p = (x[2] + 1) / 4;
    (void)handle;
    for (int i = 0; i < 4; i++)
        if (x[i] < lower[i] || x[i] > upper[i]) {
            snprintf(message, DISTILL_MESSAGE, "x%d = %g is outside", i, x[i]);
            return DISTILL_FATAL;
        }
    *logp = 2 * log(x[0]) - x[0] + (x[1] - 5) + log(p) + 2 * log1p(-p) - 0.5 * x[3] * x[3];
    if (grad) {
        grad[0] = 2 / x[0] - 1;
        grad[1] = 1;
        grad[2] = (1 / p - 2 / (1 - p)) / 4;
        grad[3] = -x[3];
    }
    return DISTILL_GOOD;
}

const distill_target distill_plugin = {DISTILL_TARGET_VERSION, bounded_open, NULL, NULL,
                                       bounded_row};
