#include "student/two_sample.h"

#include "flow/sort.h"
#include "student/sum.h"

#include <cblas.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const student_two_sample_options student_two_sample_defaults = {
    .max_rows = 2000, .permutations = 199, .directions = 200, .scale = NULL};

/* Two samples of r rows in one array, and every labelling whose statistic is wanted: the first is
 * the observed one (rows 0 .. r - 1 are the student's), the others are random. */
typedef struct pool {
    size_t rows, dim, labellings; /* rows: r */
    double *points;               /* (2 r, dim) */
    unsigned char *labels;        /* (labellings, 2 r): 1 in the first sample, 0 in the second */
    double bandwidth;             /* of the Gaussian kernel; 0 until it is known */
} pool;

/* values (labellings): the statistic under each. */
typedef int statistic(double *values, pool *p, const student_two_sample_options *options,
                      pcg_stream stream, flow_err *err);

static int no_memory(flow_err *err, const pool *p)
{
    return flow_fail(err, FLOW_ENOMEM, "two-sample test: no memory for 2 x %zu rows of %zu columns",
                     p->rows, p->dim);
}

/* ---- the pool */

/* The i-th of count rows spread over n. */
static size_t spread(size_t i, size_t count, size_t n)
{
    return i * (n / count) + i * (n % count) / count;
}

/* Rows offset, offset + step, ... of r * step rows spread over a sample. */
typedef struct sample {
    const double *x; /* (n, dim) */
    size_t n, offset, step;
    const char *who;
} sample;

static int copy_rows(double *to, const pool *p, const sample *from, const double *scale,
                     flow_err *err)
{
    for (size_t i = 0; i < p->rows; i++) {
        size_t row = spread(from->offset + i * from->step, p->rows * from->step, from->n);
        for (size_t j = 0; j < p->dim; j++) {
            double v = from->x[row * p->dim + j];
            if (!isfinite(v))
                return flow_fail(err, FLOW_EDIVERGED,
                                 "two-sample test: row %zu, column %zu of the %s's sample is %g",
                                 row, j, from->who, v);
            to[i * p->dim + j] = scale ? v / scale[j] : v;
        }
    }
    return FLOW_OK;
}

/* Distances do not care about the origin; their rounding does. */
static void centre(pool *p)
{
    for (size_t j = 0; j < p->dim; j++) {
        student_sum sum = {0, 0};
        for (size_t i = 0; i < 2 * p->rows; i++)
            student_sum_add(&sum, p->points[i * p->dim + j]);
        double mean = student_sum_get(&sum) / (double)(2 * p->rows);
        for (size_t i = 0; i < 2 * p->rows; i++)
            p->points[i * p->dim + j] -= mean;
    }
}

static int pool_load(pool *p, const sample *first, const sample *second, const double *scale,
                     flow_err *err)
{
    int code = copy_rows(p->points, p, first, scale, err);
    if (!code)
        code = copy_rows(p->points + p->rows * p->dim, p, second, scale, err);
    if (!code)
        centre(p);
    return code;
}

static int pool_init(pool *p, const student_two_sample_options *options, pcg_stream stream,
                     flow_err *err)
{
    const size_t all = 2 * p->rows, limit = SIZE_MAX / 32;
    size_t *order = NULL;
    p->labellings = 1 + options->permutations;
    if (p->rows > limit / p->dim || p->rows > limit / p->labellings || all > INT32_MAX ||
        p->dim > INT32_MAX || p->labellings > INT32_MAX) /* BLAS counts in int */
        return no_memory(err, p);
    p->points = malloc(all * p->dim * sizeof *p->points);
    p->labels = calloc(all, p->labellings);
    order = malloc(all * sizeof *order);
    if (!p->points || !p->labels || !order) {
        free(order);
        return no_memory(err, p);
    }
    memset(p->labels, 1, p->rows);
    for (size_t b = 1; b < p->labellings; b++) {
        pcg_permutation(order, all, stream, b);
        for (size_t i = 0; i < p->rows; i++)
            p->labels[b * all + order[i]] = 1;
    }
    free(order);
    return FLOW_OK;
}

static void pool_clear(pool *p)
{
    free(p->points);
    free(p->labels);
}

/* ---- sliced W2 */

typedef struct projected {
    double value;
    size_t row;
} projected;

static int by_value(const void *a, const void *b)
{
    double x = ((const projected *)a)->value, y = ((const projected *)b)->value;
    return (x > y) - (x < y);
}

