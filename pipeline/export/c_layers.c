/* pipeline/export/c_layers.c -- lists of layers: tables of each, then two functions that call them in order. */
#include "pipeline/export/c_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A layer that has been written: its calls want its number. */
typedef struct written {
    const struct kind *kind;
    size_t id, inner; /* inner: the stack of a part or an inverted layer */
    size_t first, count, dim;
    int listed;
} written;

typedef struct kind {
    const char *name;
    int (*tables)(c_file *self, written *w, const json_t *layer, flow_err *err);
    void (*call)(FILE *out, const written *w, int back);
} kind;

static int memory(flow_err *err, const char *what)
{
    return flow_fail(err, FLOW_ENOMEM, "out of memory for %s", what);
}

/* ---- autoregressive, unrolled */

static int autoregressive_tables(c_file *self, written *w, const json_t *layer, flow_err *err)
{
    c_use(self, "autoregressive");
    return c_conditioned(self, w->id, layer, w->dim, err);
}

static int unrolled_tables(c_file *self, written *w, const json_t *layer, flow_err *err)
{
    c_use(self, "unrolled");
    return c_conditioned(self, w->id, layer, w->dim, err);
}

/* Of layers whose functions are named after them. */
static void call_by_name(FILE *out, const written *w, int back)
{
    fprintf(out, "    %s_%s(&layer_%zu, t, x);\n", w->kind->name, back ? "inverse" : "forward",
            w->id);
}

/* ---- permutation */

static size_t *numbers_of(const json_t *list)
{
    size_t *out = malloc((json_array_size(list) + 1) * sizeof *out);
    for (size_t i = 0; out && i < json_array_size(list); i++)
        out[i] = (size_t)json_integer_value(json_array_get(list, i));
    return out;
}

static int permutation_tables(c_file *self, written *w, const json_t *layer, flow_err *err)
{
    size_t *order = numbers_of(json_object_get(layer, "order"));
    if (!order)
        return memory(err, "an order");
    c_use(self, "permutation");
    c_ints(self, "order", w->id, order, w->dim);
    free(order);
    return 0;
}

static void permutation_call(FILE *out, const written *w, int back)
{
    fprintf(out, "    permute%s(t, x, order_%zu, %zu);\n", back ? "_back" : "", w->id, w->dim);
}

/* ---- what scales: e^s and e^-s of s (n), and the sum */

static double write_scales(const c_file *self, size_t id, const double *s, size_t n, double *room)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        room[i] = exp(s[i]);
        sum += s[i];
    }
    c_reals(self, "scale", id, room, n);
    for (size_t i = 0; i < n; i++)
        room[i] = exp(-s[i]);
    c_reals(self, "unscale", id, room, n);
    return sum;
}

/* The next tensor as a table. */
static int next_table(c_file *self, const char *name, size_t id, flow_err *err)
{
    flow_tensor_info info;
    double *values = c_next_tensor(self, &info);
    if (!values)
        return memory(err, info.name);
    c_reals(self, name, id, values, info.rows * (info.cols ? info.cols : 1));
    free(values);
    return 0;
}

/* ---- lu_linear */

/* On the diagonal is u, and s = u / (1 + |u| / bound). */
static int lu_scales(c_file *self, const written *w, double bound, double *sum, flow_err *err)
{
    flow_tensor_info info;
    size_t d = w->dim;
    double *lu = c_next_tensor(self, &info), *s = malloc((2 * d + 1) * sizeof *s);
    if (lu && s) {
        for (size_t i = 0; i < d; i++)
            s[i] = lu[i * d + i] / (1 + fabs(lu[i * d + i]) / bound);
        *sum = write_scales(self, w->id, s, d, s + d);
        c_reals(self, "lu", w->id, lu, d * d);
    }
    int code = lu && s ? 0 : memory(err, info.name);
    free(lu);
    free(s);
    return code;
}

static int lu_linear_tables(c_file *self, written *w, const json_t *layer, flow_err *err)
{
    double sum = 0, bound = json_number_value(json_object_get(layer, "scale_bound"));
    c_use(self, "rows");
    c_use(self, "lu_linear");
    int code = lu_scales(self, w, bound, &sum, err);
    if (!code)
        code = next_table(self, "bias", w->id, err);
    fprintf(self->out,
            "static const lu_linear layer_%zu = {lu_%zu, bias_%zu, scale_%zu, unscale_%zu, ", w->id,
            w->id, w->id, w->id, w->id);
    c_double(self->out, sum);
    fprintf(self->out, ", %zu};\n\n", w->dim);
    return code;
}

/* ---- actnorm, context_linear */

static int write_log_scale(c_file *self, const written *w, double *sum, flow_err *err)
{
    flow_tensor_info info;
    double *s = c_next_tensor(self, &info), *room = malloc((w->dim + 1) * sizeof *room);
    if (s && room)
        *sum = write_scales(self, w->id, s, w->dim, room);
    int code = s && room ? 0 : memory(err, info.name);
    free(s);
    free(room);
    return code;
}

