/* flow/layer/actnorm.c -- y_i = x_i e^s_i + b_i, free s and b, set from the first batch so that
 * every y_i there has mean 0 and variance 1 (Kingma & Dhariwal 2018, "Glow", section 3.1).
 * Parameters: s (D), b (D). */
#include "flow/circles.h"
#include "flow/layer/layer.h"
#include "flow/layer/vmath.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define layer_actnorm FLOW_NAME(layer_actnorm)
extern const flow_layer_ops layer_actnorm;

static flow_layer *actnorm_create(const json_t *description, const layer_scope *scope,
                                  flow_err *err)
{
    flow_layer *self = flow_kind_read(&layer_actnorm.kind, description, err);
    if (!self)
        return NULL;
    *self = (flow_layer){.ops = &layer_actnorm,
                         .dim = scope->dim,
                         .context = scope->context,
                         .n_params = 2 * flow_pad(scope->dim),
                         .n_live = 2 * scope->dim};
    return self;
}

static void actnorm_free(flow_layer *layer)
{
    free(layer);
}

static json_t *actnorm_describe(const flow_layer *layer)
{
    return flow_kind_write(&layer_actnorm.kind, layer);
}

static void actnorm_init(const flow_layer *layer, real *theta, layer_draws *draws)
{
    (void)draws;
    memset(theta, 0, layer->n_params * sizeof *theta);
}

/* Every y starts with mean 0 and variance 1. */
static void set_from_data(const flow_layer *layer, real *theta, const real *x, size_t n, size_t ld)
{
    for (size_t i = 0; i < layer->dim; i++) {
        double mean = 0, var = 0;
        for (size_t r = 0; r < n; r++)
            mean += (double)x[i * ld + r] / (double)n;
        for (size_t r = 0; r < n; r++)
            var += ((double)x[i * ld + r] - mean) * ((double)x[i * ld + r] - mean) / (double)n;
        double s = -0.5 * log(var + 1e-6);
        theta[i] = (real)s;
        theta[flow_pad(layer->dim) + i] = (real)(-mean * exp(s));
    }
}

static size_t nothing_len(const flow_layer *layer, size_t ld)
{
    (void)layer, (void)ld;
    return 0;
}

static void actnorm_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                            const layer_call *call)
{
    const real *theta = call->theta;
    const size_t ld = call->ld;
    double sum = 0;
    for (size_t i = 0; i < layer->dim; i++) {
        real scale = vm_exp(theta[i]), shift = theta[flow_pad(layer->dim) + i];
        sum += (double)theta[i];
        for (size_t j = 0; j < ld; j++)
            y[i * ld + j] = x[i * ld + j] * scale + shift;
    }
    for (size_t j = 0; j < ld; j++)
        logdet[j] += sum;
}

static int actnorm_init_data(const flow_layer *layer, real *theta, real *y, double *logdet,
                             const real *x, size_t n, const layer_call *call)
{
    set_from_data(layer, theta, x, n, call->ld);
    actnorm_forward(layer, y, logdet, x, call);
    return 0;
}

static void actnorm_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                            const layer_call *call)
{
    const real *theta = call->theta;
    const size_t ld = call->ld;
    double sum = 0;
    for (size_t i = 0; i < layer->dim; i++) {
        real scale = vm_exp(-theta[i]), shift = theta[flow_pad(layer->dim) + i];
        sum += (double)theta[i];
        for (size_t j = 0; j < ld; j++)
            x[i * ld + j] = (y[i * ld + j] - shift) * scale;
    }
    for (size_t j = 0; j < ld; j++)
        logdet[j] -= sum;
}

static void actnorm_backward(const flow_layer *layer, real *dx, real *dtheta, int add,
                             const real *dy, const real *dlogdet, const real *x,
                             const layer_call *call)
{
    const real *theta = call->theta;
    const size_t ld = call->ld;
    double dl = 0;
    if (dtheta && !add)
        memset(dtheta, 0, layer->n_params * sizeof *dtheta);
    for (size_t j = 0; j < ld; j++)
        dl += (double)dlogdet[j];
    for (size_t i = 0; i < layer->dim; i++) {
        real scale = vm_exp(theta[i]);
        double ds = 0, db = 0;
        for (size_t j = 0; j < ld; j++) {
            real scaled = dy[i * ld + j] * scale;
            dx[i * ld + j] = scaled;
            ds += (double)(scaled * x[i * ld + j]);
            db += (double)dy[i * ld + j];
        }
        if (dtheta) {
            dtheta[i] += (real)(ds + dl);
            dtheta[flow_pad(layer->dim) + i] += (real)db;
        }
    }
}

static void actnorm_score(const flow_layer *layer, real *score_y, const real *score_x,
                          const real *x, const layer_call *call)
{
    (void)x;
    const real *theta = call->theta;
    const size_t ld = call->ld;
    for (size_t i = 0; i < layer->dim; i++) {
        real inverse = vm_exp(-theta[i]);
        for (size_t j = 0; j < ld; j++)
            score_y[i * ld + j] = score_x[i * ld + j] * inverse;
    }
}

static size_t actnorm_n_tensors(const flow_layer *layer)
{
    (void)layer;
    return 2;
}

static void actnorm_tensor(const flow_layer *layer, flow_tensor_info *info, size_t index)
{
    strcpy(info->name, index ? "shift" : "log_scale");
    info->rows = layer->dim;
    info->cols = 0;
}

static void actnorm_tensor_get(const flow_layer *layer, double *values, const real *theta,
                               size_t index)
{
    for (size_t i = 0; i < layer->dim; i++)
        values[i] = (double)theta[index * flow_pad(layer->dim) + i];
}

static void actnorm_tensor_set(const flow_layer *layer, real *theta, const double *values,
                               size_t index)
{
    for (size_t i = 0; i < layer->dim; i++)
        theta[index * flow_pad(layer->dim) + i] = (real)values[i];
}

const flow_layer_ops layer_actnorm = {
    .kind = {.name = "actnorm",
             .doc = "a shift and a scale of each coordinate, set from the first batch",
             .size = sizeof(flow_layer),
             .circle = flow_circles_part},
    .single = 1,
    .flat = 1,
    .create = actnorm_create,
    .free = actnorm_free,
    .describe = actnorm_describe,
    .unroll = layer_unroll_inverted,
    .init = actnorm_init,
    .init_data = actnorm_init_data,
    .cache_len = nothing_len,
    .work_len = nothing_len,
    .forward = actnorm_forward,
    .inverse = actnorm_inverse,
    .backward = actnorm_backward,
    .score = actnorm_score,
    .n_tensors = actnorm_n_tensors,
    .tensor = actnorm_tensor,
    .tensor_get = actnorm_tensor_get,
    .tensor_set = actnorm_tensor_set,
};
