#include "pipeline/command/inspect_model.h"

#include "files/model.h"
#include "flow/json.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/json_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool inspect_model_is(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && strcmp(dot, ".safetensors") == 0;
}

/* ---- for programs: every part of the file, the flow's description complete whatever the format it was written in */

static json_t *shape_of(const flow_tensor_info *info)
{
    json_t *out = json_array();
    flow_json_append(&out, json_integer((json_int_t)info->rows));
    if (info->cols)
        flow_json_append(&out, json_integer((json_int_t)info->cols));
    return out;
}

static json_t *tensors_of(const flow *f)
{
    json_t *out = json_object();
    for (size_t i = 0; i < flow_n_tensors(f); i++) {
        flow_tensor_info info;
        flow_tensor(f, &info, i);
        flow_json_set(&out, info.name, shape_of(&info));
    }
    return out;
}

static json_t *ranges_of(const double *ranges, size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++)
        flow_json_append(&out, json_pack("[f, f]", ranges[2 * i], ranges[2 * i + 1]));
    return out;
}

static void set_context(json_t **out, const flow_model *m)
{
    if (!m->context_units)
        return;
    flow_json_set(out, "context_names", json_incref(m->context_names));
    flow_json_set(out, "context_units", flow_units_to_json(m->context_units));
    if (m->context_ranges)
        flow_json_set(out, "context_ranges", ranges_of(m->context_ranges, flow_context(m->flow)));
}

static json_t *model_json(const flow_model *m)
{
    json_t *out = json_object();
    flow_json_set(&out, "role", json_string(m->role));
    flow_json_set(&out, "precision",
                  json_string(flow_get_precision(m->flow) == FLOW_F32 ? "F32" : "F64"));
    flow_json_set(&out, "names", json_incref(m->names));
    flow_json_set(&out, "units", flow_units_to_json(m->units));
    if (m->ranges)
        flow_json_set(&out, "ranges", ranges_of(m->ranges, flow_dim(m->flow)));
    set_context(&out, m);
    if (m->quantities)
        flow_json_set(&out, "quantities", json_incref(m->quantities));
    flow_json_set(&out, "flow", flow_describe(m->flow));
    flow_json_set(&out, "tensors", tensors_of(m->flow));
    return out;
}

/* ---- for people: the same, a line for each column, layer and tensor */

static void print_line(const char *what, const json_t *value)
{
    char *text = flow_json_text(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER);
    printf("  %-28s %s\n", what, text ? text : "?");
    free(text);
}

static void print_columns(const char *title, const json_t *names, const json_t *units)
{
    const json_t *columns = json_object_get(units, "columns");
    if (names)
        printf("\n%s\n", title);
    for (size_t i = 0; i < json_array_size(names); i++)
        print_line(json_string_value(json_array_get(names, i)), json_array_get(columns, i));
}

static void print_layers(const json_t *description)
{
    const json_t *layers = json_object_get(description, "layers");
    printf("\nflow, %s\n", json_string_value(json_object_get(description, "direction")));
    print_line("base", json_object_get(description, "base"));
    for (size_t i = 0; i < json_array_size(layers); i++) {
        char name[32];
        snprintf(name, sizeof name, "layers.%zu", i);
        print_line(name, json_array_get(layers, i));
    }
}

static void print_tensors(json_t *tensors)
{
    const char *name;
    json_t *shape;
    puts("\ntensors");
    json_object_foreach(tensors, name, shape) print_line(name, shape);
}

static void print_model(const json_t *model, const char *path)
{
    const json_t *description = json_object_get(model, "flow");
    printf("%s: a %s of %zu columns in %s\n", path,
           json_string_value(json_object_get(model, "role")),
           json_array_size(json_object_get(model, "names")),
           json_string_value(json_object_get(model, "precision")));
    print_columns("columns, and the map from each to the flow's units",
                  json_object_get(model, "names"), json_object_get(model, "units"));
    print_columns("context", json_object_get(model, "context_names"),
                  json_object_get(model, "context_units"));
    print_layers(description);
    print_tensors(json_object_get(model, "tensors"));
    puts("\nfiles/FORMAT.md has the formula of every kind and unit.");
}

int inspect_model(const char *path, bool json)
{
    flow_err err = FLOW_ERR_INIT;
    flow_model *m = flow_model_read(path, &err);
    if (!m)
        return exit_fail(&err);
    json_t *all = model_json(m);
    int code = 0;
    if (json || !all)
        code = json_print(all, &err);
    else
        print_model(all, path);
    json_decref(all);
    flow_model_free(m);
    return code ? exit_fail(&err) : EXIT_GOOD;
}
