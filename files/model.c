#include "files/model.h"
#include "files/model_upgrade.h"
#include "files/safetensors.h"
#include "flow/json.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing */

static int set_json(file_tensors *out, const char *key, const json_t *value, flow_err *err)
{
    char *text = flow_json_text(value, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the metadata of a model");
    int code = file_tensors_set_metadata(out, key, text, err);
    free(text);
    return code;
}

/* The same for a new reference. */
static int set_json_new(file_tensors *out, const char *key, json_t *value, flow_err *err)
{
    int code = set_json(out, key, value, err);
    json_decref(value);
    return code;
}

/* ranges (n, 2), or NULL: nothing is written. */
static int set_ranges(file_tensors *out, const char *key, const double *ranges, size_t n,
                      flow_err *err)
{
    json_t *list = json_array();
    for (size_t i = 0; ranges && i < n; i++)
        flow_json_append(&list, json_pack("[f, f]", ranges[2 * i], ranges[2 * i + 1]));
    if (ranges)
        return set_json_new(out, key, list, err);
    json_decref(list);
    return 0;
}

static int set_metadata(const flow_model *self, file_tensors *out, flow_err *err)
{
    int code = file_tensors_set_metadata(out, "format", model_format, err);
    if (!code)
        code = file_tensors_set_metadata(out, "role", self->role, err);
    if (!code)
        code = set_json_new(out, "flow", flow_describe(self->flow), err);
    if (!code)
        code = set_json_new(out, "units", flow_units_to_json(self->units), err);
    if (!code)
        code = set_json(out, "names", self->names, err);
    if (!code && self->context_units)
        code = set_json_new(out, "context_units", flow_units_to_json(self->context_units), err);
    if (!code && self->context_units)
        code = set_json(out, "context_names", self->context_names, err);
    if (!code)
        code = set_ranges(out, "ranges", self->ranges, flow_dim(self->flow), err);
    if (!code)
        code =
            set_ranges(out, "context_ranges", self->context_ranges, flow_context(self->flow), err);
    if (!code && self->quantities)
        code = set_json(out, "quantities", self->quantities, err);
    return code;
}

static size_t tensor_count(const flow_tensor_info *info)
{
    return info->rows * (info->cols ? info->cols : 1);
}

static int add_tensor(const flow_model *self, file_tensors *out, size_t index, flow_err *err)
{
    flow_tensor_info info;
    flow_tensor(self->flow, &info, index);
    double *values = malloc((tensor_count(&info) + 1) * sizeof *values);
    if (!values)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for tensor %s", info.name);
    flow_tensor_get(self->flow, values, index);
    int code = file_tensors_add(out, info.name, flow_get_precision(self->flow),
                                (size_t[]){info.rows, info.cols}, info.cols ? 2 : 1, values, err);
    free(values);
    return code;
}

int flow_model_write(const flow_model *self, const char *path, flow_err *err)
{
    file_tensors *out = file_tensors_create(err);
    int code = out ? set_metadata(self, out, err) : FLOW_ENOMEM;
    for (size_t i = 0; !code && i < flow_n_tensors(self->flow); i++)
        code = add_tensor(self, out, i, err);
    if (!code)
        code = file_tensors_write(out, path, err);
    file_tensors_free(out);
    return code;
}

/* ---- reading */

static json_t *get_json(const file_tensors *in, const char *key, flow_err *err)
{
    const char *text = file_tensors_metadata(in, key);
    json_error_t why;
    if (!text) {
        flow_fail(err, FLOW_EDATA, "no metadata '%s'", key);
        return NULL;
    }
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!value)
        flow_fail(err, FLOW_EDATA, "metadata '%s': %s", key, why.text);
    return value;
}

static flow_units *read_units(const file_tensors *in, const char *key, size_t dim, flow_err *err)
{
    json_t *json = get_json(in, key, err);
    flow_units *units = json ? flow_units_from_json(json, err) : NULL;
    json_decref(json);
    if (units && units->dim != dim) {
        flow_fail(err, FLOW_EDATA, "metadata '%s': %zu columns, the flow has %zu", key, units->dim,
                  dim);
        flow_units_free(units);
        return NULL;
    }
    return units;
}

static json_t *read_names(const file_tensors *in, const char *key, size_t dim, flow_err *err)
{
    json_t *names = get_json(in, key, err);
    int good = names && json_is_array(names) && json_array_size(names) == dim;
    for (size_t i = 0; good && i < dim; i++)
        good = json_is_string(json_array_get(names, i));
    if (names && !good) {
        flow_fail(err, FLOW_EDATA, "metadata '%s': wants a list of %zu strings", key, dim);
        json_decref(names);
        return NULL;
    }
    return names;
}

