#include "pipeline/stages/data.h"

#include "files/hdf5_path.h"
#include "files/read.h"
#include "flow/json.h"
#include "pipeline/config/said.h"
#include "pipeline/config/settings.h"
#include "pipeline/report/picture_pairs.h"
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
    const config *config;
    data_options options;
} asked;

/* The columns that a key names; of one that is not there the place in the config is told. */
static int choose_named(bool *wanted, const file_table *head, const config *c, const char *key,
                        const char *const *names, size_t n, flow_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (data_columns_choose(wanted, head, source_of(c), &names[i], 1, err))
            return said_fail(c, key, names[i], err);
    return FLOW_OK;
}

static int choose(bool *wanted, file_table *head, const void *asker, flow_err *err)
{
    const asked *self = asker;
    const config *c = self->config;
    const data_options *o = &self->options;
    if (o->n_columns > 0)
        memset(wanted, 0, head->cols * sizeof *wanted);
    int code = choose_named(wanted, head, c, "data.columns", o->columns, o->n_columns, err);
    if (!code)
        code = choose_named(wanted, head, c, "data.context", o->context, o->n_context, err);
    if (!code && o->weights)
        code = choose_named(wanted, head, c, "data.weights", &o->weights, 1, err);
    return code;
}

static file_wish wish_of(const config *c, const asked *asker, bool head)
{
    return (file_wish){.header = c->data.header,
                       .head = head,
                       .choose = choose,
                       .asker = asker,
                       .remedy = asker->options.n_columns
                                     ? "if it is not needed, leave it out of data.columns"
                                     : "data.columns can name the columns that are wanted"};
}

static int open_rows(data_opened *out, const config *c, const data_options *options, flow_err *err)
{
    const asked asker = {c, *options};
    const file_wish wish = wish_of(c, &asker, false);
    if (c->data.path)
        out->rows = file_stream_open(c->data.path, &wish, err);
    else if ((out->made = generate(c, (size_t)c->data.rows, err)))
        out->rows = file_stream_of_table(out->made, err);
    return out->rows ? FLOW_OK : err->code;
}

int data_open(data_opened *out, const config *c, flow_err *err)
{
    data_options options = settings_data(c);
    *out = (data_opened){.rows = NULL};
    int code = open_rows(out, c, &options, err);
    if (!code)
        code = data_plan_init(&out->plan, out->rows, source_of(c), &options, err);
    if (!code)
        out->look = data_look_at(out->rows, &out->plan, source_of(c), &options, err);
    return out->look ? FLOW_OK : err->code;
}

void data_close(data_opened *self)
{
    data_look_free(self->look);
    data_plan_release(&self->plan);
    file_stream_free(self->rows);
    file_table_free(self->made);
}

/* ---- what a run asks before it begins */

static file_table *made_head(const asked *asker, flow_err *err)
{
    file_table *out = generate(asker->config, 0, err);
    bool *wanted = out ? calloc(out->cols, sizeof *wanted) : NULL;
    if (out && !wanted)
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu columns", out->cols);
    if (wanted && !choose(wanted, out, asker, err)) {
        free(wanted);
        return out;
    }
    free(wanted);
    file_table_free(out);
    return NULL;
}

static file_table *read_head(const config *c, const data_options *options, flow_err *err)
{
    const asked asker = {c, *options};
    const file_wish wish = wish_of(c, &asker, true);
    return c->data.path ? file_read_wish(c->data.path, &wish, err) : made_head(&asker, err);
}

static bool is_pipe(const config_data *d)
{
    struct stat status;
    char room[FILE_OF_DATASET];
    return d->path && stat(file_of_dataset(room, d->path), &status) == 0 &&
           !S_ISREG(status.st_mode);
}

