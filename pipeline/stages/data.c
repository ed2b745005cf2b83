#include "pipeline/stages/data.h"

#include "files/read.h"
#include "flow/json.h"
#include "pipeline/config/settings.h"
#include "pipeline/stages/ranges.h"
#include "pipeline/stages/stage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static file_table *generate(const config *c, size_t rows, flow_err *err)
{
    const data_generator *generator = &data_generators[c->data.generator];
    double noise = isnan(c->data.noise) ? generator->noise : c->data.noise;
    return data_generate_table(generator, noise, c->seed, rows, err);
}

/* What messages call the table. */
static const char *source_of(const config *c)
{
    return c->data.path ? c->data.path : data_generators[c->data.generator].kind.name;
}

int data_peek(size_t *dim, size_t *context, const config *c, flow_err *err)
{
    struct stat status;
    const config_data *d = &c->data;
    *dim = *context = 0;
    if (d->path && stat(d->path, &status) == 0 && !S_ISREG(status.st_mode))
        return FLOW_OK;
    file_table *head = d->path ? file_read_head(d->path, d->header, err) : generate(c, 0, err);
    if (!head)
        return err->code;
    data_options options = settings_data(c);
    int code = data_set_shape(dim, context, head, source_of(c), &options, err);
    file_table_free(head);
    return code;
}

const data_part *data_held_out(const data_set *set)
{
    return set->test.n ? &set->test : set->valid.n ? &set->valid : &set->train;
}

static json_t *name_list(char **names, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        flow_json_append(&list, json_string(names[i]));
    return list;
}

static int name_columns(data_product *out, flow_err *err)
{
    out->names = name_list(out->set->names, out->set->dim);
    out->context_names = name_list(out->set->context_names, out->set->n_context);
    if (out->names && out->context_names)
        return FLOW_OK;
    return flow_fail(err, FLOW_ENOMEM, "out of memory for the names of the columns");
}

static int measure_ranges(data_product *out, flow_err *err)
{
    const data_set *set = out->set;
    out->ranges = ranges_of(set->units, set->train.x, set->train.n);
    if (out->ranges && set->n_context)
        out->context_ranges = ranges_of(set->context_units, set->train.context, set->train.n);
    if (out->ranges && (out->context_ranges || !set->n_context))
        return FLOW_OK;
    return flow_fail(err, FLOW_ENOMEM, "out of memory for the ranges of the columns");
}

static void tell(const data_set *set, const char *source)
{
    fprintf(stderr, "data      %s: %zu + %zu + %zu rows, %zu columns, %zu of context\n", source,
            set->train.n, set->valid.n, set->test.n, set->dim, set->n_context);
    if (set->dropped)
        fprintf(stderr, "data      %zu rows that were not finite were dropped\n", set->dropped);
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    data_product *out = product;
    const config *c = work->config;
    const config_data *d = &c->data;
    (void)inputs;
    out->generator = d->path ? NULL : &data_generators[d->generator];
    file_table *table =
        d->path ? file_read(d->path, d->header, err) : generate(c, (size_t)d->rows, err);
    if (!table)
        return err->code;
    data_options options = settings_data(c);
    out->set = data_set_create(table, source_of(c), &options, err);
    file_table_free(table);
    if (!out->set || name_columns(out, err) || measure_ranges(out, err))
        return err->code;
    if (!work->quiet)
        tell(out->set, source_of(c));
    return FLOW_OK;
}

static void release(void *product)
{
    data_product *self = product;
    data_set_free(self->set);
    json_decref(self->names);
    json_decref(self->context_names);
    free(self->ranges);
    free(self->context_ranges);
}

const stage stage_data = {.name = "data",
                          .doc = "reads or makes the data, splits and standardizes them",
                          .keys = (const char *const[]){"seed", "data", NULL},
                          .inputs = (const stage *const[]){NULL},
                          .outputs = (const char *const[]){NULL},
                          .product_size = sizeof(data_product),
                          .run = run,
                          .release = release};
