#include "student/arrive.h"

#include "flow/block.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Those that are on their way; `of`: their rows. */
typedef struct walkers {
    size_t dim, n;
    double enough;
    const double *lower;
    size_t *of;
    double *x, *slope, *step, *log_p; /* (n, D), (n, D), (n), (n) */
    double *to, *to_slope, *to_log_p; /* tried */
    double *room;                     /* (D) */
    target_status *status;
    double *memory;
} walkers;

static int take(walkers *w, size_t n, flow_err *err)
{
    size_t dim = w->dim;
    double *all = malloc((n * (4 * dim + 3) + dim) * sizeof *all);
    w->memory = all;
    w->of = malloc((n + 1) * sizeof *w->of);
    w->status = malloc((n + 1) * sizeof *w->status);
    if (!all || !w->of || !w->status)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows on their way", n);
    w->x = flow_cut(&all, n * dim);
    w->slope = flow_cut(&all, n * dim);
    w->to = flow_cut(&all, n * dim);
    w->to_slope = flow_cut(&all, n * dim);
    w->step = flow_cut(&all, n);
    w->log_p = flow_cut(&all, n);
    w->to_log_p = flow_cut(&all, n);
    w->room = flow_cut(&all, dim);
    return 0;
}

/* They start from nowhere: the first step goes to where they are. */
static void gather(walkers *w, const double *x, const double *log_p, size_t n)
{
    for (size_t r = 0; r < n; r++) {
        if (log_p[r] >= w->enough)
            continue;
        memcpy(w->x + w->n * w->dim, x + r * w->dim, w->dim * sizeof *x);
        memset(w->slope + w->n * w->dim, 0, w->dim * sizeof *w->slope);
        w->log_p[w->n] = -INFINITY;
        w->step[w->n] = 1;
        w->of[w->n++] = r;
    }
}

/* to = x + step L L^T slope of walker k. */
static void aim(walkers *w, size_t k)
{
    size_t dim = w->dim;
    const double *slope = w->slope + k * dim;
    for (size_t j = 0; j < dim; j++) {
        w->room[j] = 0;
        for (size_t i = j; i < dim; i++)
            w->room[j] += w->lower[i * dim + j] * slope[i];
    }
    for (size_t i = 0; i < dim; i++) {
        double sum = 0;
        for (size_t j = 0; j <= i; j++)
            sum += w->lower[i * dim + j] * w->room[j];
        w->to[k * dim + i] = w->x[k * dim + i] + w->step[k] * sum;
    }
}

static void settle(walkers *w, size_t k)
{
    size_t bytes = w->dim * sizeof *w->x;
    if (w->status[k] != TARGET_FINITE || !(w->to_log_p[k] >= w->log_p[k])) {
        w->step[k] /= 4;
        return;
    }
    memcpy(w->x + k * w->dim, w->to + k * w->dim, bytes);
    memcpy(w->slope + k * w->dim, w->to_slope + k * w->dim, bytes);
    w->log_p[k] = w->to_log_p[k];
    w->step[k] = fmin(1, 2 * w->step[k]);
}

/* Those that have come go back to their rows; the others close up. */
static void hand_back(walkers *w, double *x, double *log_p, int all)
{
    size_t left = 0, bytes = w->dim * sizeof *x;
    for (size_t k = 0; k < w->n; k++) {
        if (all || w->log_p[k] >= w->enough) {
            memcpy(x + w->of[k] * w->dim, w->x + k * w->dim, bytes);
            log_p[w->of[k]] = w->log_p[k];
            continue;
        }
        memmove(w->x + left * w->dim, w->x + k * w->dim, bytes);
        memmove(w->slope + left * w->dim, w->slope + k * w->dim, bytes);
        w->log_p[left] = w->log_p[k];
        w->step[left] = w->step[k];
        w->of[left++] = w->of[k];
    }
    w->n = all ? 0 : left;
}

static int step(walkers *w, const target *t, flow_pool *pool, flow_err *err)
{
    for (size_t k = 0; k < w->n; k++)
        aim(w, k);
    int code =
        target_log_density(t, pool, w->to_log_p, w->to_slope, w->status, w->to, NULL, w->n, err);
    for (size_t k = 0; k < w->n && !code; k++)
        settle(w, k);
    return code;
}

int rows_arrive(double *x, double *log_p, size_t *evaluations, const target *t, flow_pool *pool,
                const double *lower, double enough, size_t n, size_t steps, flow_err *err)
{
    walkers w = {.dim = t->dim, .enough = enough, .lower = lower};
    int code = take(&w, n, err);
    if (!code)
        gather(&w, x, log_p, n);
    for (size_t i = 0; i < steps && w.n && !code; i++) {
        *evaluations += w.n;
        code = step(&w, t, pool, err);
        if (!code)
            hand_back(&w, x, log_p, i + 1 == steps);
    }
    free(w.memory);
    free(w.of);
    free(w.status);
    return code;
}
