/* flow/layer/context_linear.c -- y_i = x_i e^s_i + b_i + sum_k A_ik c_k, c the context; free s, b and A, set from
 * the first batch so that y is what least squares on c leaves of x, with mean 0 and variance 1.
 *
 * That is of columns that are then at most half as wide; the others start as they are.
 *
 * A density that moves with its context and is narrow beside that movement is otherwise found by bending:
 * what is left of the wide start is dust that no row ever shows to the fit. From here the layers after it begin with what is
 * left. Rows are taken as ten standard deviations out at most, and the sum of squares has |A|^2 added (a row's
 * worth), so that neither wild values nor tied columns of context ruin a start.
 * Parameters: s (D), b (D), A (D, C). */
#include "flow/layer/layer.h"
#include "flow/layer/vmath.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define layer_context_linear FLOW_NAME(layer_context_linear)
extern const flow_layer_ops layer_context_linear;

static flow_layer *context_linear_create(const json_t *description, const layer_scope *scope,
                                         flow_err *err)
{
    flow_layer *self = flow_kind_read(&layer_context_linear.kind, description, err);
    if (!self)
        return NULL;
    *self =
        (flow_layer){.ops = &layer_context_linear,
                     .dim = scope->dim,
                     .context = scope->context,
                     .n_params = 2 * flow_pad(scope->dim) + flow_pad(scope->dim * scope->context),
                     .n_live = scope->dim * (2 + scope->context)};
    return self;
}

static void context_linear_free(flow_layer *layer)
{
    free(layer);
}

static json_t *context_linear_describe(const flow_layer *layer)
{
    return flow_kind_write(&layer_context_linear.kind, layer);
}

static void context_linear_init(const flow_layer *layer, real *theta, layer_draws *draws)
{
    (void)draws;
    memset(theta, 0, layer->n_params * sizeof *theta);
}

static size_t nothing_len(const flow_layer *layer, size_t ld)
{
    (void)layer, (void)ld;
    return 0;
}

static size_t shifts(const flow_layer *layer)
{
    return flow_pad(layer->dim);
}

static size_t slopes(const flow_layer *layer, size_t i)
{
    return 2 * flow_pad(layer->dim) + i * layer->context;
}

/* shift (ld) = b_i + A_i c */
static void shift_of(real *shift, const flow_layer *layer, size_t i, const layer_call *call)
{
    const real *a = call->theta + slopes(layer, i);
    for (size_t j = 0; j < call->ld; j++)
        shift[j] = call->theta[shifts(layer) + i];
    for (size_t k = 0; k < layer->context; k++)
        for (size_t j = 0; j < call->ld; j++)
            shift[j] += a[k] * call->context[k * call->ld + j];
}

static double logdet_of(const flow_layer *layer, const real *theta)
{
    double sum = 0;
    for (size_t i = 0; i < layer->dim; i++)
        sum += (double)theta[i];
    return sum;
}

static void context_linear_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                                   const layer_call *call)
{
    const size_t ld = call->ld;
    double sum = logdet_of(layer, call->theta);
    for (size_t i = 0; i < layer->dim; i++) {
        real scale = vm_exp(call->theta[i]), *to = y + i * ld;
        shift_of(to, layer, i, call);
        for (size_t j = 0; j < ld; j++)
            to[j] += x[i * ld + j] * scale;
    }
    for (size_t j = 0; j < ld; j++)
        logdet[j] += sum;
}

static void context_linear_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                                   const layer_call *call)
{
    const size_t ld = call->ld;
    double sum = logdet_of(layer, call->theta);
    for (size_t i = 0; i < layer->dim; i++) {
        real scale = vm_exp(-call->theta[i]), *to = x + i * ld;
        shift_of(to, layer, i, call);
        for (size_t j = 0; j < ld; j++)
            to[j] = (y[i * ld + j] - to[j]) * scale;
    }
    for (size_t j = 0; j < ld; j++)
        logdet[j] -= sum;
}

/* ---- from data: least squares, in double */

static const double narrow = 0.25; /* of the variance: half as wide */

