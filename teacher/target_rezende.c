/* teacher/target_rezende.c -- the four energies of Rezende, Mohamed 2015, "Variational inference with
 * normalizing flows", table 1: p~ = e^-U on the plane, with
 *
 *   w1 = sin(pi z1 / 2),  w2 = 3 e^(-((z1 - 1) / .6)^2 / 2),  w3 = 3 sigmoid((z1 - 1) / .3)
 *   U1 = ((|z| - 2) / .4)^2 / 2 - log(e^(-((z1 - 2) / .6)^2 / 2) + e^(-((z1 + 2) / .6)^2 / 2))
 *   U2 = ((z2 - w1) / .4)^2 / 2
 *   U3 = -log(e^(-((z2 - w1) / .35)^2 / 2) + e^(-((z2 - w1 + w2) / .35)^2 / 2))
 *   U4 = -log(e^(-((z2 - w1) / .4)^2 / 2) + e^(-((z2 - w1 + w3) / .35)^2 / 2))
 *
 * U2 to U4 go on for ever along z1, so all four have sum_i max(|z_i| - 6, 0)^2 on top. */
#include "teacher/target_density.h"

#include <math.h>

extern const target_kind target_rezende;

typedef struct rezende_options {
    uint64_t potential;
} rezende_options;

typedef struct rezende {
    target_density base;
    uint64_t potential;
} rezende;

/* A log-density and its gradient. */
typedef struct piece {
    double value, slope[2];
} piece;

static uint64_t potential_of(const target_density *self)
{
    return ((const rezende *)self)->potential;
}

/* ---- densities */

/* log(e^a + e^b) */
static piece either(piece a, piece b)
{
    double top = fmax(a.value, b.value), low = fmin(a.value, b.value);
    double sum = top + log1p(exp(low - top)), share = exp(a.value - sum), rest = exp(b.value - sum);
    return (piece){
        sum, {share * a.slope[0] + rest * b.slope[0], share * a.slope[1] + rest * b.slope[1]}};
}

/* -((z1 - at) / .6)^2 / 2 */
static piece lobe(const double *z, double at)
{
    double u = (z[0] - at) / 0.6;
    return (piece){-0.5 * u * u, {-u / 0.6, 0}};
}

static piece ring(const double *z)
{
    double r = sqrt(z[0] * z[0] + z[1] * z[1]), u = (r - 2) / 0.4, pull = r > 0 ? -u / 0.4 / r : 0;
    piece p = either(lobe(z, 2), lobe(z, -2));
    return (piece){p.value - 0.5 * u * u, {p.slope[0] + pull * z[0], p.slope[1] + pull * z[1]}};
}

/* A curve z2 = at(z1). */
typedef struct curve {
    double at, slope;
} curve;

static curve wave(double z1)
{
    const double turn = 1.57079632679489661923;
    return (curve){sin(turn * z1), turn * cos(turn * z1)};
}

/* w1 - w2 and w1 - w3 */
static curve dip(double z1)
{
    double u = (z1 - 1) / 0.6, w2 = 3 * exp(-0.5 * u * u);
    curve c = wave(z1);
    return (curve){c.at - w2, c.slope + w2 * u / 0.6};
}

static curve step_down(double z1)
{
    double s = 1 / (1 + exp(-(z1 - 1) / 0.3));
    curve c = wave(z1);
    return (curve){c.at - 3 * s, c.slope - 3 * s * (1 - s) / 0.3};
}

/* A ridge along the curve, -((z2 - at) / sd)^2 / 2. */
static piece ridge(const double *z, curve c, double sd)
{
    double u = (z[1] - c.at) / sd;
    return (piece){-0.5 * u * u, {u / sd * c.slope, -u / sd}};
}

static piece unconfined(uint64_t potential, const double *z)
{
    switch (potential) {
    case 1:
        return ring(z);
    case 2:
        return ridge(z, wave(z[0]), 0.4);
    case 3:
        return either(ridge(z, wave(z[0]), 0.35), ridge(z, dip(z[0]), 0.35));
    default:
        return either(ridge(z, wave(z[0]), 0.4), ridge(z, step_down(z[0]), 0.35));
    }
}

static double beyond(double z)
{
    return fmax(fabs(z) - 6, 0);
}

static double rezende_log_p(const target_density *self, double *grad, const double *z, double *room)
{
    piece p = unconfined(potential_of(self), z);
    (void)room;
    for (size_t i = 0; i < 2; i++) {
        double out = beyond(z[i]);
        p.value -= out * out;
        if (grad)
            grad[i] = p.slope[i] - copysign(2 * out, z[i]);
    }
    return p.value;
}

