#include "teacher/probe.h"

#include "flow/clock.h"
#include "flow/sort.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What one way of asking gave. */
typedef struct answers {
    double *logp, *grad; /* (n), (n, D); grad NULL: none */
    target_status *status;
} answers;

typedef struct probing {
    const target *t;
    flow_pool *one, *three;
    const double *x;
    size_t n, dim;
    answers first, other;
} probing;

/* ---- asking */

static int open_answers(answers *a, const probing *p, flow_err *err)
{
    bool slopes = p->t->flags & TARGET_GRADIENT;
    a->logp = malloc(p->n * sizeof *a->logp);
    a->grad = slopes ? malloc(p->n * p->dim * sizeof *a->grad) : NULL;
    a->status = malloc(p->n * sizeof *a->status);
    if (a->logp && a->status && (a->grad || !slopes))
        return 0;
    return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows to ask for", p->n);
}

static void close_answers(answers *a)
{
    free(a->logp);
    free(a->grad);
    free(a->status);
}

static int ask(const answers *a, const probing *p, flow_pool *pool, flow_err *err)
{
    return target_log_density(p->t, pool, a->logp, a->grad, a->status, p->x, NULL, p->n, err);
}

static int ask_alone(const answers *a, const probing *p, flow_err *err)
{
    int code = 0;
    for (size_t r = 0; r < p->n && !code; r++)
        code = target_log_density(p->t, p->one, a->logp + r, a->grad ? a->grad + r * p->dim : NULL,
                                  a->status + r, p->x + r * p->dim, NULL, 1, err);
    return code;
}

/* ---- the same */

static double difference(double a, double b)
{
    return fabs(a - b) / fmax(1, fmax(fabs(a), fabs(b)));
}

static void compare(probe_same *out, const probing *p, bool slopes)
{
    const answers *a = &p->first, *b = &p->other;
    size_t width = p->dim * sizeof *a->grad;
    *out = (probe_same){.rows = 0};
    for (size_t r = 0; r < p->n; r++) {
        bool finite = a->status[r] == TARGET_FINITE, as = a->status[r] == b->status[r];
        bool slope = slopes && a->grad && finite &&
                     memcmp(a->grad + r * p->dim, b->grad + r * p->dim, width) != 0;
        double off = !as ? INFINITY : finite ? difference(a->logp[r], b->logp[r]) : 0;
        out->rows += slope || off > 0;
        if (off > out->worst) {
            out->worst = off;
            out->at = r;
        }
    }
}

static int compare_by(probe_same *out, const probing *p, flow_pool *pool, flow_err *err)
{
    int code = ask(&p->other, p, pool, err);
    if (!code)
        compare(out, p, true);
    return code;
}

static int compare_alone(probe_same *out, const probing *p, flow_err *err)
{
    int code = ask_alone(&p->other, p, err);
    if (!code)
        compare(out, p, true);
    return code;
}

/* Where a gradient breaks, the row without it may be finite: those are left out. */
static int compare_slopeless(probe_same *out, const probing *p, flow_err *err)
{
    answers slopeless = {.logp = p->other.logp, .status = p->other.status};
    int code = ask(&slopeless, p, p->one, err);
    for (size_t r = 0; r < p->n && !code; r++)
        if (p->first.status[r] == TARGET_BROKEN)
            slopeless.status[r] = TARGET_BROKEN;
    if (!code)
        compare(out, p, false);
    return code;
}

static int compare_all(probe *out, const probing *p, flow_err *err)
{
    int code = compare_by(&out->again, p, p->one, err);
    if (!code)
        code = compare_by(&out->threads, p, p->three, err);
    if (!code)
        code = compare_alone(&out->alone, p, err);
    return code || !p->first.grad ? code : compare_slopeless(&out->slopeless, p, err);
}

/* ---- rows */

static bool is_flat(const double *grad, size_t dim)
{
    bool flat = true;
    for (size_t i = 0; i < dim; i++)
        flat = flat && grad[i] == 0;
    return flat;
}

