#include "student/place.h"
#include "student/distance.h"
#include "student/place_linear.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 50 };
static const double PRIOR =
    10; /* rows of the pooled variance that each component's own is mixed with */

typedef struct means {
    size_t n, dim, k;
    const double *z;               /* (n, D) */
    double *centre, *var, *pooled; /* (k, D), (k, D), (D) */
    double *count, *distance;      /* (k), (n): squared, to the centre of a row */
    size_t *of;                    /* (n) */
} means;

static int take(means *m, flow_err *err)
{
    double *all = calloc((2 * m->k + 1) * m->dim + m->k + m->n, sizeof *all);
    m->of = calloc(m->n, sizeof *m->of);
    m->centre = all;
    if (!all || !m->of)
        return flow_fail(err, FLOW_ENOMEM, "out of memory to place %zu components", m->k);
    m->var = all + m->k * m->dim;
    m->pooled = m->var + m->k * m->dim;
    m->count = m->pooled + m->dim;
    m->distance = m->count + m->k;
    return 0;
}

/* Of row r to centre k. */
static double square(const means *m, size_t r, size_t k)
{
    return squared_distance(m->z + r * m->dim, m->centre + k * m->dim, m->dim);
}

/* Each row to the nearest of the first k centres. */
static void assign(means *m, size_t k)
{
    for (size_t r = 0; r < m->n; r++) {
        m->distance[r] = INFINITY;
        for (size_t c = 0; c < k; c++) {
            double d = square(m, r, c);
            if (d < m->distance[r]) {
                m->distance[r] = d;
                m->of[r] = c;
            }
        }
    }
}

/* A row drawn with chance as its squared distance from what there is (k-means++: Arthur, Vassilvitskii 2007). */
static size_t far_row(const means *m, double u)
{
    double total = 0, sum = 0;
    for (size_t r = 0; r < m->n; r++)
        total += m->distance[r];
    size_t r = 0;
    while (r + 1 < m->n && (sum += m->distance[r]) <= u * total)
        r++;
    return r;
}

static size_t tries_of(const means *m)
{
    return 2 + (size_t)log((double)m->k);
}

static void set_centre(means *m, size_t c, size_t row)
{
    memcpy(m->centre + c * m->dim, m->z + row * m->dim, m->dim * sizeof *m->centre);
}

/* What the squares would add up to with a centre c at this row. */
static double squares_with(means *m, size_t c, size_t row)
{
    double sum = 0;
    set_centre(m, c, row);
    for (size_t r = 0; r < m->n; r++)
        sum += fmin(m->distance[r], square(m, r, c));
    return sum;
}

/* The best of some rows that are drawn: a piece in which no centre is yet is not left out for want of luck (greedy
 * k-means++). */
static size_t best_row(means *m, size_t c, pcg *rng)
{
    size_t tries = tries_of(m), best = 0;
    double least = INFINITY;
    for (size_t i = 0; i < tries; i++) {
        size_t row = far_row(m, pcg_uniform(rng));
        double sum = squares_with(m, c, row);
        if (sum < least) {
            least = sum;
            best = row;
        }
    }
    return best;
}

static void seed_centres(means *m, pcg_stream stream)
{
    pcg rng = pcg_at(stream, 0, m->k * tries_of(m) + 1);
    for (size_t r = 0; r < m->n; r++)
        m->distance[r] = DBL_MAX / (double)m->n;
    for (size_t c = 0; c < m->k; c++) {
        set_centre(m, c, best_row(m, c, &rng));
        assign(m, c + 1);
    }
}

/* Centres to the means of their rows; one without rows stays. */
static void move_centres(means *m)
{
    memset(m->count, 0, m->k * sizeof *m->count);
    for (size_t r = 0; r < m->n; r++)
        m->count[m->of[r]]++;
    for (size_t c = 0; c < m->k; c++)
        for (size_t i = 0; i < m->dim && m->count[c] > 0; i++)
            m->centre[c * m->dim + i] = 0;
    for (size_t r = 0; r < m->n; r++)
        for (size_t i = 0; i < m->dim; i++)
            m->centre[m->of[r] * m->dim + i] += m->z[r * m->dim + i] / m->count[m->of[r]];
}

