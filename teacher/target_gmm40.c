/* teacher/target_gmm40.c -- forty equal Gaussians in the plane, the mixture of Midgley et al. 2023, "Flow annealed
 * importance sampling bootstrap": of standard deviation softplus(1), means uniform on [-40, 40]^2. */
#include "teacher/target_mixture.h"

#include <math.h>

extern const target_kind target_gmm40;

enum { MODES = 40 };

/* As the paper's code draws them, to four digits. */
static const double means[MODES][2] = {
    {-0.2995, 21.4577},   {-32.9218, -29.4376}, {-15.4062, 10.7263},  {-0.7925, 31.7156},
    {-3.5498, 10.5845},   {-12.0885, -7.8626},  {-38.2139, -26.4913}, {-16.4889, 1.4817},
    {15.8134, 24.0009},   {-27.1176, -17.4185}, {14.5287, 33.2155},   {-8.2320, 29.9325},
    {-6.4473, 4.2326},    {36.2190, -37.1068},  {-25.1815, -10.1266}, {-15.5920, 34.5600},
    {-25.9272, -18.4133}, {-27.9456, -37.4624}, {-23.3496, 34.3839},  {17.8487, 19.3869},
    {2.1037, -20.5073},   {6.7674, -37.3478},   {-28.9026, -20.6212}, {25.2375, 23.4528},
    {-17.7398, -1.4433},  {25.5824, 39.7653},   {15.8753, 5.4037},    {26.8195, -23.5521},
    {7.4538, -31.0122},   {-27.7234, -20.6633}, {18.0989, 16.0864},   {-23.6941, 12.0843},
    {21.9589, -5.0487},   {1.5273, 9.2682},     {24.8151, 38.4078},   {-30.8249, -14.6588},
    {15.7204, 33.1420},   {34.8083, 35.2943},   {7.9606, -34.7833},   {3.6797, -25.0242}};

/* What lies nearest to each of them, by quadrature: some are too close to have their fortieth. */
static const double shares[MODES] = {
    0.025000, 0.025001, 0.025000, 0.025000, 0.024999, 0.025000, 0.025000, 0.025000,
    0.025003, 0.025582, 0.024999, 0.025000, 0.025001, 0.025000, 0.025014, 0.025000,
    0.024612, 0.025000, 0.025000, 0.024999, 0.025000, 0.025005, 0.025355, 0.025001,
    0.025000, 0.024999, 0.025000, 0.025000, 0.025014, 0.024332, 0.025000, 0.025000,
    0.025000, 0.025000, 0.025000, 0.025104, 0.024998, 0.025000, 0.024981, 0.025000};

static int gmm40_begin(target_density *self, const void *options, const json_t *object,
                       flow_err *err)
{
    target_mixture *t = (target_mixture *)self;
    (void)options, (void)object;
    if (target_mixture_begin(t, MODES, 2, log1p(exp(1)), err))
        return FLOW_ENOMEM;
    for (size_t i = 0; i < 2 * MODES; i++)
        t->means[i] = means[i / 2][i % 2];
    int code = target_mixture_settle(t, err); /* which finds them too close for shares of 1 in 40 */
    return code ? code : target_density_cut_once(self, "component", MODES, shares, err);
}

static const target_density_ops gmm40_ops = {.kind = &target_gmm40,
                                             .size = sizeof(target_mixture),
                                             .begin = gmm40_begin,
                                             .log_p = target_mixture_log_p,
                                             .draw = target_mixture_draw,
                                             .modes_of = target_mixture_modes_of};

static target *gmm40_create(const json_t *object, flow_err *err)
{
    return target_density_create(&gmm40_ops, object, err);
}

static const flow_key gmm40_keys[] = {TARGET_COLUMNS_KEY, {.name = NULL}};

const target_kind target_gmm40 = {
    .kind = {.name = "gmm40",
             .doc = "forty Gaussians in the plane (Midgley et al. 2023)",
             .keys = gmm40_keys},
    .example = "{\"kind\": \"gmm40\"}",
    .create = gmm40_create,
};