/* W2^2 of two samples of r numbers, given in one ascending list with labels: the i-th smallest of
 * one goes to the i-th smallest of the other. sides: (2 r) scratch. */
static double w2_squared(const projected *ascending, const unsigned char *labels, size_t r,
                         double *sides)
{
    double *side[2] = {sides, sides + r}, sum = 0;
    for (size_t i = 0; i < 2 * r; i++)
        *side[labels[ascending[i].row]]++ = ascending[i].value;
    for (size_t i = 0; i < r; i++)
        sum += (sides[i] - sides[r + i]) * (sides[i] - sides[r + i]);
    return sum / (double)r;
}

/* direction (dim): uniform on the sphere, from a row of the stream. */
static void draw_direction(double *direction, size_t dim, pcg_stream stream, uint64_t row)
{
    double norm = 0;
    pcg_normals(direction, stream, row, 1, dim);
    for (size_t j = 0; j < dim; j++)
        norm += direction[j] * direction[j];
    norm = norm > 0 ? sqrt(norm) : 1;
    for (size_t j = 0; j < dim; j++)
        direction[j] /= norm;
}

enum { SLICES = 32 }; /* directions per matrix product */

/* values += W2^2 along each of `slices` directions, projections (2 r, slices). */
static void add_slices(double *values, const pool *p, const double *projections, size_t slices,
                       projected *list, double *sides)
{
    const size_t all = 2 * p->rows;
    for (size_t s = 0; s < slices; s++) {
        for (size_t i = 0; i < all; i++)
            list[i] = (projected){projections[i * slices + s], i};
        qsort(list, all, sizeof *list, by_value);
        for (size_t b = 0; b < p->labellings; b++)
            values[b] += w2_squared(list, p->labels + b * all, p->rows, sides);
    }
}

static int sliced(double *values, pool *p, const student_two_sample_options *options,
                  pcg_stream stream, flow_err *err)
{
    const size_t all = 2 * p->rows, dim = p->dim;
    int code = FLOW_OK;
    double *directions = malloc(SLICES * dim * sizeof *directions);
    double *projections = malloc(SLICES * all * sizeof *projections);
    double *sides = malloc(all * sizeof *sides);
    projected *list = malloc(all * sizeof *list);
    if (!directions || !projections || !sides || !list) {
        code = no_memory(err, p);
        goto done;
    }
    memset(values, 0, p->labellings * sizeof *values);
    for (size_t first = 0; first < options->directions; first += SLICES) {
        size_t left = options->directions - first, slices = left < SLICES ? left : SLICES;
        for (size_t s = 0; s < slices; s++)
            draw_direction(directions + s * dim, dim, stream, first + s);
        /* projections = points directions^T */
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)all, (blasint)slices,
                    (blasint)dim, 1, p->points, (blasint)dim, directions, (blasint)dim, 0,
                    projections, (blasint)slices);
        add_slices(values, p, projections, slices, list, sides);
    }
    for (size_t b = 0; b < p->labellings; b++)
        values[b] = sqrt(values[b] / (double)options->directions);
done:
    free(directions);
    free(projections);
    free(sides);
    free(list);
    return code;
}

/* ---- kernels: S(A, B) = sum over i in A, j in B, i != j of k(i, j). With indicator columns a of
 * the first sample for all labellings at once, S(X, X) = a^T K a and S(X, all) = a^T K 1 are two
 * matrix products, and K is made a block of rows at a time and never stored. */

enum { BLOCK = 64 };

typedef struct kernel_sums {
    double *indicator; /* (2 r, labellings) */
    double *norm;      /* (2 r): squared lengths of the points */
    double *block;     /* (BLOCK, 2 r): rows of K */
    double *product;   /* (BLOCK, labellings): block x indicator */
    double *within;    /* (labellings): S(X, X) */
    double *with_all;  /* (labellings): S(X, all) */
    double total;      /* S(all, all) */
} kernel_sums;

