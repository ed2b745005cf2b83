#include "pipeline/stages/data.h"

#include "files/read.h"
#include "flow/json.h"
#include "pipeline/config/settings.h"
#include "pipeline/stages/look.h"
#include "pipeline/stages/ranges.h"
#include "pipeline/stages/stage.h"
#include "teacher/columns.h"
#include "teacher/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* ---- what is wanted of a file */

typedef struct asked {
    const char *source;
    data_options options;
} asked;

static int choose(bool *wanted, file_table *head, const void *asker, flow_err *err)
{
    const asked *self = asker;
    const data_options *o = &self->options;
    if (o->n_columns > 0)
        memset(wanted, 0, head->cols * sizeof *wanted);
    int code = data_columns_choose(wanted, head, self->source, o->columns, o->n_columns, err);
    if (!code)
        code = data_columns_choose(wanted, head, self->source, o->context, o->n_context, err);
    if (!code && o->weights)
        code = data_columns_choose(wanted, head, self->source, &o->weights, 1, err);
    return code;
}

static file_table *read_file(const config *c, const data_options *options, bool head, flow_err *err)
{
    const asked asker = {source_of(c), *options};
    const file_wish wish = {.header = c->data.header,
                            .head = head,
                            .choose = choose,
                            .asker = &asker,
                            .remedy = options->n_columns
                                          ? "if it is not needed, leave it out of data.columns"
                                          : "data.columns can name the columns that are wanted"};
    return file_read_wish(c->data.path, &wish, err);
}

static file_table *read_table(const config *c, const data_options *options, flow_err *err)
{
    return c->data.path ? read_file(c, options, false, err)
                        : generate(c, (size_t)c->data.rows, err);
}

int data_inspect(file_table **table, data_look **look, const config *c, flow_err *err)
{
    data_options options = settings_data(c);
    *look = NULL;
    *table = read_table(c, &options, err);
    if (*table)
        *look = data_look_create(*table, source_of(c), &options, err);
    return *look ? FLOW_OK : err->code;
}

int data_peek(size_t *dim, size_t *context, const config *c, flow_err *err)
{
    struct stat status;
    const config_data *d = &c->data;
    *dim = *context = 0;
    if (d->path && stat(d->path, &status) == 0 && !S_ISREG(status.st_mode))
        return FLOW_OK;
    data_options options = settings_data(c);
    file_table *head = d->path ? read_file(c, &options, true, err) : generate(c, 0, err);
    if (!head)
        return err->code;
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

/* The rows that count, and what does not know of it. */
static void tell_weights(const data_set *set, const char *column)
{
    if (set->train.weight)
        fprintf(
            stderr,
            "data      rows are weighed by %s: those that train are worth %.0f of equal weight. "
            "Comparisons of samples with data, and the picture, take rows drawn by weight\n",
            column, data_weights_worth(set->train.weight, set->train.n));
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

static void tell_rows(const data_set *set, const char *source)
{
    fprintf(stderr, "data      %s: %zu + %zu + %zu rows, %zu columns, %zu of context\n", source,
            set->train.n, set->valid.n, set->test.n, set->dim, set->n_context);
    if (set->dropped)
        fprintf(stderr, "data      %zu rows that were not finite were dropped\n", set->dropped);
}

/* The table as it is, then made ready; what is certain to fail is refused before. */
static int prepare(data_product *out, data_look **look, const config *c,
                   const data_options *options, const file_table *table, flow_err *err)
{
    *look = data_look_create(table, source_of(c), options, err);
    if (!*look || data_look_judge(*look, source_of(c), err))
        return err->code;
    out->repeated = (*look)->rows.tested;
    out->set = data_set_create(table, source_of(c), options, err);
    int code = out->set ? name_columns(out, err) : err->code;
    return code ? code : measure_ranges(out, err);
}

static void tell(const data_product *self, const data_look *look, const config *c, const char *note)
{
    if (*note)
        fprintf(stderr, "data      %s: %s\n", c->data.path, note);
    tell_rows(self->set, source_of(c));
    tell_weights(self->set, c->data.weights);
    look_tell(look, c, source_of(c));
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    data_product *out = product;
    const config *c = work->config;
    const config_data *d = &c->data;
    data_look *look;
    (void)inputs;
    out->generator = d->path ? NULL : &data_generators[d->generator];
    data_options options = settings_data(c);
    file_table *table = read_table(c, &options, err);
    if (!table)
        return err->code;
    int code = prepare(out, &look, c, &options, table, err);
    if (!code && !work->quiet)
        tell(out, look, c, table->note);
    file_table_free(table);
    data_look_free(look);
    return code;
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
