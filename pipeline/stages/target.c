/* pipeline/stages/target.c -- the target of a run: the teacher that was fitted, as a density, or the one that the
 * config gives. */
#include "pipeline/stages/target.h"

#include "flow/json.h"
#include "pipeline/stages/data.h"
#include "pipeline/stages/derived.h"
#include "pipeline/stages/rows.h"
#include "pipeline/stages/stage.h"
#include "pipeline/stages/teacher.h"
#include "pipeline/stages/trained.h"
#include "teacher/target_in_units.h"
#include "teacher/target_model.h"

#include <stdio.h>
#include <stdlib.h>

static distill_contexts contexts_of(const data_part *part)
{
    return (distill_contexts){.rows = part->context, .n = part->n};
}

static distill_contexts contexts_of_table(const file_table *table)
{
    return table ? (distill_contexts){.rows = data_numbers_of(table->values, table->cols),
                                      .n = table->rows}
                 : (distill_contexts){.n = 0};
}

distill_contexts target_contexts(const target_product *self)
{
    return self->data ? contexts_of(&self->data->train) : contexts_of_table(self->contexts);
}

distill_contexts target_contexts_held_out(const target_product *self)
{
    return self->data ? contexts_of(data_held_out(self->data)) : contexts_of_table(self->contexts);
}

/* ---- a teacher that was fitted */

static void modes_in_user_units(void *arg, size_t *mode, const double *u)
{
    const data_product *data = arg;
    double x[2];
    flow_units_to_user(data->set->units, x, NULL, u, 1);
    *mode = data->generator->mode_of(x);
}

/* The modes of made-up data, of equal weight. */
static int add_modes(target_product *self, const data_product *data, flow_err *err)
{
    size_t n = data->generator ? data->generator->modes : 0;
    if (n == 0)
        return 0;
    self->weights = malloc(n * sizeof *self->weights);
    if (!self->weights)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu modes", n);
    for (size_t k = 0; k < n; k++)
        self->weights[k] = 1.0 / (double)n;
    self->partition = (target_partition){.n = n, .weights = self->weights};
    snprintf(self->partition.name, sizeof self->partition.name, "%s", data->generator->kind.name);
    self->modes = (target_modes){.partitions = 1,
                                 .partition = &self->partition,
                                 .modes_of = modes_in_user_units,
                                 .arg = (void *)(uintptr_t)data /* read only */};
    self->exact->modes = &self->modes;
    return 0;
}

/* Of the flow, in double. */
static int make_exact(target_product *self, flow_err *err)
{
    self->precise = flow_convert(self->flow, FLOW_F64, err);
    self->exact = self->precise ? target_from_flow(self->precise, err) : NULL;
    return self->exact ? 0 : err->code;
}

static int from_teacher(target_product *self, const data_product *data,
                        const teacher_product *teacher, flow_err *err)
{
    self->flow = teacher->model.flow;
    self->data = data->set;
    self->frame = trained_frame(data);
    self->names = (const char *const *)data->set->names;
    self->learn = target_from_flow(self->flow, err);
    int code = self->learn ? make_exact(self, err) : err->code;
    return code ? code : add_modes(self, data, err);
}

/* ---- a target that the config gives */

static int list_names(target_product *self, flow_err *err)
{
    size_t dim = self->learn->dim;
    self->own_names = calloc(dim, sizeof *self->own_names);
    if (!self->own_names || !self->frame.names)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the names of %zu columns", dim);
    for (size_t j = 0; j < dim; j++)
        self->own_names[j] = json_string_value(json_array_get(self->frame.names, j));
    self->names = self->own_names;
    return 0;
}

/* Number j of a list that has one for each coordinate or one for all; def: there is no list. */
static double number_of(const json_t *list, size_t j, double def)
{
    size_t n = json_array_size(list);
    return list ? json_number_value(json_array_get(list, n > 1 ? j : 0)) : def;
}

static int check_length(const json_t *list, size_t dim, const char *key, flow_err *err)
{
    size_t n = json_array_size(list);
    if (!list || n == 1 || n == dim)
        return 0;
    return flow_fail(err, FLOW_ECONFIG,
                     "student.frame.%s has %zu numbers: one for each of the "
                     "target's %zu coordinates, or one for all",
                     key, n, dim);
}

