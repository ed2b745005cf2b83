/* pipeline/export/c_file.c -- the C export: one C99 file that needs the C library and libm. */
#include "pipeline/export/c_file.h"

#include "pipeline/export/export.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* More than this of the stack is refused: 8 MB is what a thread usually has. */
enum { STACK_MAX = 4 << 20 };

/* ---- the head */

static size_t stack_bytes(const c_file *self)
{
    size_t real = flow_get_precision(self->flow) / 8, dim = flow_dim(self->flow);
    size_t steps = self->steps ? self->steps : 1;
    size_t reals = steps * self->values + self->parameters + 6 * dim + flow_context(self->flow);
    return C_TILE * (reals * real + (4 * dim + flow_context(self->flow)) * 8) + 16384;
}

static void write_upper(FILE *out, const char *stem)
{
    for (; *stem; stem++)
        fputc(toupper((unsigned char)*stem), out);
}

/* As a comment: nothing that could end it, and nothing but ASCII. */
static void comment_text(FILE *out, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++)
        fputc(*at < 32 || *at > 126 || *at == '/' || *at == '\\' || *at == '?' ? '_' : *at, out);
}

static void list_columns(FILE *out, const char *what, const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        fprintf(out, " *   %s %zu: ", what, i);
        comment_text(out, json_string_value(json_array_get(names, i)));
        fputc('\n', out);
    }
}

static void write_purpose(const c_file *self, FILE *out)
{
    const char *s = self->stem;
    fprintf(out,
            "/* %s.c -- a normalizing flow that distill %s wrote: the %s, D = %zu columns, %zu of "
            "context, %s.\n *\n",
            s, DISTILL_VERSION, self->model->role, flow_dim(self->flow), flow_context(self->flow),
            flow_get_precision(self->flow) == FLOW_F32 ? "single precision" : "double precision");
    list_columns(out, "column", self->model->names);
    list_columns(out, "context", self->model->context_names);
    fprintf(
        out,
        " *\n * C99; needs libm and nothing else: cc -O3 -march=native -c %s.c, without "
        "-ffast-math. "
        "-std=gnu99, or nothing,\n * lets gcc take fused multiply-adds, which is faster. It "
        "allocates nothing and keeps no state: call it from any\n * thread, which gives it %zu kB "
        "of stack.\n *\n",
        s, stack_bytes(self) / 1024);
    fputs(" * Rows are (n, D) doubles, row-major, in the units of the data; logq (n) is the "
          "log-density "
          "in those, or NULL.\n * Of a grid it is the log-probability of the cell. Where the "
          "density is "
          "0, -inf. */\n",
          out);
}

static void prototype(const c_file *self, FILE *out, const char *what, const char *arguments,
                      const char *rest, const char *end)
{
    fprintf(out, "void %s_%s(%s%s%s)%s\n", self->stem, what, arguments,
            flow_context(self->flow) ? ", const double *context" : "", rest, end);
}

static void write_prototypes(const c_file *self, FILE *out)
{
    fputs(
        "/* Rows first .. first + n - 1 of the seed: those of `distill sample --seed SEED --first "
        "FIRST`. */\n",
        out);
    prototype(self, out, "sample", "uint64_t seed, uint64_t first, size_t n",
              ", double *x, double *logq", ";");
    fputs("/* x from the noise z (n, D), whatever it was drawn with. */\n", out);
    prototype(self, out, "transport", "const double *z, size_t n", ", double *x, double *logq",
              ";");
    prototype(self, out, "logq", "const double *x, size_t n", ", double *logq", ";");
}

static void write_names(const c_file *self, FILE *out, const char *what, const json_t *names)
{
    fprintf(out, "const char *const %s_%s[] = {\n", self->stem, what);
    for (size_t i = 0; i < json_array_size(names); i++) {
        fputs("    ", out);
        c_string(out, json_string_value(json_array_get(names, i)));
        fputs(",\n", out);
    }
    fputs("};\n\n", out);
}

static void write_constants(const c_file *self, FILE *out)
{
    size_t dim = flow_dim(self->flow), context = flow_context(self->flow);
    fputs("\nenum { ", out);
    write_upper(out, self->stem);
    fprintf(out, "_DIM = %zu, ", dim);
    write_upper(out, self->stem);
    fprintf(out, "_CONTEXT = %zu };\n", context);
    fprintf(out, "extern const char *const %s_names[];\n", self->stem);
    if (context)
        fprintf(out, "extern const char *const %s_context_names[]; /* context is (n, C) */\n",
                self->stem);
    fputc('\n', out);
    write_prototypes(self, out);
}