typedef struct regression {
    size_t c, n, ld;
    const real *context; /* (c, ld) */
    double *l;           /* (c + 1, c + 1): the moments of 1, c; then their Cholesky factor */
    double *b;           /* (c + 1) */
} regression;

static double tame(real x)
{
    return fmax(-10, fmin(10, (double)x));
}

static double variance(const real *x, size_t n)
{
    double mean = 0, sum = 0;
    for (size_t r = 0; r < n; r++)
        mean += tame(x[r]) / (double)n;
    for (size_t r = 0; r < n; r++)
        sum += (tame(x[r]) - mean) * (tame(x[r]) - mean) / (double)n;
    return sum;
}

/* Of column k: 1, then the context. */
static double regressor(const regression *self, size_t k, size_t r)
{
    return k ? tame(self->context[(k - 1) * self->ld + r]) : 1;
}

static void fill_moments(regression *self)
{
    const size_t m = self->c + 1;
    for (size_t k = 0; k < m; k++)
        for (size_t j = 0; j <= k; j++) {
            double sum = k == j && k > 0;
            for (size_t r = 0; r < self->n; r++)
                sum += regressor(self, k, r) * regressor(self, j, r);
            self->l[k * m + j] = sum;
        }
}

/* In place; positive definite by what fill_moments adds to the diagonal. */
static void factorise(regression *self)
{
    const size_t m = self->c + 1;
    double *l = self->l;
    for (size_t k = 0; k < m; k++)
        for (size_t j = 0; j <= k; j++) {
            double sum = l[k * m + j];
            for (size_t i = 0; i < j; i++)
                sum -= l[k * m + i] * l[j * m + i];
            l[k * m + j] = j < k ? sum / l[j * m + j] : sqrt(fmax(sum, 1e-300));
        }
}

/* b = (L L^T)^-1 b */
static void solve(const regression *self)
{
    const size_t m = self->c + 1;
    const double *l = self->l;
    for (size_t k = 0; k < m; k++) {
        for (size_t j = 0; j < k; j++)
            self->b[k] -= l[k * m + j] * self->b[j];
        self->b[k] /= l[k * m + k];
    }
    for (size_t k = m; k-- > 0;) {
        for (size_t j = k + 1; j < m; j++)
            self->b[k] -= l[j * m + k] * self->b[j];
        self->b[k] /= l[k * m + k];
    }
}

/* b = what x (n) is of 1, c; returns the variance of what is left. */
static double fit(const regression *self, const real *x)
{
    double left = 0;
    for (size_t k = 0; k <= self->c; k++) {
        self->b[k] = 0;
        for (size_t r = 0; r < self->n; r++)
            self->b[k] += regressor(self, k, r) * tame(x[r]);
    }
    solve(self);
    for (size_t r = 0; r < self->n; r++) {
        double off = tame(x[r]);
        for (size_t k = 0; k <= self->c; k++)
            off -= self->b[k] * regressor(self, k, r);
        left += off * off / (double)self->n;
    }
    return left;
}

/* Of column i, where that leaves little of it: else spikes and edges that stand still would begin to move. */
static void set_column(const flow_layer *layer, real *theta, size_t i, const real *x,
                       const regression *with)
{
    double left = fit(with, x), s = -0.5 * log(left + 1e-6), scale = exp(s);
    if (left > narrow * variance(x, with->n))
        return;
    theta[i] = (real)s;
    theta[shifts(layer) + i] = (real)(-scale * with->b[0]);
    for (size_t k = 0; k < layer->context; k++)
        theta[slopes(layer, i) + k] = (real)(-scale * with->b[k + 1]);
}

static void set_from_data(const flow_layer *layer, real *theta, const real *x, regression *with)
{
    fill_moments(with);
    factorise(with);
    for (size_t i = 0; i < layer->dim; i++)
        set_column(layer, theta, i, x + i * with->ld, with);
}

/* Of too few rows the start is the identity. */
static int context_linear_init_data(const flow_layer *layer, real *theta, real *y, double *logdet,
                                    const real *x, size_t n, const layer_call *call)
{
    const size_t m = layer->context + 1;
    if (n > 2 * m) {
        double *room = malloc((m * m + m) * sizeof *room);
        if (!room)
            return FLOW_ENOMEM;
        regression with = {layer->context, n, call->ld, call->context, room, room + m * m};
        set_from_data(layer, theta, x, &with);
        free(room);
    }
    context_linear_forward(layer, y, logdet, x, call);
    return 0;
}

