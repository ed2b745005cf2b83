#include "student/trust.h"

#include <math.h>

typedef struct draws {
    const double *p, *q;
    size_t n;
    double entropy; /* of q */
} draws;

/* What q' is like on the draws. */
typedef struct moments {
    double kl, cooled, ess;
} moments;

static double exponent(double lam, double eta, double p, double q)
{
    return p == -INFINITY ? -INFINITY : (p - (1 + eta) * q) / (1 + lam + eta);
}

static moments look(const draws *d, double lam, double eta)
{
    double top = -INFINITY, sum = 0, squares = 0, r_sum = 0, q_sum = 0;
    for (size_t i = 0; i < d->n; i++)
        top = fmax(top, exponent(lam, eta, d->p[i], d->q[i]));
    for (size_t i = 0; i < d->n; i++) {
        double r = exponent(lam, eta, d->p[i], d->q[i]) - top, w = exp(r);
        sum += w;
        squares += w * w;
        r_sum += w > 0 ? w * r : 0;
        q_sum += w > 0 ? w * d->q[i] : 0;
    }
    double log_z = log(sum / (double)d->n), mean_r = r_sum / sum; /* both less top */
    return (moments){.kl = mean_r - log_z,
                     .cooled = d->entropy - (log_z - mean_r - q_sum / sum),
                     .ess = sum * sum / squares / (double)d->n};
}

/* ---- roots of what falls in v >= 0, in t = log(1 + v) */

typedef struct search {
    const draws *draws;
    const trust_bounds *bounds;
    double eta; /* of the inner search */
} search;

typedef double falling(const search *self, double v);

static double too_far(const search *self, double lam)
{
    return look(self->draws, lam, self->eta).kl - self->bounds->trust;
}

enum { MOST_DOUBLINGS = 60, MOST_HALVINGS = 60 };
static const double CLOSE = 1e-10; /* of t */

/* Between a, where f > 0, and b, where f <= 0: the false position, with the value of an end that stays
 * halved (Illinois). */
static double between(const search *self, falling *f, double a, double f_a, double b, double f_b)
{
    int stayed = 0;
    for (int i = 0; i < MOST_HALVINGS && b - a > CLOSE; i++) {
        double t = f_a > f_b ? a + (b - a) * f_a / (f_a - f_b) : 0.5 * (a + b);
        if (i % 8 == 7 || !(t > a && t < b))
            t = 0.5 * (a + b);
        double f_t = f(self, expm1(t));
        if (f_t > 0) {
            a = t, f_a = f_t, f_b *= stayed == 1 ? 0.5 : 1;
            stayed = 1;
        } else {
            b = t, f_b = f_t, f_a *= stayed == -1 ? 0.5 : 1;
            stayed = -1;
        }
    }
    return expm1(b);
}

/* 0 if f(0) <= 0, else where f crosses 0. */
static double find(const search *self, falling *f)
{
    double low = 0, f_low = f(self, 0), high = 1, f_high;
    if (!(f_low > 0))
        return 0;
    for (int i = 0; (f_high = f(self, high)) > 0 && i < MOST_DOUBLINGS; i++) {
        low = high, f_low = f_high;
        high *= 2;
    }
    return between(self, f, log1p(low), f_low, log1p(high), f_high);
}

static double lam_at(const search *self, double eta)
{
    search inner = *self;
    inner.eta = eta;
    return find(&inner, too_far);
}

static double too_cool(const search *self, double eta)
{
    return look(self->draws, lam_at(self, eta), eta).cooled - self->bounds->cooling;
}

/* ---- */

void trust_solve(trust_step *step, const trust_bounds *bounds, const double *p, const double *q,
                 size_t n)
{
    draws d = {.p = p, .q = q, .n = n};
    for (size_t i = 0; i < n; i++)
        d.entropy -= q[i] / (double)n;
    const trust_bounds possible = {fmin(bounds->trust, 0.5 * log((double)n)), bounds->cooling};
    const search all = {.draws = &d, .bounds = &possible};
    double eta = find(&all, too_cool), lam = lam_at(&all, eta);
    moments m = look(&d, lam, eta);
    *step = (trust_step){.lam = lam, .eta = eta, .kl = m.kl, .cooled = m.cooled, .ess = m.ess};
}

double trust_weights(double *om, const trust_step *step, const double *p, const double *q, size_t n)
{
    double top = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) {
        om[i] = isfinite(q[i]) ? exponent(step->lam, step->eta, p[i], q[i]) : -INFINITY;
        top = fmax(top, om[i]);
    }
    for (size_t i = 0; i < n && top > -INFINITY; i++)
        sum += exp(om[i] - top);
    for (size_t i = 0; i < n; i++)
        om[i] = sum > 0 ? exp(om[i] - top) / sum : 0;
    return sum > 0 ? top + log(sum) : -INFINITY;
}
