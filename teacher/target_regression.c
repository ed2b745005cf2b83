/* teacher/target_regression.c -- linear regressions: y_n ~ N(x_n b, sigma^2), s = log sigma, u = (b, s).
 *
 * The data are only needed once: with [X y] = Q [R z; 0 rho] (modified Gram-Schmidt, which is as good as Householder
 * for least squares: Bjoerck 1967), |y - X b|^2 = |R b - z|^2 + rho^2, so that a row costs K^2 and not N K, and
 *
 *   log p~ = log p(b) + log p(sigma) + s - N (s + log(2 pi) / 2) - (|R b - z|^2 + rho^2) / (2 sigma^2) */
#include "teacher/target_posterior.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 15 };

/* What is believed of sigma. */
typedef enum prior { FLAT, CAUCHY, NORMAL } prior;

typedef struct plan {
    const posterior_model *model;
    size_t terms;   /* K, at most MOST */
    size_t lags;    /* rows before the first one that can be explained */
    prior of_sigma; /* CAUCHY: of scale 2.5; NORMAL: of sd 10; neither renormalised to sigma > 0 */
    double sd;      /* of b ~ N(0, sd^2); 0: flat */
    /* x (K) and y, which is x[K], from a row of the table and those before it. */
    void (*fill)(double *x, const double *row);
} plan;

typedef struct regression {
    target_density base;
    const plan *design;
    size_t terms;
    double rows;
    double *factor;   /* (K + 1, K + 1): R, z, rho */
    target_line line; /* log p(y, s) */
} regression;

static const regression *down(const target_density *self)
{
    return (const regression *)self;
}

/* ---- the density */

static double prior_of_sigma(prior which, double *slope, double sigma)
{
    return which == CAUCHY   ? posterior_cauchy(slope, sigma, 2.5)
           : which == NORMAL ? posterior_normal(slope, sigma, 10)
                             : 0;
}

/* off (K) = R b - z; returns |off|^2 + rho^2. */
static double residual(const regression *g, double *off, const double *b)
{
    size_t k = g->terms, ld = k + 1;
    double rho = g->factor[ld * ld - 1], sum = rho * rho;
    for (size_t i = 0; i < k; i++) {
        const double *row = g->factor + i * ld;
        off[i] = -row[k];
        for (size_t j = i; j < k; j++)
            off[i] += row[j] * b[j];
        sum += off[i] * off[i];
    }
    return sum;
}

/* grad (K) = -R^T off / sigma^2 */
static void slopes(const regression *g, double *grad, const double *off, double precision)
{
    size_t k = g->terms;
    memset(grad, 0, k * sizeof *grad);
    for (size_t i = 0; i < k; i++)
        for (size_t j = i; j < k; j++)
            grad[j] -= precision * off[i] * g->factor[i * (k + 1) + j];
}

/* log p(b), on top of whose slopes in grad its own go. */
static double prior_of_terms(const regression *g, double *grad, const double *b)
{
    double sd = g->design->sd, square = 0, k = (double)g->terms;
    if (sd == 0)
        return 0;
    for (size_t i = 0; i < g->terms; i++) {
        square += b[i] * b[i];
        if (grad)
            grad[i] -= b[i] / (sd * sd);
    }
    return -0.5 * square / (sd * sd) - k * (log(sd) + TARGET_HALF_LOG_2PI);
}

static double regression_log_p(const target_density *self, double *grad, const double *u,
                               double *room)
{
    const regression *g = down(self);
    double s = u[g->terms], precision = exp(-2 * s), slope = 1 - g->rows;
    double square = residual(g, room, u);
    double sum = s - g->rows * (s + TARGET_HALF_LOG_2PI) - 0.5 * precision * square +
                 prior_of_sigma(g->design->of_sigma, &slope, exp(s));
    if (grad) {
        slopes(g, grad, room, precision);
        grad[g->terms] = slope + precision * square;
    }
    return sum + prior_of_terms(g, grad, u);
}

/* ---- the factor */

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* r (m, m) of a, given by columns (m, n), which is used up. */
static void factorise(double *r, double *a, size_t n, size_t m)
{
    memset(r, 0, m * m * sizeof *r);
    for (size_t i = 0; i < m; i++) {
        double *q = a + i * n, norm = sqrt(dot(q, q, n));
        r[i * m + i] = norm;
        for (size_t k = 0; k < n && norm > 0; k++)
            q[k] /= norm;
        for (size_t j = i + 1; j < m; j++) {
            double along = dot(q, a + j * n, n);
            r[i * m + j] = along;
            for (size_t k = 0; k < n; k++)
                a[j * n + k] -= along * q[k];
        }
    }
}

