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

/* Of the layer next to the data, number `layer`. */
static int set_tensor(flow *student, size_t layer, const char *name, const double *values,
                      flow_err *err)
{
    char whole[FLOW_TENSOR_NAME];
    snprintf(whole, sizeof whole, "layers.%zu.%s", layer, name);
    return flow_tensor_set(student, values, flow_tensor_find(student, whole), err);
}

static bool is_back(const flow *student)
{
    return flow_get_direction(student) == FLOW_DATA_TO_NOISE;
}

/* *c of the layer next to the data, 0 if it is no linear one, and its number. */
static int look_at_end(double *c, size_t *layer, const flow *student, flow_err *err)
{
    json_t *description = flow_describe(student);
    if (!description)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a description");
    const json_t *layers = json_object_get(description, "layers");
    *layer =
        is_back(student) ? 0 : json_array_size(layers) - 1; /* of none: there is no such layer */
    const json_t *last = json_array_get(layers, *layer);
    const char *kind = json_string_value(json_object_get(last, "kind"));
    *c = kind && strcmp(kind, "lu_linear") == 0
             ? json_number_value(json_object_get(last, "scale_bound"))
             : 0;
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

static int set(flow *student, size_t layer, const double *mean, const double *lu, flow_err *err)
{
    int code = set_tensor(student, layer, "lu", lu, err);
    return code ? code : set_tensor(student, layer, "bias", mean, err);
}

int student_place_linear(flow *student, const distill_rows *rows, flow_err *err)
{
    size_t dim = flow_dim(student), layer = 0;
    double c = 0;
    int code = look_at_end(&c, &layer, student, err);
    if (code || !(c > 0))
        return code;
    double *mean = malloc((dim + 1) * dim * sizeof *mean), *a = mean + dim;
    if (!mean)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a covariance of %zu columns", dim);
    covariance_mean(mean, rows->x, rows->n, dim);
    covariance_of(a, mean, rows->x, rows->n, dim, (double)rows->n / (double)(rows->n + dim));
    if (covariance_factor(a, dim) == 0) {
        if (is_back(student))
            turn_round(mean, a, dim);
        as_lu(a, dim, c);
        code = set(student, layer, mean, a, err);
    }
    free(mean);
    return code;
}
