#include "teacher/target_density.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const target_density *down(const target *self)
{
    return (const target_density *)self;
}

/* ---- the interface of a target */

/* Scratch of a shard: the density's room, then the normals of all rows. */
static void *work_create(const target *self, size_t max_rows, flow_err *err)
{
    const target_density *d = down(self);
    double *work = malloc((d->room + max_rows * d->normals + 1) * sizeof *work);
    if (!work)
        flow_fail(err, FLOW_ENOMEM, "out of memory for a shard of a %s", self->ops->name);
    return work;
}

static void work_free(const target *self, void *work)
{
    (void)self;
    free(work);
}

static int log_density(const target *self, double *logp, double *grad, target_status *status,
                       const double *x, const double *context, size_t n, void *work, flow_err *err)
{
    const target_density *d = down(self);
    size_t dim = self->dim;
    (void)status, (void)context, (void)err;
    if (d->ops->log_ps)
        d->ops->log_ps(d, logp, grad, x, n, work);
    for (size_t r = 0; !d->ops->log_ps && r < n; r++)
        logp[r] = d->ops->log_p(d, grad ? grad + r * dim : NULL, x + r * dim, work);
    return 0;
}

static void stretch(double *z, const target_rows *rows, size_t n, size_t width)
{
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; target_is_wide(rows, rows->first + r) && i < width; i++)
            z[r * width + i] *= rows->widen_by;
}

/* Draws of its own that a row may take before they would be the next row's. */
enum { OWN_DRAWS = 65522 };

static int sample(const target *self, double *x, double *logp, target_status *status,
                  const double *context, const target_rows *rows, size_t n, void *work,
                  flow_err *err)
{
    const target_density *d = down(self);
    double *z = (double *)work + d->room;
    pcg_stream own = rows->stream;
    own.purpose |= 1u << 31; /* beyond every pcg_purpose */
    if (d->normals)
        pcg_normals(z, rows->stream, rows->first, n, d->normals);
    stretch(z, rows, n, d->normals);
    for (size_t r = 0; r < n; r++) {
        pcg rng = pcg_at(own, rows->first + r, OWN_DRAWS);
        d->ops->draw(d, x + r * self->dim, z + r * d->normals, &rng);
    }
    return log_density(self, logp, NULL, status, x, context, n, work, err);
}

static const char *column(const target *self, char *text, size_t at)
{
    return down(self)->ops->column(down(self), text, at);
}

static void free_all(target *self)
{
    free(((target_density *)self)->held);
    free(((target_density *)self)->partition);
    free(self);
}

/* ---- making one */

static void finish(target_density *self, const target_density_ops *ops)
{
    self->face = (target_ops){.name = ops->kind->kind.name,
                              .free = free_all,
                              .work_create = work_create,
                              .work_free = work_free,
                              .log_density = log_density,
                              .sample = ops->draw ? sample : NULL,
                              .column = ops->column ? column : NULL};
    self->base.ops = &self->face;
    self->base.flags = TARGET_GRADIENT | TARGET_THREADS | (self->normals ? TARGET_WIDENS : 0);
    self->modes = (target_modes){.partitions = self->partitions,
                                 .partition = self->partition,
                                 .modes_of = ops->modes_of,
                                 .arg = self};
    self->base.modes = self->partitions ? &self->modes : NULL;
}

target *target_density_create(const target_density_ops *ops, const json_t *object, flow_err *err)
{
    const flow_kind *kind = &ops->kind->kind;
    void *options = flow_kind_read(kind, object, err);
    if (!options)
        return NULL;
    target_density *self = calloc(1, ops->size);
    if (self)
        self->ops = ops;
    int code = self ? ops->begin(self, options, object, err)
                    : flow_fail(err, FLOW_ENOMEM, "out of memory");
    free(options);
    if (!code) {
        finish(self, ops);
        return &self->base;
    }
    flow_fail_prefix(err, kind->name);
    if (self)
        free_all(&self->base);
    return NULL;
}

double *target_density_hold(target_density *self, size_t n, flow_err *err)
{
    self->held = calloc(n, sizeof *self->held);
    if (!self->held)
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu numbers", n);
    return self->held;
}

target_partition *target_density_cut(target_density *self, size_t n, flow_err *err)
{
    assert(!self->partition);
    self->partition = calloc(n, sizeof *self->partition);
    self->partitions = self->partition ? n : 0;
    if (!self->partition)
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu partitions", n);
    return self->partition;
}

int target_density_cut_once(target_density *self, const char *name, size_t n, const double *weights,
                            flow_err *err)
{
    target_partition *all = target_density_cut(self, 1, err);
    if (!all)
        return FLOW_ENOMEM;
    snprintf(all->name, sizeof all->name, "%s", name);
    all->n = n;
    all->weights = weights;
    return 0;
}

double target_density_normal(pcg *rng)
{
    double radius = sqrt(-2 * log(1 - pcg_uniform(rng)));
    return radius * cos(6.28318530717958647693 * pcg_uniform(rng));
}

int target_density_idle(const flow_kind *kind, const void *options, const char *only, flow_err *err)
{
    for (const flow_key *key = kind->keys; key->name; key++)
        if (key->only && strcmp(key->only, only) == 0 &&
            flow_key_number(options, key) != strtod(key->def, NULL))
            return flow_fail(err, FLOW_ECONFIG, "%s has effect only with %s", key->name, only);
    return 0;
}

const json_t *target_density_given(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

int target_density_list(double *out, const json_t *list, size_t n, const char *key, flow_err *err)
{
    if (!json_is_array(list) || json_array_size(list) != n)
        return flow_fail(err, FLOW_ECONFIG, "%s: wanted a list of %zu numbers", key, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_number(item))
            return flow_fail(err, FLOW_ECONFIG, "%s: item %zu is no number", key, i);
        out[i] = json_number_value(item);
    }
    return 0;
}

/* ---- log Z */

void target_density_log_z(target *self, double given, double se, double own)
{
    self->log_z = isnan(given) ? own : given;
    self->log_z_se = isnan(given) ? 0 : se;
}

const char *target_density_log_z_conflict(char *why, size_t size, double given, double se)
{
    if (!isnan(given) || se == 0)
        return NULL;
    snprintf(why, size, "there is no log_z whose standard error it could be");
    return "log_z_se";
}
