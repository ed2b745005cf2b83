/* teacher/target_schools.c -- eight schools (Rubin 1981; Gelman et al., "Bayesian data analysis", section 5.5): effects
 * theta_j ~ N(mu, tau^2) measured as y_j ~ N(theta_j, sigma_j^2), mu ~ N(0, 5^2), tau ~ Cauchy(0, 5), not
 * renormalised to tau > 0; t = log tau.
 *
 *   centred      u = (theta_1 .. theta_J, mu, t)
 *   non-centred  u = (z_1 .. z_J, mu, t), theta_j = mu + tau z_j */
#include "teacher/target_posterior.h"

#include <math.h>

typedef struct schools {
    target_density base;
    size_t n;
    double *y, *precision; /* (J), (J): 1 / sigma_j^2 */
    double constant;       /* of all measurements and effects */
    target_line line;      /* log p(y, t) */
} schools;

static const schools *down(const target_density *self)
{
    return (const schools *)self;
}

/* log p(mu, t) with its Jacobian; slope (2) gets its own. */
static double priors(double *slope, double mu, double tau)
{
    double of_mu = 0, of_t = 1;
    double value = posterior_normal(&of_mu, mu, 5) + posterior_cauchy(&of_t, tau, 5) + log(tau);
    slope[0] = -mu / 25;
    slope[1] = of_t;
    return value;
}

static double centered_log_p(const target_density *self, double *grad, const double *u,
                             double *room)
{
    const schools *s = down(self);
    double mu = u[s->n], tau = exp(u[s->n + 1]), over = exp(-2 * u[s->n + 1]), slope[2];
    double sum = s->constant + priors(slope, mu, tau) - (double)s->n * u[s->n + 1];
    (void)room;
    slope[1] -= (double)s->n;
    for (size_t j = 0; j < s->n; j++) {
        double effect = u[j] - mu, off = s->y[j] - u[j];
        double pull = over * effect, push = s->precision[j] * off;
        sum -= 0.5 * (pull * effect + push * off);
        slope[0] += pull;
        slope[1] += pull * effect;
        if (grad)
            grad[j] = push - pull;
    }
    if (grad) {
        grad[s->n] = slope[0];
        grad[s->n + 1] = slope[1];
    }
    return sum;
}

static double noncentered_log_p(const target_density *self, double *grad, const double *u,
                                double *room)
{
    const schools *s = down(self);
    double mu = u[s->n], tau = exp(u[s->n + 1]), slope[2];
    double sum = s->constant + priors(slope, mu, tau);
    (void)room;
    for (size_t j = 0; j < s->n; j++) {
        double off = s->y[j] - mu - tau * u[j], push = s->precision[j] * off;
        sum -= 0.5 * (push * off + u[j] * u[j]);
        slope[0] += push;
        slope[1] += tau * push * u[j];
        if (grad)
            grad[j] = tau * push - u[j];
    }
    if (grad) {
        grad[s->n] = slope[0];
        grad[s->n + 1] = slope[1];
    }
    return sum;
}

/* ---- the integral: that over effects and mu by hand, that over t by a sum.
 * y ~ N(0, diag(v) + 25 1 1^T), v_j = sigma_j^2 + tau^2 */

static double log_marginal(const void *arg, double t)
{
    const schools *s = arg;
    double tau2 = exp(2 * t), slope[2], ones = 0, ys = 0, squares = 0, logs = 0;
    for (size_t j = 0; j < s->n; j++) {
        double v = 1 / s->precision[j] + tau2;
        ones += 1 / v;
        ys += s->y[j] / v;
        squares += s->y[j] * s->y[j] / v;
        logs += log(v);
    }
    double shrink = 1 + 25 * ones;
    double prior = priors(slope, 0, exp(t)) - posterior_normal(slope, 0, 5);
    return prior - 0.5 * (logs + log(shrink) + squares - 25 * ys * ys / shrink) -
           TARGET_HALF_LOG_2PI * (double)s->n;
}

/* ---- draws: t, and then what is Gaussian given it */

