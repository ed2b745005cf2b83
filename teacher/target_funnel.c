/* teacher/target_funnel.c -- the funnel of Neal 2003, "Slice sampling", section 8: v ~ N(0, sigma_v^2),
 * and given v the other D - 1 are N(0, e^v), a variance. Normalised. */
#include "teacher/target_density.h"

#include <math.h>

extern const target_kind target_funnel;

typedef struct funnel_options {
    uint64_t dim;
    double sigma_v;
} funnel_options;

typedef struct funnel {
    target_density base;
    double sigma, log_top; /* log p(0) */
} funnel;

static const funnel *down(const target_density *self)
{
    return (const funnel *)self;
}

static double funnel_log_p(const target_density *self, double *grad, const double *x, double *room)
{
    const funnel *f = down(self);
    double others = (double)(self->base.dim - 1), precision = exp(-x[0]), square = 0;
    double u = x[0] / f->sigma;
    (void)room;
    for (size_t i = 1; i < self->base.dim; i++) {
        square += x[i] * x[i];
        if (grad)
            grad[i] = -precision * x[i];
    }
    if (grad)
        grad[0] = -u / f->sigma - 0.5 * others + 0.5 * precision * square;
    return f->log_top - 0.5 * (u * u + others * x[0] + precision * square);
}

static void funnel_draw(const target_density *self, double *x, const double *z, pcg *rng)
{
    (void)rng;
    x[0] = down(self)->sigma * z[0];
    for (size_t i = 1; i < self->base.dim; i++)
        x[i] = exp(0.5 * x[0]) * z[i];
}

static int funnel_begin(target_density *self, const void *options, const json_t *object,
                        flow_err *err)
{
    const funnel_options *o = options;
    funnel *f = (funnel *)self;
    (void)object, (void)err;
    f->sigma = o->sigma_v;
    f->log_top = -TARGET_HALF_LOG_2PI * (double)o->dim - log(o->sigma_v);
    self->base.dim = self->normals = o->dim;
    return 0;
}

static const target_density_ops funnel_ops = {.kind = &target_funnel,
                                              .size = sizeof(funnel),
                                              .begin = funnel_begin,
                                              .log_p = funnel_log_p,
                                              .draw = funnel_draw};

static target *funnel_create(const json_t *object, flow_err *err)
{
    return target_density_create(&funnel_ops, object, err);
}

static const flow_key funnel_keys[] = {
    {FLOW_KEY(funnel_options, dim), .type = FLOW_KEY_WHOLE, .min = 2, .max = 1024, .def = "10",
     .doc = "v and the others."},
    {FLOW_KEY(funnel_options, sigma_v), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN, .min = 0,
     .max = 10, .def = "3",
     .doc = "Standard deviation of v, the log of the variance of the others."},
    TARGET_COLUMNS_KEY,
    {.name = NULL}};

const target_kind target_funnel = {
    .kind = {.name = "funnel",
             .doc = "a funnel: the first number is the log-variance of the others (Neal 2003)",
             .keys = funnel_keys,
             .size = sizeof(funnel_options)},
    .example = "{\"kind\": \"funnel\", \"dim\": 4, \"sigma_v\": 1.3}",
    .create = funnel_create,
};