static bool read_range(double *range, const json_t *pair)
{
    for (size_t i = 0; i < 2; i++) {
        if (!json_is_number(json_array_get(pair, i)))
            return false;
        range[i] = json_number_value(json_array_get(pair, i));
    }
    return json_array_size(pair) == 2 && range[0] <= range[1];
}

/* *ranges (n, 2), NULL if the file has none. */
static int read_ranges(const file_tensors *in, double **ranges, const char *key, size_t n,
                       flow_err *err)
{
    if (!file_tensors_metadata(in, key))
        return 0;
    json_t *list = get_json(in, key, err);
    if (!list)
        return FLOW_EDATA;
    bool good = json_array_size(list) == n;
    *ranges = good ? malloc((2 * n + 1) * sizeof **ranges) : NULL;
    for (size_t i = 0; *ranges && good && i < n; i++)
        good = read_range(*ranges + 2 * i, json_array_get(list, i));
    json_decref(list);
    if (!good)
        return flow_fail(err, FLOW_EDATA, "metadata '%s': wants a list of %zu pairs [min, max]",
                         key, n);
    return *ranges ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for the ranges of a model");
}

static bool are_quantities(const json_t *value)
{
    const json_t *names = json_object_get(value, "names");
    bool good = json_object_size(value) == 2 && json_array_size(names) > 0 &&
                json_is_boolean(json_object_get(value, "instead"));
    for (size_t i = 0; good && i < json_array_size(names); i++)
        good = json_is_string(json_array_get(names, i));
    return good;
}

/* *out NULL if the file has none. */
static int read_quantities(const file_tensors *in, json_t **out, flow_err *err)
{
    if (!file_tensors_metadata(in, "quantities"))
        return 0;
    if (!(*out = get_json(in, "quantities", err)))
        return FLOW_EDATA;
    return are_quantities(*out)
               ? 0
               : flow_fail(err, FLOW_EDATA,
                           "metadata 'quantities': wants names, a list of strings, and instead, "
                           "true or false");
}

/* All tensors of one dtype, which is the flow's precision; *total: numbers in the file. */
static int read_precision(const file_tensors *in, flow_precision *precision, size_t *total,
                          flow_err *err)
{
    file_tensors_entry entry;
    *precision = FLOW_F32;
    *total = 0;
    for (size_t i = 0; i < file_tensors_count(in); i++) {
        file_tensors_info(in, &entry, i);
        if (i > 0 && entry.dtype != *precision)
            return flow_fail(err, FLOW_EDATA, "tensor %s: not of the precision of the others",
                             entry.name);
        *precision = entry.dtype;
        *total += entry.count;
    }
    return 0;
}

static int read_tensor(flow_model *self, const file_tensors *in, size_t index, flow_err *err)
{
    flow_tensor_info info;
    file_tensors_entry entry;
    flow_tensor(self->flow, &info, index);
    size_t at = file_tensors_find(in, info.name);
    if (at == FILE_TENSORS_NONE)
        return flow_fail(err, FLOW_EDATA, "tensor %s is missing", info.name);
    file_tensors_info(in, &entry, at);
    if (entry.rank != (info.cols ? 2u : 1u) || entry.dims[0] != info.rows ||
        (info.cols && entry.dims[1] != info.cols))
        return flow_fail(err, FLOW_EDATA, "tensor %s: wrong shape", info.name);
    double *values = malloc((entry.count + 1) * sizeof *values);
    if (!values)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for tensor %s", info.name);
    file_tensors_get(in, values, at);
    int finite = 1;
    for (size_t i = 0; i < entry.count; i++)
        finite = finite && isfinite(values[i]);
    int code = finite ? flow_tensor_set(self->flow, values, index, err)
                      : flow_fail(err, FLOW_EDATA, "tensor %s: not finite", info.name);
    free(values);
    return code;
}

/* Complete, whatever the format. */
static json_t *read_description(const file_tensors *in, flow_err *err)
{
    const char *format = file_tensors_metadata(in, "format");
    json_t *given = format ? get_json(in, "flow", err) : json_object();
    json_t *out = given ? model_upgrade(given, format, err) : NULL;
    json_decref(given);
    if (!out || !json_object_get(out, "layers") || json_object_get(out, "base"))
        return out; /* flow_create says what else is wrong */
    json_decref(out);
    flow_fail(err, FLOW_EDATA, "metadata 'flow': key 'base' is missing");
    return NULL;
}