/* The design matrix by columns: [X y]. Returns the first row of the table with a term that is not finite; n if
 * there is none, of all n that are explained. */
static size_t lay_out(double *a, const plan *design, const file_table *table, size_t n)
{
    double x[MOST + 1];
    for (size_t r = 0; r < n; r++) {
        design->fill(x, table->values + (r + design->lags) * table->cols);
        for (size_t j = 0; j <= design->terms; j++) {
            a[j * n + r] = x[j];
            if (!isfinite(x[j]))
                return r;
        }
    }
    return n;
}

/* A column that is nothing but a sum of those before it, or too few rows. */
static int is_undetermined(const regression *self, size_t n)
{
    size_t m = self->terms + 1;
    for (size_t j = 0; j < m; j++) {
        double square = 0;
        for (size_t i = 0; i <= j; i++)
            square += self->factor[i * m + j] * self->factor[i * m + j];
        if (!(self->factor[j * m + j] > 1e-13 * sqrt(square)))
            return 1;
    }
    return n < m + 1;
}

static int factorise_table(regression *self, double *a, const file_table *table, const char *path,
                           size_t n, flow_err *err)
{
    size_t row = lay_out(a, self->design, table, n);
    if (row < n)
        return flow_fail(err, FLOW_EDATA, "data: %s: row %zu: a term of %s is not finite", path,
                         row, self->design->model->kind.name);
    factorise(self->factor, a, n, self->terms + 1);
    if (is_undetermined(self, n))
        return flow_fail(err, FLOW_EDATA,
                         "data: %s: %zu rows do not determine %zu coefficients and a spread", path,
                         n, self->terms);
    return 0;
}

static int reduce(regression *self, const file_table *table, const char *path, flow_err *err)
{
    size_t m = self->terms + 1, lags = self->design->lags;
    size_t n = table->rows > lags ? table->rows - lags : 0;
    double *a = malloc((n + 1) * m * sizeof *a);
    self->rows = (double)n;
    self->factor = a ? target_density_hold(&self->base, m * m + TARGET_LINE_ROOM, err) : NULL;
    int code = self->factor ? factorise_table(self, a, table, path, n, err)
                            : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", n);
    free(a);
    return code;
}

/* ---- the integral: that over b by hand, that over s by a sum. With the prior as K rows more,
 * |R b - z|^2 / sigma^2 + |b|^2 / sd^2 is again |R' b - z'|^2 + rho'^2. */

/* r (K + 1, K + 1) = R', z', rho' at s. */
static void with_prior(const regression *g, double *r, double s)
{
    size_t k = g->terms, m = k + 1, n = m + k;
    double a[(MOST + 1) * (2 * MOST + 1)] = {0}, over = exp(-s);
    for (size_t j = 0; j < m; j++)
        for (size_t i = 0; i <= j; i++)
            a[j * n + i] = over * g->factor[i * m + j];
    for (size_t j = 0; j < k && g->design->sd > 0; j++)
        a[j * n + m + j] = 1 / g->design->sd;
    factorise(r, a, n, m);
}

static double log_marginal(const void *arg, double s)
{
    const regression *g = arg;
    size_t k = g->terms, m = k + 1;
    double r[(MOST + 1) * (MOST + 1)], slope = 0, sd = g->design->sd;
    double sum = s - g->rows * (s + TARGET_HALF_LOG_2PI) +
                 prior_of_sigma(g->design->of_sigma, &slope, exp(s));
    with_prior(g, r, s);
    for (size_t j = 0; j < k; j++)
        sum -= log(r[j * m + j]) + (sd > 0 ? log(sd) : -TARGET_HALF_LOG_2PI);
    return sum - 0.5 * r[m * m - 1] * r[m * m - 1];
}

/* s, and then b, which is Gaussian given it: R' b = z' + normals. */
static void regression_draw(const target_density *self, double *u, const double *z, pcg *rng)
{
    const regression *g = down(self);
    size_t k = g->terms, m = k + 1;
    double r[(MOST + 1) * (MOST + 1)];
    u[k] = target_line_draw(&g->line, rng);
    with_prior(g, r, u[k]);
    for (size_t i = k; i-- > 0;) {
        u[i] = r[i * m + k] + z[i];
        for (size_t j = i + 1; j < k; j++)
            u[i] -= r[i * m + j] * u[j];
        u[i] /= r[i * m + i];
    }
}

