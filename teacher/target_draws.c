/* teacher/target_draws.c -- a target whose sampler is a table of stored draws. */
#include "files/read.h"
#include "teacher/target_in_units.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct draws_target {
    target base;
    const target *of;
    const double *x; /* (base.draws, D) */
    target *own;     /* what `of` is, and what x is of; NULL: both are borrowed */
    file_table *table;
} draws_target;

extern const target_kind target_draws;

static const draws_target *down(const target *self)
{
    return (const draws_target *)self;
}

static void *draws_work_create(const target *self, size_t max_rows, flow_err *err)
{
    const target *of = down(self)->of;
    return of->ops->work_create(of, max_rows, err);
}

static void draws_work_free(const target *self, void *work)
{
    const target *of = down(self)->of;
    of->ops->work_free(of, work);
}

static int draws_log_density(const target *self, double *logp, double *grad, target_status *status,
                             const double *x, const double *context, size_t n, void *work,
                             flow_err *err)
{
    return target_shard_log_density(down(self)->of, logp, grad, status, x, context, n, work, err);
}

static int draws_sample(const target *self, double *x, double *logp, target_status *status,
                        const double *context, const target_rows *rows, size_t n, void *work,
                        flow_err *err)
{
    const draws_target *d = down(self);
    size_t dim = self->dim;
    for (size_t r = 0; r < n; r++)
        memcpy(x + r * dim, d->x + (rows->first + r) % self->draws * dim, dim * sizeof *x);
    return target_shard_log_density(d->of, logp, NULL, status, x, context, n, work, err);
}

static const quantities *draws_quantities(const target *self)
{
    return target_quantities(down(self)->of);
}

/* What hangs on it if it was made from a description. */
static void draws_free(target *self)
{
    draws_target *d = (draws_target *)self;
    target_free(d->own);
    file_table_free(d->table);
    free(self);
}

static const target_ops draws_ops = {
    .name = "stored draws",
    .free = draws_free,
    .work_create = draws_work_create,
    .work_free = draws_work_free,
    .log_density = draws_log_density,
    .sample = draws_sample,
    .quantities = draws_quantities,
};

target *target_with_draws(const target *of, const double *x, size_t n, flow_err *err)
{
    assert(n > 0);
    draws_target *self = malloc(sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a target");
        return NULL;
    }
    *self = (draws_target){.base = *of, .of = of, .x = x};
    self->base.ops = &draws_ops;
    self->base.draws = n;
    self->base.flags |= TARGET_THREADS; /* `of` is locked, where it must be, by its own calls */
    self->base.flags &= ~(unsigned)TARGET_WIDENS;
    if (of->context == 0)
        return &self->base;
    free(self);
    flow_fail(err, FLOW_ECONFIG, "stored draws for a target with %zu columns of context",
              of->context);
    return NULL;
}

/* ---- from a description */

typedef struct draws_options {
    const json_t *of;
    const char *path;
} draws_options;

static const flow_key draws_keys[] = {
    {FLOW_KEY(draws_options, of), .type = FLOW_KEY_KIND, .flags = FLOW_KEY_REQUIRED,
     .kinds = &target_registry, .doc = "The density."},
    {FLOW_KEY(draws_options, path), .type = FLOW_KEY_TEXT,
     .flags = FLOW_KEY_REQUIRED | FLOW_KEY_FILE, .min = 1, .max = 4096,
     .doc = "A table of draws of it (.npy or .csv), a column a dimension, in its order."},
    {.name = NULL}};

static int check_support(const file_table *table, const target *of, const char *path, flow_err *err)
{
    char row[FILE_LABEL_SIZE], column[FILE_LABEL_SIZE];
    for (size_t i = 0; of->kinds && i < table->rows * table->cols; i++) {
        size_t col = i % table->cols;
        const data_kind *kind = &of->kinds[col];
        bool inside = table->values[i] > kind->lo && table->values[i] < kind->hi;
        if (!inside && !(kind->period > 0))
            return flow_fail(err, FLOW_EDATA, "%s: %s, %s is not between %g and %g", path,
                             file_row_label(row, table, i / table->cols),
                             file_column_label(column, table, col), kind->lo, kind->hi);
    }
    return 0;
}

/* Any turn of a circle is as good: into the one that the density is asked in. */
static int wind(file_table *table, const target *of, flow_err *err)
{
    flow_units *units = of->kinds ? target_support_units(of, err) : NULL;
    if (of->kinds && !units)
        return err->code;
    for (size_t i = 0; units && i < table->rows * table->cols; i++)
        table->values[i] = flow_unit_wind(&units->column[i % table->cols], table->values[i]);
    flow_units_free(units);
    return 0;
}

static int check_rows(const file_table *table, const target *of, const char *path, flow_err *err)
{
    char row[FILE_LABEL_SIZE], column[FILE_LABEL_SIZE];
    if (table->cols != of->dim || table->rows == 0)
        return flow_fail(err, FLOW_EDATA,
                         "%s: %zu rows of %zu columns; the density has %zu dimensions", path,
                         table->rows, table->cols, of->dim);
    for (size_t i = 0; i < table->rows * table->cols; i++)
        if (!isfinite(table->values[i]))
            return flow_fail(err, FLOW_EDATA, "%s: %s, %s is not finite", path,
                             file_row_label(row, table, i / table->cols),
                             file_column_label(column, table, i % table->cols));
    return check_support(table, of, path, err);
}

static target *with_table(target *of, file_table *table, const char *path, flow_err *err)
{
    target *self = NULL;
    if (check_rows(table, of, path, err) == 0 && wind(table, of, err) == 0)
        self = target_with_draws(of, table->values, table->rows, err);
    if (!self) {
        target_free(of);
        file_table_free(table);
        return NULL;
    }
    ((draws_target *)self)->own = of;
    ((draws_target *)self)->table = table;
    return self;
}

static target *draws_create(const json_t *object, flow_err *err)
{
    draws_options *options = flow_kind_read(&target_draws.kind, object, err);
    target *of = options ? target_create(options->of, err) : NULL;
    file_table *table = of ? file_read(options->path, FILE_HEADER_AUTO, err) : NULL;
    target *self = table ? with_table(of, table, options->path, err) : NULL;
    if (!table)
        target_free(of);
    free(options);
    return self;
}

const target_kind target_draws = {
    .kind = {.name = "draws",
             .doc = "a density with draws of it, which stand in for a sampler that it lacks",
             .keys = draws_keys,
             .size = sizeof(draws_options)},
    .create = draws_create,
};
