/* Models with grids and circles: what logp gives is a probability of values and a density of angles. */
#include "files/model.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

/* A flow that is its base, a standard normal, whose units are these; it is freed with its units. */
static flow_model *model_of(flow_units *units)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = json_pack("{s:I, s:I, s:s, s:[]}", "dim", (json_int_t)units->dim, "context",
                          (json_int_t)0, "direction", "data_to_noise", "layers");
    flow_model *self = calloc(1, sizeof *self);
    self->flow = flow_create(d, FLOW_F64, &err);
    cr_assert(self->flow, "%s", err.text);
    self->units = units;
    json_decref(d);
    return self;
}

static double phi(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

static double normal(double z)
{
    return exp(-0.5 * z * z) / sqrt(2 * acos(-1));
}

/* One grid column, u = log(x) - 1: the probability of 1 is that of [1, 2). */
Test(model_points, a_value_has_the_probability_of_its_cell)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, &err);
    flow_units *units = flow_units_create(1, &err);
    units->column[0] =
        (flow_unit){.support = FLOW_ABOVE, .lo = 0, .step = 1, .shift = 1, .scale = 1};
    flow_model *model = model_of(units);
    static const double x[] = {0, 1, 2, 7, 40, 2.5, -1};
    double logp[7];
    cr_assert_eq(flow_model_log_prob(model, pool, logp, x, NULL, 7, &err), 0, "%s", err.text);
    for (size_t i = 0; i < 5; i++) {
        double want = phi(log(x[i] + 1) - 1) - phi(log(x[i]) - 1);
        /* the midpoint rule of 64 strips; the first cell has a density that vanishes at its end */
        cr_assert_float_eq(exp(logp[i]), want, 2e-4 * want, "%g: %g, not %g", x[i], exp(logp[i]),
                           want);
    }
    cr_assert(isinf(logp[5]) && isinf(logp[6]), "%g %g", logp[5], logp[6]);

    double sample[200], logq[200], again[200];
    pcg_stream stream = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_BASE};
    cr_assert_eq(flow_model_sample(model, pool, sample, logq, NULL, stream, 0, 200, &err), 0);
    cr_assert_eq(flow_model_log_prob(model, pool, again, sample, NULL, 200, &err), 0);
    for (size_t i = 0; i < 200; i++) {
        cr_assert(sample[i] >= 0 && floor(sample[i]) >= sample[i], "%g", sample[i]);
        cr_assert_float_eq(logq[i], again[i], 1e-12);
    }
    flow_model_free(model);
    flow_pool_free(pool);
}

/* Half as wide in u: of the cells, the masses of that. */
Test(model_points, cells_at_a_temperature)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, &err);
    flow_units *units = flow_units_create(1, &err);
    units->column[0] = (flow_unit){.step = 0.5, .shift = 0.3, .scale = 1.2};
    flow_model *model = model_of(units);
    double x[50], logp[50];
    pcg_stream stream = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_BASE};
    cr_assert_eq(flow_model_sample_tempered(model, pool, x, logp, NULL, stream, 3, 50, 0.5, &err),
                 0, "%s", err.text);
    for (size_t i = 0; i < 50; i++) {
        double want = phi((x[i] + 0.5 - 0.3) / 0.6) - phi((x[i] - 0.3) / 0.6);
        cr_assert_float_eq(exp(logp[i]), want, 2e-4 * want, "%g: %g, not %g", x[i], exp(logp[i]),
                           want);
    }
    flow_model_free(model);
    flow_pool_free(pool);
}

/* Three grid columns at once, independent: the product of three probabilities, within the error of 64
 * points; and a continuous one, of which it is the density. */
Test(model_points, several_grids)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, &err);
    flow_units *units = flow_units_create(4, &err);
    for (size_t col = 0; col < 3; col++)
        units->column[col] = (flow_unit){.step = 0.5, .shift = 0.3, .scale = 1.2};
    flow_model *model = model_of(units);
    static const double x[] = {0.5, -1, 1.5, 0.713};
    double logp, want = normal(0.713);
    cr_assert_eq(flow_model_log_prob(model, pool, &logp, x, NULL, 1, &err), 0, "%s", err.text);
    for (size_t col = 0; col < 3; col++)
        want *= phi((x[col] + 0.5 - 0.3) / 1.2) - phi((x[col] - 0.3) / 1.2);
    cr_assert_float_eq(exp(logp), want, 0.01 * want, "%g, not %g", exp(logp), want);
    flow_model_free(model);
    flow_pool_free(pool);
}

Test(model_points, a_circle_is_wrapped)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, &err);
    flow_units *units = flow_units_create(1, &err);
    const double period = 6.25;
    units->column[0] =
        (flow_unit){.period = period, .wrapped = true, .cut = -3, .shift = 0.1, .scale = 1.5};
    flow_model *model = model_of(units);
    enum { N = 250 };
    double x[N + 4] = {0}, logp[N + 4], total = 0;
    for (size_t i = 0; i < N; i++)
        x[i] = ((double)i + 0.5) * period / N;
    x[N] = 0;
    x[N + 1] = period;
    x[N + 2] = -3;         /* the cut ... */
    x[N + 3] = -3 - 1e-12; /* ... from its other side */
    cr_assert_eq(flow_model_log_prob(model, pool, logp, x, NULL, N + 4, &err), 0);
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        for (int k = -3; k <= 3; k++)
            sum += normal((x[i] + k * period - 0.1) / 1.5) / 1.5;
        /* images beyond the nearest are 1.5 periods off the middle */
        cr_assert_float_eq(exp(logp[i]), sum, 2e-4, "%g: %g, not %g", x[i], exp(logp[i]), sum);
        total += exp(logp[i]) * period / N;
    }
    cr_assert_float_eq(total, 1, 1e-3, "%g", total);
    cr_assert_float_eq(logp[N], logp[N + 1], 1e-12, "0 is a period");
    cr_assert_float_eq(logp[N + 2], logp[N + 3], 1e-9, "no step at the cut");
    flow_model_free(model);
    flow_pool_free(pool);
}
