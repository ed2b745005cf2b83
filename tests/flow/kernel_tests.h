/* tests/flow/kernel_tests.h -- tests of what flow/layer/ is built from, for one precision and
 * instruction set: a kernels_*.c defines FLOW_BITS and FLOW_ISA and includes this file.
 *
 * References are slow, obvious and in double. Random numbers have fixed seeds. */
#include "flow/layer/conditioner.h"
#include "flow/layer/layer.h"
#include "flow/layer/mlp.h"
#include "flow/layer/part.h"
#include "flow/layer/stack.h"
#include "flow/layer/stair.h"
#include "flow/layer/transformer.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"
#include "tests/common/sanitized.h"

#include <cblas.h>
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const flow_backend FLOW_NAME(flow_backend_table);

/* A test of this precision and instruction set; skipped where the processor lacks it, and under sanitizers of the
 * compilation that rounds what is the same text as in another. */
#define KERNEL_TEST(SUITE, NAME)                                                                   \
    static void test_##SUITE##_##NAME(void);                                                       \
    Test(FLOW_NAME(SUITE), NAME)                                                                   \
    {                                                                                              \
        if (!FLOW_NAME(flow_backend_table).supported())                                            \
            cr_skip_test("not on this processor");                                                 \
        if (FLOW_ROUNDS && SANITIZED && strcmp(#SUITE, "int8") != 0 && strcmp(#SUITE, "low") != 0) \
            cr_skip_test("the same text as in single precision");                                  \
        test_##SUITE##_##NAME();                                                                   \
    }                                                                                              \
    static void test_##SUITE##_##NAME(void)

static const double EPS = FLOW_BITS == 32 ? 0x1p-23 : 0x1p-52;

/* Of the shares of a spline's bins, which around a rounded network are as exact as vm_exp_rough. */
static const double SHARE_EPS = FLOW_ROUNDS ? 0x1p-18 : FLOW_BITS == 32 ? 0x1p-23 : 0x1p-52;

/* count numbers on a vector boundary, all NaN: what is read before it is written shows. */
static real *reals_new(size_t count)
{
    real *out = aligned_alloc(64, (count * sizeof *out + 127) / 64 * 64);
    for (size_t i = 0; i < count; i++)
        out[i] = (real)NAN;
    return out;
}

/* The first count of a block become normals times width. */
static void fill(real *out, size_t count, double width, uint64_t seed)
{
    double *numbers = malloc((count + 1) * sizeof *numbers);
    random_numbers(numbers, count, width, seed);
    for (size_t i = 0; i < count; i++)
        out[i] = (real)numbers[i];
    free(numbers);
}

/* Equal as numbers: 0 and -0 are, NaN and NaN are not. */
static void check_equal(const real *got, const real *want, size_t count, const char *what,
                        size_t number)
{
    for (size_t i = 0; i < count; i++)
        cr_assert(got[i] == want[i], "%s %zu: number %zu is %a, want %a", what, number, i,
                  (double)got[i], (double)want[i]);
}

#include "tests/flow/stair_tests.h"

#include "tests/flow/transformer_tests.h"

#include "tests/flow/activation_tests.h"

#include "tests/flow/conditioner_tests.h"

#include "tests/flow/stack_tests.h"
