#include "student/normal_fit.h"

#include "flow/block.h"
#include "flow/circle.h"
#include "flow/sort.h"
#include "student/arrive.h"
#include "student/ascent.h"
#include "student/covariance.h"
#include "student/normal_slopes.h"
#include "student/psis.h"
#include "student/weigh.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const double GOOD = 0.5, /* ESS, a share: the next normal is the last */
    ENOUGH = 0.1;               /* that a mean is taken of */
enum { ARRIVE = 60 };           /* steps at most */

typedef struct fitting {
    normal_fit *out;
    const target *target;
    flow_pool *pool;
    pcg_stream stream;
    uint64_t drawn;
    double *mean, *lower;      /* (D), (D, D): the normal */
    double *work;              /* of normal_from_slopes */
    double *z, *weight, *room; /* (n, D), (n), (n); room: log weights, then log p~ on its way */
    double *slopes;            /* (NORMAL_FIT_SLOPES, D) */
    target_status *status;     /* (n) */
    double *memory;
} fitting;

static int take(fitting *f, flow_err *err)
{
    size_t n = NORMAL_FIT_ROWS, few = NORMAL_FIT_SLOPES, dim = f->target->dim;
    size_t work = normal_slopes_work(dim);
    double *all = malloc((n * (dim + 2) + few * dim + dim * (dim + 1) + work) * sizeof *all);
    f->memory = all;
    f->status = malloc(n * sizeof *f->status);
    f->out->x = malloc(n * dim * sizeof *f->out->x);
    f->out->log_p = malloc(n * sizeof *f->out->log_p);
    if (!all || !f->status || !f->out->x || !f->out->log_p)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows of a normal", n);
    f->z = flow_cut(&all, n * dim);
    f->weight = flow_cut(&all, n);
    f->room = flow_cut(&all, n);
    f->slopes = flow_cut(&all, few * dim);
    f->mean = flow_cut(&all, dim);
    f->lower = flow_cut(&all, dim * dim);
    f->work = flow_cut(&all, work);
    return 0;
}

/* ---- the normal */

/* 0, or -1 for rows that lie in a plane. */
static int set_normal(fitting *f, const double *rows, size_t n)
{
    covariance_mean(f->mean, rows, n, f->target->dim);
    covariance_of(f->lower, f->mean, rows, n, f->target->dim, 1);
    return covariance_factor(f->lower, f->target->dim);
}

/* By the slopes of those of n rows out->x whose log p~ is at least so much. 0, or -1. */
static int by_slopes_above(fitting *f, double least, size_t n)
{
    const normal_fit *out = f->out;
    size_t dim = out->dim, kept = 0;
    double *x = f->z, *slopes = f->z + NORMAL_FIT_SLOPES * dim;
    for (size_t r = 0; r < n; r++) {
        if (f->status[r] != TARGET_FINITE || out->log_p[r] < least)
            continue;
        memcpy(x + kept * dim, out->x + r * dim, dim * sizeof *x);
        memcpy(slopes + kept++ * dim, f->slopes + r * dim, dim * sizeof *slopes);
    }
    return kept > 2 * dim ? normal_from_slopes(f->mean, f->lower, x, slopes, kept, dim, f->work)
                          : -1;
}

/* Further out a density is less of a normal: the better half of the rows is asked, or half of that. 0, or -1. */
static int set_by_slopes(fitting *f, size_t n)
{
    int code = -1;
    memcpy(f->weight, f->out->log_p, n * sizeof *f->weight);
    flow_sort_numbers(f->weight, n);
    for (size_t from = n / 2; from < n && code; from += (n - from + 1) / 2)
        code = by_slopes_above(f, f->weight[from], n);
    return code;
}

static double log_normal(const fitting *f, const double *x)
{
    size_t dim = f->target->dim;
    double out = -0.5 * covariance_square(f->lower, f->mean, x, dim, f->work);
    for (size_t i = 0; i < dim; i++)
        out -= log(f->lower[i * dim + i]) + 0.5 * FLOW_LOG_2PI;
    return out;
}

/* n rows of it, to out->x. */
static void draw(fitting *f, size_t n)
{
    size_t dim = f->target->dim;
    pcg_normals(f->z, f->stream, f->drawn, n, dim);
    f->drawn += n;
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < dim; i++) {
            double sum = f->mean[i];
            for (size_t j = 0; j <= i; j++)
                sum += f->lower[i * dim + j] * f->z[r * dim + j];
            f->out->x[r * dim + i] = sum;
        }
}

/* ---- weights */

