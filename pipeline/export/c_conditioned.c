/* pipeline/export/c_conditioned.c -- autoregressive and unrolled layers: transformers, groups and circles, as tables. */
#include "pipeline/export/c_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- transformers */

static size_t whole(const json_t *object, const char *key)
{
    return (size_t)json_integer_value(json_object_get(object, key));
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* bound, min_share, min_slope, and the shift of raw slopes that makes 0 a slope of 1. */
static void write_spline(c_file *self, const json_t *tau, const char *bound)
{
    double least = number(tau, "min_slope");
    fputs(", ", self->out);
    if (bound)
        fputs(bound, self->out);
    else
        c_real(self, number(tau, "bound"));
    fputs(", ", self->out);
    c_real(self, number(tau, "min_share"));
    fputs(", ", self->out);
    c_real(self, least);
    fputs(", ", self->out);
    c_real(self, log(exp(1 - least) - 1));
    c_use(self, "rational_quadratic");
}

static void write_affine(c_file *self, const json_t *tau)
{
    fputs(", ", self->out);
    c_real(self, 1 / number(tau, "scale_bound"));
    fputs(", 0, 0, 0", self->out);
}

static void write_additive(c_file *self, const json_t *tau)
{
    (void)tau;
    fputs(", 0, 0, 0, 0", self->out);
}

static void write_line_spline(c_file *self, const json_t *tau)
{
    write_spline(self, tau, NULL);
}

static void write_circular_spline(c_file *self, const json_t *tau)
{
    write_spline(self, tau, "PI");
}

static const struct tau_kind {
    const char *name, *piece;
    int per_bin, more; /* outputs = per_bin bins + more */
    void (*write)(c_file *self, const json_t *tau);
} tau_kinds[] = {{"affine", "tau_affine", 0, 2, write_affine},
                 {"additive", "tau_additive", 0, 1, write_additive},
                 {"spline", "tau_spline", 3, -1, write_line_spline},
                 {"circular_spline", "tau_circular_spline", 3, 2, write_circular_spline},
                 {NULL, NULL, 0, 0, NULL}};

/* *outputs: how many numbers it takes. tau NULL: there is none, which takes 0. */
static int write_tau(c_file *self, const char *name, size_t id, size_t *outputs, const json_t *tau,
                     flow_err *err)
{
    const char *word = tau ? json_string_value(json_object_get(tau, "kind")) : NULL;
    const struct tau_kind *kind = tau_kinds;
    *outputs = 0;
    while (word && kind->name && strcmp(kind->name, word) != 0)
        kind++;
    if (!word)
        return 0;
    if (!kind->name)
        return flow_fail(err, FLOW_ECONFIG, "transformer %s: there is no C for it", word);
    size_t bins = whole(tau, "bins");
    *outputs = (size_t)kind->per_bin * bins + (size_t)kind->more;
    fprintf(self->out, "static const tau %s_%zu = {%s, %zu, %zu", name, id, kind->piece, *outputs,
            bins);
    kind->write(self, tau);
    fputs("};\n\n", self->out);
    c_use(self, kind->piece);
    return 0;
}

/* ---- dimensions */

typedef struct shape {
    c_shape seen;
    size_t *group, *inputs, *outputs; /* in one block, which group begins */
    unsigned char *circle;            /* (dim) */
} shape;

static int take_circles(shape *s, const json_t *layer)
{
    const json_t *list = json_object_get(layer, "circles");
    for (size_t k = 0; k < json_array_size(list); k++)
        s->circle[json_integer_value(json_array_get(list, k))] = 1;
    return json_array_size(list) > 0;
}

static int open_shape(shape *s, const json_t *layer, size_t dim)
{
    size_t groups = whole(layer, "groups");
    const char *first = json_string_value(json_object_get(layer, "first"));
    s->group = calloc(groups + 1 + 2 * (dim + 1), sizeof *s->group);
    s->circle = calloc(dim + 1, 1);
    if (!s->group || !s->circle)
        return -1;
    s->inputs = s->group + groups + 1;
    s->outputs = s->inputs + dim + 1;
    for (size_t c = 1; c <= groups; c++) /* even and ascending (flow/layer/conditioner.h) */
        s->group[c] = (c * dim + groups - 1) / groups;
    s->seen = (c_shape){.dim = dim,
                        .groups = groups,
                        .bare = first && strcmp(first, "identity") == 0,
                        .group = s->group,
                        .inputs = s->inputs,
                        .outputs = s->outputs};
    return 0;
}

static void close_shape(shape *s)
{
    free(s->group);
    free(s->circle);
}

static void count(shape *s, size_t line, size_t circle)
{
    size_t first = s->seen.bare ? s->group[1] : 0;
    for (size_t i = 0; i < s->seen.dim; i++) {
        size_t more = s->circle[i] ? circle : line;
        s->inputs[i + 1] = s->inputs[i] + (s->circle[i] ? 2 : 1);
        s->outputs[i + 1] = s->outputs[i] + (i < first ? 0 : more);
    }
}

/* ---- the layer */

static void write_rows(c_file *self, const char *name, size_t id, const size_t *before, size_t dim,
                       size_t from)
{
    fprintf(self->out, "static const int %s_%zu[] = {\n    ", name, id);
    for (size_t i = 0; i < dim; i++)
        fprintf(self->out, "%zu%s", from + before[i],
                i + 1 == dim   ? ""
                : (i + 1) % 16 ? ", "
                               : ",\n    ");
    fputs("};\n\n", self->out);
}

static void write_layer(c_file *self, size_t id, const json_t *layer, const shape *s, int circles,
                        size_t output_row)
{
    char circle[64] = "NULL", on_circle[64] = "NULL";
    if (circles) {
        snprintf(circle, sizeof circle, "&circle_%zu", id);
        snprintf(on_circle, sizeof on_circle, "on_circle_%zu", id);
        c_bytes(self->out, on_circle, s->circle, s->seen.dim);
    }
    c_ints(self, "group", id, s->group, s->seen.groups + 1);
    write_rows(self, "input", id, s->inputs, s->seen.dim, flow_context(self->flow));
    write_rows(self, "output", id, s->outputs, s->seen.dim, output_row);
    fprintf(self->out,
            "static const conditioned layer_%zu = {\n    nets_%zu, &line_%zu, %s, %s, group_%zu, "
            "input_%zu, output_%zu, %zu, %zu, %zu, %zu, %d};\n\n",
            id, id, id, circle, on_circle, id, id, id, s->seen.dim, s->seen.groups, s->seen.bare,
            whole(layer, "iterations"), json_is_true(json_object_get(layer, "tied")));
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int write_all(c_file *self, size_t id, const json_t *layer, shape *s, flow_err *err)
{
    size_t line, circle, output_row, steps = whole(layer, "iterations");
    size_t copies = steps == 0 || json_is_true(json_object_get(layer, "tied")) ? 1 : steps;
    int circles = take_circles(s, layer);
    int code = write_tau(self, "line", id, &line, json_object_get(layer, "transformer"), err);
    if (!code)
        code = write_tau(self, "circle", id, &circle, json_object_get(layer, "circular"), err);
    if (code)
        return code;
    count(s, line, circle);
    code = c_networks(self, id, &output_row, json_object_get(layer, "conditioner"), &s->seen,
                      copies, err);
    if (code)
        return code;
    write_layer(self, id, layer, s, circles, output_row);
    self->parameters = most(self->parameters, most(line, circle));
    self->steps = most(self->steps, steps);
    c_use(self, "conditioned");
    c_use(self, circles ? "show_circle" : "show_line");
    return 0;
}

int c_conditioned(c_file *self, size_t id, const json_t *layer, size_t dim, flow_err *err)
{
    shape s = {.group = NULL};
    int code = open_shape(&s, layer, dim)
                   ? flow_fail(err, FLOW_ENOMEM, "out of memory for %zu columns", dim)
                   : write_all(self, id, layer, &s, err);
    close_shape(&s);
    return code;
}