int data_check_pairs(const config *c, flow_err *err)
{
    picture_pair pairs[PICTURE_ASKED * PICTURE_ASKED];
    const flow_names *wanted = &c->report.pairs;
    data_options options = settings_data(c);
    size_t dim = 0, n;
    if (wanted->n == 0 || is_pipe(&c->data))
        return FLOW_OK;
    file_table *head = read_head(c, &options, err);
    char **names = head ? data_set_names(&dim, head, source_of(c), &options, err) : NULL;
    int code = names ? picture_pairs_of(pairs, &n, wanted->at, wanted->n,
                                        (const char *const *)names, dim, err)
                     : err->code;
    data_columns_names_free(names, dim);
    file_table_free(head);
    return code;
}

int data_peek(size_t *dim, size_t *context, const config *c, flow_err *err)
{
    *dim = *context = 0;
    if (is_pipe(&c->data))
        return FLOW_OK;
    data_options options = settings_data(c);
    file_table *head = read_head(c, &options, err);
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
    if (set->train.weight.at)
        fprintf(
            stderr,
            "data      rows are weighed by %s: those that train are worth %.0f of equal weight. "
            "Comparisons of samples with data, and the picture, take rows drawn by weight\n",
            column, data_weights_worth(&set->train.weight, set->train.n));
}

static int measure_ranges(data_product *out, flow_err *err)
{
    const data_set *set = out->set;
    out->ranges = ranges_of(set->units, set->train_ranges);
    if (out->ranges && set->n_context)
        out->context_ranges = ranges_of(set->context_units, set->train_ranges + set->dim);
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

/* How far beyond the end of its half line a column is linear, or that it never is. */
static void tell_links(const data_set *set)
{
    const char *before = "data      half lines: ";
    for (size_t j = 0; j < set->dim; j++) {
        const flow_unit *unit = &set->units->column[j];
        if (unit->support != FLOW_ABOVE && unit->support != FLOW_BELOW)
            continue;
        fprintf(stderr, "%s%s ", before, set->names[j]);
        if (unit->soft > 0)
            fprintf(stderr, "by a softplus of %.3g", unit->soft);
        else
            fputs("by a logarithm", stderr);
        before = ", ";
    }
    if (*before == ',')
        fputs(" (data.columns.NAME.link)\n", stderr);
}

/* What is certain to fail is refused first. */
static int prepare(data_product *out, const data_opened *from, const config *c, flow_err *err)
{
    data_options options = settings_data(c);
    if (data_look_judge(from->look, source_of(c), err))
        return err->code;
    out->repeated = from->look->rows.tested;
    out->set = data_set_read(from->rows, &from->plan, source_of(c), &options, err);
    int code = out->set ? name_columns(out, err) : err->code;
    return code ? code : measure_ranges(out, err);
}

static void tell(const data_product *self, const config *c, const char *note)
{
    if (*note)
        fprintf(stderr, "data      %s: %s\n", c->data.path, note);
    tell_rows(self->set, source_of(c));
    tell_weights(self->set, c->data.weights);
    tell_links(self->set);
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    data_product *out = product;
    const config *c = work->config;
    data_opened from;
    (void)inputs;
    out->generator = c->data.path ? NULL : &data_generators[c->data.generator];
    int code = data_open(&from, c, err);
    if (!code)
        code = prepare(out, &from, c, err);
    if (!code && !work->quiet)
        tell(out, c, file_stream_head(from.rows)->note);
    if (!code)
        look_tell(from.look, c, source_of(c), work->quiet);
    data_close(&from);
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

static bool is_due(const config *c)
{
    return !c->target;
}

/* Which columns with a period are on a line hangs on the flows of both. */
static void derives(json_t **slice, const config *c)
{
    flow_json_set(slice, "data (on circles)", json_boolean(!settings_wrap(c)));
}

const stage stage_data = {.name = "data",
                          .doc = "reads or makes the data, splits and standardizes them",
                          .abi = 1,
                          .keys = (const char *const[]){"seed", "precision", "data", NULL},
                          .derives = derives,
                          .inputs = (const stage *const[]){NULL},
                          .outputs = (const char *const[]){NULL},
                          .is_due = is_due,
                          .product_size = sizeof(data_product),
                          .run = run,
                          .release = release};