/* log p~ of n rows out->x, and slopes. Where there is no density, or the target broke, -inf. */
static int ask(fitting *f, double *slopes, size_t n, flow_err *err)
{
    normal_fit *out = f->out;
    int code =
        target_log_density(f->target, f->pool, out->log_p, slopes, f->status, out->x, NULL, n, err);
    out->evaluations += n;
    for (size_t r = 0; r < n && !code; r++)
        if (f->status[r] != TARGET_FINITE)
            out->log_p[r] = -INFINITY;
    return code;
}

/* Half the variance of log weights, over the rows that have one. */
static double half_variance(const double *log_w, size_t n)
{
    double mean = 0, square = 0, kept = 0;
    for (size_t r = 0; r < n; r++) { /* Welford 1962 */
        double off = log_w[r] - mean;
        if (!isfinite(log_w[r]))
            continue;
        mean += off / ++kept;
        square += off * (log_w[r] - mean);
    }
    return kept > 1 ? 0.5 * square / (kept - 1) : INFINITY;
}

/* Weights out of log weights to the power `power`; their ESS, a share, and the log of their mean. */
static double raise(fitting *f, double *log_mean, double power, size_t n)
{
    double top = -INFINITY, sum = 0, squares = 0;
    for (size_t r = 0; r < n; r++)
        top = fmax(top, power * f->room[r]);
    for (size_t r = 0; r < n; r++) {
        double w = f->weight[r] = top > -INFINITY ? exp(power * f->room[r] - top) : 0;
        sum += w;
        squares += w * w;
    }
    *log_mean = top + log(sum / (double)n);
    return sum > 0 ? sum * sum / squares / (double)n : 0;
}

/* To the largest power at which a share ENOUGH is effective. */
static void temper(fitting *f, size_t n)
{
    double log_mean;
    raise(f, &log_mean, weigh_temper(f->room, ENOUGH, n), n);
}

/* Rows by weight: row r is the one in which the sum of the weights passes (r + 1/2) / n of all. */
static void resample(fitting *f, size_t n)
{
    normal_fit *out = f->out;
    size_t dim = out->dim, k = 0;
    double total = 0, sum = 0;
    for (size_t r = 0; r < n; r++)
        total += f->weight[r];
    for (size_t r = 0; r < n; r++) {
        double to = ((double)r + 0.5) / (double)n * total;
        weigh_pass(&k, &sum, f->weight, n, to);
        memcpy(f->z + r * dim, out->x + k * dim, dim * sizeof *f->z);
        f->room[r] = out->log_p[k];
    }
    memcpy(out->x, f->z, n * dim * sizeof *out->x);
    memcpy(out->log_p, f->room, n * sizeof *out->log_p);
}

/* ---- */

/* The least log p~ of the last normal's rows. */
static double least_of(const fitting *f)
{
    double out = INFINITY;
    for (size_t r = 0; r < NORMAL_FIT_ROWS; r++)
        out = fmin(out, isfinite(f->out->log_p[r]) ? f->out->log_p[r] : out);
    return out;
}

/* Of the rows that were given, wherever they arrive: what the last normal has too little for. One that does not arrive is missed. */
static int find_worst(fitting *f, double *rows, double *log_p, size_t n, flow_err *err)
{
    normal_fit *out = f->out;
    double least = least_of(f);
    int code = rows_arrive(rows, log_p, &out->evaluations, f->target, f->pool, f->lower, least, n,
                           ARRIVE, err);
    out->worst = -INFINITY;
    for (size_t r = 0; r < n && !code; r++)
        out->worst =
            log_p[r] < least
                ? INFINITY
                : fmax(out->worst, log_p[r] - log_normal(f, rows + r * out->dim) - out->log_z);
    return code;
}

/* One round of n rows, up to their weights; slopes: NULL if none are wanted. */
static int round_of(fitting *f, double *slopes, size_t n, flow_err *err)
{
    normal_fit *out = f->out;
    draw(f, n);
    int code = ask(f, slopes, n, err);
    for (size_t r = 0; r < n && !code; r++)
        f->room[r] = out->log_p[r] - log_normal(f, out->x + r * out->dim);
    if (code)
        return code;
    out->distance = half_variance(f->room, n);
    out->ess = raise(f, &out->log_z, 1, n);
    return 0;
}

/* The next normal, out of n weighed rows. 0, or -1. */
static int set_by_weights(fitting *f, size_t n)
{
    temper(f, n);
    resample(f, n);
    return set_normal(f, f->out->x, n);
}

/* ---- the way to a normal that is near */

