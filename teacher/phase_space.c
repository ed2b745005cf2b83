#include "teacher/phase_space.h"

#include <float.h>
#include <math.h>

static const double PI = 3.14159265358979323846;

size_t phase_space_dim(size_t n)
{
    return 3 * n - 4;
}

/* ---- masses */

static double log_volume(double energy, size_t n)
{
    double k = (double)n;
    return (4 - 3 * k) * log(2 * PI) + (k - 1) * log(PI / 2) + (2 * k - 4) * log(energy) -
           lgamma(k) - lgamma(k - 1);
}

int phase_space_init(phase_space *self, double energy, const double *mass, size_t n, flow_err *err)
{
    *self = (phase_space){.n = n, .energy = energy};
    for (size_t i = n; i-- > 0;) {
        self->mass[i] = mass[i];
        self->rest[i] = self->rest[i + 1] + mass[i];
    }
    double left = energy - self->rest[0];
    if (!(left > 1e-12 * energy) || !isfinite(energy))
        return flow_fail(err, FLOW_EDATA,
                         "an energy of %g is not enough for outgoing particles of masses %g in all",
                         energy, self->rest[0]);
    self->log_volume = log_volume(left, n);
    return 0;
}

/* ---- clusters */

static double within(double v)
{
    return fmin(fmax(v, 1e-40), 1 - 4 * DBL_EPSILON);
}

/* (k+1) v^k - k v^(k+1) - r, and its slope. */
static double off(double *slope, double v, double r, double k)
{
    double power = pow(v, k - 1);
    *slope = k * (k + 1) * power * (1 - v);
    return power * v * (k + 1 - k * v) - r;
}

/* The root of that in (0, 1), by Newton's steps between two ends that close in on it. */
static double share_of(double r, double k)
{
    double lo = 0, hi = 1, v = pow(r / (k + 1), 1 / k), slope;
    if (k == 1)
        return r / (1 + sqrt(1 - r));
    for (int i = 0; i < 100; i++) {
        double f = off(&slope, v, r, k), before = v;
        *(f > 0 ? &hi : &lo) = v;
        v -= f / slope;
        v = v > lo && v < hi ? v : 0.5 * (lo + hi);
        if (fabs(v - before) <= DBL_EPSILON * v)
            break;
    }
    return v;
}

/* share (n): (K_(i+1) / K_i)^2, 0 at the last but one; k (n): K_i. */
static void clusters(const phase_space *self, double *share, double *k, const double *u)
{
    size_t n = self->n;
    k[0] = self->energy - self->rest[0];
    for (size_t i = 0; i + 2 < n; i++) {
        share[i] = within(share_of(fmin(fmax(u[i], 0), 1), (double)(n - 2 - i)));
        k[i + 1] = k[i] * sqrt(share[i]);
    }
    share[n - 2] = k[n - 1] = 0;
}

/* Of particle i in its cluster. Every factor is a sum of what is not negative. */
static double momentum_in(const phase_space *self, const double *k, size_t i)
{
    double less = k[i] - k[i + 1], m = self->mass[i], rest = k[i + 1] + self->rest[i + 1];
    double whole = k[i] + self->rest[i];
    return sqrt(less * (less + 2 * m) * (less + 2 * rest) * (whole + m + rest)) / (2 * whole);
}

static double log_weight(const phase_space *self, const double *share, const double *k)
{
    double sum = self->log_volume;
    for (size_t i = 0; i + 1 < self->n && self->rest[0] > 0; i++) {
        double whole = k[i] + self->rest[i];
        sum += log(2 * momentum_in(self, k, i) / (whole * (1 - share[i])));
        sum += i > 0 ? log(whole / k[i]) : 0;
    }
    return sum;
}

/* ---- frames */

static double energy_of(momentum p, double mass)
{
    return sqrt(p.x * p.x + p.y * p.y + p.z * p.z + mass * mass);
}

static momentum pointing(double q, double mass, double up, double turn)
{
    double cosine = 2 * up - 1, sine = 2 * sqrt(fmax(up * (1 - up), 0));
    momentum p = {
        .x = q * sine * cos(2 * PI * turn), .y = q * sine * sin(2 * PI * turn), .z = q * cosine};
    p.e = energy_of(p, mass);
    return p;
}

/* p, of this mass, from the rest frame of a cluster of momentum c and that mass into the frame of c. */
static momentum boosted(momentum p, double mass, momentum c, double whole)
{
    double along = c.x * p.x + c.y * p.y + c.z * p.z;
    double f = (along / (c.e + whole) + p.e) / whole;
    momentum out = {.x = p.x + f * c.x, .y = p.y + f * c.y, .z = p.z + f * c.z};
    out.e = energy_of(out, mass);
    return out;
}

double phase_space_momenta(const phase_space *self, momentum *p, const double *u)
{
    double share[PHASE_SPACE_MOST], k[PHASE_SPACE_MOST];
    const double *angles = u + self->n - 2;
    momentum whole = {.e = self->energy};
    clusters(self, share, k, u);
    for (size_t i = 0; i + 1 < self->n; i++, angles += 2) {
        double q = momentum_in(self, k, i), mass = k[i] + self->rest[i],
               left = k[i + 1] + self->rest[i + 1];
        momentum one = pointing(q, self->mass[i], angles[0], angles[1]);
        momentum other = {.x = -one.x, .y = -one.y, .z = -one.z};
        other.e = energy_of(other, left);
        p[i] = boosted(one, self->mass[i], whole, mass);
        whole = boosted(other, left, whole, mass);
    }
    p[self->n - 1] = whole;
    return log_weight(self, share, k);
}

double phase_space_two(double energy, double m1, double m2)
{
    double square =
        (energy - m1 - m2) * (energy + m1 + m2) * (energy - m1 + m2) * (energy + m1 - m2);
    return square > 0 && energy > m1 + m2 ? sqrt(square) / (2 * energy) : 0;
}
