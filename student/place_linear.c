/* student/place_linear.c -- y = L S U z + b with U = I, b the rows' mean and L S the Cholesky factor C of their covariance
 * (flow/layer/lu_linear.c): u on the diagonal has the softly bounded log-scale s = u / (1 + |u| / c). Of a flow that is
 * parallel from data to noise it is the inverse, L S = C^-1 and b = -C^-1 mean. */
#include "student/place_linear.h"

#include "student/covariance.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double WITHIN = 0.9; /* of the bound c: further out a log-scale is left there */

/* The linear layer next to the data. */
typedef struct linear {
    double c;                    /* its bound; 0: there is none */
    char name[FLOW_TENSOR_NAME]; /* of its tensors, up to their own */
    json_t *columns;             /* that it takes; NULL: all */
} linear;

static int set_tensor(flow *student, const linear *at, const char *name, const double *values,
                      flow_err *err)
{
    char whole[FLOW_TENSOR_NAME + 8];
    snprintf(whole, sizeof whole, "%s.%s", at->name, name);
    return flow_tensor_set(student, values, flow_tensor_find(student, whole), err);
}

static bool is_back(const flow *student)
{
    return flow_get_direction(student) == FLOW_DATA_TO_NOISE;
}

static bool is_kind(const json_t *layer, const char *name)
{
    const char *kind = json_string_value(json_object_get(layer, "kind"));
    return kind && strcmp(kind, name) == 0;
}

/* A part of columns with nothing but it in it is how a linear map goes round circles (flow/circles.h). */
static void look_at_layer(linear *out, const json_t *layer, size_t number)
{
    const json_t *inner = json_object_get(layer, "layers");
    json_t *columns = json_object_get(layer, "columns");
    bool in_part = is_kind(layer, "part") && columns && json_array_size(inner) == 1;
    const json_t *map = in_part ? json_array_get(inner, 0) : layer;
    if (!is_kind(map, "lu_linear"))
        return;
    out->c = json_number_value(json_object_get(map, "scale_bound"));
    out->columns = in_part ? json_incref(columns) : NULL;
    snprintf(out->name, sizeof out->name, "layers.%zu%s", number, in_part ? ".layers.0" : "");
}

static int look_at_end(linear *out, const flow *student, flow_err *err)
{
    json_t *description = flow_describe(student);
    *out = (linear){.c = 0};
    if (!description)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a description");
    const json_t *layers = json_object_get(description, "layers");
    size_t n = json_array_size(layers), last = is_back(student) || n == 0 ? 0 : n - 1;
    look_at_layer(out, json_array_get(layers, last), last);
    json_decref(description);
    return 0;
}

/* L S as the layer stores it. */
static void as_lu(double *a, size_t dim, double c)
{
    for (size_t j = 0; j < dim; j++) {
        double scale = a[j * dim + j], s = log(scale);
        s = fmax(-WITHIN * c, fmin(WITHIN * c, s));
        for (size_t i = j + 1; i < dim; i++)
            a[i * dim + j] /= scale;
        a[j * dim + j] = s / (1 - fabs(s) / c);
    }
}

/* C^-1 in place of C; mean becomes -C^-1 mean. */
static void turn_round(double *mean, double *c, size_t dim)
{
    covariance_invert(c, dim);
    for (size_t i = dim; i-- > 0;) {
        double sum = 0;
        for (size_t j = 0; j <= i; j++)
            sum += c[i * dim + j] * mean[j];
        mean[i] = -sum;
    }
}

static int set(flow *student, const linear *at, const double *mean, const double *lu, flow_err *err)
{
    int code = set_tensor(student, at, "lu", lu, err);
    return code ? code : set_tensor(student, at, "bias", mean, err);
}

/* The rows' columns that the map takes: x (n, k). */
static void gather(double *x, const distill_rows *rows, size_t dim, const linear *at, size_t k)
{
    for (size_t i = 0; i < rows->n * k; i++) {
        size_t col = i % k;
        if (at->columns)
            col = (size_t)json_integer_value(json_array_get(at->columns, col));
        x[i] = rows->x[i / k * dim + col];
    }
}

static int place(flow *student, const linear *at, const distill_rows *rows, flow_err *err)
{
    size_t dim = flow_dim(student), n = rows->n;
    size_t k = at->columns ? json_array_size(at->columns) : dim;
    double *x = malloc((n + k + 1) * k * sizeof *x), *mean = x + n * k, *a = mean + k;
    int code = 0;
    if (!x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a covariance of %zu columns", k);
    gather(x, rows, dim, at, k);
    covariance_mean(mean, x, n, k);
    covariance_of(a, mean, x, n, k, rows->precise ? 1 : (double)n / (double)(n + k));
    if (covariance_factor(a, k) == 0) {
        if (is_back(student))
            turn_round(mean, a, k);
        as_lu(a, k, at->c);
        code = set(student, at, mean, a, err);
    }
    free(x);
    return code;
}

int student_place_linear(flow *student, const distill_rows *rows, flow_err *err)
{
    linear at;
    int code = look_at_end(&at, student, err);
    if (!code && at.c > 0)
        code = place(student, &at, rows, err);
    json_decref(at.columns);
    return code;
}
