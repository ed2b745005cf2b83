/* student/place_linear.c -- y = L S U z + b with U = I, b the rows' mean and L S the Cholesky factor of their covariance
 * (flow/layer/lu_linear.c): u on the diagonal has the softly bounded log-scale s = u / (1 + |u| / c). */
#include "student/place_linear.h"

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

static void mean_of(double *mean, const distill_rows *rows, size_t dim)
{
    memset(mean, 0, dim * sizeof *mean);
    for (size_t r = 0; r < rows->n; r++)
        for (size_t i = 0; i < dim; i++)
            mean[i] += rows->x[r * dim + i] / (double)rows->n;
}

/* The lower half of a (D, D). */
static void covariance_of(double *a, const double *mean, const distill_rows *rows, size_t dim)
{
    double keep = (double)rows->n / (double)(rows->n + dim);
    memset(a, 0, dim * dim * sizeof *a);
    for (size_t r = 0; r < rows->n; r++)
        for (size_t i = 0; i < dim; i++)
            for (size_t j = 0; j <= i; j++)
                a[i * dim + j] += (rows->x[r * dim + i] - mean[i]) *
                                  (rows->x[r * dim + j] - mean[j]) * (i == j ? 1 : keep) /
                                  (double)rows->n;
}

/* Its Cholesky factor in place: 0, or -1 for rows that lie in a plane. */
static int factor(double *a, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * dim + j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i * dim + k] * a[j * dim + k];
            if (i == j && !(sum > 0))
                return -1;
            a[i * dim + j] = i == j ? sqrt(sum) : sum / a[j * dim + j];
        }
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
    mean_of(mean, rows, dim);
    covariance_of(a, mean, rows, dim);
    if (factor(a, dim) == 0) {
        as_lu(a, dim, c);
        code = flow_tensor_set(student, a, lu, err);
        code = code ? code : flow_tensor_set(student, mean, bias, err);
    }
    free(mean);
    return code;
}
