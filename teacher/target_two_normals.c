/* teacher/target_two_normals.c -- numbers from two normals in unknown shares: y_n ~ w N(mu1, sigma1^2) + (1 - w)
 * N(mu2, sigma2^2), mu1 < mu2.
 *
 * u = (m, d, s1, s2, q): mu1 = m, mu2 = m + e^d, sigma_k = e^s_k, w = L(q), L the logistic function; sigma_k and
 * mu_k ~ N(0, 2^2), the former not renormalised to sigma > 0, and w ~ Beta(5, 5), 1 / B = 630. */
#include "teacher/target_posterior.h"

#include <math.h>

typedef struct two_normals {
    target_density base;
    size_t n;
    double *y;
} two_normals;

/* One of the two, and the slopes of the likelihood by its mean and log-width. */
typedef struct bell {
    double mean, over, log_height; /* over: 1 / sigma; log(w_k / sigma_k) */
    double by_mean, by_log_width, share;
} bell;

static void add_slopes(bell *b, double u, double share)
{
    b->by_mean += share * u * b->over;
    b->by_log_width += share * (u * u - 1);
    b->share += share;
}

/* The log-likelihood but for the log(2 pi). Each log(1 + e^-x) is at most log 2, so many share a logarithm; and
 * which of the two is likelier is as good as random, so nothing branches on it: max(la, lb) is half of la + lb +
 * |la - lb|. */
static double likelihood(const two_normals *t, bell *a, bell *b)
{
    double twice = 0, logs = 0, product = 1;
    for (size_t n = 0; n < t->n; n++) {
        double u = (t->y[n] - a->mean) * a->over, v = (t->y[n] - b->mean) * b->over;
        double la = a->log_height - 0.5 * u * u, lb = b->log_height - 0.5 * v * v;
        double gap = fabs(la - lb), e = exp(-gap);
        double lean = copysign(0.5 * (1 - e) / (1 + e), la - lb);
        twice += la + lb + gap;
        product *= 1 + e;
        add_slopes(a, u, 0.5 + lean);
        add_slopes(b, v, 0.5 - lean);
        if (n % 512 == 511) {
            logs += log(product);
            product = 1;
        }
    }
    return 0.5 * twice + logs + log(product);
}

/* That of mean and width, with the Jacobian of the width; *by_width += its slope. */
static double prior(double *by_mean, double *by_width, double mean, double log_width)
{
    double unused = 0;
    *by_mean -= mean / 4;
    *by_width += 1;
    return posterior_normal(&unused, mean, 2) + posterior_normal(by_width, exp(log_width), 2) +
           log_width;
}

static double two_normals_log_p(const target_density *self, double *grad, const double *u,
                                double *room)
{
    const two_normals *t = (const two_normals *)self;
    double log_w = posterior_log_logistic(u[4]), log_rest = posterior_log_logistic(-u[4]);
    double gap = exp(u[1]), w = exp(log_w);
    bell a = {.mean = u[0], .over = exp(-u[2]), .log_height = log_w - u[2]};
    bell b = {.mean = u[0] + gap, .over = exp(-u[3]), .log_height = log_rest - u[3]};
    double sum = likelihood(t, &a, &b) - TARGET_HALF_LOG_2PI * (double)t->n;
    (void)room;
    sum += prior(&a.by_mean, &a.by_log_width, a.mean, u[2]) +
           prior(&b.by_mean, &b.by_log_width, b.mean, u[3]);
    if (grad) {
        grad[0] = a.by_mean + b.by_mean;
        grad[1] = b.by_mean * gap + 1;
        grad[2] = a.by_log_width;
        grad[3] = b.by_log_width;
        grad[4] = a.share - w * (double)t->n + 5 - 10 * w;
    }
    return sum + u[1] + log(630) + 5 * (log_w + log_rest);
}

static const char *const columns[] = {"y", NULL};

static int two_normals_begin(target_density *self, const void *options, const json_t *object,
                             flow_err *err)
{
    const posterior_options *o = options;
    two_normals *t = (two_normals *)self;
    (void)object;
    file_table *table = posterior_table(&posterior_low_dim_gauss_mix, o, err);
    if (!table)
        return err->code;
    t->n = table->rows;
    t->y = target_density_hold(self, table->rows + 1, err);
    for (size_t n = 0; t->y && n < table->rows; n++)
        t->y[n] = table->values[n];
    file_table_free(table);
    self->base.dim = 5;
    target_density_log_z(&self->base, o->log_z, o->log_z_se, NAN);
    return t->y ? 0 : FLOW_ENOMEM;
}

const posterior_model posterior_low_dim_gauss_mix = {
    .kind = {.name = "low_dim_gauss_mix", .doc = "numbers from two normals, ordered, D = 5"},
    .columns = columns,
    .ops = {.kind = &target_posterior,
            .size = sizeof(two_normals),
            .begin = two_normals_begin,
            .log_p = two_normals_log_p}};
