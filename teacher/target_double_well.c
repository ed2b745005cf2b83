/* teacher/target_double_well.c -- particles in the plane whose distances d have a double well (Koehler, Klein,
 * Noe 2020, "Equivariant flows", DW4 for four of them):
 *
 *   log p~ = -sum over pairs of [.9 (d - 4)^4 - 4 (d - 4)^2] - |c|^2 / (2 centre^2)
 *
 * The energy does not know where its particles are as a whole, so their mean c is a Gaussian; it is
 * independent of all distances and angles. Cartesian, particle k is numbers 2 k and 2 k + 1. In coordinates of
 * particles.h log p~ has the logarithm of their volume besides: mean and turn are normals of their own, and log Z
 * is the same. */
#include "teacher/particles.h"
#include "teacher/target_density.h"

#include <math.h>
#include <stdio.h>

extern const target_kind target_double_well;

enum { UNORDERED, JACOBI, CARTESIAN };

static const particles_kind *const kinds[] = {
    [UNORDERED] = &particles_unordered, [JACOBI] = &particles_jacobi, [CARTESIAN] = NULL};

typedef struct double_well_options {
    int coordinates;
    uint64_t particles;
    double centre;
} double_well_options;

typedef struct double_well {
    target_density base;
    size_t particles;
    const particles_kind *kind; /* of its coordinates; NULL: Cartesian */
    double precision;           /* of the mean */
} double_well;

static const double_well *down(const target_density *self)
{
    return (const double_well *)self;
}

/* Of one pair; the slope goes to both. */
static double pair_log_p(double *grad_a, double *grad_b, const double *a, const double *b)
{
    double dx = a[0] - b[0], dy = a[1] - b[1], d = sqrt(dx * dx + dy * dy);
    double off = d - 4, square = off * off;
    if (grad_a && d > 0) {
        double pull = (8 - 3.6 * square) * off / d;
        grad_a[0] += pull * dx;
        grad_a[1] += pull * dy;
        grad_b[0] -= pull * dx;
        grad_b[1] -= pull * dy;
    }
    return (4 - 0.9 * square) * square;
}

/* Of all pairs of particles at x; adds to the gradient. */
static double pairs_log_p(const double_well *w, double *grad, const double *x)
{
    double sum = 0;
    for (size_t a = 1; a < w->particles; a++)
        for (size_t b = 0; b < a; b++)
            sum += pair_log_p(grad ? grad + 2 * a : NULL, grad ? grad + 2 * b : NULL, x + 2 * a,
                              x + 2 * b);
    return sum;
}

static double centre_log_p(const double_well *w, const double mean[2])
{
    return -0.5 * w->precision * (mean[0] * mean[0] + mean[1] * mean[1]);
}

static double cartesian_log_p(const double_well *w, double *grad, const double *x)
{
    double mean[2] = {0, 0}, count = (double)w->particles;
    for (size_t i = 0; i < 2 * w->particles; i++)
        mean[i % 2] += x[i] / count;
    for (size_t i = 0; grad && i < 2 * w->particles; i++)
        grad[i] = -w->precision * mean[i % 2] / count;
    return centre_log_p(w, mean) + pairs_log_p(w, grad, x);
}

/* room: positions at rest, and the slopes there. Where they overflow there is no density. */
static double apart_log_p(const double_well *w, double *grad, const double *z, double *room)
{
    size_t n = w->particles;
    double *b = room, *slope = grad ? room + 2 * n : NULL;
    w->kind->at_rest(b, z, n);
    for (size_t i = 0; slope && i < 2 * n; i++)
        slope[i] = 0;
    double sum = centre_log_p(w, z) + pairs_log_p(w, slope, b) + w->kind->log_volume(b, z, n);
    if (!grad)
        return sum;
    w->kind->pull(grad, slope, b, z, n);
    grad[0] = -w->precision * z[0];
    grad[1] = -w->precision * z[1];
    return sum;
}

static double double_well_log_p(const target_density *self, double *grad, const double *x,
                                double *room)
{
    const double_well *w = down(self);
    return w->kind ? apart_log_p(w, grad, x, room) : cartesian_log_p(w, grad, x);
}

