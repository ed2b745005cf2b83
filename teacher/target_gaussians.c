/* teacher/target_gaussians.c -- a mixture of Gaussians of one width, in given places or in random ones. */
#include "teacher/streams.h"
#include "teacher/target_mixture.h"

#include <math.h>
#include <stdlib.h>

extern const target_kind target_gaussians;

typedef struct gaussians_options {
    uint64_t components, dim, seed;
    double spread, sd;
} gaussians_options;

/* ---- where they are */

static int read_means(target_mixture *t, const json_t *means, double sd, flow_err *err)
{
    size_t n = json_array_size(means), dim = json_array_size(json_array_get(means, 0));
    if (n == 0 || n > TARGET_MIXTURE_MAX || dim == 0)
        return flow_fail(err, FLOW_ECONFIG, "means: wanted 1 .. %d lists of as many numbers each",
                         TARGET_MIXTURE_MAX);
    int code = target_mixture_begin(t, n, dim, sd, err);
    for (size_t k = 0; k < n && !code; k++)
        code = target_density_list(t->means + k * dim, json_array_get(means, k), dim, "means", err);
    return code;
}

static int draw_means(target_mixture *t, const gaussians_options *o, flow_err *err)
{
    const pcg_stream stream = {o->seed, STREAM_ENERGY, PCG_TARGET};
    if (target_mixture_begin(t, o->components, o->dim, o->sd, err))
        return FLOW_ENOMEM;
    pcg_uniforms(t->means, stream, 0, t->n, o->dim);
    for (size_t i = 0; i < t->n * o->dim; i++)
        t->means[i] = o->spread * (2 * t->means[i] - 1);
    return 0;
}

static int find_means(target_mixture *t, const gaussians_options *o, const json_t *means,
                      flow_err *err)
{
    if (!means && !o->components)
        return flow_fail(err, FLOW_ECONFIG, "means or components must be given");
    if (means && o->components)
        return flow_fail(err, FLOW_ECONFIG, "components: there are means, which say how many");
    if (means && target_density_idle(&target_gaussians.kind, o, "components", err))
        return FLOW_ECONFIG;
    return means ? read_means(t, means, o->sd, err) : draw_means(t, o, err);
}

/* ---- the kind */

static int read_weights(target_mixture *t, const json_t *weights, flow_err *err)
{
    if (!weights)
        return 0;
    if (target_density_list(t->weights, weights, t->n, "weights", err))
        return FLOW_ECONFIG;
    for (size_t k = 0; k < t->n; k++)
        if (!(t->weights[k] > 0))
            return flow_fail(err, FLOW_ECONFIG, "weights: item %zu is %.9g; wanted more than 0", k,
                             t->weights[k]);
    return 0;
}

static int gaussians_begin(target_density *self, const void *options, const json_t *object,
                           flow_err *err)
{
    target_mixture *t = (target_mixture *)self;
    int code = find_means(t, options, target_density_given(object, "means"), err);
    if (!code)
        code = read_weights(t, target_density_given(object, "weights"), err);
    return code ? code : target_mixture_settle(t, err);
}

static const target_density_ops gaussians_ops = {.kind = &target_gaussians,
                                                 .size = sizeof(target_mixture),
                                                 .begin = gaussians_begin,
                                                 .log_p = target_mixture_log_p,
                                                 .draw = target_mixture_draw,
                                                 .modes_of = target_mixture_modes_of};

static target *gaussians_create(const json_t *object, flow_err *err)
{
    return target_density_create(&gaussians_ops, object, err);
}

static const flow_key gaussians_keys[] = {
    {.name = "means",
     .type = FLOW_KEY_OWN,
     .wants = "a list of K lists of D numbers",
     .doc = "Where the Gaussians are; or say `components`."},
    {FLOW_KEY(gaussians_options, components), .type = FLOW_KEY_WHOLE, .min = 1,
     .max = TARGET_MIXTURE_MAX, .doc = "So many Gaussians in random places."},
    {FLOW_KEY(gaussians_options, dim), .type = FLOW_KEY_WHOLE, .min = 1, .max = 1024, .def = "2",
     .only = "components", .doc = "Dimensions."},
    {FLOW_KEY(gaussians_options, spread), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN,
     .min = 0, .max = 1e6, .def = "5", .only = "components",
     .doc = "Each number of a mean is uniform on [-spread, spread]."},
    {FLOW_KEY(gaussians_options, seed), .type = FLOW_KEY_WHOLE, .min = 0, .max = INFINITY,
     .def = "1", .only = "components", .doc = "Of the means."},
    {.name = "weights",
     .type = FLOW_KEY_OWN,
     .wants = "a list of K numbers > 0",
     .doc = "How much each Gaussian weighs, of any sum; without it they are equal."},
    {FLOW_KEY(gaussians_options, sd), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN, .min = 0,
     .max = 1e6, .def = "1", .doc = "Standard deviation of each in each direction."},
    TARGET_COLUMNS_KEY,
    {.name = NULL}};

const target_kind target_gaussians = {
    .kind = {.name = "gaussians",
             .doc = "a mixture of Gaussians of one width, in given or random places",
             .keys = gaussians_keys,
             .size = sizeof(gaussians_options)},
    .example = "{\"kind\": \"gaussians\", \"components\": 4, \"dim\": 3, \"spread\": 6, "
               "\"seed\": 3, \"weights\": [1, 2, 3, 4], \"sd\": 0.7}",
    .create = gaussians_create,
};