static void measure(means *m)
{
    for (size_t r = 0; r < m->n; r++)
        for (size_t i = 0; i < m->dim; i++) {
            double d = m->z[r * m->dim + i] - m->centre[m->of[r] * m->dim + i];
            m->var[m->of[r] * m->dim + i] += d * d;
            m->pooled[i] += d * d / (double)m->n;
        }
    for (size_t c = 0; c < m->k; c++)
        for (size_t i = 0; i < m->dim; i++) {
            double *v = &m->var[c * m->dim + i];
            *v = (*v + PRIOR * m->pooled[i]) / (m->count[c] + PRIOR);
        }
}

/* ---- into the base */

/* Components of the base; 0: it is no mixture. */
static size_t components_of(const flow *student)
{
    flow_tensor_info info = {.cols = 0};
    size_t shift = flow_tensor_find(student, "base.shift");
    if (shift < flow_n_tensors(student))
        flow_tensor(student, &info, shift);
    return info.cols ? info.rows : 0;
}

static int write(flow *student, means *m, flow_err *err)
{
    size_t logit = flow_tensor_find(student, "base.logit");
    for (size_t i = 0; i < m->k * m->dim; i++)
        m->var[i] = m->var[i] > 0 ? 0.5 * log(m->var[i]) : -10;
    for (size_t c = 0; c < m->k; c++)
        m->count[c] = log((m->count[c] + 0.5) / (double)m->n);
    int code = flow_tensor_set(student, m->centre, flow_tensor_find(student, "base.shift"), err);
    if (!code)
        code = flow_tensor_set(student, m->var, flow_tensor_find(student, "base.log_scale"), err);
    if (!code && logit < flow_n_tensors(student))
        code = flow_tensor_set(student, m->count, logit, err);
    return code;
}

static int place(flow *student, means *m, pcg_stream stream, flow_err *err)
{
    int code = take(m, err);
    if (!code) {
        seed_centres(m, stream);
        for (int i = 0; i < ROUNDS; i++) {
            move_centres(m);
            assign(m, m->k);
        }
        move_centres(m);
        measure(m);
        code = write(student, m, err);
    }
    free(m->centre);
    free(m->of);
    return code;
}

/* Noise z (n, D) without its circles, of which a mixture knows nothing; returns how many columns that leaves. */
static size_t keep_lines(double *z, const flow *student, size_t n)
{
    size_t dim = flow_dim(student), kept = 0;
    for (size_t i = 0; i < n * dim; i++)
        if (!flow_noise_turns(student, i % dim))
            z[kept++] = z[i];
    return kept / n;
}

static int place_mixture(flow *student, flow_pool *pool, const distill_rows *rows,
                         pcg_stream stream, flow_err *err)
{
    size_t dim = flow_dim(student), k = components_of(student);
    if (!k)
        return 0;
    double *z = malloc(rows->n * (dim + 1) * sizeof *z);
    if (!z)
        return flow_fail(err, FLOW_ENOMEM, "out of memory to place %zu components", k);
    means m = {.n = rows->n, .dim = dim, .k = k, .z = z};
    int code = flow_log_prob(student, pool, z + rows->n * dim, z, rows->x, NULL, rows->n, err);
    m.dim = keep_lines(z, student, rows->n);
    if (!code)
        code = place(student, &m, stream, err);
    free(z);
    return code;
}

int student_place(flow *student, flow_pool *pool, const distill_rows *rows, pcg_stream stream,
                  flow_err *err)
{
    int code = student_place_linear(student, rows, err);
    return code ? code : place_mixture(student, pool, rows, stream, err);
}