/* What a caller has to see: for C++ as well. */
/* For C++ as well. */
static void write_declarations(const c_file *self, FILE *out)
{
    fputs(
        "#include <stddef.h>\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n",
        out);
    write_constants(self, out);
    fputs("\n#ifdef __cplusplus\n}\n#endif\n\n", out);
}

static void write_interface(const c_file *self, FILE *out)
{
    write_purpose(self, out);
    write_declarations(self, out);
    fputs("#include <float.h>\n#include <math.h>\n#include <string.h>\n\n", out);
    write_names(self, out, "names", self->model->names);
    if (flow_context(self->flow))
        write_names(self, out, "context_names", self->model->context_names);
}

/* ---- what it is made of */

static size_t at_least_one(size_t n)
{
    return n ? n : 1;
}

static void write_sizes(const c_file *self, FILE *out)
{
    size_t context = flow_context(self->flow);
    fprintf(
        out,
        "enum {\n    W = %d, /* rows of a tile */\n    D = %zu,\n    CONTEXT = %zu,\n    C = %zu,\n"
        "    VALUES = %zu,    /* rows of numbers in the work of a network */\n"
        "    PARAMETERS = %zu, /* of a transformer */\n    STEPS = %zu\n};\n\n",
        C_TILE, flow_dim(self->flow), context, at_least_one(context), at_least_one(self->values),
        at_least_one(self->parameters), at_least_one(self->steps));
}

/* In an order in which each sees what it needs. */
static void write_pieces(const c_file *self, FILE *out)
{
    static const char *const order[] = {"circles",
                                        "rows",
                                        "show_circle",
                                        "show_line",
                                        "network",
                                        "activation_relu",
                                        "activation_tanh",
                                        "activation_elu",
                                        "activation_gelu",
                                        "activation_silu",
                                        "conditioned",
                                        "autoregressive",
                                        "unrolled",
                                        "rational_quadratic",
                                        "tau_affine",
                                        "tau_additive",
                                        "tau_spline",
                                        "tau_circular_spline",
                                        "permutation",
                                        "part",
                                        "lu_linear",
                                        "linear",
                                        NULL};
    int single = flow_get_precision(self->flow) == FLOW_F32;
    c_piece_write(out, single ? "numbers_f32" : "numbers_f64");
    c_piece_write(out, "types");
    c_piece_write(out, "numbers");
    for (size_t i = 0; order[i]; i++)
        if (c_uses(self, order[i]) &&
            !(strcmp(order[i], "show_line") == 0 && c_uses(self, "show_circle")))
            c_piece_write(out, order[i]);
}

static void write_ways(const c_file *self, FILE *out, size_t stack)
{
    int to_noise = flow_get_direction(self->flow) == FLOW_DATA_TO_NOISE;
    fprintf(out, "static void to_noise(tile *t)\n{\n    stack_%zu_%s(t, t->x);\n}\n\n", stack,
            to_noise ? "forward" : "inverse");
    fprintf(out, "static void to_data(tile *t)\n{\n    stack_%zu_%s(t, t->x);\n}\n\n", stack,
            to_noise ? "inverse" : "forward");
}

/* circle (dim), or NULL: nothing is to be done. */
static void write_closing(FILE *out, const char *side, const unsigned char *circle, size_t dim)
{
    char name[32];
    snprintf(name, sizeof name, "%s_circle", side);
    if (circle)
        c_bytes(out, name, circle, dim);
    fprintf(out, "static void close_%s(double *rows, int n)\n{\n", side);
    fputs(circle ? "    close_circles(rows, " : "    (void)rows, (void)n;\n", out);
    fputs(circle ? name : "", out);
    fputs(circle ? ", n);\n}\n\n" : "}\n\n", out);
}

static int write_closings(const c_file *self, FILE *out, flow_err *err)
{
    size_t dim = flow_dim(self->flow);
    const unsigned char *data = flow_circles(self->flow);
    unsigned char *noise = data ? malloc(dim) : NULL;
    if (data && !noise)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu circles", dim);
    for (size_t i = 0; data && i < dim; i++)
        noise[i] = flow_noise_turns(self->flow, i) != 0;
    write_closing(out, "data", data, dim);
    write_closing(out, "noise", noise, dim);
    free(noise);
    return 0;
}

