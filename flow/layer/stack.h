/* flow/layer/stack.h -- layers in a row: how they are made, named and run. A flow has one stack, and
 * so has a layer that holds others (part.c). The pass that runs a flow's over rows of doubles is in
 * pass.c. */
#ifndef FLOW_LAYER_STACK_H
#define FLOW_LAYER_STACK_H

#include "flow/backend.h"
#include "flow/layer/layer.h"

#define stack_create FLOW_NAME(stack_create)
#define stack_append FLOW_NAME(stack_append)
#define stack_free FLOW_NAME(stack_free)
#define stack_inverse_missing FLOW_NAME(stack_inverse_missing)
#define stack_describe FLOW_NAME(stack_describe)
#define stack_circles FLOW_NAME(stack_circles)
#define stack_unroll FLOW_NAME(stack_unroll)
#define stack_unroll_params FLOW_NAME(stack_unroll_params)
#define stack_init FLOW_NAME(stack_init)
#define stack_round FLOW_NAME(stack_round)
#define stack_n_tensors FLOW_NAME(stack_n_tensors)
#define stack_tensor FLOW_NAME(stack_tensor)
#define stack_tensor_get FLOW_NAME(stack_tensor_get)
#define stack_tensor_set FLOW_NAME(stack_tensor_set)
#define stack_tensor_live FLOW_NAME(stack_tensor_live)
#define stack_cache_len FLOW_NAME(stack_cache_len)
#define stack_work_len FLOW_NAME(stack_work_len)
#define stack_forward FLOW_NAME(stack_forward)
#define stack_inverse FLOW_NAME(stack_inverse)
#define stack_backward FLOW_NAME(stack_backward)
#define stack_score FLOW_NAME(stack_score)
#define stack_start FLOW_NAME(stack_start)
#define backend_pass_create FLOW_NAME(backend_pass_create)
#define backend_pass_free FLOW_NAME(backend_pass_free)
#define backend_pass_forward FLOW_NAME(backend_pass_forward)
#define backend_pass_inverse FLOW_NAME(backend_pass_inverse)
#define backend_pass_backward FLOW_NAME(backend_pass_backward)
#define backend_pass_score FLOW_NAME(backend_pass_score)
#define backend_create_layers FLOW_NAME(backend_create_layers)
#define backend_init FLOW_NAME(backend_init)
#define backend_round FLOW_NAME(backend_round)
#define backend_init_data FLOW_NAME(backend_init_data)
#define range_add FLOW_NAME(range_add)
#define range_square FLOW_NAME(range_square)
#define range_adam FLOW_NAME(range_adam)

/* ---- a stack and its parameters; theta is its block (n_params) */

/* A stack of zeros becomes the layers of the list. After a failure it is to be freed all the same. */
int stack_create(flow_stack *self, const json_t *list, const layer_scope *scope, flow_err *err);
/* Puts one more layer at the end and owns it from then on, also if it fails. */
int stack_append(flow_stack *self, flow_layer *layer, flow_err *err);
void stack_free(flow_stack *self);
int stack_inverse_missing(const flow_stack *self, flow_err *err);
json_t *stack_describe(const flow_stack *self);
/* The op circles of layers first .. end - 1, one after the other; with back, from the last to the first. */
int stack_circles(const flow_stack *self, unsigned char *circle, size_t first, size_t end, int back,
                  flow_err *err);
json_t *stack_unroll(const flow_stack *self, const flow_unrolling *how, flow_err *err);
int stack_unroll_params(const flow_stack *self, void *theta, const flow_stack *from,
                        const void *from_theta, flow_err *err);

/* Layer l draws from row (row + l) << 32 of the stream; *spare: layer_draws. */
void stack_init(const flow_stack *self, real *theta, pcg_stream stream, uint64_t row,
                uint64_t *spare);

/* The op round of all layers that have it. */
void stack_round(const flow_stack *self, real *theta, size_t n);

size_t stack_n_tensors(const flow_stack *self);
void stack_tensor(const flow_stack *self, flow_tensor_info *info, size_t index);
void stack_tensor_get(const flow_stack *self, double *values, const void *theta, size_t index);
void stack_tensor_set(const flow_stack *self, void *theta, const double *values, size_t index);
void stack_tensor_live(const flow_stack *self, unsigned char *live, size_t index, size_t row);

/* ---- all layers, as if they were one: see the ops of a layer. ld = 1 goes through every layer. */

size_t stack_cache_len(const flow_stack *self, size_t ld);
size_t stack_work_len(const flow_stack *self, size_t ld);
void stack_forward(const flow_stack *self, real *y, double *logdet, const real *x,
                   const layer_call *call);
void stack_inverse(const flow_stack *self, real *x, double *logdet, const real *y,
                   const layer_call *call);
void stack_backward(const flow_stack *self, real *dx, real *dtheta, int add, const real *dy,
                    const real *dlogdet, const real *x, const layer_call *call);
void stack_score(const flow_stack *self, real *score_y, const real *score_x, const real *x,
                 const layer_call *call);
/* init_data of the layers that have it; 0 or FLOW_ENOMEM. */
int stack_start(const flow_stack *self, real *theta, real *y, double *logdet, const real *x,
                size_t n, const layer_call *call);

/* ---- a flow's stack over one shard: slots of flow_backend, see backend.h */

flow_pass *backend_pass_create(const flow *self, size_t max_rows, unsigned flags, flow_err *err);
void backend_pass_free(flow_pass *pass);
void backend_pass_forward(flow_pass *pass, const void *params, double *y, double *logdet,
                          const double *x, const double *context, size_t n);
void backend_pass_inverse(flow_pass *pass, const void *params, double *x, double *logdet,
                          const double *y, const double *context, size_t n);
void backend_pass_backward(flow_pass *pass, const void *params, double *dx, flow_gradient *gradient,
                           const double *dy, const double *dlogdet);
void backend_pass_score(flow_pass *pass, const void *params, double *score_y,
                        const double *score_x);
int backend_create_layers(flow *self, const json_t *list, size_t max_live, flow_err *err);
void backend_init(flow *self, pcg_stream stream);
void backend_round(flow *self, size_t n);
int backend_init_data(flow *self, const double *x, const double *context, size_t n, flow_err *err);

void range_add(void *to, const void *from, size_t first, size_t n);
double range_square(const void *block, size_t first, size_t n);
void range_adam(void *params, void *m, void *v, void *average, const void *grad, size_t first,
                size_t n, const flow_adam *adam);

#endif
