/* tests/plugins/mises.c -- a mixture of von Mises laws: an angle in degrees, one in turns, and a number that follows the first.
 *
 *   p~ = sum over k of w_k exp(kappa_k (cos(phi - a_k) + cos(t - b_k) - 2)) exp(-(z - cos phi)^2 / (2 sd^2))
 *
 * The first component is at the seam of both. Without a gradient if the options say "blind"; "torn": phi says that it comes round
 * and does not. */
#include "distill_target.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { K = 3, BLIND = 1, TORN = 2 };
static const double turn = 6.28318530717958647693, sd = 0.5;
static const double w[K] = {0.5, 0.3, 0.2}, kappa[K] = {8, 5, 10}, a[K] = {0, 2.5, 4.2},
                    b[K] = {0, 3, 1.5};
static const double period[] = {360, 1, 0};
static const double lower[] = {0, -0.5, -INFINITY}, upper[] = {360, 0.5, INFINITY};
static const char *const names[] = {"phi", "t", "z"};

/* e^-x I_0(x), by the mean over a turn. */
static double scaled_bessel(double x)
{
    double sum = 0;
    for (int i = 0; i < 256; i++)
        sum += exp(x * (cos(turn * i / 256) - 1)) / 256;
    return sum;
}

static int mises_open(void **handle, distill_about *about, const char *options, char *message)
{
    static int blind = BLIND, torn = TORN, plain = 0;
    double z = 0;
    (void)message;
    for (int k = 0; k < K; k++)
        z += w[k] * 360 * scaled_bessel(kappa[k]) * scaled_bessel(kappa[k]);
    int is_blind = strcmp(options, "blind") == 0;
    *about = (distill_about){.dim = 3,
                             .flags = (is_blind ? 0 : DISTILL_GRADIENT) | DISTILL_THREADS,
                             .log_z = log(z * sd * sqrt(turn)),
                             .names = names,
                             .lower = lower,
                             .upper = upper,
                             .period = period};
    *handle = is_blind ? &blind : strcmp(options, "torn") == 0 ? &torn : &plain;
    return DISTILL_GOOD;
}

/* A point outside of its turn is refused: none is asked for. */
static int check(const double *x, char *message)
{
    for (int i = 0; i < 2; i++)
        if (!(x[i] >= lower[i] && x[i] < upper[i])) {
            snprintf(message, DISTILL_MESSAGE, "%s = %.17g is outside", names[i], x[i]);
            return DISTILL_FATAL;
        }
    return DISTILL_GOOD;
}

static int mises_row(void *handle, double *logp, double *grad, const double *x, char *message)
{
    int torn = *(const int *)handle & TORN;
    double phi = x[0] * turn / 360, t = x[1] * turn, z = x[2] - cos(phi), sum = 0, of_phi = 0,
           of_t = 0;
    for (int k = 0; k < K; k++) {
        double at = exp(kappa[k] * (cos(phi - a[k]) + cos(t - b[k]) - 2));
        sum += w[k] * at;
        of_phi -= w[k] * at * kappa[k] * sin(phi - a[k]);
        of_t -= w[k] * at * kappa[k] * sin(t - b[k]);
    }
    *logp = log(sum) - 0.5 * z * z / (sd * sd) + (torn ? 0.01 * x[0] : 0);
    if (grad) {
        grad[0] = (of_phi / sum - z * sin(phi) / (sd * sd)) * turn / 360 + (torn ? 0.01 : 0);
        grad[1] = of_t / sum * turn;
        grad[2] = -z / (sd * sd);
    }
    return check(x, message);
}

const distill_target distill_plugin = {DISTILL_TARGET_VERSION, mises_open, NULL, NULL, mises_row};
