#include "student/moments.h"

#include "student/sum.h"

#include <assert.h>
#include <cblas.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { CHUNK = 256 }; /* rows standardised at a time */

static int check_finite(const data_numbers *x, size_t n, flow_err *err)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < x->width; j++) {
            double value = data_number(x, i, j);
            if (!isfinite(value))
                return flow_fail(err, FLOW_EDIVERGED, "moments: row %zu, column %zu is %g", i, j,
                                 value);
        }
    return FLOW_OK;
}

/* One block for the six results. */
static student_moments *allocate(size_t n, size_t dim, flow_err *err)
{
    student_moments *self = NULL;
    double *block = NULL;
    if (dim <= INT32_MAX && dim <= SIZE_MAX / sizeof *block / 8 / (dim + 1)) {
        self = malloc(sizeof *self);
        block = malloc((4 * dim + 2 * dim * dim + 1) * sizeof *block);
    }
    if (!self || !block) {
        free(self);
        free(block);
        flow_fail(err, FLOW_ENOMEM, "moments: no memory for %zu columns", dim);
        return NULL;
    }
    *self = (student_moments){.n = n, .dim = dim, .mean = block};
    self->mean_se = self->mean + dim;
    self->sd = self->mean_se + dim;
    self->sd_se = self->sd + dim;
    self->correlation = self->sd_se + dim;
    self->correlation_se = self->correlation + dim * dim;
    return self;
}

/* sums[j] = sum over rows of x_j, or of (x_j - centre_j)^2 if centre is not NULL. */
static void column_sums(double *sums, const data_numbers *x, size_t n, const double *centre)
{
    enum { STRIP = 8 }; /* columns at a time: a cache line of each row */
    const size_t dim = x->width;
    for (size_t first = 0; first < dim; first += STRIP) {
        size_t width = dim - first < STRIP ? dim - first : STRIP;
        student_sum sum[STRIP] = {{0, 0}};
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < width; j++) {
                double v = data_number(x, i, first + j), d = centre ? v - centre[first + j] : 0;
                student_sum_add(&sum[j], centre ? d * d : v);
            }
        for (size_t j = 0; j < width; j++)
            sums[first + j] = student_sum_get(&sum[j]);
    }
}

static void means_and_deviations(student_moments *self, const data_numbers *x)
{
    const size_t dim = self->dim;
    const double n = (double)self->n;
    column_sums(self->mean, x, self->n, NULL);
    for (size_t j = 0; j < dim; j++)
        self->mean[j] = self->n ? self->mean[j] / n : NAN;
    column_sums(self->sd, x, self->n, self->mean);
    for (size_t j = 0; j < dim; j++) {
        self->sd[j] = self->n > 1 ? sqrt(self->sd[j] / (n - 1)) : NAN;
        self->mean_se[j] = self->sd[j] / sqrt(n);
    }
}

/* Sums over the rows of products of the standardised columns u = (x - mean) / sd, n - 1 in sd. */
typedef struct products {
    double *x;               /* (CHUNK, dim): rows of a chunk */
    double *u, *u2, *u3;     /* likewise, standardised, and its powers */
    double *uu, *u2u2, *u3u; /* (dim, dim): sum u_i u_j, u_i^2 u_j^2 (upper triangles), u_i^3 u_j */
} products;

static int products_init(products *p, size_t dim, flow_err *err)
{
    if (dim > SIZE_MAX / sizeof(double) / 8 / (dim + 2 * CHUNK))
        return flow_fail(err, FLOW_ENOMEM, "moments: %zu columns are too many", dim);
    double *block = calloc(dim * (3 * dim + 4 * CHUNK), sizeof *block);
    if (!block)
        return flow_fail(err, FLOW_ENOMEM, "moments: no memory for %zu columns", dim);
    p->x = block;
    p->u = p->x + CHUNK * dim;
    p->u2 = p->u + CHUNK * dim;
    p->u3 = p->u2 + CHUNK * dim;
    p->uu = p->u3 + CHUNK * dim;
    p->u2u2 = p->uu + dim * dim;
    p->u3u = p->u2u2 + dim * dim;
    return FLOW_OK;
}

