#include "teacher/target.h"

#include "teacher/turn.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void target_free(target *self)
{
    if (self)
        self->ops->free(self);
}

const char *target_column(const target *self, char text[TARGET_COLUMN_TEXT], size_t at)
{
    if (self->ops->column)
        return self->ops->column(self, text, at);
    snprintf(text, TARGET_COLUMN_TEXT, "x%zu", at);
    return text;
}

const quantities *target_quantities(const target *self)
{
    return self->ops->quantities ? self->ops->quantities(self) : NULL;
}

size_t target_modes_count(const target_modes *self)
{
    size_t sum = 0;
    for (size_t p = 0; p < self->partitions; p++)
        sum += self->partition[p].n;
    return sum;
}

/* ---- what a row's numbers mean */

static target_status judge(double logp, const double *grad, size_t dim)
{
    if (logp == -INFINITY)
        return TARGET_NO_DENSITY;
    int finite = isfinite(logp);
    for (size_t i = 0; grad && i < dim; i++)
        finite &= isfinite(grad[i]) != 0;
    return finite ? TARGET_FINITE : TARGET_BROKEN;
}

static void settle(const target *self, double *logp, double *grad, target_status *status, size_t n)
{
    size_t dim = self->dim;
    for (size_t r = 0; r < n; r++) {
        double *row = grad ? grad + r * dim : NULL;
        if (status[r] == TARGET_FINITE)
            status[r] = judge(logp[r], row, dim);
        if (status[r] == TARGET_NO_DENSITY)
            logp[r] = -INFINITY;
        if (status[r] != TARGET_FINITE && row)
            memset(row, 0, dim * sizeof *row);
    }
}

/* ---- a shard */

/* Around a call of an operation: alone, if need be. */
static void enter(const target *self)
{
    turn_take(self->flags & TARGET_THREADS);
}

static void leave(const target *self)
{
    turn_give(self->flags & TARGET_THREADS);
}

/* The failure of an operation that returned code and may have left an error, or none. */
static int failed(const target *self, int code, const flow_err *left, flow_err *err)
{
    if (left->code)
        return flow_fail(err, (flow_code)left->code, "%s", left->text);
    return flow_fail(err, code < 0 ? (flow_code)code : FLOW_EDATA,
                     "the target '%s' failed and did not say why (it returned %d)", self->ops->name,
                     code);
}

int target_shard_log_density(const target *self, double *logp, double *grad, target_status *status,
                             const double *x, const double *context, size_t n, void *work,
                             flow_err *err)
{
    assert(!grad || (self->flags & TARGET_GRADIENT));
    flow_err left = FLOW_ERR_INIT;
    if (n == 0)
        return 0;
    for (size_t r = 0; r < n; r++)
        status[r] = TARGET_FINITE;
    enter(self);
    int code = self->ops->log_density(self, logp, grad, status, x, context, n, work, &left);
    leave(self);
    if (code)
        return failed(self, code, &left, err);
    settle(self, logp, grad, status, n);
    return 0;
}

int target_shard_sample(const target *self, double *x, double *logp, target_status *status,
                        const double *context, const target_rows *rows, size_t n, void *work,
                        flow_err *err)
{
    assert(self->ops->sample);
    flow_err left = FLOW_ERR_INIT;
    if (rows->widen > 0 && !(self->flags & TARGET_WIDENS))
        return flow_fail(err, FLOW_ECONFIG, "the target '%s' cannot widen its samples",
                         self->ops->name);
    if (n == 0)
        return 0;
    for (size_t r = 0; r < n; r++)
        status[r] = TARGET_FINITE;
    enter(self);
    int code = self->ops->sample(self, x, logp, status, context, rows, n, work, &left);
    leave(self);
    if (code)
        return failed(self, code, &left, err);
    settle(self, logp, NULL, status, n);
    return 0;
}

/* Evenly spread over the rows: the multiples of the golden ratio, modulo 1. */
int target_is_wide(const target_rows *rows, uint64_t row)
{
    return fmod((double)row * 0.6180339887498949, 1) < rows->widen;
}
