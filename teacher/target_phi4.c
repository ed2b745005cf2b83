/* teacher/target_phi4.c -- a scalar field on a periodic L x L lattice (Albergo, Kanwar, Shanahan 2019,
 * "Flow-based generative models for Markov chain Monte Carlo in lattice field theory", equation 23):
 *
 *   log p~ = -sum over sites of phi (4 phi - sum of the 4 neighbours) + m2 phi^2 + lambda phi^4
 *
 * which is the same for phi and -phi. Site (i, j) is number i L + j. */
#include "teacher/target_density.h"

#include <math.h>

extern const target_kind target_phi4;

typedef struct phi4_options {
    uint64_t side;
    double m2, lambda;
} phi4_options;

typedef struct phi4 {
    target_density base;
    size_t side;
    double m2, lambda;
} phi4;

static const phi4 *down(const target_density *self)
{
    return (const phi4 *)self;
}

/* Every site's action is quadratic in its neighbours, so the gradient has the sum of those twice. */
static double row_log_p(const phi4 *f, double *grad, const double *above, const double *at,
                        const double *below)
{
    double sum = 0;
    for (size_t j = 0, last = f->side - 1; j <= last; j++) {
        double phi = at[j], square = phi * phi;
        double around = above[j] + below[j] + at[j ? j - 1 : last] + at[j < last ? j + 1 : 0];
        sum -= phi * (4 * phi - around) + (f->m2 + f->lambda * square) * square;
        if (grad)
            grad[j] = 2 * around - (8 + 2 * f->m2 + 4 * f->lambda * square) * phi;
    }
    return sum;
}

static double phi4_log_p(const target_density *self, double *grad, const double *x, double *room)
{
    const phi4 *f = down(self);
    size_t side = f->side;
    double sum = 0;
    (void)room;
    for (size_t i = 0, last = side - 1; i <= last; i++)
        sum += row_log_p(f, grad ? grad + i * side : NULL, x + (i ? i - 1 : last) * side,
                         x + i * side, x + (i < last ? i + 1 : 0) * side);
    return sum;
}

/* The sign of the mean field. */
static void phi4_modes_of(void *arg, size_t *mode, const double *x)
{
    const target_density *self = arg;
    double sum = 0;
    for (size_t i = 0; i < self->base.dim; i++)
        sum += x[i];
    *mode = sum > 0;
}

static int phi4_begin(target_density *self, const void *options, const json_t *object,
                      flow_err *err)
{
    static const double halves[] = {0.5, 0.5};
    const phi4_options *o = options;
    phi4 *f = (phi4 *)self;
    (void)object;
    f->side = o->side;
    f->m2 = o->m2;
    f->lambda = o->lambda;
    self->base.dim = o->side * o->side;
    self->base.log_z = NAN;
    return target_density_cut_once(self, "sign of the mean field", 2, halves, err);
}

static const target_density_ops phi4_ops = {.kind = &target_phi4,
                                            .size = sizeof(phi4),
                                            .begin = phi4_begin,
                                            .log_p = phi4_log_p,
                                            .modes_of = phi4_modes_of};

static target *phi4_create(const json_t *object, flow_err *err)
{
    return target_density_create(&phi4_ops, object, err);
}

static const flow_key phi4_keys[] = {
    {FLOW_KEY(phi4_options, side), .type = FLOW_KEY_WHOLE, .min = 2, .max = 32, .def = "6",
     .doc = "L: the lattice has L^2 sites."},
    {FLOW_KEY(phi4_options, m2), .type = FLOW_KEY_REAL, .min = -1e3, .max = 1e3, .def = "-4",
     .doc = "The mass squared, in lattice units; below 0 there are two phases."},
    {FLOW_KEY(phi4_options, lambda), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN, .min = 0,
     .max = 1e3, .def = "6.975",
     .doc = "The coupling; at m2 = -4 and L = 6, 8, 10, 12, 14 the paper has 6.975, 6.008, 5.55, "
            "5.276, 5.113."},
    TARGET_COLUMNS_KEY,
    {.name = NULL}};

const target_kind target_phi4 = {
    .kind = {.name = "phi4",
             .doc = "phi^4 theory on a periodic lattice in the plane (Albergo et al. 2019)",
             .keys = phi4_keys,
             .size = sizeof(phi4_options)},
    .example = "{\"kind\": \"phi4\", \"side\": 3, \"m2\": -3.1, \"lambda\": 4.3}",
    .create = phi4_create,
};