static const char *double_well_column(const target_density *self, char *text, size_t at)
{
    if (down(self)->kind)
        return down(self)->kind->name(text, at);
    snprintf(text, TARGET_COLUMN_TEXT, "%c%zu", at % 2 ? 'y' : 'x', at / 2 + 1);
    return text;
}

/* Of two that can be exchanged either may have the larger first coordinate. */
static void double_well_modes_of(void *arg, size_t *mode, const double *x)
{
    const double_well *w = arg;
    for (size_t k = 0; k + 1 < w->particles; k++)
        mode[k] = x[2 * k] > x[2 * k + 2];
}

static int cut(target_density *self, size_t n, flow_err *err)
{
    static const double halves[] = {0.5, 0.5};
    target_partition *all = target_density_cut(self, n, err);
    for (size_t k = 0; all && k < n; k++) {
        all[k] = (target_partition){.n = 2, .weights = halves};
        snprintf(all[k].name, sizeof all->name, "order of particles %zu, %zu", k, k + 1);
    }
    return all ? 0 : FLOW_ENOMEM;
}

static int double_well_begin(target_density *self, const void *options, const json_t *object,
                             flow_err *err)
{
    const double_well_options *o = options;
    double_well *w = (double_well *)self;
    (void)object;
    w->particles = o->particles;
    w->kind = kinds[o->coordinates];
    if (w->kind && w->particles > w->kind->most)
        return flow_fail(err, FLOW_ECONFIG,
                         "coordinates: these are for at most %zu particles; ask for jacobi",
                         w->kind->most);
    w->precision = 1 / (o->centre * o->centre);
    self->base.dim = 2 * o->particles;
    self->base.log_z = NAN;
    self->room = 4 * o->particles;
    return w->kind ? 0 : cut(self, o->particles - 1, err);
}

static const target_density_ops double_well_ops = {.kind = &target_double_well,
                                                   .size = sizeof(double_well),
                                                   .begin = double_well_begin,
                                                   .log_p = double_well_log_p,
                                                   .column = double_well_column,
                                                   .modes_of = double_well_modes_of};

static target *double_well_create(const json_t *object, flow_err *err)
{
    return target_density_create(&double_well_ops, object, err);
}

static const flow_word coordinate_words[] = {
    {"unordered", UNORDERED,
     "a set, of which nobody says which particle is which: mean_x, mean_y, turn, log_radius, "
     "e2_re, e2_im, ... . "
     "Positions are the roots of the polynomial b^N + e2 b^(N-2) + ... + exp(N log_radius), as "
     "complex numbers, turned "
     "by 2 pi Phi(turn) / N and moved to the mean; at most 8"},
    {"jacobi", JACOBI,
     "particles that are told apart: mean_x, mean_y, turn, log_distance, x3, y3, ... . The first "
     "two are "
     "exp(log_distance) apart along the first axis, each other one is at (x, y) from the mean of "
     "those before "
     "it; all are turned by 2 pi Phi(turn) and moved to the mean"},
    {"cartesian", CARTESIAN,
     "positions: x1, y1, x2, y2, ... ; no student here learns them, which turn as a whole"},
    {.name = NULL}};

static const flow_key double_well_keys[] = {
    {FLOW_KEY(double_well_options, coordinates), .type = FLOW_KEY_WORD, .words = coordinate_words,
     .def = "unordered",
     .doc = "The numbers that a sample consists of, and how positions are made of them (Phi: the "
            "distribution of a "
            "standard normal). log Z is that of positions in all of them."},
    {FLOW_KEY(double_well_options, particles), .type = FLOW_KEY_WHOLE, .min = 2, .max = 64,
     .def = "4", .doc = "In the plane: twice as many dimensions. Four of them are DW4."},
    {FLOW_KEY(double_well_options, centre), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN,
     .min = 0, .max = 1e3, .def = "1",
     .doc = "Standard deviation of the particles' mean, which the energy leaves free."},
    TARGET_COLUMNS_KEY,
    {.name = NULL}};

const target_kind target_double_well = {
    .kind = {.name = "double_well",
             .doc = "particles whose distances have a double well, DW4 (Koehler, Klein, Noe 2020)",
             .keys = double_well_keys,
             .size = sizeof(double_well_options)},
    .example = "{\"kind\": \"double_well\", \"particles\": 3, \"centre\": 0.7}",
    .create = double_well_create,
};
