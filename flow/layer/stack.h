/* flow/layer/stack.h -- the list of layers of one flow, and the pass that runs them over a shard. */
#ifndef FLOW_LAYER_STACK_H
#define FLOW_LAYER_STACK_H

#include "flow/backend.h"
#include "flow/layer/layer.h"

#define stack_create FLOW_NAME(stack_create)
#define stack_free FLOW_NAME(stack_free)
#define stack_describe FLOW_NAME(stack_describe)
#define stack_init FLOW_NAME(stack_init)
#define stack_init_data FLOW_NAME(stack_init_data)
#define stack_n_tensors FLOW_NAME(stack_n_tensors)
#define stack_tensor FLOW_NAME(stack_tensor)
#define stack_tensor_get FLOW_NAME(stack_tensor_get)
#define stack_tensor_set FLOW_NAME(stack_tensor_set)
#define pass_create FLOW_NAME(pass_create)
#define pass_free FLOW_NAME(pass_free)
#define pass_forward FLOW_NAME(pass_forward)
#define pass_inverse FLOW_NAME(pass_inverse)
#define pass_backward FLOW_NAME(pass_backward)
#define pass_score FLOW_NAME(pass_score)
#define block_take FLOW_NAME(block_take)
#define block_square FLOW_NAME(block_square)
#define block_adam FLOW_NAME(block_adam)

/* Each is a slot of flow_backend: see backend.h. */
int stack_create(flow *self, const json_t *list, flow_err *err);
void stack_free(flow *self);
json_t *stack_describe(const flow *self);
void stack_init(flow *self, pcg_stream stream);
int stack_init_data(flow *self, const double *x, const double *context, size_t n, flow_err *err);
size_t stack_n_tensors(const flow *self);
void stack_tensor(const flow *self, flow_tensor_info *info, size_t index);
void stack_tensor_get(const flow *self, double *values, size_t index);
void stack_tensor_set(flow *self, size_t index, const double *values);

flow_pass *pass_create(const flow *self, size_t max_rows, unsigned flags, flow_err *err);
void pass_free(flow_pass *pass);
void pass_forward(flow_pass *pass, const void *params, double *y, double *logdet, const double *x,
                  const double *context, size_t n);
void pass_inverse(flow_pass *pass, const void *params, double *x, double *logdet, const double *y,
                  const double *context, size_t n);
void pass_backward(flow_pass *pass, const void *params, double *dx, void *dparams, const double *dy,
                   const double *dlogdet);
void pass_score(flow_pass *pass, const void *params, double *score_y, const double *score_x);

void block_take(void *to, void *from, size_t first, size_t n);
double block_square(const void *block, size_t first, size_t n);
void block_adam(void *params, void *m, void *v, void *average, void *grad, size_t first, size_t n,
                const flow_adam *adam);

/* n rows of doubles (n, cols) to features (cols, ld) and back; columns beyond n become 0. */
static inline void rows_to_features(real *out, const double *in, size_t n, size_t cols, size_t ld)
{
    for (size_t i = 0; i < cols; i++) {
        for (size_t r = 0; r < n; r++)
            out[i * ld + r] = (real)in[r * cols + i];
        for (size_t r = n; r < ld; r++)
            out[i * ld + r] = 0;
    }
}

static inline void features_to_rows(double *out, const real *in, size_t n, size_t cols, size_t ld)
{
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < cols; i++)
            out[r * cols + i] = (double)in[i * ld + r];
}

#endif