/* mu | t, y, of precision 1 / 25 + sum 1 / v_j. */
static double draw_mu(const schools *s, double tau, double z)
{
    double precision = 1.0 / 25, sum = 0;
    for (size_t j = 0; j < s->n; j++) {
        double over = 1 / (1 / s->precision[j] + tau * tau);
        precision += over;
        sum += s->y[j] * over;
    }
    return sum / precision + z / sqrt(precision);
}

/* z_j | mu, t, y, of precision 1 + tau^2 / sigma_j^2. */
static void noncentered_draw(const target_density *self, double *u, const double *z, pcg *rng)
{
    const schools *s = down(self);
    double t = target_line_draw(&s->line, rng), tau = exp(t), mu = draw_mu(s, tau, z[s->n]);
    for (size_t j = 0; j < s->n; j++) {
        double precision = 1 + tau * tau * s->precision[j];
        u[j] = tau * s->precision[j] * (s->y[j] - mu) / precision + z[j] / sqrt(precision);
    }
    u[s->n] = mu;
    u[s->n + 1] = t;
}

static void centered_draw(const target_density *self, double *u, const double *z, pcg *rng)
{
    const schools *s = down(self);
    noncentered_draw(self, u, z, rng);
    for (size_t j = 0; j < s->n; j++)
        u[j] = u[s->n] + exp(u[s->n + 1]) * u[j];
}

/* ---- making one */

static const double rubin[8][2] = {{28, 15}, {8, 10}, {-3, 16}, {7, 11},
                                   {-1, 9},  {1, 11}, {18, 10}, {12, 18}};
static const char *const columns[] = {"y", "sigma", NULL};

enum { MAX_SCHOOLS = 1000 };

static int take(schools *self, const double *table, size_t n, flow_err *err)
{
    double *numbers = target_density_hold(&self->base, 2 * n + TARGET_LINE_ROOM, err);
    if (!numbers)
        return FLOW_ENOMEM;
    self->n = n;
    self->y = numbers;
    self->precision = numbers + n;
    self->constant = -2 * TARGET_HALF_LOG_2PI * (double)n;
    for (size_t j = 0; j < n; j++) {
        double sigma = table[2 * j + 1];
        if (!(sigma > 0))
            return flow_fail(err, FLOW_EDATA, "data: row %zu: sigma is %.9g, wanted more than 0", j,
                             sigma);
        self->y[j] = table[2 * j];
        self->precision[j] = 1 / (sigma * sigma);
        self->constant -= log(sigma);
    }
    return 0;
}

static int read_or_take(schools *self, const posterior_options *o, flow_err *err)
{
    if (!o->data)
        return take(self, rubin[0], 8, err);
    file_table *table = target_table_columns(o->data, columns, 2, err);
    if (!table)
        return err->code;
    int code = table->rows > 0 && table->rows <= MAX_SCHOOLS
                   ? take(self, table->values, table->rows, err)
                   : flow_fail(err, FLOW_EDATA, "data: %s has %zu rows, wanted 1 .. %d", o->data,
                               table->rows, MAX_SCHOOLS);
    file_table_free(table);
    return code;
}

static int schools_begin(target_density *self, const void *options, const json_t *object,
                         flow_err *err)
{
    const posterior_options *o = options;
    schools *s = (schools *)self;
    int code = read_or_take(s, o, err);
    (void)object;
    if (!code)
        code = target_line_init(&s->line, s->precision + s->n, log_marginal, s, 0, 0.05, err);
    self->base.dim = s->n + 2;
    self->normals = s->n + 1;
    target_density_log_z(&self->base, o->log_z, o->log_z_se, s->line.log_total);
    return code;
}

const posterior_model posterior_eight_schools_centered = {
    .kind = {.name = "eight_schools_centered",
             .doc = "coaching effects in eight schools, with their common scale: a funnel, D = 10"},
    .columns = columns,
    .ops = {.kind = &target_posterior,
            .size = sizeof(schools),
            .begin = schools_begin,
            .log_p = centered_log_p,
            .draw = centered_draw}};

const posterior_model posterior_eight_schools_noncentered = {
    .kind = {.name = "eight_schools_noncentered",
             .doc = "the same in units of that scale, which takes the funnel away, D = 10"},
    .columns = columns,
    .ops = {.kind = &target_posterior,
            .size = sizeof(schools),
            .begin = schools_begin,
            .log_p = noncentered_log_p,
            .draw = noncentered_draw}};