/* Of values (n), which are put in order: those that another one equals. */
static size_t count_equal(double *values, size_t n)
{
    size_t count = 0;
    flow_sort_numbers(values, n);
    for (size_t i = 0; i < n; i++)
        count += (i > 0 && values[i] == values[i - 1]) || (i + 1 < n && values[i] == values[i + 1]);
    return count;
}

static void count_rows(probe *out, const probing *p)
{
    const answers *a = &p->first;
    for (size_t r = 0; r < p->n; r++) {
        if (a->status[r] == TARGET_FINITE) {
            p->other.logp[out->finite++] = a->logp[r];
            out->flat += a->grad && is_flat(a->grad + r * p->dim, p->dim);
        } else if (a->status[r] == TARGET_NO_DENSITY) {
            out->no_density++;
        } else {
            broken_note(&out->broken, r, a->logp[r], p->x + r * p->dim, p->dim);
        }
    }
    out->equal = count_equal(p->other.logp, out->finite);
}

/* ---- the gradient */

/* A kink may lie within one step, a wrong derivative is wrong at all of them. The last ones are for those that look wrong:
 * a mixture far out may change within a ten thousandth. Rounding is no excuse there: it would hide what is wrong. */
static const double steps[] = {1e-3, 1e-4, 1e-5, 1e-6, 1e-7};
enum { STEPS = 3, MORE_STEPS = sizeof steps / sizeof *steps, EVALUATIONS = 20000 };

/* What rounding makes of a difference of the two. */
static double rounding_of(const double *logp)
{
    return 8 * DBL_EPSILON * (fabs(logp[0]) + fabs(logp[1]));
}

/* A slope against the one that was given, as a relative error beyond the noise. */
static double error_of(double numeric, double given, double noise, double least)
{
    double off = fmax(0, fabs(numeric - given) - noise);
    return off / fmax(least, fmax(fabs(numeric), fabs(given)));
}

/* Infinite: no step had a density on both sides. */
static size_t steps_after(double error)
{
    return error > PROBE_GRADIENT && isfinite(error) ? MORE_STEPS : STEPS;
}

/* around (2, D): the row twice. least: a slope below which nobody looks at shares. */
static int compare_one(probe_derivative *out, const probing *p, double *around, double least,
                       flow_err *err)
{
    size_t dim = p->dim;
    double given = out->given, middle = around[out->col], logp[2], numeric;
    target_status status[2];
    int code = 0;
    out->error = INFINITY;
    for (size_t k = 0; !code && k < steps_after(out->error); k++) {
        double h = steps[k] * fmax(1, fabs(middle));
        around[out->col] = middle - h;
        around[dim + out->col] = middle + h;
        double width = around[dim + out->col] - around[out->col];
        code = target_log_density(p->t, p->one, logp, NULL, status, around, NULL, 2, err);
        if (code || status[0] != TARGET_FINITE || status[1] != TARGET_FINITE)
            continue;
        numeric = (logp[1] - logp[0]) / width;
        double noise = k < STEPS ? rounding_of(logp) / width : 0;
        double error = error_of(numeric, given, noise, least);
        if (error < out->error) {
            out->error = error;
            out->numeric = numeric;
        }
    }
    around[out->col] = around[dim + out->col] = middle;
    return code;
}

static void note(probe *out, const probe_derivative *d)
{
    if (isinf(d->error))
        return; /* at an edge of the support */
    if (out->compared == 0 || d->error > out->worst.error)
        out->worst = *d;
    out->compared++;
    out->wrong += d->error > PROBE_GRADIENT;
}

static int compare_row(probe *out, const probing *p, size_t row, double *around, flow_err *err)
{
    const double *grad = p->first.grad + row * p->dim;
    double largest = 0;
    int code = 0;
    for (size_t i = 0; i < p->dim; i++)
        largest = fmax(largest, fabs(grad[i]));
    memcpy(around, p->x + row * p->dim, p->dim * sizeof *around);
    memcpy(around + p->dim, around, p->dim * sizeof *around);
    for (size_t i = 0; i < p->dim && !code; i++) {
        probe_derivative d = {.row = row, .col = i, .given = grad[i]};
        code = compare_one(&d, p, around, fmax(1e-6 * largest, 1e-9), err);
        if (!code)
            note(out, &d);
    }
    return code;
}

