#include "files/model_pass.h"

#include "flow/units_points.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct flow_model_pass {
    const flow_model *model;
    flow_pass *pass;
    size_t dim, points, max_rows;
    double *z, *u;         /* (max_rows, D) */
    double *inner;         /* (max_rows, C) the context in the flow's units */
    double *logdet, *term; /* (max_rows) */
    double temperature;    /* of the base, in the call that is made */
};

flow_model_pass *flow_model_pass_create(const flow_model *self, size_t max_rows, flow_err *err)
{
    size_t dim = flow_dim(self->flow), context = flow_context(self->flow);
    size_t numbers = max_rows * (2 * dim + context + 2);
    assert(max_rows <= FLOW_SHARD);
    flow_model_pass *pass = malloc(sizeof *pass + numbers * sizeof(double));
    if (!pass) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", max_rows);
        return NULL;
    }
    double *block = (double *)(pass + 1);
    *pass = (flow_model_pass){.model = self,
                              .pass = flow_pass_create(self->flow, max_rows, 0, err),
                              .dim = dim,
                              .points = flow_units_points(self->units),
                              .max_rows = max_rows,
                              .z = block,
                              .u = block + max_rows * dim,
                              .logdet = block + max_rows * 2 * dim,
                              .term = block + max_rows * (2 * dim + 1),
                              .inner = block + max_rows * (2 * dim + 2)};
    if (pass->pass)
        return pass;
    free(pass);
    return NULL;
}

void flow_model_pass_free(flow_model_pass *pass)
{
    if (!pass)
        return;
    flow_pass_free(pass->pass);
    free(pass);
}

int flow_model_can_log_prob(const flow_model *self, flow_err *err)
{
    return flow_require_log_prob(self->flow, err);
}

/* Of samples that were put on a grid or a circle the density is that of where they are then. */
int flow_model_can_sample(const flow_model *self, bool with_logp, flow_err *err)
{
    int code = flow_require_transport(self->flow, err);
    return code || !with_logp || flow_units_points(self->units) == 1
               ? code
               : flow_model_can_log_prob(self, err);
}

/* ---- densities */

/* log(e^a + e^b); NaN if one is. */
static double log_add(double a, double b)
{
    double large = a > b ? a : b, small = a > b ? b : a;
    return isinf(large) ? large : large + log1p(exp(small - large));
}

/* term, the log-density of rows whose noise is z, at the temperature of the call. */
static void be_tempered(flow_model_pass *pass, size_t n)
{
    double shift[FLOW_SHARD];
    if (pass->temperature == 1)
        return;
    flow_temper_shift(pass->model->flow, shift, pass->z, pass->temperature, n);
    for (size_t r = 0; r < n; r++)
        pass->term[r] += shift[r];
}

/* The one point that a row is, or one of its points (flow/units_points.h). */
static void add_point(flow_model_pass *pass, double *logp, const double *x, const double *inner,
                      size_t n, size_t index)
{
    if (pass->points > 1) {
        flow_units_point(pass->model->units, pass->u, pass->logdet, x, n, index);
    } else {
        for (size_t r = 0; r < n; r++)
            pass->logdet[r] = 0;
        flow_units_to_flow(pass->model->units, pass->u, pass->logdet, x, n);
    }
    flow_pass_log_prob(pass->pass, NULL, pass->term, pass->z, pass->u, inner, n);
    be_tempered(pass, n);
    for (size_t r = 0; r < n; r++) {
        double term = pass->term[r] + pass->logdet[r];
        logp[r] = index == 0 ? term : log_add(logp[r], term);
    }
}

/* Rows outside of the support get a number without meaning. */
static void sum_points(flow_model_pass *pass, double *logp, const double *x, const double *inner,
                       uint64_t first, size_t n)
{
    for (size_t index = 0; index < pass->points; index++) {
        flow_pass_set_noise(pass->pass, flow_fixed_noise, first);
        add_point(pass, logp, x, inner, n, index);
    }
}

/* The context in the flow's units; NULL without. */
static const double *inner_of(flow_model_pass *pass, const double *context, size_t n)
{
    if (!pass->model->context_units)
        return NULL;
    flow_units_to_flow(pass->model->context_units, pass->inner, NULL, context, n);
    return pass->inner;
}

void flow_model_pass_log_prob(flow_model_pass *pass, double *logp, const double *x,
                              const double *context, uint64_t first, size_t n)
{
    const flow_units *units = pass->model->units;
    pass->temperature = 1;
    sum_points(pass, logp, x, inner_of(pass, context, n), first, n);
    for (size_t r = 0; r < n; r++)
        if (flow_units_first_outside(units, x + r * pass->dim) < pass->dim)
            logp[r] = -INFINITY;
}

/* ---- samples */

/* x (n, D) from the noise z; with `logp` its log-density, which is that of the flow and `shift` (n; NULL: none). */
static void transport(flow_model_pass *pass, double *x, double *logp, const double *z,
                      const double *shift, const double *context, uint64_t first, size_t n)
{
    const double *inner = inner_of(pass, context, n);
    flow_pass_transport(pass->pass, NULL, x, pass->term, z, inner, n);
    for (size_t r = 0; r < n; r++)
        pass->logdet[r] = 0;
    flow_units_to_user(pass->model->units, x, logp ? pass->logdet : NULL, x, n);
    for (size_t r = 0; logp && r < n; r++)
        logp[r] = pass->term[r] + (shift ? shift[r] : 0) - pass->logdet[r];
    if (logp && pass->points > 1)
        sum_points(pass, logp, x, inner, first, n);
}

void flow_model_pass_transport(flow_model_pass *pass, double *x, double *logp, const double *z,
                               const double *context, size_t n)
{
    pass->temperature = 1;
    flow_pass_set_noise(pass->pass, flow_fixed_noise, 0);
    transport(pass, x, logp, z, NULL, context, 0, n);
}

void flow_model_pass_sample(flow_model_pass *pass, double *x, double *logp, const double *context,
                            pcg_stream stream, uint64_t first, size_t n, double temperature)
{
    const pcg_stream estimates = {
        .seed = stream.seed, .stage = stream.stage, .purpose = PCG_ESTIMATE};
    const flow *f = pass->model->flow;
    double shift[FLOW_SHARD];
    pass->temperature = temperature;
    flow_pass_set_noise(pass->pass, estimates, first);
    if (temperature == 1)
        flow_noise(f, NULL, pass->u, stream, first, n);
    else
        flow_noise_tempered(f, pass->u, shift, stream, first, n, temperature);
    transport(pass, x, logp, pass->u, temperature == 1 ? NULL : shift, context, first, n);
}
