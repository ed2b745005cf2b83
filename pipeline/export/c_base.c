/* pipeline/export/c_base.c -- the density of the noise, and how it is drawn. */
#include "pipeline/export/c_file.h"

#include "flow/circle.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct base {
    c_file *file;
    FILE *out;
    const json_t *object; /* of the columns on lines */
    size_t lines;
    double constant;
} base;

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static int tensor(double **out, const base *self, const char *name, flow_err *err)
{
    size_t at = flow_tensor_find(self->file->flow, name);
    flow_tensor_info info;
    *out = NULL;
    if (at == flow_n_tensors(self->file->flow))
        return 0;
    flow_tensor(self->file->flow, &info, at);
    *out = malloc((info.rows * (info.cols ? info.cols : 1) + 1) * sizeof **out);
    if (!*out)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for tensor %s", name);
    flow_tensor_get(self->file->flow, *out, at);
    return 0;
}

static void define(const base *self, const char *name, double value)
{
    fprintf(self->out, "#define %s (", name);
    c_double(self->out, value);
    fputs(")\n\n", self->out);
}

/* base_shift, base_scale, base_over = 1 / scale, of shift (n), which is lost, and s, the logarithm of the scale. */
static void write_place(const base *self, double *shift, const double *s, size_t n)
{
    c_doubles(self->out, "base_shift", shift, n);
    for (size_t i = 0; i < n; i++)
        shift[i] = exp(s[i]);
    c_doubles(self->out, "base_scale", shift, n);
    for (size_t i = 0; i < n; i++)
        shift[i] = exp(-s[i]);
    c_doubles(self->out, "base_over", shift, n);
}

/* Learned shift and scale, or neither. */
static int place(base *self, flow_err *err)
{
    double *shift, *s = NULL;
    int code = tensor(&shift, self, "base.shift", err);
    if (!code)
        code = tensor(&s, self, "base.log_scale", err);
    if (!code && shift && s) {
        for (size_t i = 0; i < self->lines; i++)
            self->constant -= s[i];
        write_place(self, shift, s, self->lines);
    }
    if (!code)
        c_piece_write(self->out, shift ? "base_place" : "base_plain");
    free(shift);
    free(s);
    return code;
}

/* ---- kinds */

static int normal(base *self, flow_err *err)
{
    self->constant = -0.5 * FLOW_LOG_2PI * (double)self->lines;
    c_piece_write(self->out, "noise_normal");
    int code = place(self, err);
    define(self, "BASE_CONSTANT", self->constant);
    return code;
}

static int uniform(base *self, flow_err *err)
{
    double low = number(self->object, "low"), high = number(self->object, "high");
    (void)err;
    define(self, "BASE_LOW", low);
    define(self, "BASE_HIGH", high);
    define(self, "BASE_CONSTANT", -(double)self->lines * log(high - low));
    return 0;
}

static int student_t(base *self, flow_err *err)
{
    double dof = number(self->object, "dof");
    self->constant =
        (double)self->lines * (lgamma((dof + 1) / 2) - lgamma(dof / 2) - log(dof * FLOW_PI) / 2);
    int code = place(self, err);
    define(self, "BASE_DOF", dof);
    define(self, "BASE_CONSTANT", self->constant);
    return code;
}

/* log sum_k e^logit_k; logit NULL: all are 0. */
static double log_total(const double *logit, size_t n)
{
    double top = -INFINITY, sum = 0;
    for (size_t k = 0; k < n; k++)
        top = fmax(top, logit ? logit[k] : 0);
    for (size_t k = 0; k < n; k++)
        sum += exp((logit ? logit[k] : 0) - top);
    return top + log(sum);
}

