/* flow/base_mixture.c -- a mixture of K normals with diagonal covariances, all of it learned.
 * Tensors: shift (K, D), started uniform on +- spread; log_scale (K, D), started at 0; and, when
 * learned, logit (K), started at 0: weights pi = softmax(logit).
 *
 * With u_k = (z - shift_k) e^-log_scale_k, log N_k = -sum u_k^2/2 + log_scale_k - D log(2 pi)/2 and
 * rho_k = pi_k N_k / p, the probability that z came from component k:
 *
 *   log p = log sum_k pi_k N_k, score = -sum_k rho_k u_k e^-log_scale_k
 *   d log p/dshift_k = rho_k u_k e^-log_scale_k,  /dlog_scale_k = rho_k (u_k^2 - 1),  /dlogit_k =
 *   rho_k - pi_k
 *
 * The path of a draw of component k is dz = dshift_k + (z - shift_k) dlog_scale_k. pull takes its mean
 * over the components that z may have come from, weights rho_k: the same expectation with less noise,
 * from z alone. Nothing moves z with the logits: their gradient is E[(rho_k - pi_k) loss], which
 * wants losses and not their slopes (mathematics-layers 8), so logit is pathless. */
#include "flow/base.h"
#include "flow/quantile.h"

#include <math.h>

enum { LEARNED, EQUAL, MOST_COMPONENTS = 1024 };

typedef struct mixture {
    flow_base base;
    size_t components;
    int weights; /* LEARNED or EQUAL */
    double spread;
} mixture;

/* The numbers of one component; shift and log_scale are where D numbers start. */
typedef struct component {
    size_t shift, log_scale;
    double log_weight;
} component;

static const mixture *of(const flow_base *self)
{
    return (const mixture *)self;
}

/* ---- its parameters, and their start */

static int mixture_begin(flow_base *base, flow_err *err)
{
    (void)err;
    const mixture *self = of(base);
    base_add_tensor(base, "shift", self->components, base->dim);
    base_add_tensor(base, "log_scale", self->components, base->dim);
    if (self->weights != LEARNED)
        return 0;
    base_add_tensor(base, "logit", self->components, 0);
    base->pathless = "logit";
    base->instead = "weights: equal";
    return 0;
}

static void mixture_init(const flow_base *self, base_block theta, pcg *rng)
{
    for (size_t i = 0; i < of(self)->components * self->dim; i++)
        base_set(theta, i, of(self)->spread * (2 * pcg_uniform(rng) - 1));
}

/* ---- the components */

static double logit_of(const flow_base *self, base_view theta, size_t k)
{
    return of(self)->weights == LEARNED ? base_get(theta, self->tensors[2].first + k) : 0;
}

/* log sum_k e^logit_k */
static double log_total(const flow_base *self, base_view theta)
{
    double top = -INFINITY, sum = 0;
    for (size_t k = 0; k < of(self)->components; k++)
        top = fmax(top, logit_of(self, theta, k));
    for (size_t k = 0; k < of(self)->components; k++)
        sum += exp(logit_of(self, theta, k) - top);
    return top + log(sum);
}

static component component_at(const flow_base *self, base_view theta, size_t k, double total)
{
    return (component){.shift = k * self->dim,
                       .log_scale = self->tensors[1].first + k * self->dim,
                       .log_weight = logit_of(self, theta, k) - total};
}

/* a[r] = log pi_k N_k(z_r) */
static void log_joint(const flow_base *self, double *a, const component *c, base_view theta,
                      const double *z, size_t n)
{
    size_t dim = self->dim;
    double constant = c->log_weight - BASE_HALF_LOG_2PI * (double)dim;
    for (size_t r = 0; r < n; r++)
        a[r] = 0;
    for (size_t i = 0; i < dim; i++) {
        double shift = base_get(theta, c->shift + i), s = base_get(theta, c->log_scale + i);
        double over = exp(-s);
        for (size_t r = 0; r < n; r++) {
            double u = (z[r * dim + i] - shift) * over;
            a[r] -= 0.5 * u * u;
        }
        constant -= s;
    }
    for (size_t r = 0; r < n; r++)
        a[r] += constant;
}

/* rho[r] of component c, given log p(z_r). */
static void responsibility(const flow_base *self, double *rho, const component *c, base_view theta,
                           const double *logp, const double *z, size_t n)
{
    log_joint(self, rho, c, theta, z, n);
    for (size_t r = 0; r < n; r++)
        rho[r] = exp(rho[r] - logp[r]);
}

/* ---- drawing */

