#include "teacher/particles.h"

#include <math.h>
#include <stdio.h>

static const double HALF_LOG_2PI = 0.91893853320467274178;

/* y_k, k = 1 .. n - 1. */
static void jacobi(double y[2], const double *z, size_t k)
{
    y[0] = k == 1 ? exp(z[PARTICLES_LENGTH]) : z[2 * k];
    y[1] = k == 1 ? 0 : z[2 * k + 1];
}

static void at_rest(double *b, const double *z, size_t n)
{
    double mean[2] = {0, 0}, y[2];
    for (size_t k = n - 1; k > 0; k--) {
        jacobi(y, z, k);
        for (size_t i = 0; i < 2; i++) {
            mean[i] -= y[i] / (double)(k + 1);
            b[2 * k + i] = mean[i] + y[i];
        }
    }
    b[0] = mean[0];
    b[1] = mean[1];
}

static double log_volume(const double *b, const double *z, size_t n)
{
    double t = z[PARTICLES_TURN];
    (void)b, (void)n;
    return 2 * z[PARTICLES_LENGTH] + HALF_LOG_2PI - 0.5 * t * t;
}

/* The slope by m_k is the sum of those by the first k positions. */
static void pull(double *out, double *grad, const double *b, const double *z, size_t n)
{
    double of_mean[2] = {grad[0], grad[1]};
    (void)b;
    for (size_t k = 1; k < n; k++)
        for (size_t i = 0; i < 2; i++) {
            double own = grad[2 * k + i];
            of_mean[i] += own;
            out[2 * k + i] = own - of_mean[i] / (double)(k + 1);
        }
    out[PARTICLES_LENGTH] = out[2] * exp(z[PARTICLES_LENGTH]) + 2;
    out[PARTICLES_TURN] = -z[PARTICLES_TURN];
    out[0] = out[1] = 0;
}

static const char *name(char text[PARTICLES_NAME], size_t at)
{
    static const char *const first[] = {"mean_x", "mean_y", "turn", "log_distance"};
    if (at < PARTICLES_REST)
        snprintf(text, PARTICLES_NAME, "%s", first[at]);
    else
        snprintf(text, PARTICLES_NAME, "%c%zu", at % 2 ? 'y' : 'x', at / 2 + 1);
    return text;
}

const particles_kind particles_jacobi = {.turns = 1,
                                         .most = 64,
                                         .at_rest = at_rest,
                                         .log_volume = log_volume,
                                         .pull = pull,
                                         .name = name};