/* Of each component its weight, and what does not depend on z of its log-density. */
static void write_weights(const base *self, const double *logit, const double *s, size_t n,
                          double *room)
{
    double total = log_total(logit, n);
    for (size_t k = 0; k < n; k++)
        room[k] = exp((logit ? logit[k] : 0) - total);
    c_doubles(self->out, "base_weight", room, n);
    for (size_t k = 0; k < n; k++) {
        room[k] = (logit ? logit[k] : 0) - total - 0.5 * FLOW_LOG_2PI * (double)self->lines;
        for (size_t i = 0; i < self->lines; i++)
            room[k] -= s[k * self->lines + i];
    }
    c_doubles(self->out, "base_constant", room, n);
}

static int mixture(base *self, flow_err *err)
{
    size_t n = (size_t)json_integer_value(json_object_get(self->object, "components"));
    double *shift, *s = NULL, *logit = NULL, *room = malloc((n + 1) * sizeof *room);
    int code = tensor(&shift, self, "base.shift", err);
    if (!code)
        code = tensor(&s, self, "base.log_scale", err);
    if (!code)
        code = tensor(&logit, self, "base.logit", err);
    if (!code && !room)
        code = flow_fail(err, FLOW_ENOMEM, "out of memory for %zu components", n);
    if (!code) {
        fprintf(self->out, "enum { COMPONENTS = %zu };\n\n", n);
        c_piece_write(self->out, "noise_normal");
        write_weights(self, logit, s, n, room);
        write_place(self, shift, s, n * self->lines);
    }
    free(shift);
    free(s);
    free(logit);
    free(room);
    return code;
}

static const struct base_kind {
    const char *name, *piece;
    int uniforms; /* it draws some */
    int (*tables)(base *self, flow_err *err);
} kinds[] = {{"normal", "base_normal", 0, normal},
             {"uniform", "base_uniform", 1, uniform},
             {"student_t", "base_student_t", 1, student_t},
             {"mixture", "base_mixture", 1, mixture},
             {NULL, NULL, 0, NULL}};

static int write_lines(base *self, int circles, flow_err *err)
{
    const char *name = json_string_value(json_object_get(self->object, "kind"));
    const struct base_kind *kind = kinds;
    while (kind->name && (!name || strcmp(kind->name, name) != 0))
        kind++;
    if (!kind->name)
        return flow_fail(err, FLOW_ECONFIG, "base %s: there is no C for it", name ? name : "");
    if (kind->uniforms || circles)
        c_piece_write(self->out, "noise_uniform");
    int code = kind->tables(self, err);
    c_piece_write(self->out, kind->piece);
    return code;
}

/* ---- circles */

static int write_circles(const base *self, const json_t *circles, flow_err *err)
{
    size_t dim = flow_dim(self->file->flow);
    unsigned char *on = calloc(dim, 1);
    if (!on)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu circles", dim);
    for (size_t k = 0; k < json_array_size(circles); k++)
        on[json_integer_value(json_array_get(circles, k))] = 1;
    c_bytes(self->out, "base_circle", on, dim);
    free(on);
    return 0;
}

int c_base(c_file *file, FILE *out, const json_t *object, flow_err *err)
{
    const json_t *circles = json_object_get(object, "circles");
    size_t dim = flow_dim(file->flow), lines = dim - json_array_size(circles);
    base self = {.file = file, .out = out, .lines = lines, .object = object};
    if (circles)
        self.object = json_object_get(object, "others");
    fprintf(out, "enum { LINES = %zu, L = %zu }; /* columns of the noise that are on lines */\n",
            lines, lines ? lines : 1);
    fprintf(out, "enum { STAGE = %d, PURPOSE = %d, CIRCLE_PURPOSE = %d }; /* of streams */\n\n",
            STREAM_EXPORT, PCG_BASE, PCG_CIRCLE);
    c_piece_write(out, "noise");
    int code = 0;
    if (lines)
        code = write_lines(&self, circles != NULL, err);
    else
        c_piece_write(out, "noise_uniform"), c_piece_write(out, "base_no_lines");
    if (!code && circles)
        code = write_circles(&self, circles, err);
    c_piece_write(out, circles ? "base_circular" : "base_lines");
    return code;
}
