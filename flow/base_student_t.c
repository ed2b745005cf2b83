/* flow/base_student_t.c -- independent Student-t numbers of fixed degrees of freedom: heavy tails, that
 * layers with linear tails keep (Jaini, Kobyzev, Yu, Brubaker 2020, "Tails of Lipschitz triangular
 * flows").
 * Tensors when learned: shift (D), log_scale (D), started at 0.
 *
 *   log p(u) = lgamma((nu+1)/2) - lgamma(nu/2) - log(nu pi)/2 - (nu+1)/2 log(1 + u^2/nu)
 *
 * Drawn by Bailey's polar method without its rejection (Bailey 1994, "Polar generation of random
 * variates with the t-distribution"): u = cos(2 pi U2) sqrt(nu (U1^(-2/nu) - 1)), two draws for each. */
#include "flow/base_place.h"
#include "flow/quantile.h"

typedef struct student_t {
    flow_base base;
    double dof;
    bool learn;
    double constant; /* of log p(u) */
} student_t;

static const student_t *of(const flow_base *self)
{
    return (const student_t *)self;
}

static int student_t_begin(flow_base *base, flow_err *err)
{
    (void)err;
    student_t *self = (student_t *)base;
    double dof = self->dof;
    self->constant = lgamma((dof + 1) / 2) - lgamma(dof / 2) - log(dof * BASE_PI) / 2;
    place_begin(base, self->learn);
    return 0;
}

/* 1 - U is in (0, 1], so that its log is finite. */
static double draw(pcg *rng, double dof)
{
    double log_u1 = log(1 - pcg_uniform(rng)), turn = 2 * BASE_PI * pcg_uniform(rng);
    return cos(turn) * sqrt(dof * expm1(-2 / dof * log_u1));
}

static void student_t_sample(const flow_base *self, double *z, base_view theta, pcg_stream stream,
                             uint64_t first, size_t n)
{
    pcg rng = pcg_at(stream, first, 2 * self->dim);
    for (size_t i = 0; i < n * self->dim; i++)
        z[i] = draw(&rng, of(self)->dof);
    place_move(self, z, theta, n);
}

static void student_t_log_prob(const flow_base *self, double *logp, base_view theta,
                               const double *z, size_t n)
{
    const double dof = of(self)->dof;
    size_t dim = self->dim;
    double constant = (double)dim * of(self)->constant;
    for (size_t r = 0; r < n; r++)
        logp[r] = 0;
    for (size_t i = 0; i < dim; i++) {
        double shift = place_shift(self, theta, i), s = place_log_scale(self, theta, i);
        double over = exp(-s);
        for (size_t r = 0; r < n; r++) {
            double u = (z[r * dim + i] - shift) * over;
            logp[r] -= (dof + 1) / 2 * log1p(u * u / dof);
        }
        constant -= s;
    }
    for (size_t r = 0; r < n; r++)
        logp[r] += constant;
}

static inline double student_t_slope(const flow_base *self, double u)
{
    double dof = of(self)->dof;
    return (dof + 1) * u / (dof + u * u);
}

static void student_t_score(const flow_base *self, double *score, base_view theta, const double *z,
                            size_t n)
{
    place_score(self, score, theta, z, n, student_t_slope);
}

static void student_t_backward(const flow_base *self, base_block dtheta, base_view theta,
                               const double *dlogp, const double *z, size_t n)
{
    place_backward(self, dtheta, theta, dlogp, z, n, student_t_slope);
}

static void student_t_at(const flow_base *self, double *z, base_view theta, const double *u,
                         size_t n)
{
    for (size_t i = 0; i < n * self->dim; i++)
        z[i] = flow_student_t_quantile(u[i], of(self)->dof);
    place_move(self, z, theta, n);
}

/* Below .5, the farthest of 2^53 draws would be beyond a float; above 10^4 it is a normal. */
static const flow_key student_t_keys[] = {
    {FLOW_KEY(student_t, dof), .type = FLOW_KEY_REAL, .min = 0.5, .max = 1e4, .def = "4",
     .doc =
         "Degrees of freedom: the density falls like |z|^-(dof + 1), and moments from dof on are "
         "infinite."},
    PLACE_KEY(student_t),
    {.name = NULL}};

const flow_base_ops base_student_t = {
    .kind = {.name = "student_t",
             .doc = "independent Student-t numbers: heavy tails",
             .keys = student_t_keys,
             .size = sizeof(student_t)},
    .begin = student_t_begin,
    .sample = student_t_sample,
    .log_prob = student_t_log_prob,
    .score = student_t_score,
    .backward = student_t_backward,
    .pull = place_pull,
    .at = student_t_at,
    .temper = place_temper,
};
