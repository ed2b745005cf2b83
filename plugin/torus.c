/* torus.c -- an example of distill_target.h with circles: two angles that go with one another, about 0, where the seam is
 * (the sine model of Singh, Hnizdo, Demchuk 2002, "Probabilistic model for two dependent circular variables").
 *
 *     log p~ = kappa (cos x + cos y) + lambda sin x sin y
 *     Z = 4 pi^2 sum over m of C(2m, m) (lambda / (2 kappa))^2m I_m(kappa)^2
 *
 *     cc -O2 -shared -fPIC -I plugin -o torus.so plugin/torus.c -lm
 *     target: {kind: plugin, path: torus.so, options: "kappa=4 lambda=3"} */
#include "distill_target.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double turn = 6.28318530717958647693;
static const double period[] = {6.28318530717958647693, 6.28318530717958647693};
static const char *const names[] = {"phi", "psi"};

typedef struct torus {
    double kappa, lambda;
} torus;

/* I_m(x), the modified Bessel function, by its series. */
static double bessel(int m, double x)
{
    double term = exp(m * log(0.5 * x) - lgamma(m + 1.0)), sum = term;
    for (int k = 1; k < 200; k++)
        sum += term *= 0.25 * x * x / (k * (double)(k + m));
    return sum;
}

static double log_z(const torus *t)
{
    double sum = 0, term = 1, ratio = t->lambda / (2 * t->kappa);
    for (int m = 0; m < 100; m++) {
        sum += term * bessel(m, t->kappa) * bessel(m, t->kappa);
        term *= (2.0 * m + 2) * (2 * m + 1) / ((m + 1.0) * (m + 1)) * ratio * ratio;
    }
    return log(turn * turn * sum);
}

static int torus_open(void **handle, distill_about *about, const char *options, char *message)
{
    torus *t = malloc(sizeof *t);
    int end = 0;
    if (!t)
        return DISTILL_FATAL;
    *t = (torus){.kappa = 4, .lambda = 3};
    if (*options && (sscanf(options, "kappa=%lf lambda=%lf%n", &t->kappa, &t->lambda, &end) != 2 ||
                     options[end] || !(t->kappa > 0))) {
        snprintf(message, DISTILL_MESSAGE, "options: wanted kappa=NUMBER lambda=NUMBER");
        free(t);
        return DISTILL_FATAL;
    }
    *about = (distill_about){.dim = 2,
                             .flags = DISTILL_GRADIENT | DISTILL_THREADS,
                             .log_z = log_z(t),
                             .names = names,
                             .period = period};
    *handle = t;
    return DISTILL_GOOD;
}

static int torus_row(void *handle, double *logp, double *grad, const double *x, char *message)
{
    const torus *t = handle;
    (void)message;
    double c = cos(x[0]), s = sin(x[0]), d = cos(x[1]), r = sin(x[1]);
    *logp = t->kappa * (c + d) + t->lambda * s * r;
    if (grad) {
        grad[0] = -t->kappa * s + t->lambda * c * r;
        grad[1] = -t->kappa * r + t->lambda * s * d;
    }
    return DISTILL_GOOD;
}

const distill_target distill_plugin = {
    .version = DISTILL_TARGET_VERSION, .open = torus_open, .close = free, .row = torus_row};