static int kernel_sums_init(kernel_sums *s, const pool *p, flow_err *err)
{
    const size_t all = 2 * p->rows, b = p->labellings;
    if (b > SIZE_MAX / 16 / (all + BLOCK + 2) || all > SIZE_MAX / 16 / (BLOCK + 1))
        return no_memory(err, p);
    s->indicator = calloc(all * b + all + BLOCK * all + BLOCK * b + 2 * b, sizeof(double));
    if (!s->indicator)
        return no_memory(err, p);
    s->norm = s->indicator + all * b;
    s->block = s->norm + all;
    s->product = s->block + BLOCK * all;
    s->within = s->product + BLOCK * b;
    s->with_all = s->within + b;
    for (size_t i = 0; i < all; i++) {
        for (size_t k = 0; k < b; k++)
            s->indicator[i * b + k] = p->labels[k * all + i];
        for (size_t j = 0; j < p->dim; j++)
            s->norm[i] += p->points[i * p->dim + j] * p->points[i * p->dim + j];
    }
    return FLOW_OK;
}

/* The Gaussian kernel, or minus the distance if the bandwidth is 0: energy is the MMD of that. */
static double kernel(double squared, double bandwidth)
{
    if (bandwidth > 0)
        return exp(squared / (-2 * bandwidth * bandwidth));
    return -sqrt(squared);
}

/* block = rows first .. first + rows - 1 of K, from |x - y|^2 = |x|^2 + |y|^2 - 2 x.y */
static void kernel_rows(kernel_sums *s, const pool *p, size_t first, size_t rows, double bandwidth)
{
    const size_t all = 2 * p->rows;
    const blasint dim = (blasint)p->dim;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)rows, (blasint)all, dim, 1,
                p->points + first * p->dim, dim, p->points, dim, 0, s->block, (blasint)all);
    for (size_t i = 0; i < rows; i++) {
        double *k = s->block + i * all, norm = s->norm[first + i];
        for (size_t j = 0; j < all; j++)
            k[j] = kernel(fmax(norm + s->norm[j] - 2 * k[j], 0), bandwidth);
        k[first + i] = 0;
    }
}

static void add_rows(kernel_sums *s, const pool *p, size_t first, size_t rows)
{
    const size_t all = 2 * p->rows, b = p->labellings;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)rows, (blasint)b, (blasint)all,
                1, s->block, (blasint)all, s->indicator, (blasint)b, 0, s->product, (blasint)b);
    for (size_t i = 0; i < rows; i++) {
        const double *indicator = s->indicator + (first + i) * b;
        double row = 0;
        for (size_t j = 0; j < all; j++)
            row += s->block[i * all + j];
        for (size_t k = 0; k < b; k++) {
            s->within[k] += indicator[k] * s->product[i * b + k];
            s->with_all[k] += indicator[k] * row;
        }
        s->total += row;
    }
}

/* values = mean k within either sample, pairs of different rows, less twice the mean across. */
static int kernel_statistic(double *values, const pool *p, double bandwidth, flow_err *err)
{
    const size_t all = 2 * p->rows;
    const double r = (double)p->rows;
    kernel_sums s = {.total = 0};
    int code = kernel_sums_init(&s, p, err);
    if (code)
        return code;
    for (size_t i = 0; i < all; i += BLOCK) {
        size_t rows = all - i < BLOCK ? all - i : BLOCK;
        kernel_rows(&s, p, i, rows, bandwidth);
        add_rows(&s, p, i, rows);
    }
    for (size_t b = 0; b < p->labellings; b++) {
        double across = s.with_all[b] - s.within[b];
        double second = s.total - 2 * across - s.within[b];
        values[b] = (s.within[b] + second) / (r * (r - 1)) - 2 * across / (r * r);
    }
    free(s.indicator);
    return FLOW_OK;
}

static int energy(double *values, pool *p, const student_two_sample_options *options,
                  pcg_stream stream, flow_err *err)
{
    (void)options, (void)stream;
    return kernel_statistic(values, p, 0, err);
}

static double distance(const double *x, const double *y, size_t dim)
{
    double sum = 0;
    for (size_t j = 0; j < dim; j++)
        sum += (x[j] - y[j]) * (x[j] - y[j]);
    return sqrt(sum);
}

/* Median positive distance between up to 400 pooled rows; 1 if all points are one. */
static int median_distance(double *median, const pool *p, flow_err *err)
{
    enum { MOST = 400 };
    size_t used = 2 * p->rows < MOST ? 2 * p->rows : MOST, count = 0;
    double *d = malloc(MOST * MOST / 2 * sizeof *d);
    if (!d)
        return no_memory(err, p);
    for (size_t i = 0; i < used; i++)
        for (size_t j = 0; j < i; j++) {
            const double *x = p->points + spread(i, used, 2 * p->rows) * p->dim;
            const double *y = p->points + spread(j, used, 2 * p->rows) * p->dim;
            d[count] = distance(x, y, p->dim);
            count += d[count] > 0;
        }
    flow_sort_numbers(d, count);
    *median = count ? d[count / 2] : 1;
    free(d);
    return FLOW_OK;
}

