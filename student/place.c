#include "student/place.h"

#include "student/means.h"
#include "student/place_linear.h"

#include <math.h>
#include <stdlib.h>

static const double PRIOR =
    10; /* rows of the pooled variance that each component's own is mixed with */

/* Means of the rows in the base's own units, with what is measured about each. */
typedef struct spots {
    means means;
    double *var, *pooled; /* (k, D), (D) */
} spots;

static int take(spots *s, const double *z, size_t n, size_t dim, size_t k, flow_err *err)
{
    s->var = calloc((k + 1) * dim, sizeof *s->var);
    int code = means_open(&s->means, z, n, dim, k, err);
    if (!code && !s->var)
        code = flow_fail(err, FLOW_ENOMEM, "out of memory to place %zu components", k);
    s->pooled = code ? NULL : s->var + k * dim;
    return code;
}

static void measure(spots *s)
{
    const means *m = &s->means;
    for (size_t r = 0; r < m->n; r++)
        for (size_t i = 0; i < m->dim; i++) {
            double d = m->z[r * m->dim + i] - m->centre[m->of[r] * m->dim + i];
            s->var[m->of[r] * m->dim + i] += d * d;
            s->pooled[i] += d * d / (double)m->n;
        }
    for (size_t c = 0; c < m->k; c++)
        for (size_t i = 0; i < m->dim; i++) {
            double *v = &s->var[c * m->dim + i];
            *v = (*v + PRIOR * s->pooled[i]) / (m->count[c] + PRIOR);
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

static int write(flow *student, const spots *s, flow_err *err)
{
    const means *m = &s->means;
    size_t logit = flow_tensor_find(student, "base.logit");
    for (size_t i = 0; i < m->k * m->dim; i++)
        s->var[i] = s->var[i] > 0 ? 0.5 * log(s->var[i]) : -10;
    for (size_t c = 0; c < m->k; c++)
        m->count[c] = log((m->count[c] + 0.5) / (double)m->n);
    int code = flow_tensor_set(student, m->centre, flow_tensor_find(student, "base.shift"), err);
    if (!code)
        code = flow_tensor_set(student, s->var, flow_tensor_find(student, "base.log_scale"), err);
    if (!code && logit < flow_n_tensors(student))
        code = flow_tensor_set(student, m->count, logit, err);
    return code;
}

/* z (n, dim) */
static int place(flow *student, const double *z, size_t n, size_t dim, size_t k, pcg_stream stream,
                 flow_err *err)
{
    spots s = {.var = NULL};
    int code = take(&s, z, n, dim, k, err);
    if (!code) {
        means_find(&s.means, stream);
        measure(&s);
        code = write(student, &s, err);
    }
    means_close(&s.means);
    free(s.var);
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
    int code = flow_log_prob(student, pool, z + rows->n * dim, z, rows->x, NULL, rows->n, err);
    size_t lines = code ? 0 : keep_lines(z, student, rows->n);
    if (!code)
        code = place(student, z, rows->n, lines, k, stream, err);
    free(z);
    return code;
}

int student_place(flow *student, flow_pool *pool, const distill_rows *rows, pcg_stream stream,
                  flow_err *err)
{
    int code = student_place_linear(student, rows, err);
    return code ? code : place_mixture(student, pool, rows, stream, err);
}
