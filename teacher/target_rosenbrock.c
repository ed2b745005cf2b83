/* teacher/target_rosenbrock.c -- Rosenbrock's valley as a density, in pairs (Goodman, Weare 2010, "Ensemble
 * samplers with affine invariance", equation 31; Pagani et al. 2022 on its normalisation):
 *
 *   log p~ = -sum over pairs (a, b) of [steep (b - a^2)^2 + (1 - a)^2] / scale
 *
 * that is, a ~ N(1, scale / 2) and b | a ~ N(a^2, scale / (2 steep)). */
#include "teacher/target_density.h"

#include <math.h>
#include <stdio.h>

extern const target_kind target_rosenbrock;

typedef struct rosenbrock_options {
    uint64_t dim;
    double steep, scale;
} rosenbrock_options;

typedef struct rosenbrock {
    target_density base;
    double steep, scale;
} rosenbrock;

static const rosenbrock *down(const target_density *self)
{
    return (const rosenbrock *)self;
}

static double rosenbrock_log_p(const target_density *self, double *grad, const double *x,
                               double *room)
{
    const rosenbrock *r = down(self);
    double sum = 0;
    (void)room;
    for (size_t i = 0; i < self->base.dim; i += 2) {
        double away = 1 - x[i], off = x[i + 1] - x[i] * x[i];
        sum += r->steep * off * off + away * away;
        if (grad) {
            grad[i] = (4 * r->steep * off * x[i] + 2 * away) / r->scale;
            grad[i + 1] = -2 * r->steep * off / r->scale;
        }
    }
    return -sum / r->scale;
}

static void rosenbrock_draw(const target_density *self, double *x, const double *z, pcg *rng)
{
    const rosenbrock *r = down(self);
    double along = sqrt(r->scale / 2), across = sqrt(r->scale / (2 * r->steep));
    (void)rng;
    for (size_t i = 0; i < self->base.dim; i += 2) {
        x[i] = 1 + along * z[i];
        x[i + 1] = x[i] * x[i] + across * z[i + 1];
    }
}

static int rosenbrock_begin(target_density *self, const void *options, const json_t *object,
                            flow_err *err)
{
    const rosenbrock_options *o = options;
    rosenbrock *r = (rosenbrock *)self;
    (void)object, (void)err;
    r->steep = o->steep;
    r->scale = o->scale;
    self->base.dim = self->normals = o->dim;
    self->base.log_z =
        (double)(o->dim / 2) * (2 * TARGET_HALF_LOG_2PI + log(o->scale / 2) - 0.5 * log(o->steep));
    return 0;
}

static const target_density_ops rosenbrock_ops = {.kind = &target_rosenbrock,
                                                  .size = sizeof(rosenbrock),
                                                  .begin = rosenbrock_begin,
                                                  .log_p = rosenbrock_log_p,
                                                  .draw = rosenbrock_draw};

static target *rosenbrock_create(const json_t *object, flow_err *err)
{
    return target_density_create(&rosenbrock_ops, object, err);
}

static const char *rosenbrock_conflict(char *why, size_t size, const void *options)
{
    uint64_t dim = ((const rosenbrock_options *)options)->dim;
    snprintf(why, size, "wants an even number, got %llu", (unsigned long long)dim);
    return dim % 2 ? "dim" : NULL;
}

static const flow_key rosenbrock_keys[] = {
    {FLOW_KEY(rosenbrock_options, dim), .type = FLOW_KEY_WHOLE, .min = 2, .max = 1024, .def = "2",
     .doc = "Even: half as many pairs."},
    {FLOW_KEY(rosenbrock_options, steep), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN,
     .min = 0, .max = 1e6, .def = "100", .doc = "Weight of the distance from the parabola."},
    {FLOW_KEY(rosenbrock_options, scale), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN,
     .min = 0, .max = 1e6, .def = "20", .doc = "The temperature: what the energy is divided by."},
    TARGET_COLUMNS_KEY,
    {.name = NULL}};

const target_kind target_rosenbrock = {
    .kind = {.name = "rosenbrock",
             .doc = "Rosenbrock's curved valley in pairs (Goodman, Weare 2010)",
             .keys = rosenbrock_keys,
             .size = sizeof(rosenbrock_options),
             .conflict = rosenbrock_conflict},
    .example = "{\"kind\": \"rosenbrock\", \"dim\": 4, \"steep\": 3, \"scale\": 2.4}",
    .create = rosenbrock_create,
};
