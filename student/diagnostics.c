#include "student/diagnostics.h"

#include "student/acceptance.h"
#include "student/sum.h"

#include <math.h>

/* ---- moments of e^l and of l, in log space */

/* A set of log weights summed up: everything the figures need beside the rows themselves. */
typedef struct summary {
    const double *l;
    size_t n;
    double mean;    /* of l */
    double log_w;   /* log mean e^l */
    double log_w2;  /* log mean e^2l */
    double log_inv; /* log mean e^-l */
} summary;

/* log mean exp(scale l). -inf if every term is zero, +inf if one is infinite. */
static double log_mean_exp(const double *l, size_t n, double scale)
{
    double top = -INFINITY;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, scale * l[i]);
    if (!isfinite(top))
        return top;
    student_sum sum = {0, 0};
    for (size_t i = 0; i < n; i++)
        student_sum_add(&sum, exp(scale * l[i] - top));
    return top + log(student_sum_get(&sum) / (double)n);
}

static summary summarise(const double *l, size_t n)
{
    student_sum sum = {0, 0};
    for (size_t i = 0; i < n; i++)
        student_sum_add(&sum, l[i]);
    return (summary){.l = l,
                     .n = n,
                     .mean = n ? student_sum_get(&sum) / (double)n : NAN,
                     .log_w = n ? log_mean_exp(l, n, 1) : NAN,
                     .log_w2 = n ? log_mean_exp(l, n, 2) : NAN,
                     .log_inv = n ? log_mean_exp(l, n, -1) : NAN};
}

/* ---- standard errors: a figure is to first order the mean of its influence over the rows */

typedef double influence(double l, const summary *s);

static double of_mean(double l, const summary *s)
{
    return l - s->mean;
}

static double of_log_w(double l, const summary *s)
{
    return exp(l - s->log_w) - 1;
}

static double of_log_inv(double l, const summary *s)
{
    return exp(-l - s->log_inv) - 1;
}

static double of_log_w_less_mean(double l, const summary *s)
{
    return of_log_w(l, s) - of_mean(l, s);
}

/* log ess = 2 log mean w - log mean w^2 */
static double of_log_ess_reverse(double l, const summary *s)
{
    return 2 * exp(l - s->log_w) - exp(2 * l - s->log_w2) - 1;
}

/* log ess = - log mean w - log mean 1/w */
static double of_log_ess_forward(double l, const summary *s)
{
    return -of_log_w(l, s) - of_log_inv(l, s);
}

/* sqrt(sum influence^2 / (n (n - 1))); NaN for fewer than two rows or where a row has none. */
static double standard_error(const summary *s, influence *f)
{
    if (s->n < 2)
        return NAN;
    student_sum sum = {0, 0};
    for (size_t i = 0; i < s->n; i++) {
        double d = f(s->l[i], s);
        if (!isfinite(d))
            return NAN;
        student_sum_add(&sum, d * d);
    }
    return sqrt(student_sum_get(&sum) / ((double)s->n * (double)(s->n - 1)));
}

/* ---- figures */

static double log_ess_reverse(const summary *s)
{
    return s->log_w == -INFINITY ? -INFINITY : 2 * s->log_w - s->log_w2;
}

static double log_ess_forward(const summary *s)
{
    return s->log_w == INFINITY ? -INFINITY : -s->log_w - s->log_inv;
}

/* Rounding may put equal weights a little above 1. */
static double share(double log_ess)
{
    return isnan(log_ess) ? NAN : fmin(exp(log_ess), 1);
}

static student_estimate ess_of(const summary *s, double log_ess, influence *f)
{
    double ess = share(log_ess);
    return (student_estimate){ess, ess * standard_error(s, f)};
}

/* Whether averages of these weights have no error that could be told from the rows. */
static bool tail_hides(const psis_fit *fit, double ess)
{
    return fit->khat > fit->threshold && !(ess >= STUDENT_EVEN);
}

static void drop_error(student_estimate *e, bool drop)
{
    e->se = drop ? NAN : e->se;
}

static student_estimate difference(student_estimate a, student_estimate b)
{
    return (student_estimate){a.value - b.value, hypot(a.se, b.se)};
}

static student_check check_of(double log_value, double log_se)
{
    double value = exp(log_value), se = value * log_se;
    double z = (value - 1) / hypot(se, STUDENT_ROUNDING);
    return (student_check){value, se, z};
}

static student_curve curve_of(const double *l, size_t n, double (*log_ess)(const summary *))
{
    student_curve curve = {.len = 0};
    for (size_t divisor = 64; divisor >= 1 && n > 0; divisor /= 4) {
        const size_t rows = n / divisor;
        if (rows == 0)
            continue;
        const size_t blocks = n / rows;
        student_sum sum = {0, 0};
        for (size_t b = 0; b < blocks; b++) {
            summary s = summarise(l + b * rows, rows);
            student_sum_add(&sum, share(log_ess(&s)));
        }
        curve.rows[curve.len] = rows;
        curve.ess[curve.len++] = student_sum_get(&sum) / (double)blocks;
    }
    return curve;
}

