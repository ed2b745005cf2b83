/* teacher/target_student_t.c -- the standard multivariate Student t with dof degrees of freedom (Kotz,
 * Nadarajah 2004, "Multivariate t distributions and their applications"), normalised:
 *
 *   log p = log Gamma((dof + D) / 2) - log Gamma(dof / 2) - D / 2 log(pi dof)
 *           - (dof + D) / 2 log(1 + |x|^2 / dof) */
#include "teacher/target_density.h"

#include <math.h>

extern const target_kind target_student_t;

typedef struct student_t_options {
    uint64_t dim;
    double dof;
} student_t_options;

typedef struct student_t {
    target_density base;
    double dof, log_top;
} student_t;

static const student_t *down(const target_density *self)
{
    return (const student_t *)self;
}

static double student_t_log_p(const target_density *self, double *grad, const double *x,
                              double *room)
{
    const student_t *t = down(self);
    double square = 0, power = t->dof + (double)self->base.dim;
    (void)room;
    for (size_t i = 0; i < self->base.dim; i++)
        square += x[i] * x[i];
    for (size_t i = 0; grad && i < self->base.dim; i++)
        grad[i] = -power / (t->dof + square) * x[i];
    return t->log_top - 0.5 * power * log1p(square / t->dof);
}

/* Gamma of shape 1 or more and scale 1 (Marsaglia, Tsang 2000, "A simple method for generating gamma
 * variables"). */
static double draw_gamma(double shape, pcg *rng)
{
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d), z, v, u;
    do {
        z = target_density_normal(rng);
        v = 1 + c * z;
        v = v * v * v;
        u = 1 - pcg_uniform(rng);
    } while (!(v > 0 && log(u) < 0.5 * z * z + d * (1 - v + log(v))));
    return d * v;
}

/* x = z / sqrt(chi^2 / dof); a small shape is a larger one times a power of a uniform. */
static void student_t_draw(const target_density *self, double *x, const double *z, pcg *rng)
{
    double dof = down(self)->dof;
    double log_g = log(draw_gamma(0.5 * dof + 1, rng)) + 2 / dof * log(1 - pcg_uniform(rng));
    double over = exp(0.5 * (log(0.5 * dof) - log_g));
    for (size_t i = 0; i < self->base.dim; i++)
        x[i] = over * z[i];
}

static int student_t_begin(target_density *self, const void *options, const json_t *object,
                           flow_err *err)
{
    const student_t_options *o = options;
    student_t *t = (student_t *)self;
    double dim = (double)o->dim;
    (void)object, (void)err;
    t->dof = o->dof;
    t->log_top = lgamma(0.5 * (o->dof + dim)) - lgamma(0.5 * o->dof) -
                 0.5 * dim * log(3.14159265358979323846 * o->dof);
    self->base.dim = self->normals = o->dim;
    return 0;
}

static const target_density_ops student_t_ops = {.kind = &target_student_t,
                                                 .size = sizeof(student_t),
                                                 .begin = student_t_begin,
                                                 .log_p = student_t_log_p,
                                                 .draw = student_t_draw};

static target *student_t_create(const json_t *object, flow_err *err)
{
    return target_density_create(&student_t_ops, object, err);
}

static const flow_key student_t_keys[] = {
    {FLOW_KEY(student_t_options, dim), .type = FLOW_KEY_WHOLE, .min = 1, .max = 1024, .def = "10",
     .doc = "Dimensions, which share one radius."},
    {FLOW_KEY(student_t_options, dof), .type = FLOW_KEY_REAL, .min = 0.5, .max = 1e6, .def = "3",
     .doc =
         "Degrees of freedom: the fewer, the heavier the tails; 1 is Cauchy, whose mean does not "
         "exist."},
    TARGET_COLUMNS_KEY,
    {.name = NULL}};

const target_kind target_student_t = {
    .kind = {.name = "student_t",
             .doc = "a multivariate Student t: heavy tails in every direction",
             .keys = student_t_keys,
             .size = sizeof(student_t_options)},
    .example = "{\"kind\": \"student_t\", \"dim\": 3, \"dof\": 2.5}",
    .create = student_t_create,
};