static void write_calls(const c_file *self, FILE *out)
{
    const char *c = flow_context(self->flow) ? "context" : "NULL";
    prototype(self, out, "sample", "uint64_t seed, uint64_t first, size_t n",
              ", double *x, double *logq", "");
    fprintf(out, "{\n    sample_rows(seed, first, n, %s, x, logq);\n}\n\n", c);
    prototype(self, out, "transport", "const double *z, size_t n", ", double *x, double *logq", "");
    fprintf(out, "{\n    transport_rows(z, n, %s, x, logq);\n}\n\n", c);
    prototype(self, out, "logq", "const double *x, size_t n", ", double *logq", "");
    fprintf(out, "{\n    log_prob_rows(x, n, %s, logq);\n}\n\n", c);
}

/* ---- all of it */

static int check(const c_file *self, flow_err *err)
{
    if (flow_get_network(self->flow) != FLOW_NETWORK_AS_IS)
        return flow_fail(err, FLOW_ECONFIG,
                         "networks in %s: C is written of networks as they are, --network f32",
                         flow_network_name(flow_get_network(self->flow)));
    return 0;
}

static int check_stack(const c_file *self, flow_err *err)
{
    return stack_bytes(self) > STACK_MAX
               ? flow_fail(
                     err, FLOW_ECONFIG,
                     "a tile of %d rows of this flow takes %zu kB of stack, %d at most can be",
                     C_TILE, stack_bytes(self) / 1024, STACK_MAX / 1024)
               : 0;
}

/* What comes after the layers. */
static int write_rest(c_file *self, FILE *out, const json_t *description, flow_err *err)
{
    int code = c_base(self, out, json_object_get(description, "base"), err);
    if (!code)
        code = c_units(self, out, err);
    if (!code)
        code = write_closings(self, out, err);
    c_piece_write(out, "flow");
    if (!code)
        code = c_points(self, out, err);
    c_piece_write(out, "rows_in_tiles");
    write_calls(self, out);
    c_piece_write(out, "noise_end");
    return code;
}

/* All tensors of the layers have been taken, in their order. */
static int check_tensors(const c_file *self, flow_err *err)
{
    flow_tensor_info info = {.name = "base."};
    if (self->tensor < flow_n_tensors(self->flow))
        flow_tensor(self->flow, &info, self->tensor);
    return strncmp(info.name, "base.", 5) == 0
               ? 0
               : flow_fail(err, FLOW_EBUG, "tensor %s has not been written", info.name);
}

/* Layers into memory: *text, to be freed. */
static int write_layers(c_file *self, char **text, size_t *stack, const json_t *description,
                        flow_err *err)
{
    size_t size;
    self->out = open_memstream(text, &size);
    if (!self->out)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a file of C");
    if (flow_circles(self->flow))
        c_use(self, "circles");
    int code =
        c_stack(self, stack, json_object_get(description, "layers"), flow_dim(self->flow), err);
    if (!code)
        code = check_tensors(self, err);
    int failed = ferror(self->out) | fclose(self->out);
    return code || !failed ? code : flow_fail(err, FLOW_ENOMEM, "out of memory for a file of C");
}

static int write_file(c_file *self, FILE *out, const json_t *description, flow_err *err)
{
    char *text = NULL;
    size_t stack;
    int code = write_layers(self, &text, &stack, description, err);
    if (!code)
        code = check_stack(self, err);
    if (!code) {
        write_interface(self, out);
        write_sizes(self, out);
        write_pieces(self, out);
        fputs(text, out);
        write_ways(self, out, stack);
        code = write_rest(self, out, description, err);
    }
    free(text);
    return code;
}

static int write_c(FILE *out, const flow_model *model, const char *stem, flow_err *err)
{
    c_file self = {.model = model, .flow = model->flow, .stem = stem};
    int code = check(&self, err);
    json_t *description = code ? NULL : flow_describe(model->flow);
    if (!code && !description)
        code = flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a flow");
    if (!code)
        code = write_file(&self, out, description, err);
    json_decref(description);
    return code;
}

/* Its declarations alone. */
static int write_header(FILE *out, const flow_model *model, const char *stem, flow_err *err)
{
    const c_file self = {.model = model, .flow = model->flow, .stem = stem};
    (void)err;
    fprintf(out, "/* %s.h -- what %s.c has, in C and C++; there it is described. */\n", stem, stem);
    fputs("#ifndef ", out);
    write_upper(out, stem);
    fputs("_H\n#define ", out);
    write_upper(out, stem);
    fputs("_H\n\n", out);
    write_declarations(&self, out);
    fputs("#endif\n", out);
    return 0;
}

const export_kind export_c = {
    .name = "c",
    .doc = "one C99 file with the weights in it, which needs libm alone",
    .suffix = ".c",
    .write = write_c,
};

const export_kind export_c_header = {
    .name = "c_header",
    .doc = "the header of that file, for C and C++",
    .suffix = ".h",
    .write = write_header,
};
