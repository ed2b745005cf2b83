#include "teacher/target_columns.h"

#include "flow/suggest.h"
#include "teacher/target_density.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct narrow_target {
    target base;
    target_ops ops;    /* with the name of what it is, which messages say */
    target *of;        /* owned */
    data_kind kinds[]; /* (D) */
} narrow_target;

static const narrow_target *down(const target *self)
{
    return (const narrow_target *)self;
}

/* ---- the interface of a target */

static void *narrow_work_create(const target *self, size_t max_rows, flow_err *err)
{
    const target *of = down(self)->of;
    return of->ops->work_create(of, max_rows, err);
}

static void narrow_work_free(const target *self, void *work)
{
    const target *of = down(self)->of;
    of->ops->work_free(of, work);
}

/* A point at an end is one that was rounded to it. Whatever number a circle has, it is on it. */
static bool is_inside(const narrow_target *t, const double *x)
{
    bool inside = true;
    for (size_t j = 0; j < t->base.dim; j++) {
        const data_kind *kind = &t->kinds[j];
        inside = inside && (kind->period > 0 || !(x[j] < kind->lo || x[j] > kind->hi));
    }
    return inside;
}

/* How many rows from x (n, D) on are inside, or are not, as the first one. */
static size_t alike(const narrow_target *t, const double *x, size_t n, bool inside)
{
    size_t count = 1;
    while (count < n && is_inside(t, x + count * t->base.dim) == inside)
        count++;
    return count;
}

static void mark_outside(double *logp, target_status *status, size_t n)
{
    for (size_t r = 0; r < n; r++) {
        logp[r] = -INFINITY;
        status[r] = TARGET_NO_DENSITY;
    }
}

static int narrow_log_density(const target *self, double *logp, double *grad, target_status *status,
                              const double *x, const double *context, size_t n, void *work,
                              flow_err *err)
{
    const narrow_target *t = down(self);
    size_t dim = self->dim, c = self->context, count;
    int code = 0;
    for (size_t r = 0; r < n && !code; r += count) {
        bool inside = is_inside(t, x + r * dim);
        count = alike(t, x + r * dim, n - r, inside);
        if (inside)
            code = target_shard_log_density(t->of, logp + r, grad ? grad + r * dim : NULL,
                                            status + r, x + r * dim,
                                            context ? context + r * c : NULL, count, work, err);
        else
            mark_outside(logp + r, status + r, count);
    }
    return code;
}

static int narrow_sample(const target *self, double *x, double *logp, target_status *status,
                         const double *context, const target_rows *rows, size_t n, void *work,
                         flow_err *err)
{
    return target_shard_sample(down(self)->of, x, logp, status, context, rows, n, work, err);
}

static const char *narrow_column(const target *self, char *text, size_t at)
{
    return target_column(down(self)->of, text, at);
}

static void narrow_free(target *self)
{
    target_free(((narrow_target *)self)->of);
    free(self);
}

/* ---- what is said of a column, and what it says itself */

const char *target_column_fault(char why[DATA_KIND_WHY], const data_kind *said)
{
    if (said->step > 0)
        snprintf(why, DATA_KIND_WHY, "step is for values of a table; a density has none");
    else if (said->alpha > 0)
        snprintf(why, DATA_KIND_WHY,
                 "alpha is for values of a table that lie on an end; a density has none");
    else
        return data_kind_fault(why, said);
    return why;
}

static const char *wider(char why[DATA_KIND_WHY], double lo, double hi)
{
    snprintf(why, DATA_KIND_WHY, "the density says of itself that it is from %.9g to %.9g", lo, hi);
    return why;
}

/* One of which at least has a period. A circle of its own stays what it is, with the turn that it is asked in. */
static const char *narrow_circle(char why[DATA_KIND_WHY], data_kind *self, const data_kind *said)
{
    double from = isfinite(self->lo) ? self->lo : 0, hair = 1e-9 * self->period;
    if (data_kind_is_plain(self)) {
        *self = *said;
        return NULL;
    }
    if (!(self->period > 0))
        return wider(why, self->lo, self->hi);
    if (fabs(self->period - said->period) <= hair &&
        (isinf(said->lo) || fabs(said->lo - from) <= hair))
        return NULL;
    snprintf(why, DATA_KIND_WHY,
             "the density says of itself that it has a period of %.9g, from %.9g", self->period,
             from);
    return why;
}

/* Makes self what both say; an infinite end says nothing. NULL, or why not. */
static const char *narrow(char why[DATA_KIND_WHY], data_kind *self, const data_kind *said)
{
    if (data_kind_is_plain(said))
        return NULL;
    if (self->period > 0 || said->period > 0)
        return narrow_circle(why, self, said);
    double lo = isfinite(said->lo) ? said->lo : self->lo,
           hi = isfinite(said->hi) ? said->hi : self->hi;
    if (lo < self->lo || hi > self->hi || !(lo < hi))
        return wider(why, self->lo, self->hi);
    self->lo = lo;
    self->hi = hi;
    self->link = said->link;
    return data_kind_fault(why, self);
}

