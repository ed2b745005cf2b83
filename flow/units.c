#include "flow/units.h"

#include <math.h>
#include <stdlib.h>

flow_units *flow_units_create(size_t dim, flow_err *err)
{
    size_t bytes;
    flow_units *self = NULL;
    if (!__builtin_mul_overflow(dim, sizeof(flow_unit), &bytes) &&
        !__builtin_add_overflow(bytes, sizeof *self, &bytes))
        self = calloc(1, bytes);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "no memory for the units of %zu columns", dim);
        return NULL;
    }
    self->dim = dim;
    for (size_t col = 0; col < dim; col++)
        self->column[col].scale = 1;
    return self;
}

void flow_units_free(flow_units *self)
{
    free(self);
}

/* ---- the map of one number. What of log|derivative| depends on it is added to *logdet; the rest
 * is the same for all rows: constant_logdet. */

static double to_unit_interval(const flow_unit *unit, double x)
{
    return unit->alpha + (1 - 2 * unit->alpha) * ((x - unit->lo) / (unit->hi - unit->lo));
}

/* dt/dp = 1 / (p (1 - p)). NaN for p outside (0, 1). */
static double to_flow(const flow_unit *unit, double x, double *logdet)
{
    double t = x;
    if (unit->logit) {
        double p = to_unit_interval(unit, x);
        bool inside = p > 0 && p < 1;
        double log_p = inside ? log(p) : (double)NAN, log_rest = log1p(-p);
        t = log_p - log_rest;
        *logdet -= log_p + log_rest;
    }
    return (t - unit->shift) / unit->scale;
}

/* p = 1 / (1 + exp(-t)), dp/dt = p (1 - p); with e = exp(-|t|) neither overflows. */
static double to_user(const flow_unit *unit, double u, double *logdet)
{
    double t = unit->shift + unit->scale * u;
    if (!unit->logit)
        return t;
    double e = exp(-fabs(t));
    double p = (t >= 0 ? 1 : e) / (1 + e);
    *logdet -= fabs(t) + 2 * log1p(e);
    return unit->lo + (unit->hi - unit->lo) * ((p - unit->alpha) / (1 - 2 * unit->alpha));
}

/* Sum over columns of log(dp/dx) and log(du/dt). */
static double constant_logdet(const flow_units *self)
{
    double sum = 0;
    for (size_t col = 0; col < self->dim; col++) {
        const flow_unit *unit = &self->column[col];
        sum -= log(unit->scale);
        if (unit->logit)
            sum += log1p(-2 * unit->alpha) - log(unit->hi - unit->lo);
    }
    return sum;
}

/* ---- batches */

void flow_units_to_flow(const flow_units *self, double *u, double *logdet, const double *x,
                        size_t n)
{
    double constant = constant_logdet(self);
    for (size_t row = 0; row < n; row++) {
        double sum = constant;
        for (size_t col = 0, at = row * self->dim; col < self->dim; col++, at++)
            u[at] = to_flow(&self->column[col], x[at], &sum);
        if (logdet)
            logdet[row] += sum;
    }
}

void flow_units_to_user(const flow_units *self, double *x, double *logdet, const double *u,
                        size_t n)
{
    double constant = -constant_logdet(self);
    for (size_t row = 0; row < n; row++) {
        double sum = constant;
        for (size_t col = 0, at = row * self->dim; col < self->dim; col++, at++)
            x[at] = to_user(&self->column[col], u[at], &sum);
        if (logdet)
            logdet[row] += sum;
    }
}

size_t flow_units_first_outside(const flow_units *self, const double *x)
{
    for (size_t col = 0; col < self->dim; col++) {
        double p = self->column[col].logit ? to_unit_interval(&self->column[col], x[col]) : 0.5;
        if (!(p > 0 && p < 1))
            return col;
    }
    return self->dim;
}

/* ---- JSON */

static json_t *unit_to_json(const flow_unit *unit)
{
    json_t *out = json_pack("{s:f, s:f}", "shift", unit->shift, "scale", unit->scale);
    if (out && unit->logit &&
        json_object_set_new(out, "logit",
                            json_pack("{s:f, s:f, s:f}", "lo", unit->lo, "hi", unit->hi, "alpha",
                                      unit->alpha)) != 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

json_t *flow_units_to_json(const flow_units *self)
{
    json_t *columns = json_array();
    for (size_t col = 0; col < self->dim; col++)
        if (json_array_append_new(columns, unit_to_json(&self->column[col])) != 0) {
            json_decref(columns);
            return NULL;
        }
    json_t *out = json_object();
    if (json_object_set_new(out, "columns", columns) != 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

/* json's keys are exactly keys (n), and their values are numbers: into out (n). */
static bool get_numbers(const json_t *json, const char *const *keys, double *const *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_object_get(json, keys[i]);
        if (!json_is_number(value))
            return false;
        *out[i] = json_number_value(value);
    }
    return json_object_size(json) == n;
}

static int logit_from_json(flow_unit *unit, const json_t *json, size_t col, flow_err *err)
{
    static const char *const keys[] = {"lo", "hi", "alpha"};
    double *const out[] = {&unit->lo, &unit->hi, &unit->alpha};
    unit->logit = true;
    if (!get_numbers(json, keys, out, 3))
        return flow_fail(err, FLOW_EDATA,
                         "units: column %zu: 'logit' wants the numbers lo, hi and alpha", col);
    if (!(unit->lo < unit->hi) || !isfinite(unit->hi - unit->lo))
        return flow_fail(err, FLOW_EDATA, "units: column %zu: logit.lo %g is not below logit.hi %g",
                         col, unit->lo, unit->hi);
    if (!(unit->alpha >= 0 && unit->alpha < 0.5))
        return flow_fail(err, FLOW_EDATA, "units: column %zu: logit.alpha %g is not in [0, 0.5)",
                         col, unit->alpha);
    return FLOW_OK;
}

static int unit_from_json(flow_unit *unit, const json_t *json, size_t col, flow_err *err)
{
    const json_t *shift = json_object_get(json, "shift"), *scale = json_object_get(json, "scale");
    const json_t *logit = json_object_get(json, "logit");
    if (!json_is_number(shift) || !json_is_number(scale) || json_object_size(json) != 2u + !!logit)
        return flow_fail(err, FLOW_EDATA,
                         "units: column %zu wants the numbers shift and scale, perhaps logit", col);
    unit->shift = json_number_value(shift);
    unit->scale = json_number_value(scale);
    if (!(unit->scale > 0))
        return flow_fail(err, FLOW_EDATA, "units: column %zu: scale %g is not positive", col,
                         unit->scale);
    return logit ? logit_from_json(unit, logit, col, err) : FLOW_OK;
}

flow_units *flow_units_from_json(const json_t *json, flow_err *err)
{
    const json_t *columns = json_object_get(json, "columns");
    if (!json_is_array(columns) || json_object_size(json) != 1) {
        flow_fail(err, FLOW_EDATA, "units: wanted an object with one key, the list 'columns'");
        return NULL;
    }
    flow_units *self = flow_units_create(json_array_size(columns), err);
    for (size_t col = 0; self && col < self->dim; col++)
        if (unit_from_json(&self->column[col], json_array_get(columns, col), col, err)) {
            flow_units_free(self);
            return NULL;
        }
    return self;
}
