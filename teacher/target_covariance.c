#include "teacher/target_covariance.h"

#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>

int target_covariance_read(double *out, const json_t *rows, size_t dim, flow_err *err)
{
    if (!json_is_array(rows) || json_array_size(rows) != dim)
        return flow_fail(err, FLOW_ECONFIG, "covariance: wanted a list of %zu rows", dim);
    for (size_t i = 0; i < dim; i++)
        if (target_density_list(out + i * dim, json_array_get(rows, i), dim, "covariance", err))
            return FLOW_ECONFIG;
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < i; j++)
            if (!(out[i * dim + j] == out[j * dim + i]))
                return flow_fail(err, FLOW_ECONFIG,
                                 "covariance: element %zu, %zu is %.9g, element %zu, %zu is %.9g; "
                                 "wanted a symmetric matrix",
                                 i, j, out[i * dim + j], j, i, out[j * dim + i]);
    return 0;
}

void target_covariance_chain(double *out, size_t dim, double correlation)
{
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < dim; j++)
            out[i * dim + j] = pow(correlation, fabs((double)i - (double)j));
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Rows of normals become orthonormal, each cleared of those above it twice. */
static void orthonormalise(double *q, size_t dim)
{
    for (size_t i = 0; i < dim; i++) {
        double *row = q + i * dim;
        for (size_t j = 0; j < 2 * i; j++) {
            const double *other = q + j % i * dim;
            double along = dot(row, other, dim);
            for (size_t k = 0; k < dim; k++)
                row[k] -= along * other[k];
        }
        double norm = sqrt(dot(row, row, dim));
        for (size_t k = 0; k < dim; k++)
            row[k] /= norm;
    }
}

int target_covariance_random(double *out, size_t dim, double condition, uint64_t seed,
                             flow_err *err)
{
    const pcg_stream stream = {seed, STREAM_ENERGY, PCG_TARGET};
    double *q = malloc(dim * dim * sizeof *q);
    if (!q)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a rotation");
    pcg_normals(q, stream, 0, dim, dim);
    orthonormalise(q, dim);
    for (size_t i = 0; i < dim * dim; i++)
        out[i] = 0;
    for (size_t k = 0; k < dim; k++) {
        double l = dim > 1 ? pow(condition, (double)k / (double)(dim - 1) - 0.5) : 1;
        for (size_t i = 0; i < dim * dim; i++)
            out[i] += l * q[k * dim + i / dim] * q[k * dim + i % dim];
    }
    free(q);
    return 0;
}

int target_cholesky(double *a, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * dim + j] - dot(a + i * dim, a + j * dim, j);
            if (i == j && !(sum > 0 && isfinite(sum)))
                return -1;
            a[i * dim + j] = i == j ? sqrt(sum) : sum / a[j * dim + j];
        }
    return 0;
}