/* ---- columns by name */

static int no_column(const target *of, const char *name, flow_err *err)
{
    char text[TARGET_COLUMN_TEXT];
    const char *names[16];
    char room[16][64];
    size_t n = 0;
    for (; n < of->dim && n < 16; n++) {
        snprintf(room[n], sizeof room[n], "%s", target_column(of, text, n));
        names[n] = room[n];
    }
    const char *near = flow_suggest(name, names, n);
    return flow_fail(err, FLOW_ECONFIG, "columns: no column is called '%.60s'; %s '%s'%s", name,
                     near ? "did you mean" : "the first is", near ? near : names[0],
                     near ? "?" : "");
}

static size_t find_column(const target *of, const char *name)
{
    char text[TARGET_COLUMN_TEXT];
    size_t j = 0;
    while (j < of->dim && strcmp(target_column(of, text, j), name) != 0)
        j++;
    return j;
}

static int take_column(narrow_target *self, const char *name, const json_t *json, flow_err *err)
{
    char why[DATA_KIND_WHY];
    data_kind said;
    size_t j = find_column(self->of, name);
    if (j == self->of->dim)
        return no_column(self->of, name, err);
    int code = data_kind_from_json(&said, json, err);
    if (!code && (target_column_fault(why, &said) || narrow(why, &self->kinds[j], &said)))
        code = flow_fail(err, FLOW_ECONFIG, "%s", why);
    if (!code)
        return 0;
    flow_fail_prefix(err, name);
    return flow_fail_prefix(err, "columns");
}

static int take_columns(narrow_target *self, const json_t *columns, flow_err *err)
{
    json_t *all = (json_t *)(uintptr_t)columns;
    int code = json_is_object(columns)
                   ? 0
                   : flow_fail(err, FLOW_ECONFIG, "columns wants {NAME: {support: ...}, ...}");
    for (void *at = json_object_iter(all); at && !code; at = json_object_iter_next(all, at))
        code = take_column(self, json_object_iter_key(at), json_object_iter_value(at), err);
    return code;
}

/* ---- the whole */

static data_kind kind_of(const target *of, size_t j)
{
    return of->kinds ? of->kinds[j] : data_kind_plain;
}

static bool is_narrower(const narrow_target *self)
{
    bool narrower = false;
    for (size_t j = 0; j < self->of->dim; j++) {
        data_kind was = kind_of(self->of, j);
        const data_kind *is = &self->kinds[j];
        narrower |= is->lo > was.lo || is->hi < was.hi || is->period > was.period;
    }
    return narrower;
}

/* Whether a half line is mapped otherwise. */
static bool is_mapped(const narrow_target *self)
{
    bool mapped = false;
    for (size_t j = 0; j < self->of->dim; j++)
        mapped |= self->kinds[j].link != kind_of(self->of, j).link;
    return mapped;
}

static const quantities *narrow_quantities(const target *self)
{
    return target_quantities(down(self)->of);
}

/* What of it is no more what it was. */
static void forget(narrow_target *self, bool log_z_stays)
{
    target *base = &self->base;
    self->ops.sample = NULL;
    base->flags &= ~(unsigned)TARGET_WIDENS;
    base->draws = 0;
    base->modes = NULL;
    if (log_z_stays)
        return;
    base->log_z = NAN;
    base->log_z_se = 0;
}

static void finish(narrow_target *self)
{
    target *base = &self->base;
    *base = *self->of;
    self->ops = (target_ops){.name = self->of->ops->name,
                             .free = narrow_free,
                             .work_create = narrow_work_create,
                             .work_free = narrow_work_free,
                             .log_density = narrow_log_density,
                             .sample = self->of->ops->sample ? narrow_sample : NULL,
                             .column = narrow_column,
                             .quantities = narrow_quantities};
    base->ops = &self->ops;
    base->flags |= TARGET_THREADS; /* `of` is locked, where it must be, by its own calls */
    base->kinds = self->kinds;
}

target *target_with_columns(target *of, const json_t *columns, bool log_z_stays, flow_err *err)
{
    narrow_target *self = calloc(1, sizeof *self + of->dim * sizeof self->kinds[0]);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu columns", of->dim);
        target_free(of);
        return NULL;
    }
    self->of = of;
    for (size_t j = 0; j < of->dim; j++)
        self->kinds[j] = kind_of(of, j);
    int code = take_columns(self, columns, err);
    bool narrower = !code && is_narrower(self);
    if (!code && (narrower || is_mapped(self))) {
        finish(self);
        if (narrower)
            forget(self, log_z_stays);
        return &self->base;
    }
    if (code)
        target_free(of);
    free(self);
    return code ? NULL : of;
}