/* ---- gradients */

static void add_slopes(const flow_layer *layer, real *dtheta, size_t i, const real *dy,
                       const layer_call *call)
{
    for (size_t k = 0; k < layer->context; k++) {
        double sum = 0;
        for (size_t j = 0; j < call->ld; j++)
            sum += (double)(dy[j] * call->context[k * call->ld + j]);
        dtheta[slopes(layer, i) + k] += (real)sum;
    }
}

static void context_linear_backward(const flow_layer *layer, real *dx, real *dtheta, int add,
                                    const real *dy, const real *dlogdet, const real *x,
                                    const layer_call *call)
{
    const size_t ld = call->ld;
    double dl = 0;
    if (dtheta && !add)
        memset(dtheta, 0, layer->n_params * sizeof *dtheta);
    for (size_t j = 0; j < ld; j++)
        dl += (double)dlogdet[j];
    for (size_t i = 0; i < layer->dim; i++) {
        real scale = vm_exp(call->theta[i]);
        double ds = dl, db = 0;
        for (size_t j = 0; j < ld; j++) {
            real scaled = dy[i * ld + j] * scale;
            dx[i * ld + j] = scaled;
            ds += (double)(scaled * x[i * ld + j]);
            db += (double)dy[i * ld + j];
        }
        if (!dtheta)
            continue;
        dtheta[i] += (real)ds;
        dtheta[shifts(layer) + i] += (real)db;
        add_slopes(layer, dtheta, i, dy + i * ld, call);
    }
}

static void context_linear_score(const flow_layer *layer, real *score_y, const real *score_x,
                                 const real *x, const layer_call *call)
{
    (void)x;
    const size_t ld = call->ld;
    for (size_t i = 0; i < layer->dim; i++) {
        real inverse = vm_exp(-call->theta[i]);
        for (size_t j = 0; j < ld; j++)
            score_y[i * ld + j] = score_x[i * ld + j] * inverse;
    }
}

/* ---- parameters by name */

static size_t context_linear_n_tensors(const flow_layer *layer)
{
    return layer->context ? 3 : 2;
}

static void context_linear_tensor(const flow_layer *layer, flow_tensor_info *info, size_t index)
{
    static const char *const names[] = {"log_scale", "shift", "slope"};
    strcpy(info->name, names[index]);
    info->rows = layer->dim;
    info->cols = index == 2 ? layer->context : 0;
}

static size_t tensor_len(const flow_layer *layer, size_t index)
{
    return layer->dim * (index == 2 ? layer->context : 1);
}

static void context_linear_tensor_get(const flow_layer *layer, double *values, const real *theta,
                                      size_t index)
{
    for (size_t i = 0; i < tensor_len(layer, index); i++)
        values[i] = (double)theta[index * flow_pad(layer->dim) + i];
}

static void context_linear_tensor_set(const flow_layer *layer, real *theta, const double *values,
                                      size_t index)
{
    for (size_t i = 0; i < tensor_len(layer, index); i++)
        theta[index * flow_pad(layer->dim) + i] = (real)values[i];
}

const flow_layer_ops layer_context_linear = {
    .kind = {.name = "context_linear",
             .doc = "a shift that is linear in the context, and a scale, of each coordinate, set "
                    "from the first batch by least squares",
             .size = sizeof(flow_layer)},
    .single = 1,
    .flat = 1,
    .create = context_linear_create,
    .free = context_linear_free,
    .describe = context_linear_describe,
    .unroll = layer_unroll_inverted,
    .init = context_linear_init,
    .init_data = context_linear_init_data,
    .cache_len = nothing_len,
    .work_len = nothing_len,
    .forward = context_linear_forward,
    .inverse = context_linear_inverse,
    .backward = context_linear_backward,
    .score = context_linear_score,
    .n_tensors = context_linear_n_tensors,
    .tensor = context_linear_tensor,
    .tensor_get = context_linear_tensor_get,
    .tensor_set = context_linear_tensor_set,
};
