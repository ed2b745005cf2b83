#include "teacher/target_mixture.h"

#include <math.h>

static const target_mixture *down(const target_density *self)
{
    return (const target_mixture *)self;
}

/* |x - m|^2, in four sums that do not wait for one another. */
static double distance2(const double *x, const double *m, size_t dim)
{
    double sum[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 4 <= dim; i += 4)
        for (size_t k = 0; k < 4; k++)
            sum[k] += (x[i + k] - m[i + k]) * (x[i + k] - m[i + k]);
    for (; i < dim; i++)
        sum[0] += (x[i] - m[i]) * (x[i] - m[i]);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* log_joint (n) = log(w_k N(x; m_k)); returns which is the largest. */
static size_t joints(const target_mixture *t, double *log_joint, const double *x)
{
    double half = 0.5 / (t->sd * t->sd);
    size_t dim = t->base.base.dim, top = 0;
    for (size_t k = 0; k < t->n; k++) {
        log_joint[k] = t->log_tops[k] - half * distance2(x, t->means + k * dim, dim);
        if (log_joint[k] > log_joint[top])
            top = k;
    }
    return top;
}

/* grad += share (m_k - x) / sd^2 */
static void pull(const target_mixture *t, double *grad, const double *x, size_t k, double share)
{
    size_t dim = t->base.base.dim;
    const double *m = t->means + k * dim;
    share /= t->sd * t->sd;
    for (size_t i = 0; i < dim; i++)
        grad[i] += share * (m[i] - x[i]);
}

/* A Gaussian that is e^-40 of the largest does not change the last bit. */
double target_mixture_log_p(const target_density *self, double *grad, const double *x, double *room)
{
    const target_mixture *t = down(self);
    double top = room[joints(t, room, x)], sum = 0;
    for (size_t k = 0; k < t->n; k++)
        sum += room[k] = room[k] > top - 40 ? exp(room[k] - top) : 0;
    for (size_t i = 0; grad && i < self->base.dim; i++)
        grad[i] = 0;
    for (size_t k = 0; grad && k < t->n; k++)
        if (room[k] > 0)
            pull(t, grad, x, k, room[k] / sum);
    return top + log(sum);
}

void target_mixture_draw(const target_density *self, double *x, const double *z, pcg *rng)
{
    const target_mixture *t = down(self);
    double u = pcg_uniform(rng), sum = t->weights[0];
    size_t k = 0, dim = self->base.dim;
    while (k + 1 < t->n && u >= sum)
        sum += t->weights[++k];
    for (size_t i = 0; i < dim; i++)
        x[i] = t->means[k * dim + i] + t->sd * z[i];
}

void target_mixture_modes_of(void *arg, size_t *mode, const double *x)
{
    const target_mixture *t = arg;
    double half = 0.5 / (t->sd * t->sd), most = -INFINITY;
    size_t dim = t->base.base.dim;
    *mode = 0;
    for (size_t k = 0; k < t->n; k++) {
        double joint = t->log_tops[k] - half * distance2(x, t->means + k * dim, dim);
        *mode = joint > most ? k : *mode;
        most = joint > most ? joint : most;
    }
}

/* ---- making one */

int target_mixture_begin(target_mixture *self, size_t n, size_t dim, double sd, flow_err *err)
{
    double *numbers = target_density_hold(&self->base, n * (dim + 2), err);
    if (!numbers)
        return FLOW_ENOMEM;
    self->n = n;
    self->sd = sd;
    self->means = numbers;
    self->weights = numbers + n * dim;
    self->log_tops = self->weights + n;
    for (size_t k = 0; k < n; k++)
        self->weights[k] = 1;
    self->base.base.dim = self->base.normals = dim;
    self->base.room = n;
    return 0;
}

/* The bound on the share of rows that another Gaussian claims. */
static double overlap(const target_mixture *t)
{
    size_t dim = t->base.base.dim;
    double sum = 0, eighth = 0.125 / (t->sd * t->sd);
    for (size_t k = 1; k < t->n; k++)
        for (size_t l = 0; l < k; l++)
            sum += sqrt(t->weights[k] * t->weights[l]) *
                   exp(-eighth * distance2(t->means + k * dim, t->means + l * dim, dim));
    return sum;
}

/* log_tops from weights of any sum. */
static void normalise(target_mixture *self)
{
    double sum = 0, dim = (double)self->base.base.dim;
    for (size_t k = 0; k < self->n; k++)
        sum += self->weights[k];
    for (size_t k = 0; k < self->n; k++) {
        self->weights[k] /= sum;
        self->log_tops[k] = log(self->weights[k]) - dim * (TARGET_HALF_LOG_2PI + log(self->sd));
    }
}

int target_mixture_settle(target_mixture *self, flow_err *err)
{
    normalise(self);
    if (overlap(self) >= TARGET_MIXTURE_APART)
        return 0;
    return target_density_cut_once(&self->base, "component", self->n, self->weights, err);
}