static int find_line(regression *self, flow_err *err)
{
    size_t m = self->terms + 1;
    double spare = self->rows - (double)self->terms, rho = self->factor[m * m - 1];
    return target_line_init(&self->line, self->factor + m * m, log_marginal, self,
                            log(rho) - 0.5 * log(spare), 0.1 / sqrt(2 * spare), err);
}

/* ---- the models: columns, and how a row of them is filled in */

static void fill_kidscore(double *x, const double *row)
{
    x[0] = 1;
    x[1] = row[1];
    x[2] = row[0];
}

static void fill_logearn(double *x, const double *row)
{
    x[0] = 1;
    x[1] = row[1];
    x[2] = row[2];
    x[3] = row[1] * row[2];
    x[4] = log(row[0]);
}

/* Ideology and race, classes of age, then education, gender, income. */
static void fill_nes(double *x, const double *row)
{
    x[0] = 1;
    x[1] = row[1];
    x[2] = row[2];
    for (size_t k = 2; k <= 4; k++)
        x[k + 1] = row[3] == (double)k;
    memcpy(x + 6, row + 4, 3 * sizeof *x);
    x[9] = row[0];
}

static void fill_blr(double *x, const double *row)
{
    memcpy(x, row + 1, 5 * sizeof *x);
    x[5] = row[0];
}

/* The five rows before. */
static void fill_ar(double *x, const double *row)
{
    x[0] = 1;
    for (size_t k = 1; k <= 5; k++)
        x[k] = row[-(ptrdiff_t)k];
    x[6] = row[0];
}

static const char *const kidscore_columns[] = {"kid_score", "mom_iq", NULL};
static const char *const logearn_columns[] = {"earn", "height", "male", NULL};
static const char *const nes_columns[] = {"partyid7", "real_ideo", "race_adj", "age_discrete",
                                          "educ1",    "gender",    "income",   NULL};
static const char *const blr_columns[] = {"y", "x1", "x2", "x3", "x4", "x5", NULL};
static const char *const ar_columns[] = {"y", NULL};

static const plan designs[] = {
    {&posterior_kidscore_momiq, 2, 0, CAUCHY, 0, fill_kidscore},
    {&posterior_logearn_interaction, 4, 0, FLAT, 0, fill_logearn},
    {&posterior_nes, 9, 0, FLAT, 0, fill_nes},
    {&posterior_blr, 5, 0, NORMAL, 10, fill_blr},
    {&posterior_arK, 6, 5, CAUCHY, 10, fill_ar},
};

/* ---- making one */

static const plan *design_of(const target_density *self)
{
    const plan *d = designs;
    while (&d->model->ops != self->ops)
        d++;
    return d;
}

static int regression_begin(target_density *base, const void *options, const json_t *object,
                            flow_err *err)
{
    const posterior_options *o = options;
    regression *self = (regression *)base;
    (void)object;
    self->design = design_of(base);
    self->terms = self->design->terms;
    file_table *table = posterior_table(self->design->model, o, err);
    int code = table ? reduce(self, table, o->data, err) : err->code;
    file_table_free(table);
    if (!code)
        code = find_line(self, err);
    base->base.dim = self->terms + 1;
    base->normals = base->room = self->terms;
    target_density_log_z(&base->base, o->log_z, o->log_z_se, self->line.log_total);
    return code;
}

#define REGRESSION(COLUMNS, NAME, DOC)                                                             \
    {                                                                                              \
        .kind = {.name = #NAME, .doc = DOC}, .columns = COLUMNS##_columns, .ops = {                \
            .kind = &target_posterior,                                                             \
            .size = sizeof(regression),                                                            \
            .begin = regression_begin,                                                             \
            .log_p = regression_log_p,                                                             \
            .draw = regression_draw                                                                \
        }                                                                                          \
    }

const posterior_model posterior_kidscore_momiq =
    REGRESSION(kidscore, kidscore_momiq, "children's test scores by their mothers' IQ, D = 3");
const posterior_model posterior_logearn_interaction = REGRESSION(
    logearn, logearn_interaction, "log earnings by height, sex and their product, D = 5");
const posterior_model posterior_nes = REGRESSION(nes, nes, "party identity by nine terms, D = 10");
const posterior_model posterior_blr = REGRESSION(blr, blr, "five correlated columns, D = 6");
const posterior_model posterior_arK =
    REGRESSION(ar, arK, "a time series by its five values before, D = 7");
