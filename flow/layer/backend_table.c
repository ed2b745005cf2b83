/* flow/layer/backend_table.c -- the optimiser's loops over blocks, and this compilation's backend table. */
#include "flow/layer/stack.h"
#include "flow/layer/stair_int8.h"
#include "flow/layer/vmath.h"

void range_add(void *to, const void *from, size_t first, size_t n)
{
    real *a = (real *)to + first;
    const real *b = (const real *)from + first;
    for (size_t i = 0; i < n; i++)
        a[i] += b[i];
}

double range_square(const void *block, size_t first, size_t n)
{
    const real *a = (const real *)block + first;
    double sum[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            sum[k] += (double)a[i + k] * (double)a[i + k];
    for (; i < n; i++)
        sum[0] += (double)a[i] * (double)a[i];
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/* Kingma & Ba 2015, algorithm 1, with decoupled weight decay. */
void range_adam(void *params, void *moment1, void *moment2, void *average, const void *grad,
                size_t first, size_t n, const flow_adam *adam)
{
    real *p = (real *)params + first, *m = (real *)moment1 + first, *v = (real *)moment2 + first;
    const real *g = (const real *)grad + first;
    real *avg = average ? (real *)average + first : NULL;
    const real beta1 = (real)adam->beta1, beta2 = (real)adam->beta2, scale = (real)adam->scale;
    const real step = (real)(adam->lr / adam->correct1), eps = (real)adam->eps;
    const real inv2 = (real)(1 / adam->correct2), keep = (real)(1 - adam->lr * adam->weight_decay);
    for (size_t i = 0; i < n; i++) {
        real gi = g[i] * scale;
        m[i] = beta1 * m[i] + (1 - beta1) * gi;
        v[i] = beta2 * v[i] + (1 - beta2) * gi * gi;
        p[i] = keep * p[i] - step * m[i] / (vm_sqrt(v[i] * inv2) + eps);
    }
    if (avg)
        for (size_t i = 0; i < n; i++)
            avg[i] += (real)adam->average * (p[i] - avg[i]);
}

static int supported(void)
{
#if defined(__AVX512F__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
#elif defined(__AVX2__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return 1;
#endif
}

static int faster(flow_network network)
{
#if FLOW_ROUNDS
    return flow_network_in_bytes(network) && int8_kernel_find() == &int8_kernel_vnni;
#else
    (void)network;
    return 0;
#endif
}

#define flow_backend_table FLOW_NAME(flow_backend_table)
extern const flow_backend flow_backend_table;

const flow_backend flow_backend_table = {
    .name = FLOW_LETTER FLOW_TEXT(FLOW_BITS) "/" FLOW_TEXT(FLOW_ISA),
    .precision = (flow_precision)FLOW_BITS,
    .rounds = FLOW_ROUNDS,
    .real_size = sizeof(real),
    .supported = supported,
    .kind = kind_at,
    .create_layers = backend_create_layers,
    .free_layers = stack_free,
    .inverse_missing = stack_inverse_missing,
    .describe_layers = stack_describe,
    .circles = stack_circles,
    .unroll_layers = stack_unroll,
    .unroll_params = stack_unroll_params,
    .init = backend_init,
    .init_data = backend_init_data,
    .faster = faster,
    .round = backend_round,
    .n_tensors = stack_n_tensors,
    .tensor = stack_tensor,
    .tensor_get = stack_tensor_get,
    .tensor_set = stack_tensor_set,
    .tensor_live = stack_tensor_live,
    .pass_create = backend_pass_create,
    .pass_free = backend_pass_free,
    .pass_forward = backend_pass_forward,
    .pass_inverse = backend_pass_inverse,
    .pass_backward = backend_pass_backward,
    .pass_score = backend_pass_score,
    .block_add = range_add,
    .block_square = range_square,
    .block_adam = range_adam,
};
