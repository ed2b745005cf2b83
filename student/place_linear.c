/* student/place_linear.c -- y = L S U z + b with U = I, b the rows' mean and L S the Cholesky factor of their covariance
 * (flow/layer/lu_linear.c): u on the diagonal has the softly bounded log-scale s = u / (1 + |u| / c). */
#include "student/place_linear.h"

#include "student/covariance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double WITHIN = 0.9; /* of the bound c: further out a log-scale is left there */

/* The tensors of the last layer, and its c; 0: it is another one. */
static double bound_of_last(size_t *lu, size_t *bias, const flow *student)
{
    json_t *description = flow_describe(student);
    const json_t *layers = json_object_get(description, "layers");
    size_t n = json_array_size(layers);
    const json_t *last = json_array_get(layers, n - 1);
    const char *kind = json_string_value(json_object_get(last, "kind"));
    double c = kind && strcmp(kind, "lu_linear") == 0
                   ? json_number_value(json_object_get(last, "scale_bound"))
                   : 0;
    char name[2][96];
    snprintf(name[0], sizeof name[0], "layers.%zu.lu", n - 1);
    snprintf(name[1], sizeof name[1], "layers.%zu.bias", n - 1);
    json_decref(description);
    flow_tensor_info info;
    for (size_t i = 0; i < flow_n_tensors(student); i++) {
        flow_tensor(student, &info, i);
        *lu = strcmp(info.name, name[0]) == 0 ? i : *lu;
        *bias = strcmp(info.name, name[1]) == 0 ? i : *bias;
    }
    return c;
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

int student_place_linear(flow *student, const distill_rows *rows, flow_err *err)
{
    size_t dim = flow_dim(student), lu = 0, bias = 0;
    double c = bound_of_last(&lu, &bias, student);
    if (!(c > 0))
        return 0;
    double *mean = malloc((dim + 1) * dim * sizeof *mean), *a = mean + dim;
    if (!mean)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a covariance of %zu columns", dim);
    int code = 0;
    covariance_mean(mean, rows->x, rows->n, dim);
    covariance_of(a, mean, rows->x, rows->n, dim, (double)rows->n / (double)(rows->n + dim));
    if (covariance_factor(a, dim) == 0) {
        as_lu(a, dim, c);
        code = flow_tensor_set(student, a, lu, err);
        code = code ? code : flow_tensor_set(student, mean, bias, err);
    }
    free(mean);
    return code;
}
