#include "flow/layer/activation.h"
#include "flow/layer/vmath.h"

#include <string.h>

/* A loop for inference and one for training, from one pair of expressions in x (and f, the value). In
 * parentheses each, or clang-format takes them for declarations. */
#define ACTIVATION(NAME, PREPARE, VALUE, SLOPE)                                                    \
    static void NAME(real *h, real *slope, const real *a, size_t count)                            \
    {                                                                                              \
        if (!slope) {                                                                              \
            for (size_t i = 0; i < count; i++) {                                                   \
                const real x = a[i];                                                               \
                PREPARE;                                                                           \
                h[i] = VALUE;                                                                      \
            }                                                                                      \
            return;                                                                                \
        }                                                                                          \
        for (size_t i = 0; i < count; i++) {                                                       \
            const real x = a[i];                                                                   \
            PREPARE;                                                                               \
            const real f = VALUE;                                                                  \
            slope[i] = SLOPE;                                                                      \
            h[i] = f;                                                                              \
        }                                                                                          \
    }

ACTIVATION(relu, (void)0, (x < 0 ? 0 : x), (x > 0 ? 1 : (x <= 0 ? 0 : x * f)))

ACTIVATION(hyperbolic_tangent, (void)0, vm_tanh(x), 1 - f * f)

ACTIVATION(elu, const real e = vm_exp(x > 0 ? 0 : x), (x > 0 ? x : e - 1), (x > 0 ? 1 : e))

ACTIVATION(silu, const real s = vm_sigmoid(x), (x * s), (s * (1 + x * (1 - s))))

/* Hendrycks & Gimpel 2016, the tanh form: x sigma(2u), u = sqrt(2/pi) (x + .044715 x^3). */
#define GELU_PREPARE                                                                               \
    const real s = vm_sigmoid((real)1.5957691216057308 * (x + (real)0.044715 * x * x * x));        \
    const real du = (real)1.5957691216057308 * (1 + (real)0.134145 * x * x)
ACTIVATION(gelu, GELU_PREPARE; (void)du, (x * s), (s + x * s * (1 - s) * du))

/* The slope from the value f alone. */
#define PULL(NAME, SLOPE)                                                                          \
    static void NAME(real *d, const real *h, size_t count)                                         \
    {                                                                                              \
        for (size_t i = 0; i < count; i++) {                                                       \
            const real f = h[i];                                                                   \
            d[i] *= SLOPE;                                                                         \
        }                                                                                          \
    }

PULL(relu_pull, f > 0 ? 1 : (f <= 0 ? 0 : f))
PULL(tanh_pull, 1 - f * f)
PULL(elu_pull, f > 0 ? 1 : f + 1)

#if FLOW_ROUNDS
#define ROUGH(NAME) NAME
#define ROUGHLY(NAME, VALUE)                                                                       \
    static void NAME(real *h, const real *a, size_t count)                                         \
    {                                                                                              \
        for (size_t i = 0; i < count; i++) {                                                       \
            const real x = a[i];                                                                   \
            h[i] = VALUE;                                                                          \
        }                                                                                          \
    }

ROUGHLY(rough_tanh, (1 - 2 / (1 + vm_exp_rough(2 * x))))
ROUGHLY(rough_elu, (x > 0 ? x : vm_exp_rough(x) - 1))
ROUGHLY(rough_silu, (x / (1 + vm_exp_rough(-x))))
ROUGHLY(rough_gelu,
        (x / (1 + vm_exp_rough((real)-1.5957691216057308 * (x + (real)0.044715 * x * x * x)))))
#else
#define ROUGH(NAME) NULL
#endif

const activation activation_kinds[] = {
    {.kind = {.name = "relu", .doc = "max(0, x)"},
     .apply = relu,
     .pull = relu_pull,
     .rectifier = 1},
    {.kind = {.name = "tanh", .doc = "smooth and bounded"},
     .apply = hyperbolic_tangent,
     .rough = ROUGH(rough_tanh),
     .pull = tanh_pull},
    {.kind = {.name = "elu", .doc = "x if x > 0, else exp(x) - 1"},
     .apply = elu,
     .rough = ROUGH(rough_elu),
     .pull = elu_pull},
    {.kind = {.name = "gelu", .doc = "x times the normal CDF of x, in its tanh form"},
     .apply = gelu,
     .rough = ROUGH(rough_gelu)},
    {.kind = {.name = "silu", .doc = "x times the sigmoid of x, also called swish"},
     .apply = silu,
     .rough = ROUGH(rough_silu)},
    {.apply = NULL},
};

const activation *activation_find(const char *name)
{
    for (const activation *kind = activation_kinds; kind->apply; kind++)
        if (strcmp(kind->kind.name, name) == 0)
            return kind;
    return NULL;
}