static int read_flow(flow_model *self, const file_tensors *in, flow_err *err)
{
    flow_precision precision;
    size_t total;
    json_t *description = read_description(in, err);
    if (!description)
        return FLOW_EDATA;
    if (read_precision(in, &precision, &total, err)) {
        json_decref(description);
        return FLOW_EDATA;
    }
    self->flow = flow_create_within(description, precision, total, err);
    json_decref(description);
    if (!self->flow) {
        if (err && err->code == FLOW_ECONFIG)
            err->code = FLOW_EDATA; /* nobody wrote this description but the file */
        return FLOW_EDATA;
    }
    if (flow_n_tensors(self->flow) != file_tensors_count(in))
        return flow_fail(err, FLOW_EDATA, "%zu tensors, the flow has %zu", file_tensors_count(in),
                         flow_n_tensors(self->flow));
    for (size_t i = 0; i < flow_n_tensors(self->flow); i++)
        if (read_tensor(self, in, i, err))
            return FLOW_EDATA;
    return 0;
}

/* What is an angle in the units is on a circle in the flow, and nothing else. */
static int check_circles(const flow_model *self, flow_err *err)
{
    const unsigned char *circles = flow_circles(self->flow);
    for (size_t col = 0; col < self->units->dim; col++)
        if (flow_unit_is_angle(&self->units->column[col]) != (circles && circles[col]))
            return flow_fail(err, FLOW_EDATA,
                             "column %zu is on a circle in the flow or in the units, not in both",
                             col);
    return 0;
}

static int read_surroundings(flow_model *self, const file_tensors *in, flow_err *err)
{
    size_t dim = flow_dim(self->flow), context = flow_context(self->flow);
    const char *role = file_tensors_metadata(in, "role");
    if (!role || (strcmp(role, "teacher") != 0 && strcmp(role, "student") != 0))
        return flow_fail(err, FLOW_EDATA, "metadata 'role' is neither teacher nor student");
    strcpy(self->role, role);
    if (!(self->units = read_units(in, "units", dim, err)) ||
        !(self->names = read_names(in, "names", dim, err)))
        return FLOW_EDATA;
    if (context && (!(self->context_units = read_units(in, "context_units", context, err)) ||
                    !(self->context_names = read_names(in, "context_names", context, err))))
        return FLOW_EDATA;
    if (check_circles(self, err))
        return FLOW_EDATA;
    int code = read_ranges(in, &self->ranges, "ranges", dim, err);
    if (!code)
        code = read_ranges(in, &self->context_ranges, "context_ranges", context, err);
    return code ? code : read_quantities(in, &self->quantities, err);
}

static flow_model *from_tensors(file_tensors *in, const char *name, flow_err *err)
{
    flow_model *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "%s: out of memory", name);
    } else if (read_flow(self, in, err) || read_surroundings(self, in, err)) {
        flow_fail_prefix(err, name);
        flow_model_free(self);
        self = NULL;
    }
    file_tensors_free(in);
    return self;
}

flow_model *flow_model_read(const char *path, flow_err *err)
{
    file_tensors *in = file_tensors_read(path, err);
    return in ? from_tensors(in, path, err) : NULL;
}

flow_model *flow_model_read_bytes(const void *bytes, size_t len, const char *name, flow_err *err)
{
    file_tensors *in = file_tensors_read_bytes(bytes, len, name, err);
    return in ? from_tensors(in, name, err) : NULL;
}

/* other: NULL after an error. */
static int take_flow(flow_model *self, flow *other, const flow_err *err)
{
    if (!other)
        return err->code;
    flow_free(self->flow);
    self->flow = other;
    return 0;
}

int flow_model_convert(flow_model *self, flow_precision precision, flow_err *err)
{
    return take_flow(self, flow_convert(self->flow, precision, err), err);
}

int flow_model_round(flow_model *self, flow_network network, flow_err *err)
{
    return network == FLOW_NETWORK_AS_IS
               ? 0
               : take_flow(self, flow_round(self->flow, network, err), err);
}

void flow_model_free(flow_model *self)
{
    if (!self)
        return;
    flow_free(self->flow);
    flow_units_free(self->units);
    flow_units_free(self->context_units);
    json_decref(self->names);
    json_decref(self->context_names);
    json_decref(self->quantities);
    free(self->ranges);
    free(self->context_ranges);
    free(self);
}