static void standardise(products *p, const student_moments *m, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < m->dim; j++) {
            size_t k = i * m->dim + j;
            double u = m->sd[j] > 0 ? (p->x[k] - m->mean[j]) / m->sd[j] : 0;
            p->u[k] = u;
            p->u2[k] = u * u;
            p->u3[k] = u * u * u;
        }
}

/* Of the rows in p->x. */
static void products_add(products *p, const student_moments *m, size_t rows)
{
    const blasint d = (blasint)m->dim, n = (blasint)rows;
    standardise(p, m, rows);
    /* uu += U^T U, u2u2 += (U^2)^T U^2, u3u += (U^3)^T U */
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, d, n, 1, p->u, d, 1, p->uu, d);
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, d, n, 1, p->u2, d, 1, p->u2u2, d);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, d, d, n, 1, p->u3, d, p->u, d, 1, p->u3u,
                d);
}

/* r = mean u_i u_j and its error. The influence of a row is u_i u_j - r (u_i^2 + u_j^2) / 2, hence
 * n var r = E[u_i^2 u_j^2] - r E[u_i^3 u_j + u_i u_j^3] + r^2/4 E[u_i^4 + 2 u_i^2 u_j^2 + u_j^4].
 */
static void correlation_of(student_moments *m, const products *p, size_t i, size_t j)
{
    const size_t d = m->dim, ij = i * d + j, ji = j * d + i;
    const double n = (double)m->n;
    int defined = m->sd[i] > 0 && m->sd[j] > 0;
    double r = defined ? p->uu[ij] / (n - 1) : 0;
    double fourth = p->u2u2[i * d + i] + 2 * p->u2u2[ij] + p->u2u2[j * d + j];
    double variance = p->u2u2[ij] - r * (p->u3u[ij] + p->u3u[ji]) + r * r / 4 * fourth;
    m->correlation[ij] = m->correlation[ji] = r;
    m->correlation_se[ij] = m->correlation_se[ji] = defined ? sqrt(fmax(variance, 0)) / n : 0;
}

/* se(sd) = sd sqrt((kurtosis - 1) / (4 n)). */
static double sd_error(double sd, double sum_u4, double n)
{
    double kurtosis = n * sum_u4 / ((n - 1) * (n - 1));
    return sd * sqrt(fmax(kurtosis - 1, 0) / (4 * n));
}

/* The second pass: correlations, and errors of deviations. */
static int correlations(student_moments *self, const data_numbers *x, flow_err *err)
{
    const size_t d = self->dim;
    if (self->n < 2 || d == 0) {
        for (size_t k = 0; k < d + 2 * d * d; k++)
            self->sd_se[k] = NAN; /* and the correlations behind it */
        return FLOW_OK;
    }
    products p = {.x = NULL};
    int code = products_init(&p, d, err);
    if (code)
        return code;
    for (size_t i = 0; i < self->n; i += CHUNK) {
        size_t rows = self->n - i < CHUNK ? self->n - i : CHUNK;
        data_numbers_copy(p.x, x, i, rows);
        products_add(&p, self, rows);
    }
    for (size_t i = 0; i < d; i++) {
        self->sd_se[i] = sd_error(self->sd[i], p.u2u2[i * d + i], (double)self->n);
        self->correlation[i * d + i] = 1;
        self->correlation_se[i * d + i] = 0;
        for (size_t j = i + 1; j < d; j++)
            correlation_of(self, &p, i, j);
    }
    free(p.x);
    return FLOW_OK;
}

student_moments *student_moments_create(const double *x, size_t n, size_t dim, flow_err *err)
{
    const data_numbers view = data_numbers_of(x, dim);
    return student_moments_of(&view, n, err);
}