/* The first component whose weights up to it add up to more than u. */
static size_t pick(const flow_base *self, base_view theta, double u, double total)
{
    size_t k = 0, last = of(self)->components - 1;
    for (double sum = 0; k < last; k++) {
        sum += exp(logit_of(self, theta, k) - total);
        if (u < sum)
            break;
    }
    return k;
}

/* Which component a row has comes from a stream of its own, beyond every pcg_purpose. */
static void mixture_sample(const flow_base *self, double *z, base_view theta, pcg_stream stream,
                           uint64_t first, size_t n)
{
    const double total = log_total(self, theta);
    size_t dim = self->dim;
    pcg_normals(z, stream, first, n, dim);
    stream.purpose |= 1u << 31;
    for (size_t r = 0; r < n; r++) {
        pcg rng = pcg_at(stream, first + r, 1);
        component c = component_at(self, theta, pick(self, theta, pcg_uniform(&rng), total), total);
        for (size_t i = 0; i < dim; i++)
            z[r * dim + i] = base_get(theta, c.shift + i) +
                             exp(base_get(theta, c.log_scale + i)) * z[r * dim + i];
    }
}

/* ---- density */

/* The sum of e^a over components, in the running form top, sum e^(a - top). */
static void add_to_sum(double *top, double *sum, double a)
{
    if (a == -INFINITY)
        return;
    if (a > *top) {
        *sum = *sum * exp(*top - a) + 1;
        *top = a;
    } else {
        *sum += exp(a - *top);
    }
}

static void mixture_log_prob(const flow_base *self, double *logp, base_view theta, const double *z,
                             size_t n)
{
    const double total = log_total(self, theta);
    double a[FLOW_SHARD], sum[FLOW_SHARD] = {0};
    for (size_t r = 0; r < n; r++)
        logp[r] = -INFINITY;
    for (size_t k = 0; k < of(self)->components; k++) {
        component c = component_at(self, theta, k, total);
        log_joint(self, a, &c, theta, z, n);
        for (size_t r = 0; r < n; r++)
            add_to_sum(&logp[r], &sum[r], a[r]);
    }
    for (size_t r = 0; r < n; r++)
        logp[r] += log(sum[r]);
}

static void mixture_score(const flow_base *self, double *score, base_view theta, const double *z,
                          size_t n)
{
    const double total = log_total(self, theta);
    size_t dim = self->dim;
    double logp[FLOW_SHARD], rho[FLOW_SHARD];
    mixture_log_prob(self, logp, theta, z, n);
    for (size_t i = 0; i < n * dim; i++)
        score[i] = 0;
    for (size_t k = 0; k < of(self)->components; k++) {
        component c = component_at(self, theta, k, total);
        responsibility(self, rho, &c, theta, logp, z, n);
        for (size_t i = 0; i < dim; i++) {
            double shift = base_get(theta, c.shift + i);
            double over2 = exp(-2 * base_get(theta, c.log_scale + i));
            for (size_t r = 0; r < n; r++)
                score[r * dim + i] -= rho[r] * (z[r * dim + i] - shift) * over2;
        }
    }
}

/* ---- gradients */

/* Of component c: w[r] = dlogp_r rho_r. */
static void component_backward(const flow_base *self, base_block dtheta, const component *c,
                               base_view theta, const double *w, const double *z, size_t n)
{
    for (size_t i = 0; i < self->dim; i++) {
        double shift = base_get(theta, c->shift + i), d_shift = 0, d_log_scale = 0;
        double over = exp(-base_get(theta, c->log_scale + i));
        for (size_t r = 0; r < n; r++) {
            double u = (z[r * self->dim + i] - shift) * over;
            d_shift += w[r] * u * over;
            d_log_scale += w[r] * (u * u - 1);
        }
        base_add(dtheta, c->shift + i, d_shift);
        base_add(dtheta, c->log_scale + i, d_log_scale);
    }
}

static void mixture_backward(const flow_base *self, base_block dtheta, base_view theta,
                             const double *dlogp, const double *z, size_t n)
{
    const double total = log_total(self, theta);
    double logp[FLOW_SHARD], rho[FLOW_SHARD];
    mixture_log_prob(self, logp, theta, z, n);
    for (size_t k = 0; k < of(self)->components; k++) {
        component c = component_at(self, theta, k, total);
        double weight = exp(c.log_weight), d_logit = 0;
        responsibility(self, rho, &c, theta, logp, z, n);
        for (size_t r = 0; r < n; r++) {
            d_logit += dlogp[r] * (rho[r] - weight);
            rho[r] *= dlogp[r];
        }
        component_backward(self, dtheta, &c, theta, rho, z, n);
        if (of(self)->weights == LEARNED)
            base_add(dtheta, self->tensors[2].first + k, d_logit);
    }
}