static int take_frame(target_product *self, const config_student_frame *frame, size_t dim,
                      flow_err *err)
{
    int code = check_length(frame->shift, dim, "shift", err);
    if (!code)
        code = check_length(frame->scale, dim, "scale", err);
    self->units = code ? NULL : target_support_units(self->energy, err);
    for (size_t j = 0; self->units && j < dim; j++)
        flow_unit_place(&self->units->column[j], number_of(frame->shift, j, 0),
                        number_of(frame->scale, j, 1));
    return self->units ? 0 : err->code;
}

static int from_energy(target_product *self, const config_student_frame *frame, flow_err *err)
{
    self->energy = self->learn;
    self->learn = NULL;
    self->name_list = json_array();
    char text[TARGET_COLUMN_TEXT];
    for (size_t j = 0; j < self->energy->dim; j++)
        flow_json_append(&self->name_list, json_string(target_column(self->energy, text, j)));
    if (take_frame(self, frame, self->energy->dim, err))
        return err->code;
    self->quantities = derived_describe(target_quantities(self->energy));
    if (target_quantities(self->energy) && !self->quantities)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the names of quantities");
    self->frame = (flow_model){
        .units = self->units, .names = self->name_list, .quantities = self->quantities};
    self->exact = self->learn = target_in_flow_units(self->energy, self->units, err);
    return self->learn ? list_names(self, err) : err->code;
}

static int read_contexts(target_product *self, const flow_model *model, const char *path,
                         flow_err *err)
{
    const rows_wanted wanted = rows_of_context(model);
    file_table *table = rows_read(path, FILE_HEADER_AUTO, &wanted, true, err);
    int code = table ? rows_take(&self->contexts, table, path, &wanted, true, err) : err->code;
    file_table_free(table);
    if (!code && self->contexts->rows == 0)
        code = flow_fail(err, FLOW_EDATA, "%s: no rows of context", path);
    if (!code)
        flow_units_to_flow(model->context_units, self->contexts->values, NULL,
                           self->contexts->values, self->contexts->rows);
    return code;
}

static int from_model(target_product *self, const flow_model *model, flow_err *err)
{
    const char *contexts = target_model_contexts(self->learn);
    self->flow = model->flow;
    self->frame = *model;
    self->frame.flow = NULL;
    int code = make_exact(self, err);
    if (!code)
        code = list_names(self, err);
    if (code || !contexts)
        return code;
    return read_contexts(self, model, contexts, err) ? flow_fail_prefix(err, "target") : 0;
}

static int open_target(target_product *self, const config *c, flow_err *err)
{
    self->learn = target_create(c->target, err);
    const flow_model *model = self->learn ? target_model_of(self->learn) : NULL;
    if (!self->learn)
        return flow_fail_prefix(err, "target");
    return model ? from_model(self, model, err) : from_energy(self, &c->student.frame, err);
}

int target_from_config(target_product *self, const config *c, flow_err *err)
{
    *self = (target_product){.learn = NULL};
    return open_target(self, c, err);
}

void target_release(target_product *self)
{
    if (self->learn != self->exact)
        target_free(self->learn);
    target_free(self->exact);
    target_free(self->energy);
    flow_free(self->precise);
    free(self->weights);
    flow_units_free(self->units);
    json_decref(self->name_list);
    json_decref(self->quantities);
    free(self->own_names);
    file_table_free(self->contexts);
}

/* ---- the stage */

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    if (work->config->target)
        return target_from_config(product, work->config, err);
    return from_teacher(product, inputs[0], inputs[1], err);
}

static void release(void *product)
{
    target_release(product);
}

const stage stage_target = {.name = "target",
                            .doc = "makes the density to learn from, of the teacher or of its own",
                            .abi = 1,
                            .keys =
                                (const char *const[]){"precision", "target", "student.frame", NULL},
                            .inputs = (const stage *const[]){&stage_data, &stage_teacher, NULL},
                            .outputs = (const char *const[]){NULL},
                            .product_size = sizeof(target_product),
                            .run = run,
                            .release = release};
