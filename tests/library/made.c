#include "tests/library/made.h"

#include "tests/common/examples.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>

/* circles (dim): columns that are on one; NULL: none is. */
static flow_units *units_of(size_t dim, const unsigned char *circles)
{
    flow_units *units = flow_units_create(dim, NULL);
    for (size_t i = 0; i < dim; i++) {
        units->column[i].shift = 0.713 + (double)i;
        units->column[i].scale = 2.385 - 0.5 * (double)i;
    }
    if (dim == MADE_DIM)
        units->column[1] = (flow_unit){.support = FLOW_ABOVE, .lo = -1, .scale = 0.5};
    for (size_t i = 0; circles && i < dim; i++)
        if (circles[i]) {
            units->column[i] = (flow_unit){.period = 3, .start = -1, .stretch = 1.5};
            flow_unit_set_angle(&units->column[i], 0.385);
        }
    return units;
}

static json_t *names_of(size_t dim, char first)
{
    json_t *names = json_array();
    for (size_t i = 0; i < dim; i++)
        json_array_append_new(names, json_sprintf("%c %zu", first, i));
    return names;
}

static void write_file(const flow *f, const char *path, size_t context)
{
    flow_err err = FLOW_ERR_INIT;
    flow_model model = {.flow = (flow *)(uintptr_t)f,
                        .units = units_of(MADE_DIM, flow_circles(f)),
                        .names = names_of(MADE_DIM, 'x'),
                        .context_units = context ? units_of(context, NULL) : NULL,
                        .context_names = context ? names_of(context, 'c') : NULL,
                        .role = "student"};
    cr_assert_eq(flow_model_write(&model, path, &err), 0, "%s", err.text);
    flow_units_free(model.units);
    flow_units_free(model.context_units);
    json_decref(model.names);
    json_decref(model.context_names);
}

made made_of(const char *layers, const char *base, size_t context, flow_precision precision)
{
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    made self = {.path = temp_path("model")};
    json_t *d = describe_one(MADE_DIM, context, "noise_to_data", json_loads(layers, 0, NULL));
    if (base)
        json_object_set_new(d, "base", json_loads(base, JSON_DECODE_ANY, NULL));
    flow *f = flow_create(d, precision, &err);
    cr_assert(f, "%s: %s", layers, err.text);
    randomise_parameters(f, 0.5, 3);
    write_file(f, self.path, context);
    json_decref(d);
    flow_free(f);
    self.model = flow_model_read(self.path, &err);
    self.pool = flow_pool_create(1, &err);
    cr_assert(self.model && self.pool, "%s", err.text);
    return self;
}

void made_close(made *self)
{
    flow_model_free(self->model);
    flow_pool_free(self->pool);
    temp_close();
}

made made_plain(size_t context)
{
    return made_of(
        "[{\"kind\": \"autoregressive\"}, {\"kind\": \"permutation\", \"order\": [2, 1, 0]}, "
        "{\"kind\": \"autoregressive\", \"transformer\": \"spline\"}]",
        NULL, context, FLOW_F32);
}

distill_model *made_load(const made *self, const char *network, size_t threads)
{
    distill_error why;
    const distill_load_options options = {
        .size = sizeof options, .network = network, .threads = threads};
    distill_model *model = distill_load(self->path, &options, &why);
    cr_assert(model, "%s", why.text);
    cr_assert(why.code == DISTILL_OK && !why.text[0]);
    return model;
}
