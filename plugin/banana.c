/* banana.c -- an example of distill_target.h: x is normal, and y is normal about a parabola of x.
 *
 *     log p~ = -x^2 / (2 s^2) - (y - bend (x^2 - s^2))^2 / 2,   s = 2,   log Z = log(2 pi s)
 *
 *     cc -O2 -shared -fPIC -I plugin -o banana.so plugin/banana.c -lm
 *     distill check-target banana.so --options bend=0.3
 *     distill run banana.yaml           # target: {kind: plugin, path: banana.so, options: "bend=0.3"} */
#include "distill_target.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct banana {
    double bend, variance;
} banana;

static const char *const names[] = {"x", "y"};

static int banana_open(void **handle, distill_about *about, const char *options, char *message)
{
    banana *b = malloc(sizeof *b);
    int end = 0;
    if (!b)
        return DISTILL_FATAL; /* a message is better, but none is needed */
    *b = (banana){.bend = 0.1, .variance = 4};
    if (*options && (sscanf(options, "bend=%lf%n", &b->bend, &end) != 1 || options[end])) {
        snprintf(message, DISTILL_MESSAGE, "options: wanted bend=NUMBER, got '%s'", options);
        free(b);
        return DISTILL_FATAL;
    }
    *about = (distill_about){.dim = 2,
                             .flags = DISTILL_GRADIENT | DISTILL_THREADS,
                             .log_z = log(2 * 3.14159265358979323846 * sqrt(b->variance)),
                             .names = names};
    *handle = b;
    return DISTILL_GOOD;
}

static int banana_rows(void *handle, double *logp, double *grad, int *status, const double *x,
                       size_t n, char *message)
{
    const banana *b = handle;
    (void)status, (void)message; /* every row has a density */
    for (size_t r = 0; r < n; r++, x += 2) {
        double off = x[1] - b->bend * (x[0] * x[0] - b->variance);
        logp[r] = -0.5 * x[0] * x[0] / b->variance - 0.5 * off * off;
        if (grad) {
            grad[2 * r] = -x[0] / b->variance + off * 2 * b->bend * x[0];
            grad[2 * r + 1] = -off;
        }
    }
    return DISTILL_GOOD;
}

const distill_target distill_plugin = {
    .version = DISTILL_TARGET_VERSION, .open = banana_open, .close = free, .rows = banana_rows};
