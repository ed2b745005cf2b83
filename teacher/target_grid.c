/* teacher/target_grid.c -- equal Gaussians on a square grid about 0: 9 or 25 of them in the plane are the usual
 * test of whether a sampler finds every mode (Che et al. 2017, "Mode regularized generative adversarial networks",
 * and many since). */
#include "teacher/target_mixture.h"

#include <stdio.h>

extern const target_kind target_grid;

typedef struct grid_options {
    uint64_t side, dim;
    double spacing, sd;
} grid_options;

/* side^dim, or more than there may be. */
static size_t count(const grid_options *o)
{
    size_t n = 1;
    for (uint64_t i = 0; i < o->dim && n <= TARGET_MIXTURE_MAX; i++)
        n *= o->side;
    return n;
}

/* Coordinate i of point k is digit i of k, the last the quickest. */
static void place(double *x, size_t k, const grid_options *o)
{
    for (size_t i = o->dim; i-- > 0; k /= o->side)
        x[i] = o->spacing * ((double)(k % o->side) - 0.5 * (double)(o->side - 1));
}

static int grid_begin(target_density *self, const void *options, const json_t *object,
                      flow_err *err)
{
    const grid_options *o = options;
    target_mixture *t = (target_mixture *)self;
    (void)object;
    if (target_mixture_begin(t, count(o), o->dim, o->sd, err))
        return FLOW_ENOMEM;
    for (size_t k = 0; k < t->n; k++)
        place(t->means + k * o->dim, k, o);
    return target_mixture_settle(t, err);
}

static const target_density_ops grid_ops = {.kind = &target_grid,
                                            .size = sizeof(target_mixture),
                                            .begin = grid_begin,
                                            .log_p = target_mixture_log_p,
                                            .draw = target_mixture_draw,
                                            .modes_of = target_mixture_modes_of};

static target *grid_create(const json_t *object, flow_err *err)
{
    return target_density_create(&grid_ops, object, err);
}

static const char *grid_conflict(char *why, size_t size, const void *options)
{
    snprintf(why, size, "to the power of dim wants to be at most %d", TARGET_MIXTURE_MAX);
    return count(options) > TARGET_MIXTURE_MAX ? "side" : NULL;
}

static const flow_key grid_keys[] = {
    {FLOW_KEY(grid_options, side), .type = FLOW_KEY_WHOLE, .min = 1, .max = 64, .def = "3",
     .doc = "Gaussians along each direction: 3 makes 9 of them in the plane, 5 makes 25."},
    {FLOW_KEY(grid_options, dim), .type = FLOW_KEY_WHOLE, .min = 1, .max = 12, .def = "2",
     .doc = "Directions of the grid."},
    {FLOW_KEY(grid_options, spacing), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN, .min = 0,
     .max = 1e6, .def = "5", .doc = "From one to the next."},
    {FLOW_KEY(grid_options, sd), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN, .min = 0,
     .max = 1e6, .def = "0.5477225575051661",
     .doc = "Standard deviation of each in each direction; the default is a variance of .3."},
    TARGET_COLUMNS_KEY,
    {.name = NULL}};

const target_kind target_grid = {
    .kind = {.name = "grid",
             .doc = "equal Gaussians on a square grid: 9, 25, ...",
             .keys = grid_keys,
             .size = sizeof(grid_options),
             .conflict = grid_conflict},
    .example = "{\"kind\": \"grid\", \"side\": 3, \"dim\": 2, \"spacing\": 4.4, \"sd\": 0.5}",
    .create = grid_create,
};
