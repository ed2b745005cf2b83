/* The shapes are the usual ones of the flow literature: two_moons as scikit-learn's make_moons with
 * random angles; checkerboard, rings, pinwheel, spirals and eight_gaussians in the spirit of
 * Grathwohl et al. (2019), "FFJORD", figure 2; pinwheel after Johnson et al. (2016). */
#include "teacher/generate.h"

#include "flow/suggest.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define PI 3.14159265358979323846

/* The whole number 0 .. n - 1 in which the uniform u falls. */
static size_t choose(double u, size_t n)
{
    size_t i = (size_t)(u * (double)n);
    return i < n ? i : n - 1;
}

/* The nearest of the n directions 2 pi k / n, k = 0 .. n - 1, to an angle in radians. */
static size_t nearest_sector(double angle, size_t n)
{
    double sector = angle / (2 * PI) * (double)n;
    sector -= (double)n * floor(sector / (double)n);
    return sector >= 0 ? (size_t)(sector + 0.5) % n : 0; /* no direction at infinity: 0 */
}

static void add_noise(double *x, const double *z, double noise)
{
    x[0] += noise * z[0];
    x[1] += noise * z[1];
}

/* ---- two_moons: half circles of radius 1; a turn by 180 degrees about (1/2, 1/4) swaps them */

static void two_moons_draw(double *x, const double *u, const double *z, double noise)
{
    double angle = PI * u[1];
    bool lower = choose(u[0], 2) == 1;
    x[0] = lower ? 1 - cos(angle) : cos(angle);
    x[1] = lower ? 0.5 - sin(angle) : sin(angle);
    add_noise(x, z, noise);
}

/* Distance to the half circle (cos a, sin a), 0 <= a <= pi: below it, to the nearer of its ends. */
static double moon_distance(double x, double y)
{
    return y >= 0 ? fabs(hypot(x, y) - 1) : hypot(fabs(x) - 1, y);
}

static size_t two_moons_mode(const double *x)
{
    return moon_distance(1 - x[0], 0.5 - x[1]) < moon_distance(x[0], x[1]);
}

/* ---- rings: four circles of radius 0.75, 1.5, 2.25, 3 and equal weight */

#define RING_STEP 0.75
enum { RINGS = 4 };

static void rings_draw(double *x, const double *u, const double *z, double noise)
{
    double radius = RING_STEP * (double)(choose(u[0], RINGS) + 1);
    x[0] = radius * cos(2 * PI * u[1]);
    x[1] = radius * sin(2 * PI * u[1]);
    add_noise(x, z, noise);
}

static size_t rings_mode(const double *x)
{
    double ring = hypot(x[0], x[1]) / RING_STEP - 0.5;
    return ring < 0 ? 0 : ring < RINGS ? (size_t)ring : RINGS - 1;
}

/* ---- checkerboard: the 8 dark squares of side 2 in [-4, 4]^2 */

static void checkerboard_draw(double *x, const double *u, const double *z, double noise)
{
    size_t column = choose(u[0], 4), row = 2 * choose(u[1], 2) + column % 2;
    x[0] = 2 * ((double)column + u[2]) - 4;
    x[1] = 2 * ((double)row + u[3]) - 4;
    add_noise(x, z, noise);
}

/* ---- pinwheel: five Gaussian blades along the ray r = 1 + 0.3 z, bent by an angle of exp(r) / 4
 */

enum { BLADES = 5 };
static const double BLADE_SPREAD = 0.3, BLADE_BEND = 0.25, BLADE_SIZE = 2;

static void pinwheel_draw(double *x, const double *u, const double *z, double noise)
{
    double along = 1 + BLADE_SPREAD * z[0], across = noise * z[1];
    double angle = 2 * PI * (double)choose(u[0], BLADES) / BLADES + BLADE_BEND * exp(along);
    x[0] = BLADE_SIZE * (along * cos(angle) - across * sin(angle));
    x[1] = BLADE_SIZE * (along * sin(angle) + across * cos(angle));
}

static size_t pinwheel_mode(const double *x)
{
    double along = hypot(x[0], x[1]) / BLADE_SIZE;
    return nearest_sector(atan2(x[1], x[0]) - BLADE_BEND * exp(along), BLADES);
}

/* ---- spirals: two arms r = t / 3 at angle pi - t (and opposite), t in [0, 3 pi] with density ~ t
 */

