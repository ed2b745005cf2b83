#include "teacher/particles.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>

typedef double complex point;

/* Beyond, coefficients do not tell roots apart in double precision. */
enum { MOST = 8 };

static const double PI = 3.14159265358979323846, HALF_LOG_2PI = 0.91893853320467274178;

static point made(double x, double y)
{
    return x + y * I;
}

static point point_at(const double *xy, size_t k)
{
    return made(xy[2 * k], xy[2 * k + 1]);
}

/* Without the care that C takes of infinities, which costs most of the time. */
static point times(point a, point b)
{
    double x = creal(a), y = cimag(a), u = creal(b), v = cimag(b);
    return made(x * u - y * v, x * v + y * u);
}

static point one_over(point a)
{
    double x = creal(a), y = cimag(a), by = 1 / (x * x + y * y);
    return made(by * x, -by * y);
}

/* e_k, k = 2 .. n, with lengths in units of `unit`. */
static void coefficients(point *e, const double *z, double unit, size_t n)
{
    for (size_t k = 2; k < n; k++)
        e[k] = point_at(z, k) * pow(unit, -(double)k);
    e[n] = exp((double)n * (z[PARTICLES_LENGTH] - log(unit)));
}

/* The polynomial at w, and its derivative (Horner). */
static point value_at(point *derivative, const point *e, point w, size_t n)
{
    point value = w, slope = 1; /* of w + e_1, e_1 = 0 */
    for (size_t k = 2; k <= n; k++) {
        slope = times(slope, w) + value;
        value = times(value, w) + e[k];
    }
    *derivative = slope;
    return value;
}

/* One round of Aberth's method (1973), which is Newton's with the other roots divided out. Returns the largest move. */
static double improve(point *w, const point *e, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        point slope, value = value_at(&slope, e, w[i], n), others = 0;
        for (size_t j = 0; j < n; j++)
            others += j == i ? 0 : one_over(w[i] - w[j]);
        point move = times(value, one_over(slope - times(value, others)));
        if (!(isfinite(creal(move)) && isfinite(cimag(move))))
            continue; /* the root itself, or a collision on the way: the others move */
        w[i] -= move;
        most = fmax(most, cabs(move));
    }
    return most;
}

/* A length that no root is more than twice as far out as (Fujiwara 1916). */
static double length_of(const double *z, size_t n)
{
    double most = exp(z[PARTICLES_LENGTH]);
    for (size_t k = 2; k < n; k++)
        most = fmax(most, pow(cabs(point_at(z, k)), 1 / (double)k));
    return most;
}

enum { ROUNDS = 100 };

static void find_roots(point *w, const point *e, size_t n)
{
    for (size_t i = 0; i < n; i++)
        w[i] = cexp(made(0, 2 * PI * (double)i / (double)n + 0.4));
    double last = INFINITY;
    for (int round = 0; round < ROUNDS && last > 1e-10; round++)
        last = improve(w, e, n);
}

static void at_rest(double *b, const double *z, size_t n)
{
    point e[MOST + 1], w[MOST];
    double unit = length_of(z, n);
    coefficients(e, z, unit, n);
    find_roots(w, e, n);
    for (size_t i = 0; i < n; i++) {
        b[2 * i] = unit * creal(w[i]);
        b[2 * i + 1] = unit * cimag(w[i]);
    }
}

/* ---- volume */

static double log_volume(const double *b, const double *z, size_t n)
{
    double t = z[PARTICLES_TURN], count = (double)n, orders = 1, distances = 1;
    for (size_t i = 1; i < n; i++) {
        orders *= (double)(i + 1);
        for (size_t j = 0; j < i; j++)
            distances *= cabs(point_at(b, i) - point_at(b, j));
    }
    return log(orders) + 3 * log(count) + 2 * count * z[PARTICLES_LENGTH] + HALF_LOG_2PI -
           0.5 * t * t - 2 * log(distances);
}

/* grad += the slope by b of -2 log of the product of distances. */
static void add_distances(double *grad, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double x = b[2 * i] - b[2 * j], y = b[2 * i + 1] - b[2 * j + 1];
            double by = i == j ? 0 : -2 / (x * x + y * y);
            grad[2 * i] += by * x;
            grad[2 * i + 1] += by * y;
        }
}

/* The product of b_i - b_j, which is the slope of the polynomial at b_i. */
static point slope_at(const double *b, size_t i, size_t n)
{
    point out = 1;
    for (size_t j = 0; j < n; j++)
        out *= j == i ? 1 : point_at(b, i) - point_at(b, j);
    return out;
}

/* db_i / de_k = -b_i^(n - k) / P'(b_i); of an analytic function a gradient goes back by the conjugate. */
static void pull(double *out, double *grad, const double *b, const double *z, size_t n)
{
    point of[MOST + 1] = {0};
    add_distances(grad, b, n);
    for (size_t i = 0; i < n; i++) {
        point power = -1 / slope_at(b, i, n);
        for (size_t k = n; k > 1; k--, power *= point_at(b, i))
            of[k] += conj(power) * point_at(grad, i);
    }
    out[0] = out[1] = 0;
    out[PARTICLES_TURN] = -z[PARTICLES_TURN];
    out[PARTICLES_LENGTH] = (double)n * (2 + creal(of[n]) * exp((double)n * z[PARTICLES_LENGTH]));
    for (size_t k = 2; k < n; k++) {
        out[2 * k] = creal(of[k]);
        out[2 * k + 1] = cimag(of[k]);
    }
}

static const char *name(char text[PARTICLES_NAME], size_t at)
{
    static const char *const first[] = {"mean_x", "mean_y", "turn", "log_radius"};
    if (at < PARTICLES_REST)
        snprintf(text, PARTICLES_NAME, "%s", first[at]);
    else
        snprintf(text, PARTICLES_NAME, "e%zu_%s", at / 2, at % 2 ? "im" : "re");
    return text;
}

const particles_kind particles_unordered = {
    .most = MOST, .at_rest = at_rest, .log_volume = log_volume, .pull = pull, .name = name};