/* Of component c with its share rho[r] of each row. */
static void component_pull(const flow_base *self, base_block dtheta, const component *c,
                           base_view theta, const double *rho, const double *dz, const double *z,
                           size_t n)
{
    for (size_t i = 0; i < self->dim; i++) {
        double shift = base_get(theta, c->shift + i), d_shift = 0, d_log_scale = 0;
        for (size_t r = 0; r < n; r++) {
            double g = rho[r] * dz[r * self->dim + i];
            d_shift += g;
            d_log_scale += g * (z[r * self->dim + i] - shift);
        }
        base_add(dtheta, c->shift + i, d_shift);
        base_add(dtheta, c->log_scale + i, d_log_scale);
    }
}

static void mixture_pull(const flow_base *self, base_block dtheta, base_view theta,
                         const double *dz, const double *z, size_t n)
{
    const double total = log_total(self, theta);
    double logp[FLOW_SHARD], rho[FLOW_SHARD];
    mixture_log_prob(self, logp, theta, z, n);
    for (size_t k = 0; k < of(self)->components; k++) {
        component c = component_at(self, theta, k, total);
        responsibility(self, rho, &c, theta, logp, z, n);
        component_pull(self, dtheta, &c, theta, rho, dz, z, n);
    }
}

/* ---- points of the hypercube */

/* The components as one column sees them, each with the log of its weight given the columns before. */
typedef struct column_view {
    double log_weight[MOST_COMPONENTS], weight[MOST_COMPONENTS];
    double mean[MOST_COMPONENTS], sd[MOST_COMPONENTS];
} column_view;

static void look_at_column(column_view *view, const flow_base *self, base_view theta, size_t i)
{
    double top = -INFINITY;
    for (size_t k = 0; k < of(self)->components; k++) {
        const component c = component_at(self, theta, k, 0);
        view->mean[k] = base_get(theta, c.shift + i);
        view->sd[k] = exp(base_get(theta, c.log_scale + i));
        top = fmax(top, view->log_weight[k]);
    }
    for (size_t k = 0; k < of(self)->components; k++)
        view->weight[k] = exp(view->log_weight[k] - top);
}

/* Now that its number is z. */
static void condition(column_view *view, const flow_base *self, double z)
{
    for (size_t k = 0; k < of(self)->components; k++) {
        double at = (z - view->mean[k]) / view->sd[k];
        view->log_weight[k] -= 0.5 * at * at + log(view->sd[k]);
    }
}

static void mixture_at(const flow_base *self, double *z, base_view theta, const double *u, size_t n)
{
    column_view view;
    for (size_t i = 0; i < n * self->dim; i++) {
        for (size_t k = 0; i % self->dim == 0 && k < of(self)->components; k++)
            view.log_weight[k] = logit_of(self, theta, k);
        look_at_column(&view, self, theta, i % self->dim);
        z[i] = flow_mixture_quantile(u[i], view.weight, view.mean, view.sd, of(self)->components);
        condition(&view, self, z[i]);
    }
}

static const flow_word weight_words[] = {
    {"learned", LEARNED,
     "one weight each, learned; no path along which own samples move reaches them"},
    {"equal", EQUAL, "all the same"},
    {.name = NULL}};

static const flow_key mixture_keys[] = {
    {FLOW_KEY(mixture, components), .type = FLOW_KEY_WHOLE, .min = 1, .max = MOST_COMPONENTS,
     .def = "4", .doc = "Normals in the mixture, each with a learned place and learned widths."},
    {FLOW_KEY(mixture, weights), .type = FLOW_KEY_WORD, .words = weight_words, .def = "learned",
     .doc = "Shares of the components. A student that learns by gradients along paths wants equal "
            "ones."},
    {FLOW_KEY(mixture, spread), .type = FLOW_KEY_REAL, .min = 0, .max = 1e6, .def = "1",
     .doc = "Components start at places drawn between -spread and spread in every column."},
    {.name = NULL}};

const flow_base_ops base_mixture = {
    .kind = {.name = "mixture",
             .doc = "a mixture of normals, learned",
             .keys = mixture_keys,
             .size = sizeof(mixture)},
    .begin = mixture_begin,
    .init = mixture_init,
    .sample = mixture_sample,
    .log_prob = mixture_log_prob,
    .score = mixture_score,
    .backward = mixture_backward,
    .pull = mixture_pull,
    .at = mixture_at,
};