/* ---- draws: proposals that the density is a known share of, accepted with it */

/* e^-(confinement of z2) is what is left of p~ at a draw of the curve whose z1 is from the confinement of
 * z1: uniform on [-6, 6] with half normals of variance 1/2 beyond. */
static double confined(pcg *rng)
{
    const double tail = 1.77245385090551602730; /* sqrt(pi): both */
    double at = pcg_uniform(rng) * (12 + tail) - tail / 2;
    double out = fabs(target_density_normal(rng)) * 0.70710678118654752440;
    return at < 0 ? -6 - out : at > 12 ? 6 + out : at - 6;
}

static void draw_ridge(double *z, uint64_t potential, pcg *rng)
{
    z[0] = confined(rng);
    curve c = wave(z[0]);
    double sd = potential == 3 ? 0.35 : 0.4, u = pcg_uniform(rng);
    if (potential > 2 && u < 0.35 / (0.35 + sd)) { /* the ridges weigh as much as they are wide */
        c = potential == 3 ? dip(z[0]) : step_down(z[0]);
        sd = 0.35;
    }
    z[1] = c.at + sd * target_density_normal(rng);
}

/* From a ring r ~ N(2.08, .4^2) with a free angle: p~ r is that times r / 2 e^-(r - 2) / 2 <= 1, the
 * confinement and the sum of both lobes, which is at most 1 + 2.3e-10. Returns the share to accept. */
static double draw_ring(double *z, pcg *rng)
{
    double r = 2.08 + 0.4 * target_density_normal(rng);
    double angle = 6.28318530717958647693 * pcg_uniform(rng);
    z[0] = r * cos(angle);
    z[1] = r * sin(angle);
    double out = beyond(z[0]) * beyond(z[0]), lobes = either(lobe(z, 2), lobe(z, -2)).value;
    return r > 0 ? 0.5 * r * exp(-0.5 * (r - 2) + lobes - out) / (1 + 3e-10) : 0;
}

static void rezende_draw(const target_density *self, double *z, const double *normals, pcg *rng)
{
    uint64_t potential = potential_of(self);
    double share = 1;
    (void)normals;
    do {
        if (potential == 1)
            share = draw_ring(z, rng);
        else
            draw_ridge(z, potential, rng);
    } while (pcg_uniform(rng) >= share * exp(-beyond(z[1]) * beyond(z[1])));
}

/* ---- the kind */

/* Left and right of the ring. */
static void rezende_modes_of(void *arg, size_t *mode, const double *z)
{
    (void)arg;
    *mode = z[0] > 0;
}

/* log Z with the confinement, by quadrature. */
static const double log_z[] = {1.877501626110, 2.625318300875, 3.184934088810, 3.253926960297};

static int rezende_begin(target_density *self, const void *options, const json_t *object,
                         flow_err *err)
{
    static const double halves[] = {0.5, 0.5};
    uint64_t potential = ((const rezende_options *)options)->potential;
    (void)object;
    ((rezende *)self)->potential = potential;
    self->base.dim = 2;
    self->base.log_z = log_z[potential - 1];
    return potential == 1 ? target_density_cut_once(self, "side of the ring", 2, halves, err) : 0;
}

static const target_density_ops rezende_ops = {.kind = &target_rezende,
                                               .size = sizeof(rezende),
                                               .begin = rezende_begin,
                                               .log_p = rezende_log_p,
                                               .draw = rezende_draw,
                                               .modes_of = rezende_modes_of};

static target *rezende_create(const json_t *object, flow_err *err)
{
    return target_density_create(&rezende_ops, object, err);
}

static const flow_key rezende_keys[] = {
    {FLOW_KEY(rezende_options, potential), .type = FLOW_KEY_WHOLE, .min = 1, .max = 4, .def = "1",
     .doc =
         "Which of the four: 1 a ring with two lobes, 2 a sine wave, 3 one that splits and joins, "
         "4 one that splits."},
    TARGET_COLUMNS_KEY,
    {.name = NULL}};

const target_kind target_rezende = {
    .kind = {.name = "rezende",
             .doc =
                 "the energies U1 to U4 in the plane (Rezende, Mohamed 2015), confined to |z| < 6",
             .keys = rezende_keys,
             .size = sizeof(rezende_options)},
    .example = "{\"kind\": \"rezende\", \"potential\": 4}",
    .create = rezende_create,
};