static void spirals_draw(double *x, const double *u, const double *z, double noise)
{
    double t = 3 * PI * sqrt(u[1]), sign = choose(u[0], 2) == 1 ? -1 : 1;
    x[0] = sign * -cos(t) * t / 3;
    x[1] = sign * sin(t) * t / 3;
    add_noise(x, z, noise);
}

/* On arm 0, t + angle - pi is a whole number of turns; on arm 1, half a turn more. */
static size_t spirals_mode(const double *x)
{
    return nearest_sector(3 * hypot(x[0], x[1]) + atan2(x[1], x[0]) - PI, 2);
}

/* ---- eight_gaussians: round ones, their centres on a circle of radius 4 */

static void eight_gaussians_draw(double *x, const double *u, const double *z, double noise)
{
    double angle = 2 * PI * (double)choose(u[0], 8) / 8;
    x[0] = 4 * cos(angle);
    x[1] = 4 * sin(angle);
    add_noise(x, z, noise);
}

static size_t eight_gaussians_mode(const double *x)
{
    return nearest_sector(atan2(x[1], x[0]), 8);
}

/* ---- the table. Weights of the modes are equal: by symmetry exactly, for rings to 1e-5 at the
 * default noise (the share of points nearer to another ring). */

const data_generator data_generators[] = {
    {.kind = {.name = "two_moons",
              .doc = "two interleaved half circles, blurred by noise in both coordinates"},
     .noise = 0.1,
     .modes = 2,
     .draw = two_moons_draw,
     .mode_of = two_moons_mode},
    {.kind = {.name = "rings",
              .doc =
                  "four concentric circles of equal weight, blurred by noise in both coordinates"},
     .noise = 0.08,
     .modes = RINGS,
     .draw = rings_draw,
     .mode_of = rings_mode},
    {.kind = {.name = "checkerboard",
              .doc = "uniform on every other square of a 4 x 4 board, blurred by noise in both "
                     "coordinates"},
     .noise = 0,
     .draw = checkerboard_draw},
    {.kind = {.name = "pinwheel",
              .doc =
                  "five bent blades; noise is their half-width, in units of the blade's distance"},
     .noise = 0.1,
     .modes = BLADES,
     .draw = pinwheel_draw,
     .mode_of = pinwheel_mode},
    {.kind = {.name = "spirals",
              .doc =
                  "two spiral arms of one and a half turns, blurred by noise in both coordinates"},
     .noise = 0.1,
     .modes = 2,
     .draw = spirals_draw,
     .mode_of = spirals_mode},
    {.kind =
         {.name = "eight_gaussians",
          .doc =
              "eight round Gaussians on a circle of radius 4; noise is their standard deviation"},
     .noise = 0.5,
     .modes = 8,
     .draw = eight_gaussians_draw,
     .mode_of = eight_gaussians_mode},
    {.draw = NULL}};

static const flow_kind *generator_at(size_t index)
{
    return data_generators[index].draw ? &data_generators[index].kind : NULL;
}

const flow_registry data_generator_kinds = {.what = "generator", .at = generator_at};

const data_generator *data_generator_find(const char *name, flow_err *err)
{
    const char *names[sizeof data_generators / sizeof *data_generators];
    size_t n = 0;
    for (const data_generator *g = data_generators; g->draw; g++) {
        if (strcmp(g->kind.name, name) == 0)
            return g;
        names[n++] = g->kind.name;
    }
    const char *near = flow_suggest(name, names, n);
    flow_fail(err, FLOW_ECONFIG, "there is no generator '%.80s'%s%s%s", name,
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

void data_generate(const data_generator *self, double *x, double noise, uint64_t seed,
                   uint64_t first, size_t n)
{
    pcg_stream choices = {seed, STREAM_DATA, PCG_GENERATE}, blur = {seed, STREAM_DATA, PCG_BASE};
    for (size_t row = 0; row < n; row++) {
        double u[4], z[2];
        pcg_uniforms(u, choices, first + row, 1, 4);
        pcg_normals(z, blur, first + row, 1, 2);
        self->draw(x + 2 * row, u, z, noise);
    }
}

file_table *data_generate_table(const data_generator *self, double noise, uint64_t seed, size_t n,
                                flow_err *err)
{
    static const char *const names[] = {"x1", "x2"};
    file_table *table = file_table_create(n, 2, err);
    if (!table)
        return NULL;
    data_generate(self, table->values, noise, seed, 0, n);
    if (file_table_set_names(table, names, err)) {
        file_table_free(table);
        return NULL;
    }
    return table;
}