static int mmd2(double *values, pool *p, const student_two_sample_options *options,
                pcg_stream stream, flow_err *err)
{
    (void)options, (void)stream;
    int code = p->bandwidth > 0 ? FLOW_OK : median_distance(&p->bandwidth, p, err);
    return code ? code : kernel_statistic(values, p, p->bandwidth, err);
}

/* ---- the test */

/* values[0] is observed, the others are permuted. A tie but for rounding counts as reached. */
static void judge(student_two_sample *out, const double *values, size_t labellings)
{
    const size_t permutations = labellings - 1;
    student_sum sum = {0, 0}, squares = {0, 0};
    size_t reached = 0;
    for (size_t b = 1; b < labellings; b++) {
        student_sum_add(&sum, values[b]);
        reached += values[b] >= values[0] - 1e-12 * fabs(values[0]);
    }
    double mean = student_sum_get(&sum) / (double)permutations;
    for (size_t b = 1; b < labellings; b++)
        student_sum_add(&squares, (values[b] - mean) * (values[b] - mean));
    out->value = values[0];
    out->null_mean = permutations ? mean : NAN;
    out->null_sd =
        permutations > 1 ? sqrt(student_sum_get(&squares) / (double)(permutations - 1)) : NAN;
    out->p = (double)(1 + reached) / (double)labellings;
}

static int run(student_two_sample *out, statistic *method, const sample *student,
               const sample *teacher, size_t dim, const student_two_sample_options *options,
               pcg_stream stream, flow_err *err)
{
    if (options->permutations == SIZE_MAX)
        return flow_fail(err, FLOW_EUSAGE, "too many permutations");
    size_t rows = student->n < teacher->n ? student->n : teacher->n;
    pool p = {.rows = rows < options->max_rows ? rows : options->max_rows, .dim = dim};
    double *values = NULL;
    *out = (student_two_sample){.value = NAN,
                                .teacher = NAN,
                                .null_mean = NAN,
                                .null_sd = NAN,
                                .p = 1,
                                .rows = p.rows,
                                .permutations = options->permutations};
    if (p.rows < 2 || dim == 0)
        return FLOW_OK;
    /* With enough rows, every other one goes to a second sample of the teacher. */
    const int two = teacher->n / 2 >= p.rows;
    sample even = *teacher, odd = *teacher;
    even.step = odd.step = two ? 2 : 1;
    odd.offset = 1;
    int code = pool_init(&p, options, stream, err);
    if (!code)
        code = pool_load(&p, student, &even, options->scale, err);
    if (code)
        goto done;
    values = malloc(p.labellings * sizeof *values);
    code = values ? method(values, &p, options, stream, err) : no_memory(err, &p);
    if (code)
        goto done;
    judge(out, values, p.labellings);
    if (two) {
        p.labellings = 1;
        code = pool_load(&p, &odd, &even, options->scale, err);
        if (!code)
            code = method(&out->teacher, &p, options, stream, err);
    }
done:
    free(values);
    pool_clear(&p);
    return code;
}

int student_sliced_w2(student_two_sample *out, const double *x, size_t n, const double *y, size_t m,
                      size_t dim, const student_two_sample_options *options, pcg_stream stream,
                      flow_err *err)
{
    if (options->directions == 0)
        return flow_fail(err, FLOW_EUSAGE, "sliced W2 wants directions");
    return run(out, sliced, &(sample){x, n, 0, 1, "student"}, &(sample){y, m, 0, 1, "teacher"}, dim,
               options, stream, err);
}

int student_energy_distance(student_two_sample *out, const double *x, size_t n, const double *y,
                            size_t m, size_t dim, const student_two_sample_options *options,
                            pcg_stream stream, flow_err *err)
{
    return run(out, energy, &(sample){x, n, 0, 1, "student"}, &(sample){y, m, 0, 1, "teacher"}, dim,
               options, stream, err);
}

int student_mmd2(student_two_sample *out, const double *x, size_t n, const double *y, size_t m,
                 size_t dim, const student_two_sample_options *options, pcg_stream stream,
                 flow_err *err)
{
    return run(out, mmd2, &(sample){x, n, 0, 1, "student"}, &(sample){y, m, 0, 1, "teacher"}, dim,
               options, stream, err);
}
