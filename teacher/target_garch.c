/* teacher/target_garch.c -- GARCH(1, 1) (Bollerslev 1986): y_t ~ N(mu, h_t),
 *
 *   h_t = alpha0 + alpha1 (y_(t-1) - mu)^2 + beta1 h_(t-1), variances, h_1 = sigma1^2 given
 *
 * u = (mu, a, p, q): alpha0 = e^a, alpha1 = L(p), beta1 = (1 - alpha1) L(q), L the logistic function; flat on
 * their sets. */
#include "teacher/target_posterior.h"

#include <math.h>

typedef struct garch {
    target_density base;
    size_t n;
    double *y, h1;
} garch;

/* mu, alpha0, alpha1, beta1, as an order of derivatives. */
enum { MU, ALPHA0, ALPHA1, BETA1, PARAMETERS };

/* A product of many positive numbers as a log, with few logarithms. */
typedef struct product {
    double sum, of;
} product;

static void multiply(product *p, double factor)
{
    if (factor > 1e100 || factor < 1e-100)
        p->sum += log(factor);
    else
        p->of *= factor;
    if (p->of > 1e100 || p->of < 1e-100) {
        p->sum += log(p->of);
        p->of = 1;
    }
}

/* dh_t from dh_(t-1) (in place), where y_(t-1) was off by so much and had the variance h. */
static void step_slopes(double *dh, const double *theta, double off, double h)
{
    double beta = theta[BETA1];
    dh[MU] = beta * dh[MU] - 2 * theta[ALPHA1] * off;
    dh[ALPHA0] = beta * dh[ALPHA0] + 1;
    dh[ALPHA1] = beta * dh[ALPHA1] + off * off;
    dh[BETA1] = beta * dh[BETA1] + h;
}

/* sum_t log N(y_t; mu, h_t) but for the log(2 pi); slope: by theta, NULL: not wanted. */
static double series(const garch *g, double *slope, const double *theta)
{
    double h = g->h1, square = 0, dh[PARAMETERS] = {0};
    product variances = {0, 1};
    for (size_t t = 0; t < g->n; t++) {
        double off = g->y[t] - theta[MU], over = 1 / h, scaled = off * over;
        multiply(&variances, h);
        square += off * scaled;
        if (slope) {
            double by_h = 0.5 * (scaled * scaled - over);
            for (size_t k = 0; k < PARAMETERS; k++)
                slope[k] += by_h * dh[k];
            slope[MU] += scaled;
            step_slopes(dh, theta, off, h);
        }
        h = theta[ALPHA0] + theta[ALPHA1] * off * off + theta[BETA1] * h;
    }
    return -0.5 * (variances.sum + log(variances.of) + square);
}

static double garch_log_p(const target_density *self, double *grad, const double *u, double *room)
{
    const garch *g = (const garch *)self;
    double left = posterior_logistic(-u[2]), share = posterior_logistic(u[3]);
    const double theta[] = {u[0], exp(u[1]), posterior_logistic(u[2]), left * share};
    double slope[PARAMETERS] = {0};
    double sum = series(g, grad ? slope : NULL, theta) - TARGET_HALF_LOG_2PI * (double)g->n;
    (void)room;
    if (grad) {
        grad[0] = slope[MU];
        grad[1] = slope[ALPHA0] * theta[ALPHA0] + 1;
        grad[2] = theta[ALPHA1] * left * (slope[ALPHA1] - slope[BETA1] * share) + left -
                  2 * theta[ALPHA1];
        grad[3] = slope[BETA1] * left * share * (1 - share) + 1 - 2 * share;
    }
    return sum + u[1] + posterior_log_logistic(u[2]) + 2 * posterior_log_logistic(-u[2]) +
           posterior_log_logistic(u[3]) + posterior_log_logistic(-u[3]);
}

static const char *const columns[] = {"y", NULL};

static int garch_begin(target_density *self, const void *options, const json_t *object,
                       flow_err *err)
{
    const posterior_options *o = options;
    garch *g = (garch *)self;
    (void)object;
    file_table *table = posterior_table(&posterior_garch11, o, err);
    if (!table)
        return err->code;
    g->n = table->rows;
    g->h1 = o->sigma1 * o->sigma1;
    g->y = target_density_hold(self, table->rows + 1, err);
    for (size_t t = 0; g->y && t < table->rows; t++)
        g->y[t] = table->values[t];
    file_table_free(table);
    self->base.dim = PARAMETERS;
    target_density_log_z(&self->base, o->log_z, o->log_z_se, NAN);
    return g->y ? 0 : FLOW_ENOMEM;
}

const posterior_model posterior_garch11 = {
    .kind = {.name = "garch11", .doc = "a series whose variance has a memory, D = 4"},
    .columns = columns,
    .ops = {.kind = &target_posterior,
            .size = sizeof(garch),
            .begin = garch_begin,
            .log_p = garch_log_p}};
