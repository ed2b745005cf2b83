/* flow/layer/stack.h -- the list of layers of one flow, and the pass that runs them over a shard.
 */
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
#define shard_create FLOW_NAME(shard_create)
#define shard_free FLOW_NAME(shard_free)
#define shard_forward FLOW_NAME(shard_forward)
#define shard_inverse FLOW_NAME(shard_inverse)
#define shard_backward FLOW_NAME(shard_backward)
#define shard_score FLOW_NAME(shard_score)
#define range_add FLOW_NAME(range_add)
#define range_square FLOW_NAME(range_square)
#define range_adam FLOW_NAME(range_adam)

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

flow_pass *shard_create(const flow *self, size_t max_rows, unsigned flags, flow_err *err);
void shard_free(flow_pass *pass);
void shard_forward(flow_pass *pass, const void *params, double *y, double *logdet, const double *x,
                   const double *context, size_t n);
void shard_inverse(flow_pass *pass, const void *params, double *x, double *logdet, const double *y,
                   const double *context, size_t n);
void shard_backward(flow_pass *pass, const void *params, double *dx, flow_gradient *gradient,
                    const double *dy, const double *dlogdet);
void shard_score(flow_pass *pass, const void *params, double *score_y, const double *score_x);

void range_add(void *to, const void *from, size_t first, size_t n);
double range_square(const void *block, size_t first, size_t n);
void range_adam(void *params, void *m, void *v, void *average, const void *grad, size_t first,
                size_t n, const flow_adam *adam);

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