static double median_of(fitting *f, size_t n)
{
    memcpy(f->weight, f->out->log_p, n * sizeof *f->weight);
    flow_sort_numbers(f->weight, n);
    return f->weight[n / 2];
}

/* n rows of the normal that the slopes of n rows tell. *better: there is one, and they are better than those. */
static int leap(fitting *f, bool *better, size_t n, flow_err *err)
{
    double before = median_of(f, n);
    *better = set_by_slopes(f, n) == 0;
    int code = *better ? round_of(f, f->slopes, n, err) : 0;
    *better = *better && !code && (f->out->ess > GOOD || median_of(f, n) > before);
    return code;
}

/* h (D, D), both halves: the covariance of the rows. */
static void take_metric(fitting *f, const double *rows, size_t n)
{
    size_t dim = f->out->dim;
    double *h = f->lower;
    covariance_mean(f->mean, rows, n, dim);
    covariance_of(h, f->mean, rows, n, dim, 1);
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < i; j++)
            h[j * dim + i] = h[i * dim + j];
}

/* The normal at the top above the best row, by the curvature on the way there. 0 and known, or an error. */
static int climb(fitting *f, const double *rows, const double *log_p, size_t n, flow_err *err)
{
    normal_fit *out = f->out;
    size_t dim = out->dim, best = 0;
    for (size_t r = 1; r < n; r++)
        best = log_p[r] > log_p[best] ? r : best;
    take_metric(f, rows, n);
    memcpy(f->mean, rows + best * dim, dim * sizeof *f->mean);
    int code = ascent_run(f->mean, f->lower, &out->evaluations, f->target, f->pool, err);
    out->known = !code && covariance_factor(f->lower, dim) == 0;
    for (size_t i = 0; i < dim; i++)
        memset(f->lower + i * dim + i + 1, 0, (dim - i - 1) * sizeof *f->lower);
    return code;
}

/* From rows that are anywhere near, by their slopes as long as that leads on; where it does not, once by an ascent. known: the
 * weights are good at last. */
static int approach(fitting *f, const double *rows, const double *log_p, size_t n, flow_err *err)
{
    normal_fit *out = f->out;
    bool better = true, climbed = false;
    size_t few = n < NORMAL_FIT_SLOPES ? n : NORMAL_FIT_SLOPES;
    memcpy(out->x, rows, few * out->dim * sizeof *rows);
    int code = ask(f, f->slopes, few, err);
    for (int k = 0; k < NORMAL_FIT_ROUNDS && better && !code; k++) {
        code = leap(f, &better, few, err);
        if (!code && !better && !climbed) {
            climbed = true;
            code = climb(f, rows, log_p, n, err);
            better = !code && out->known;
            code = better ? round_of(f, f->slopes, few, err) : code;
        }
        out->known = !code && better && out->ess > GOOD;
        if (out->known)
            return 0;
    }
    return code;
}

/* A normal of the target's own mean and covariance, and rows by its weights. */
static int finish(fitting *f, double *rows, double *log_p, size_t n, flow_err *err)
{
    normal_fit *out = f->out;
    psis_fit tail;
    int code = round_of(f, NULL, NORMAL_FIT_FIRST, err);
    if (code || set_by_weights(f, NORMAL_FIT_FIRST))
        return code;
    code = round_of(f, NULL, NORMAL_FIT_ROWS, err);
    code = code ? code : psis_khat(&tail, f->room, NORMAL_FIT_ROWS, err);
    if (code)
        return code;
    out->known = 1;
    out->khat = tail.khat;
    code = find_worst(f, rows, log_p, n, err);
    resample(f, NORMAL_FIT_ROWS);
    return code;
}

int normal_fit_run(normal_fit *self, const target *t, flow_pool *pool, double *rows, double *log_p,
                   size_t n, uint64_t seed, flow_err *err)
{
    *self = (normal_fit){.n = NORMAL_FIT_ROWS, .dim = t->dim};
    fitting f = {.out = self,
                 .target = t,
                 .pool = pool,
                 .stream = {.seed = seed, .stage = STREAM_NORMAL_FIT, .purpose = PCG_BASE}};
    int code = take(&f, err);
    code = code ? code : approach(&f, rows, log_p, n, err);
    bool near = self->known;
    self->known = 0;
    if (near && !code)
        code = finish(&f, rows, log_p, n, err);
    free(f.memory);
    free(f.status);
    return code;
}

void normal_fit_close(normal_fit *self)
{
    free(self->x);
    free(self->log_p);
    *self = (normal_fit){.n = 0};
}
