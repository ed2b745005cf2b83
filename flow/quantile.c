#include "flow/quantile.h"

#include <math.h>

/* ---- the normal */

/* (c_0 + c_1 x + ... + c_7 x^7) / (d_0 + ... + d_7 x^7), d_0 = 1 */
static double ratio(const double c[8], const double d[8], double x)
{
    double over = c[7], under = d[7];
    for (int k = 6; k >= 0; k--) {
        over = over * x + c[k];
        under = under * x + d[k];
    }
    return over / under;
}

static const double middle[2][8] = {
    {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
     1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
     3.3430575583588128105e4, 2.5090809287301226727e3},
    {1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
     5.2264952788528545610e3}};

static const double near[2][8] = {
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
     3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
     2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9}};

static const double far[2][8] = {
    {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
     2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
     2.71155556874348757815e-5, 2.01033439929228813265e-7},
    {1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15}};

double flow_normal_quantile(double u)
{
    const double q = u - 0.5;
    if (fabs(q) <= 0.425)
        return q * ratio(middle[0], middle[1], 0.180625 - q * q);
    double r = sqrt(-log(q < 0 ? u : 1 - u));
    double z = r <= 5 ? ratio(near[0], near[1], r - 1.6) : ratio(far[0], far[1], r - 5);
    return q < 0 ? -z : z;
}

/* ---- Student's t */

/* The continued fraction of the incomplete beta function I_x(a, b), by Lentz's method. */
static double beta_fraction(double a, double b, double x)
{
    enum { MOST = 4000 };
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double f = d;
    for (int m = 1; m < MOST; m++) {
        double step = 1, k = m;
        const double terms[] = {k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k)),
                                -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1))};
        for (int i = 0; i < 2; i++) {
            d = 1 + terms[i] * d;
            c = 1 + terms[i] / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            step = c * d;
            f *= step;
        }
        if (fabs(step - 1) < 1e-16)
            break;
    }
    return f;
}

/* log I_x(a, b), y = 1 - x. */
static double log_beta_ratio(double a, double b, double x, double y)
{
    double front = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y);
    if (x < (a + 1) / (a + b + 2))
        return front - log(a) + log(beta_fraction(a, b, x));
    return log1p(-exp(front - log(b)) * beta_fraction(b, a, y));
}

/* log P(T > t), t = e^log_t */
static double log_tail(double log_t, double dof)
{
    double w = exp(2 * log_t) / dof; /* t^2 / dof */
    double x = isinf(w) ? 0 : 1 / (1 + w), y = isinf(w) ? 1 : w / (1 + w);
    return log_beta_ratio(dof / 2, 0.5, x, y) - log(2);
}

/* -d log P(T > t) / d log t = t p(t) / P */
static double tail_slope(double log_t, double log_p, double dof)
{
    double constant = lgamma((dof + 1) / 2) - lgamma(dof / 2) - log(dof * acos(-1)) / 2;
    double log_density = constant - (dof + 1) / 2 * log1p(exp(2 * log_t) / dof);
    return exp(log_t + log_density - log_p);
}

/* t > 0 whose tail is p < 1/2. log P is concave in log t, so that Newton's steps come from above from the second on. */
static double tail_quantile(double p, double dof)
{
    double at = log(-flow_normal_quantile(p)), wanted = log(p);
    for (int i = 0; i < 200; i++) {
        double is = log_tail(at, dof), step = (is - wanted) / tail_slope(at, is, dof);
        at += step;
        if (!(fabs(step) > 1e-15 * (1 + fabs(at))))
            break;
    }
    return exp(at);
}

double flow_student_t_quantile(double u, double dof)
{
    if (u > 0 && u < 0.5)
        return -tail_quantile(u, dof);
    return u > 0.5 && u < 1 ? tail_quantile(1 - u, dof) : u - 0.5;
}

/* ---- a mixture of normals */

typedef struct mixed {
    const double *weight, *mean, *sd;
    size_t n;
} mixed;

/* F(z) - u and the density, of weights that add up to total. */
static double excess(double *density, const mixed *m, double z, double u, double total)
{
    double sum = 0;
    *density = 0;
    for (size_t k = 0; k < m->n; k++) {
        double at = (z - m->mean[k]) / m->sd[k];
        sum += m->weight[k] * (0.5 * erfc(-at / sqrt(2)));
        *density += m->weight[k] * exp(-0.5 * at * at) / (m->sd[k] * sqrt(2 * acos(-1)));
    }
    *density /= total;
    return sum / total - u;
}

double flow_mixture_quantile(double u, const double *weight, const double *mean, const double *sd,
                             size_t n)
{
    const mixed m = {weight, mean, sd, n};
    double standard = flow_normal_quantile(u), low = INFINITY, high = -INFINITY, total = 0;
    for (size_t k = 0; k < n; k++) {
        total += weight[k];
        low = weight[k] > 0 ? fmin(low, mean[k] + sd[k] * standard) : low;
        high = weight[k] > 0 ? fmax(high, mean[k] + sd[k] * standard) : high;
    }
    double z = low + (high - low) / 2;
    for (int i = 0; i < 200 && low < high; i++) {
        double density, is = excess(&density, &m, z, u, total), next = z - is / density;
        *(is < 0 ? &low : &high) = z;
        if (!(next > low && next < high))
            next = low + (high - low) / 2;
        if (fabs(is) < 1e-15 || next == z)
            break;
        z = next;
    }
    return isnan(u) ? u : z;
}