static int compare_gradients(probe *out, const probing *p, flow_err *err)
{
    size_t wanted = EVALUATIONS / (2 * STEPS * p->dim) + 1, every = out->finite / wanted + 1;
    double *around = malloc(2 * p->dim * sizeof *around);
    int code = around ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for two rows");
    for (size_t r = 0, seen = 0; r < p->n && !code; r++)
        if (p->first.status[r] == TARGET_FINITE && seen++ % every == 0)
            code = compare_row(out, p, r, around, err);
    free(around);
    return code;
}

/* ---- the whole */

static int begin(probing *p, probe *out, const target *t, const double *x, size_t n, flow_err *err)
{
    *p = (probing){.t = t, .x = x, .n = n, .dim = t->dim};
    *out = (probe){.rows = n};
    p->one = flow_pool_create(1, err);
    if (!p->one || open_answers(&p->first, p, err) || open_answers(&p->other, p, err))
        return err->code;
    return ask(&p->first, p, p->one, err);
}

static void end(probing *p)
{
    close_answers(&p->first);
    close_answers(&p->other);
    flow_pool_free(p->one);
    flow_pool_free(p->three);
}

int probe_count(probe *out, const target *t, const double *x, size_t n, flow_err *err)
{
    probing p;
    int code = begin(&p, out, t, x, n, err);
    if (!code)
        count_rows(out, &p);
    end(&p);
    return code;
}

int probe_target(probe *out, const target *t, const double *x, size_t n, flow_err *err)
{
    probing p;
    int code = begin(&p, out, t, x, n, err);
    if (!code && !(p.three = flow_pool_create(3, err)))
        code = err->code;
    if (!code)
        code = compare_all(out, &p, err);
    if (!code)
        count_rows(out, &p);
    if (!code && p.first.grad)
        code = compare_gradients(out, &p, err);
    end(&p);
    return code;
}

/* ---- time */

typedef struct timing {
    const target *t;
    void *work;
    const double *x;
    double *grad; /* (FLOW_SHARD, D) */
    size_t n, batch;
} timing;

/* Seconds a row: of the quickest of the passes over all rows that `seconds` are enough for. */
static int time_rows(double *out, const timing *of, bool slopes, double seconds, flow_err *err)
{
    double logp[FLOW_SHARD], begin = flow_seconds(), start = begin, now = begin;
    target_status status[FLOW_SHARD];
    int code = 0;
    for (*out = INFINITY; !code && now - begin < seconds; start = now) {
        for (size_t r = 0; r < of->n && !code; r += of->batch)
            code = target_shard_log_density(
                of->t, logp, slopes ? of->grad : NULL, status, of->x + r * of->t->dim, NULL,
                of->n - r < of->batch ? of->n - r : of->batch, of->work, err);
        now = flow_seconds();
        *out = fmin(*out, (now - start) / (double)of->n);
    }
    return code;
}

static int time_all(probe_speed *out, timing *of, double seconds, flow_err *err)
{
    bool slopes = of->t->flags & TARGET_GRADIENT;
    int code = time_rows(&out->density, of, false, seconds, err);
    if (!code && slopes)
        code = time_rows(&out->gradient, of, true, seconds, err);
    of->batch = 1;
    if (!code)
        code = time_rows(&out->alone_density, of, false, seconds, err);
    if (!code && slopes)
        code = time_rows(&out->alone_gradient, of, true, seconds, err);
    return code;
}

int probe_time(probe_speed *out, const target *t, const double *x, size_t n, double seconds,
               flow_err *err)
{
    timing of = {.t = t, .x = x, .n = n, .batch = FLOW_SHARD};
    *out = (probe_speed){.gradient = NAN, .alone_gradient = NAN};
    of.work = t->ops->work_create(t, FLOW_SHARD, err);
    of.grad = malloc(FLOW_SHARD * t->dim * sizeof *of.grad);
    int code = !of.work  ? err->code
               : of.grad ? time_all(out, &of, seconds, err)
                         : flow_fail(err, FLOW_ENOMEM, "out of memory for gradients");
    free(of.grad);
    if (of.work)
        t->ops->work_free(t, of.work);
    return code;
}
