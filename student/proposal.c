#include "student/proposal.h"

#include "student/covariance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LEAST_WIDTH = 1e-6; /* of the widest column's, where a group has none */

/* ---- making one */

static int take(proposal *self, flow_err *err)
{
    size_t n = self->n, dim = self->dim;
    self->share = calloc(n * (2 + dim + dim * dim) + 1, sizeof *self->share);
    if (!self->share)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for proposals of %zu groups", n);
    self->log_norm = self->share + n;
    self->mean = self->log_norm + n;
    self->lower = self->mean + n * dim;
    return 0;
}

/* The rows of group k, side by side. Returns how many. */
static size_t gather(double *out, const double *x, const size_t *of, size_t rows, size_t dim,
                     size_t k)
{
    size_t n = 0;
    for (size_t r = 0; r < rows; r++)
        if (of[r] == k)
            memcpy(out + n++ * dim, x + r * dim, dim * sizeof *out);
    return n;
}

/* A factor of a covariance, of what is left of it where rows lie in a plane. */
static void factor(double *a, size_t dim, const double *mean, const double *x, size_t n)
{
    double widest = 0, keep = (double)n / (double)(n + dim);
    for (;; keep = 0) {
        covariance_of(a, mean, x, n, dim, keep);
        for (size_t i = 0; i < dim; i++)
            widest = fmax(widest, a[i * dim + i]);
        double least = widest > 0 ? widest * LEAST_WIDTH * LEAST_WIDTH : 1;
        for (size_t i = 0; i < dim; i++)
            a[i * dim + i] = fmax(a[i * dim + i], least);
        if (covariance_factor(a, dim) == 0)
            return;
    }
}

static double norm_of(const double *lower, size_t dim)
{
    const double v = PROPOSAL_DEGREES, d = (double)dim;
    double out = lgamma((v + d) / 2) - lgamma(v / 2) - d / 2 * log(v * acos(-1));
    for (size_t i = 0; i < dim; i++)
        out -= log(lower[i * dim + i]);
    return out;
}

static void place(proposal *self, const double *x, const size_t *of, size_t rows, double *room)
{
    size_t dim = self->dim, all = 0;
    for (size_t k = 0; k < self->n; k++) {
        size_t n = gather(room, x, of, rows, dim, k);
        double *mean = self->mean + k * dim, *lower = self->lower + k * dim * dim;
        covariance_mean(mean, room, n, dim);
        factor(lower, dim, mean, room, n);
        self->share[k] = (double)n;
        all += n;
    }
    for (size_t k = 0; k < self->n; k++) {
        self->share[k] = 0.5 * (self->share[k] / (double)all + 1 / (double)self->n);
        self->log_norm[k] = log(self->share[k]) + norm_of(self->lower + k * dim * dim, dim);
    }
}

int proposal_make(proposal *self, const double *x, const size_t *of, size_t rows, size_t dim,
                  size_t n, flow_err *err)
{
    *self = (proposal){.n = n, .dim = dim};
    double *room = malloc((rows * dim + 1) * sizeof *room);
    int code = room ? take(self, err)
                    : flow_fail(err, FLOW_ENOMEM, "out of memory for proposals of %zu rows", rows);
    if (!code)
        place(self, x, of, rows, room);
    free(room);
    return code;
}

void proposal_close(proposal *self)
{
    free(self->share);
    *self = (proposal){.n = 0};
}

/* ---- using it */

static size_t choose(const proposal *self, double u)
{
    size_t k = 0;
    for (; k + 1 < self->n && u >= self->share[k]; k++)
        u -= self->share[k];
    return k;
}

/* z: D + PROPOSAL_DEGREES normals. */
static void spread(const proposal *self, size_t k, double *x, const double *z)
{
    size_t dim = self->dim;
    const double *lower = self->lower + k * dim * dim;
    double square = 0;
    for (size_t i = dim; i < dim + PROPOSAL_DEGREES; i++)
        square += z[i] * z[i];
    double stretch = sqrt(PROPOSAL_DEGREES / square);
    for (size_t i = 0; i < dim; i++) {
        double sum = 0;
        for (size_t j = 0; j <= i; j++)
            sum += lower[i * dim + j] * z[j];
        x[i] = self->mean[k * dim + i] + stretch * sum;
    }
}

int proposal_draw(const proposal *self, double *x, pcg_stream stream, uint64_t first, size_t n,
                  flow_err *err)
{
    size_t width = self->dim + PROPOSAL_DEGREES;
    pcg_stream which = stream;
    double u, *z = malloc(width * sizeof *z);
    if (!z)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu proposals", n);
    stream.purpose = PCG_BASE;
    which.purpose = PCG_PERMUTE;
    for (size_t r = 0; r < n; r++) {
        pcg_uniforms(&u, which, first + r, 1, 1);
        pcg_normals(z, stream, first + r, 1, width);
        spread(self, choose(self, u), x + r * self->dim, z);
    }
    free(z);
    return 0;
}

double proposal_log_density(const proposal *self, double *part, const double *x, double *work)
{
    const double v = PROPOSAL_DEGREES;
    size_t dim = self->dim;
    double top = -INFINITY, sum = 0;
    for (size_t k = 0; k < self->n; k++) {
        double square =
            covariance_square(self->lower + k * dim * dim, self->mean + k * dim, x, dim, work);
        part[k] = self->log_norm[k] - (v + (double)dim) / 2 * log1p(square / v);
        top = fmax(top, part[k]);
    }
    for (size_t k = 0; k < self->n; k++)
        sum += part[k] = exp(part[k] - top);
    for (size_t k = 0; k < self->n; k++)
        part[k] /= sum;
    return top + log(sum);
}