student_moments *student_moments_of(const data_numbers *x, size_t n, flow_err *err)
{
    if (check_finite(x, n, err))
        return NULL;
    student_moments *self = allocate(n, x->width, err);
    if (!self)
        return NULL;
    means_and_deviations(self, x);
    if (correlations(self, x, err)) {
        student_moments_free(self);
        return NULL;
    }
    return self;
}

void student_moments_free(student_moments *self)
{
    if (self)
        free(self->mean);
    free(self);
}

/* ---- two samples */

static double z_of(double a, double a_se, double b, double b_se)
{
    double difference = a - b, se = hypot(a_se, b_se);
    return difference == 0 && se == 0 ? 0 : difference / se;
}

/* Keeps the larger |z|; a NaN never wins. */
static void consider(student_worst *worst, size_t column, size_t other, double a, double b,
                     double z)
{
    if (isnan(z) || fabs(z) <= fabs(worst->z))
        return;
    *worst =
        (student_worst){.column = column, .other = other, .student = a, .reference = b, .z = z};
}

static void finish(student_worst *worst, double count)
{
    worst->p = isnan(worst->z) ? NAN : fmin(1, count * erfc(fabs(worst->z) * 0.70710678118654752));
}

/* The same for the excess; unit: what the difference is measured in. */
static void exceed(student_excess *most, size_t column, size_t other, double difference, double se,
                   double unit)
{
    enum { SURE = 4 };
    double value = fmax(fabs(difference) - SURE * se, 0) / unit;
    if (isnan(se) || isnan(value) || value <= most->value)
        return;
    *most = (student_excess){column, other, value};
}

static void compare_column(student_moments_difference *out, const student_moments *a,
                           const student_moments *b, size_t i)
{
    consider(&out->mean, i, i, a->mean[i], b->mean[i],
             z_of(a->mean[i], a->mean_se[i], b->mean[i], b->mean_se[i]));
    consider(&out->sd, i, i, a->sd[i], b->sd[i],
             z_of(a->sd[i], a->sd_se[i], b->sd[i], b->sd_se[i]));
    exceed(&out->mean_excess, i, i, a->mean[i] - b->mean[i], hypot(a->mean_se[i], b->mean_se[i]),
           b->sd[i]);
    exceed(&out->sd_excess, i, i, a->sd[i] - b->sd[i], hypot(a->sd_se[i], b->sd_se[i]), b->sd[i]);
}

static void compare_pair(student_moments_difference *out, const student_moments *a,
                         const student_moments *b, size_t i, size_t j)
{
    const size_t k = i * a->dim + j;
    const double own = a->correlation[k], other = b->correlation[k];
    consider(&out->correlation, i, j, own, other,
             z_of(own, a->correlation_se[k], other, b->correlation_se[k]));
    exceed(&out->correlation_excess, i, j, own - other,
           hypot(a->correlation_se[k], b->correlation_se[k]), 1);
}

static double found(double excess)
{
    return excess < 0 ? NAN : excess;
}

void student_moments_compare(student_moments_difference *out, const student_moments *a,
                             const student_moments *b)
{
    assert(a->dim == b->dim);
    const size_t d = a->dim;
    const student_worst none = {.student = NAN, .reference = NAN, .z = NAN, .p = NAN};
    const student_excess below = {.value = -1};
    *out = (student_moments_difference){none, none, none, below, below, below};
    for (size_t i = 0; i < d; i++) {
        compare_column(out, a, b, i);
        for (size_t j = i + 1; j < d; j++)
            compare_pair(out, a, b, i, j);
    }
    finish(&out->mean, (double)d);
    finish(&out->sd, (double)d);
    finish(&out->correlation, (double)d * ((double)d - 1) / 2);
    out->mean_excess.value = found(out->mean_excess.value);
    out->sd_excess.value = found(out->sd_excess.value);
    out->correlation_excess.value = found(out->correlation_excess.value);
}
