/* teacher/target_banana.c -- a Gaussian that is bent: x1 ~ N(0, sigma^2), x2 = z2 + curvature (x1^2 -
 * sigma^2), the others N(0, 1) (Haario, Saksman, Tamminen 1999, "Adaptive proposal distribution for random
 * walk Metropolis algorithm"). Bending keeps volumes, so it is normalised. */
#include "teacher/target_density.h"

#include <math.h>

extern const target_kind target_banana;

typedef struct banana_options {
    uint64_t dim;
    double sigma, curvature;
} banana_options;

typedef struct banana {
    target_density base;
    double sigma, curvature, log_top; /* log p at x1 = 0, z2 = 0, ... */
} banana;

static const banana *down(const target_density *self)
{
    return (const banana *)self;
}

/* What x1 puts on top of z2. */
static double bend(const banana *b, double x1)
{
    return b->curvature * (x1 * x1 - b->sigma * b->sigma);
}

static double banana_log_p(const target_density *self, double *grad, const double *x, double *room)
{
    const banana *b = down(self);
    double u = x[0] / b->sigma, z2 = x[1] - bend(b, x[0]), square = u * u + z2 * z2;
    (void)room;
    for (size_t i = 2; i < self->base.dim; i++) {
        square += x[i] * x[i];
        if (grad)
            grad[i] = -x[i];
    }
    if (grad) {
        grad[0] = -u / b->sigma + 2 * b->curvature * x[0] * z2;
        grad[1] = -z2;
    }
    return b->log_top - 0.5 * square;
}

static void banana_draw(const target_density *self, double *x, const double *z, pcg *rng)
{
    const banana *b = down(self);
    (void)rng;
    x[0] = b->sigma * z[0];
    x[1] = z[1] + bend(b, x[0]);
    for (size_t i = 2; i < self->base.dim; i++)
        x[i] = z[i];
}

static int banana_begin(target_density *self, const void *options, const json_t *object,
                        flow_err *err)
{
    const banana_options *o = options;
    banana *b = (banana *)self;
    (void)object, (void)err;
    b->sigma = o->sigma;
    b->curvature = o->curvature;
    b->log_top = -TARGET_HALF_LOG_2PI * (double)o->dim - log(o->sigma);
    self->base.dim = self->normals = o->dim;
    return 0;
}

static const target_density_ops banana_ops = {.kind = &target_banana,
                                              .size = sizeof(banana),
                                              .begin = banana_begin,
                                              .log_p = banana_log_p,
                                              .draw = banana_draw};

static target *banana_create(const json_t *object, flow_err *err)
{
    return target_density_create(&banana_ops, object, err);
}

static const flow_key banana_keys[] = {
    {FLOW_KEY(banana_options, dim), .type = FLOW_KEY_WHOLE, .min = 2, .max = 1024, .def = "2",
     .doc = "The first two are bent."},
    {FLOW_KEY(banana_options, sigma), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN, .min = 0,
     .max = 1e6, .def = "10", .doc = "Standard deviation of the first."},
    {FLOW_KEY(banana_options, curvature), .type = FLOW_KEY_REAL, .min = -1e6, .max = 1e6,
     .def = "0.03", .doc = "How much the second is bent by the square of the first."},
    TARGET_COLUMNS_KEY,
    {.name = NULL}};

const target_kind target_banana = {
    .kind = {.name = "banana",
             .doc = "a Gaussian whose second direction is bent by the first (Haario et al. 1999)",
             .keys = banana_keys,
             .size = sizeof(banana_options)},
    .example = "{\"kind\": \"banana\", \"dim\": 3, \"sigma\": 1.7, \"curvature\": 0.4}",
    .create = banana_create,
};