static void reverse_figures(student_diagnostics *out, const student_log_weights *in)
{
    summary s = summarise(in->reverse, in->n_reverse);
    out->elbo = (student_estimate){s.mean, standard_error(&s, of_mean)};
    out->log_z = (student_estimate){s.log_w, standard_error(&s, of_log_w)};
    out->ess_reverse = ess_of(&s, log_ess_reverse(&s), of_log_ess_reverse);
    out->curve_reverse = curve_of(in->reverse, in->n_reverse, log_ess_reverse);
    drop_error(&out->log_z, tail_hides(&out->psis, out->ess_reverse.value));
    drop_error(&out->ess_reverse, out->psis.khat > STUDENT_KHAT_OF_ERRORS);
    if (isnan(in->log_z))
        out->kl_reverse =
            (student_estimate){s.mean == -INFINITY ? INFINITY : s.log_w - s.mean,
                               isnan(out->log_z.se) ? NAN : standard_error(&s, of_log_w_less_mean)};
    else
        out->kl_reverse = (student_estimate){in->log_z - s.mean, hypot(out->elbo.se, in->log_z_se)};
    out->mean_w = check_of(s.log_w - in->log_z, hypot(out->log_z.se, in->log_z_se));
}

const double student_uncovered_nats[STUDENT_UNCOVERED] = {3, 5, 10};

static void count_uncovered(student_diagnostics *out, const student_log_weights *in, double log_z)
{
    for (size_t i = 0; i < in->n_forward; i++)
        for (size_t k = 0; k < STUDENT_UNCOVERED; k++)
            out->uncovered[k] += in->forward[i] - log_z > student_uncovered_nats[k];
}

/* After reverse_figures, whose log_z stands in for an unknown Z. */
static void forward_figures(student_diagnostics *out, const student_log_weights *in)
{
    summary s = summarise(in->forward, in->n_forward);
    student_estimate log_z =
        isnan(in->log_z) ? out->log_z : (student_estimate){in->log_z, in->log_z_se};
    out->eubo = (student_estimate){s.mean, standard_error(&s, of_mean)};
    out->kl_forward = difference(out->eubo, log_z);
    out->ess_forward = ess_of(&s, log_ess_forward(&s), of_log_ess_forward);
    out->curve_forward = curve_of(in->forward, in->n_forward, log_ess_forward);
    drop_error(&out->ess_forward, out->psis_forward.khat > STUDENT_KHAT_OF_ERRORS);
    count_uncovered(out, in, log_z.value);
    out->mean_inverse_w =
        check_of(s.log_inv + in->log_z, hypot(standard_error(&s, of_log_inv), in->log_z_se));
}

/* Counts the rows equal to zero_density; fails on NaN and on the other infinity. */
static int check_rows(size_t *zeros, const double *l, size_t n, double zero_density,
                      const char *who, flow_err *err)
{
    *zeros = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(l[i]) || l[i] == -zero_density)
            return flow_fail(err, FLOW_EDIVERGED,
                             "log p - log q is %g at row %zu of the %s's samples", l[i], i, who);
        *zeros += l[i] == zero_density;
    }
    return FLOW_OK;
}

/* psis_khat takes no infinite weight: a row out of the student's reach is a tail that has no end. */
static int fit_forward(student_diagnostics *out, const student_log_weights *in, flow_err *err)
{
    if (out->zero_forward == 0)
        return psis_khat(&out->psis_forward, in->forward, in->n_forward, err);
    out->psis_forward = (psis_fit){.khat = INFINITY, .threshold = psis_threshold(in->n_forward)};
    return FLOW_OK;
}

int student_diagnose(student_diagnostics *out, const student_log_weights *in, flow_err *err)
{
    if ((!in->reverse && in->n_reverse) || (!in->forward && in->n_forward))
        return flow_fail(err, FLOW_EUSAGE, "rows of log-weights without log-weights");
    *out = (student_diagnostics){
        .log_z_se = in->log_z_se, .n_reverse = in->n_reverse, .n_forward = in->n_forward};
    int code =
        check_rows(&out->zero_reverse, in->reverse, in->n_reverse, -INFINITY, "student", err);
    if (!code)
        code = check_rows(&out->zero_forward, in->forward, in->n_forward, INFINITY, "teacher", err);
    if (!code)
        code = psis_khat(&out->psis, in->reverse, in->n_reverse, err);
    if (!code)
        code = fit_forward(out, in, err);
    if (!code)
        code = student_acceptance(&out->acceptance, in->reverse, in->n_reverse, err);
    if (!code)
        code = student_unweighting_of(&out->unweighting, in->reverse, in->n_reverse, err);
    if (code)
        return code;
    reverse_figures(out, in);
    forward_figures(out, in);
    out->jeffreys = difference(out->eubo, out->elbo);
    return FLOW_OK;
}

double student_best_log_z(double log_z, const student_diagnostics *weights)
{
    return isnan(log_z) ? weights->log_z.value : log_z;
}
