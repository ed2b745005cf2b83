/* teacher/target_many_well.c -- pairs of a double well and a Gaussian (Noe et al. 2019; Midgley et al. 2023,
 * "Flow annealed importance sampling bootstrap"):
 *
 *   log p~ = sum over pairs (a, b) of -a^4 + 6 a^2 + a / 2 - b^2 / 2 */
#include "teacher/target_density.h"

#include <math.h>
#include <stdio.h>

extern const target_kind target_many_well;

typedef struct many_well_options {
    uint64_t dim;
} many_well_options;

/* Of a pair, by quadrature: the integral over a, log of that over both, and the share of a < 0. */
#define WELLS 11784.5092651553
#define PAIR_LOG_Z 10.2934797070762
#define LEFT 0.155692903789

static double well(double a)
{
    double square = a * a;
    return (6 - square) * square + 0.5 * a;
}

static double many_well_log_p(const target_density *self, double *grad, const double *x,
                              double *room)
{
    double sum = 0;
    (void)room;
    for (size_t i = 0; i < self->base.dim; i += 2) {
        double a = x[i], b = x[i + 1];
        sum += well(a) - 0.5 * b * b;
        if (grad) {
            grad[i] = (12 - 4 * a * a) * a + 0.5;
            grad[i + 1] = -b;
        }
    }
    return sum;
}

/* ---- draws: a from .2 N(-1.7, .5^2) + .8 N(1.7, .5^2), which times 3 is above the normalised density */

static double bump(double a, double at)
{
    double u = (a - at) / 0.5;
    return exp(-0.5 * u * u);
}

static double draw_well(pcg *rng)
{
    const double height = 0.5 * 2.50662827463100050242; /* sd sqrt(2 pi) */
    double a, share;
    do {
        double side = pcg_uniform(rng) < 0.2 ? -1.7 : 1.7;
        a = side + 0.5 * target_density_normal(rng);
        double proposed = (0.2 * bump(a, -1.7) + 0.8 * bump(a, 1.7)) / height;
        share = exp(well(a)) / (3 * WELLS * proposed);
    } while (pcg_uniform(rng) >= share);
    return a;
}

static void many_well_draw(const target_density *self, double *x, const double *z, pcg *rng)
{
    (void)z;
    for (size_t i = 0; i < self->base.dim; i += 2) {
        x[i] = draw_well(rng);
        x[i + 1] = target_density_normal(rng);
    }
}

/* ---- the kind */

/* For each pair its well, left and right; then how many are in the left one, of which the last mode has all of the
 * larger numbers: pairs that go together show there alone. */
static void many_well_modes_of(void *arg, size_t *mode, const double *x)
{
    const target_density *self = arg;
    size_t pairs = self->base.dim / 2, left = 0, last = self->partition[pairs].n - 1;
    for (size_t k = 0; k < pairs; k++) {
        mode[k] = !(x[2 * k] < 0);
        left += x[2 * k] < 0;
    }
    mode[pairs] = left < last ? left : last;
}

/* Binomial weights, up to the number that leaves less than a hundredth beyond it; returns how many. */
static size_t weigh(double *weights, size_t pairs)
{
    double share = pow(1 - LEFT, (double)pairs), rest = 1;
    size_t left = 0;
    for (; left < pairs && rest - share > 0.01; left++) {
        weights[left] = share;
        rest -= share;
        share *= (double)(pairs - left) / (double)(left + 1) * LEFT / (1 - LEFT);
    }
    weights[left] = rest;
    return left + 1;
}

/* all (pairs + 1), weights (pairs + 1) to work in */
static void cut(target_partition *all, double *weights, size_t pairs)
{
    static const double wells[] = {LEFT, 1 - LEFT};
    for (size_t k = 0; k < pairs; k++) {
        all[k] = (target_partition){.n = 2, .weights = wells};
        snprintf(all[k].name, sizeof all->name, "well of x%zu", 2 * k);
    }
    all[pairs] = (target_partition){
        .name = "number of left wells", .n = weigh(weights, pairs), .weights = weights};
}

static int many_well_begin(target_density *self, const void *options, const json_t *object,
                           flow_err *err)
{
    size_t dim = ((const many_well_options *)options)->dim;
    (void)object;
    self->base.dim = dim;
    self->base.log_z = PAIR_LOG_Z * (double)(dim / 2);
    double *weights = target_density_hold(self, dim / 2 + 1, err);
    target_partition *all = weights ? target_density_cut(self, dim / 2 + 1, err) : NULL;
    if (!all)
        return FLOW_ENOMEM;
    cut(all, weights, dim / 2);
    return 0;
}

static const target_density_ops many_well_ops = {.kind = &target_many_well,
                                                 .size = sizeof(target_density),
                                                 .begin = many_well_begin,
                                                 .log_p = many_well_log_p,
                                                 .draw = many_well_draw,
                                                 .modes_of = many_well_modes_of};

static target *many_well_create(const json_t *object, flow_err *err)
{
    return target_density_create(&many_well_ops, object, err);
}

static const char *many_well_conflict(char *why, size_t size, const void *options)
{
    uint64_t dim = ((const many_well_options *)options)->dim;
    snprintf(why, size, "wants an even number, got %llu", (unsigned long long)dim);
    return dim % 2 ? "dim" : NULL;
}

static const flow_key many_well_keys[] = {{FLOW_KEY(many_well_options, dim), .type = FLOW_KEY_WHOLE,
                                           .min = 2, .max = 1024, .def = "32",
                                           .doc = "Even: half as many pairs, 2^(dim/2) wells."},
                                          TARGET_COLUMNS_KEY,
                                          {.name = NULL}};

const target_kind target_many_well = {
    .kind = {.name = "many_well",
             .doc = "double wells, each beside a Gaussian (Noe et al. 2019; Midgley et al. 2023)",
             .keys = many_well_keys,
             .size = sizeof(many_well_options),
             .conflict = many_well_conflict},
    .example = "{\"kind\": \"many_well\", \"dim\": 6}",
    .create = many_well_create,
};