static int linear(c_file *self, const written *w, int with_slope, flow_err *err)
{
    double sum = 0;
    c_use(self, "rows");
    c_use(self, "linear");
    int code = write_log_scale(self, w, &sum, err);
    if (!code)
        code = next_table(self, "shift", w->id, err);
    if (!code && with_slope)
        code = next_table(self, "slope", w->id, err);
    fprintf(self->out, "static const linear layer_%zu = {scale_%zu, unscale_%zu, shift_%zu, ",
            w->id, w->id, w->id, w->id);
    if (with_slope)
        fprintf(self->out, "slope_%zu, ", w->id);
    else
        fputs("NULL, ", self->out);
    c_double(self->out, sum);
    fprintf(self->out, ", %zu};\n\n", w->dim);
    return code;
}

static int actnorm_tables(c_file *self, written *w, const json_t *layer, flow_err *err)
{
    (void)layer;
    return linear(self, w, 0, err);
}

static int context_linear_tables(c_file *self, written *w, const json_t *layer, flow_err *err)
{
    (void)layer;
    return linear(self, w, flow_context(self->flow) > 0, err); /* without context it has no slope */
}

static void linear_call(FILE *out, const written *w, int back)
{
    fprintf(out, "    linear_%s(&layer_%zu, t, x);\n", back ? "inverse" : "forward", w->id);
}

/* ---- part */

/* A list of columns is gathered and scattered. */
static void write_gathered(c_file *self, const written *w, const char *way)
{
    fprintf(self->out,
            "static void part_%zu_%s(tile *t, real *x)\n{\n    real inner[%zu * W];\n"
            "    gather(t, inner, x, columns_%zu, %zu);\n    stack_%zu_%s(t, inner);\n"
            "    scatter(t, x, inner, columns_%zu, %zu);\n}\n\n",
            w->id, way, w->count, w->id, w->count, w->inner, way, w->id, w->count);
}

static int part_tables(c_file *self, written *w, const json_t *layer, flow_err *err)
{
    const json_t *list = json_object_get(layer, "columns");
    w->listed = json_is_array(list);
    w->first = (size_t)json_integer_value(json_object_get(layer, "first"));
    w->count = w->listed ? json_array_size(list)
                         : (size_t)json_integer_value(json_object_get(layer, "count"));
    int code = c_stack(self, &w->inner, json_object_get(layer, "layers"), w->count, err);
    if (code || !w->listed)
        return code;
    size_t *columns = numbers_of(list);
    if (!columns)
        return memory(err, "a part");
    c_use(self, "part");
    c_ints(self, "columns", w->id, columns, w->count);
    free(columns);
    write_gathered(self, w, "forward");
    write_gathered(self, w, "inverse");
    return 0;
}

static void part_call(FILE *out, const written *w, int back)
{
    const char *way = back ? "inverse" : "forward";
    if (w->listed)
        fprintf(out, "    part_%zu_%s(t, x);\n", w->id, way);
    else
        fprintf(out, "    stack_%zu_%s(t, x + %zu * t->ld);\n", w->inner, way, w->first);
}

/* ---- inverted */

static int inverted_tables(c_file *self, written *w, const json_t *layer, flow_err *err)
{
    return c_stack(self, &w->inner, json_object_get(layer, "layers"), w->dim, err);
}

static void inverted_call(FILE *out, const written *w, int back)
{
    fprintf(out, "    stack_%zu_%s(t, x);\n", w->inner, back ? "forward" : "inverse");
}

/* ---- lists */

static const kind kinds[] = {{"autoregressive", autoregressive_tables, call_by_name},
                             {"unrolled", unrolled_tables, call_by_name},
                             {"permutation", permutation_tables, permutation_call},
                             {"lu_linear", lu_linear_tables, call_by_name},
                             {"actnorm", actnorm_tables, linear_call},
                             {"context_linear", context_linear_tables, linear_call},
                             {"part", part_tables, part_call},
                             {"inverted", inverted_tables, inverted_call},
                             {NULL, NULL, NULL}};

static int write_one(c_file *self, written *w, const json_t *layer, size_t dim, flow_err *err)
{
    const char *name = json_string_value(json_object_get(layer, "kind"));
    *w = (written){.kind = kinds, .id = self->n_ids++, .dim = dim};
    while (w->kind->name && (!name || strcmp(w->kind->name, name) != 0))
        w->kind++;
    if (!w->kind->name)
        return flow_fail(err, FLOW_ECONFIG, "layer %s: there is no C for it", name ? name : "");
    return w->kind->tables(self, w, layer, err);
}

static void write_way(c_file *self, size_t id, const written *layers, size_t n, int back)
{
    fprintf(self->out, "static void stack_%zu_%s(tile *t, real *x)\n{\n", id,
            back ? "inverse" : "forward");
    if (n == 0)
        fputs("    (void)t, (void)x;\n", self->out);
    for (size_t k = 0; k < n; k++) {
        const written *w = &layers[back ? n - 1 - k : k];
        w->kind->call(self->out, w, back);
    }
    fputs("}\n\n", self->out);
}

int c_stack(c_file *self, size_t *id, const json_t *layers, size_t dim, flow_err *err)
{
    size_t n = json_array_size(layers);
    written *list = calloc(n + 1, sizeof *list);
    int code = list ? 0 : memory(err, "a list of layers");
    for (size_t k = 0; !code && k < n; k++)
        if ((code = write_one(self, &list[k], json_array_get(layers, k), dim, err)))
            flow_fail_prefix(err, "layers");
    *id = self->n_ids++;
    if (!code) {
        write_way(self, *id, list, n, 0);
        write_way(self, *id, list, n, 1);
    }
    free(list);
    return code;
}
