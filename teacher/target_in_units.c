#include "teacher/target_in_units.h"

#include "flow/circle.h"
#include "flow/units_gradient.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct units_target {
    target base;
    target_ops ops; /* with the name of what it is, which messages say */
    target_modes modes;
    const target *of;
    const flow_units *units;
    flow_units *own;         /* what the units are, if they are its own; NULL: they are borrowed */
    unsigned char circles[]; /* (D) */
} units_target;

typedef struct units_work {
    void *of;
    double *x; /* (max_rows, D) */
} units_work;

static const units_target *down(const target *self)
{
    return (const units_target *)self;
}

static void units_work_free(const target *self, void *work)
{
    units_work *w = work;
    const target *of = down(self)->of;
    if (w && w->of)
        of->ops->work_free(of, w->of);
    free(w);
}

static void *units_work_create(const target *self, size_t max_rows, flow_err *err)
{
    const target *of = down(self)->of;
    units_work *w = calloc(1, sizeof *w + max_rows * self->dim * sizeof(double));
    if (!w) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a shard of the target");
        return NULL;
    }
    w->x = (double *)(w + 1);
    w->of = of->ops->work_create(of, max_rows, err);
    if (w->of)
        return w;
    free(w);
    return NULL;
}

static int units_log_density(const target *self, double *logp, double *grad, target_status *status,
                             const double *u, const double *context, size_t n, void *work,
                             flow_err *err)
{
    const units_target *t = down(self);
    units_work *w = work;
    double logdet[FLOW_SHARD] = {0};
    flow_units_to_user(t->units, w->x, logdet, u, n);
    int code = target_shard_log_density(t->of, logp, grad, status, w->x, context, n, w->of, err);
    for (size_t r = 0; r < n && !code; r++)
        logp[r] += status[r] == TARGET_FINITE ? logdet[r] : 0;
    if (grad && !code)
        flow_units_pull(t->units, grad, u, n);
    return code;
}

static int units_sample(const target *self, double *u, double *logp, target_status *status,
                        const double *context, const target_rows *rows, size_t n, void *work,
                        flow_err *err)
{
    const units_target *t = down(self);
    units_work *w = work;
    double logdet[FLOW_SHARD] = {0};
    int code = target_shard_sample(t->of, u, logp, status, context, rows, n, w->of, err);
    if (code)
        return code;
    flow_units_to_flow(t->units, u, logdet, u, n);
    for (size_t r = 0; r < n; r++)
        logp[r] -= status[r] == TARGET_FINITE ? logdet[r] : 0;
    return 0;
}

/* x (D) of u, at most so wide. */
enum { MOST_OF_A_MODE = 4096 };

static void modes_of(void *arg, size_t *mode, const double *u)
{
    const units_target *t = arg;
    double x[MOST_OF_A_MODE];
    assert(t->base.dim <= MOST_OF_A_MODE);
    flow_units_to_user(t->units, x, NULL, u, 1);
    t->of->modes->modes_of(t->of->modes->arg, mode, x);
}

static void units_free(target *self)
{
    flow_units_free(((units_target *)self)->own);
    free(self);
}

/* Which columns are on circles in these units. */
static void mark_circles(units_target *self)
{
    for (size_t j = 0; j < self->of->dim; j++) {
        self->circles[j] = flow_unit_is_angle(&self->units->column[j]);
        if (self->circles[j])
            self->base.circles = self->circles;
    }
}

static void pass_modes_on(units_target *self)
{
    if (!self->of->modes || self->of->dim > MOST_OF_A_MODE)
        return;
    self->modes = *self->of->modes;
    self->modes.modes_of = modes_of;
    self->modes.arg = self;
    self->base.modes = &self->modes;
}

target *target_in_flow_units(const target *of, const flow_units *units, flow_err *err)
{
    assert(units->dim == of->dim);
    units_target *self = malloc(sizeof *self + of->dim);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a target");
        return NULL;
    }
    *self = (units_target){.base = *of, .of = of, .units = units};
    self->ops = (target_ops){.name = of->ops->name,
                             .free = units_free,
                             .work_create = units_work_create,
                             .work_free = units_work_free,
                             .log_density = units_log_density,
                             .sample = of->ops->sample ? units_sample : NULL};
    self->base.ops = &self->ops;
    self->base.flow = NULL;  /* in units of its own */
    self->base.kinds = NULL; /* which see to them */
    self->base.circles = NULL;
    self->base.flags |= TARGET_THREADS; /* `of` is locked, where it must be, by its own calls */
    mark_circles(self);
    pass_modes_on(self);
    return &self->base;
}

/* For those that are made here. */
static target *with_own(const target *of, flow_units *units, flow_err *err)
{
    target *self = units ? target_in_flow_units(of, units, err) : NULL;
    if (self)
        ((units_target *)self)->own = units;
    else
        flow_units_free(units);
    return self;
}

/* Of column j as it is, or as what is said of it maps it: shift 0 and scale 1, or an angle about 0. */
static flow_unit unit_of(const target *of, size_t j)
{
    const data_kind turn = {.lo = -FLOW_PI, .hi = FLOW_PI, .period = 2 * FLOW_PI};
    bool turns = of->circles && of->circles[j];
    flow_unit out = data_kind_unit(turns ? &turn : of->kinds ? &of->kinds[j] : &data_kind_plain);
    if (out.period > 0)
        flow_unit_set_angle(&out, 0);
    return out;
}

flow_units *target_support_units(const target *of, flow_err *err)
{
    flow_units *units = flow_units_create(of->dim, err);
    for (size_t j = 0; units && j < of->dim; j++)
        units->column[j] = unit_of(of, j);
    return units;
}

target *target_on_the_line(const target *of, flow_err *err)
{
    return with_own(of, target_support_units(of, err), err);
}

flow_units *target_placed_units(const target *of, const double *shift, const double *scale,
                                flow_err *err)
{
    flow_units *units = target_support_units(of, err);
    for (size_t j = 0; units && j < of->dim; j++)
        flow_unit_place(&units->column[j], shift[j], scale[j]);
    return units;
}

target *target_in_units(const target *of, const double *shift, const double *scale, flow_err *err)
{
    return with_own(of, target_placed_units(of, shift, scale, err), err);
}
