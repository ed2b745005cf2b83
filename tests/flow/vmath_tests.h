/* tests/flow/vmath_tests.h -- exp, log and kin against long double libm over their whole range; see
 * kernel_tests.h. The copies with fused multiply-adds are held by transformer_tests.h. */
#include "flow/layer/vmath.h"

#include <float.h>

#define REAL_MIN_EXP (FLOW_BITS == 32 ? FLT_MIN_EXP : DBL_MIN_EXP)
#define REAL_DIGITS (FLOW_BITS == 32 ? FLT_MANT_DIG : DBL_MANT_DIG)
#define REAL_MAX (FLOW_BITS == 32 ? (double)FLT_MAX : DBL_MAX)

/* |got - want| in units in the last place of want in this precision; subnormals have the unit of
 * the smallest normal number. */
static double units_off(real got, long double want)
{
    int exponent;
    if ((double)got == (double)want || (isnan((double)got) && isnan((double)want)))
        return 0;
    frexpl(want, &exponent);
    exponent = exponent < REAL_MIN_EXP ? REAL_MIN_EXP : exponent;
    return (double)(fabsl((long double)got - want) / ldexpl(1, exponent - REAL_DIGITS));
}

static void check_exp(real x)
{
    long double want = expl((long double)x);
    real got = vm_exp(x);
    if (want > (long double)REAL_MAX)
        cr_assert(units_off(got, want) <= 2 || isinf((double)got), "exp(%a) = %a", (double)x,
                  (double)got);
    else
        cr_assert(units_off(got, want) <= 2, "exp(%a) = %a, want %La", (double)x, (double)got,
                  want);
}

static void check_log(real x)
{
    long double want = logl((long double)x);
    real got = vm_log(x);
    cr_assert(units_off(got, want) <= 2, "log(%a) = %a, want %La", (double)x, (double)got, want);
}

/* A pattern of bits as a number: every exponent gets its share. */
static real number_of_bits(uint64_t bits)
{
    real_int b = (real_int)bits;
    real x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* Walks all patterns of 32 bits, or as many of 64, in steps that have no pattern themselves. */
static void each_number(void (*check)(real x))
{
    const uint64_t last = FLOW_BITS == 32 ? UINT32_MAX : UINT64_MAX;
    const uint64_t step = last / UNLESS_SANITIZED(2000003, 200003);
    for (uint64_t bits = 0; bits < last - step; bits += step)
        check(number_of_bits(bits));
}

Test(FLOW_NAME(vmath), exp_everywhere)
{
    each_number(check_exp);
}

static void check_log_of_normal(real x)
{
    if ((double)x >= ldexp(1, REAL_MIN_EXP - 1))
        check_log(x);
}

Test(FLOW_NAME(vmath), log_everywhere)
{
    each_number(check_log_of_normal);
}

/* Where most numbers are, where exp is neither 0 nor infinite, and where log loses its leading
 * term. */
Test(FLOW_NAME(vmath), exp_and_log_near_one)
{
    enum { N = UNLESS_SANITIZED(200000, 20000) };
    const pcg_stream stream = {.seed = 55, .stage = PCG_TEST, .purpose = PCG_GENERATE};
    pcg rng = pcg_at(stream, 0, 1);
    for (size_t i = 0; i < N; i++) {
        double u = 2 * pcg_uniform(&rng) - 1;
        check_exp((real)(20 * u));
        check_exp((real)((FLOW_BITS == 32 ? 95 : 730) * u));
        check_exp((real)(u * u * u * 1e-3));
        check_log((real)(1 + 0.4 * u));
        check_log((real)(1 + 1e-4 * u * u * u));
    }
}

/* Both ends of the range of exp: the last finite number, the first infinity, the last subnormal, 0.
 */
Test(FLOW_NAME(vmath), exp_ends)
{
    const double top = log(REAL_MAX), bottom = (REAL_MIN_EXP - REAL_DIGITS) * log(2);
    for (int i = -2000; i <= 2000; i++) {
        check_exp((real)(top + i * 1e-5 * (FLOW_BITS == 32 ? 1 : 1e-3)));
        check_exp((real)(bottom + i * 1e-3));
    }
    cr_assert_eq(vm_exp((real)0), 1);
    cr_assert_eq(vm_exp((real)-0.0), 1);
    cr_assert_eq(vm_exp((real)INFINITY), (real)INFINITY);
    cr_assert_eq(vm_exp((real)-INFINITY), 0);
    cr_assert_eq(vm_exp((real)REAL_MAX), (real)INFINITY);
    cr_assert_eq(vm_exp((real)-REAL_MAX), 0);
    cr_assert(isnan((double)vm_exp((real)NAN)));
    cr_assert(isnan((double)vm_exp((real)-NAN)));
}

Test(FLOW_NAME(vmath), log_ends)
{
    const double smallest = ldexp(1, REAL_MIN_EXP - 1); /* normal */
    cr_assert_eq(vm_log((real)1), 0);
    cr_assert_eq(vm_log((real)0), (real)-INFINITY);
    cr_assert_eq(vm_log((real)-0.0), (real)-INFINITY);
    cr_assert_eq(vm_log((real)INFINITY), (real)INFINITY);
    check_log((real)REAL_MAX);
    check_log((real)smallest);
    const double negative[] = {-smallest, -1e-3, -0.713, -2.385, -REAL_MAX, -INFINITY, NAN, -NAN};
    for (size_t i = 0; i < 8; i++)
        cr_assert(isnan((double)vm_log((real)negative[i])), "log(%g)", negative[i]);
    /* a subnormal number counts as one between half the smallest normal number and that */
    for (double x = smallest / 1024; x < smallest; x *= 1.37) {
        double got = (double)vm_log((real)x);
        cr_assert(got >= log(smallest) - 0.694 && got <= log(smallest) + 1e-4, "log(%a) = %g", x,
                  got);
    }
}

static void check_kin(real x)
{
    double a = (double)x;
    double softplus = a > 0 ? a + log1p(exp(-a)) : log1p(exp(a));
    /* absolute, in units of 1: 1 / (1 + e) and 1 - 2 / (1 + e) round at 1; a softplus at its value
     */
    cr_assert(fabs((double)vm_sigmoid(x) - 1 / (1 + exp(-a))) <= 2 * EPS, "sigmoid(%a)", a);
    cr_assert(fabs((double)vm_tanh(x) - tanh(a)) <= 2 * EPS, "tanh(%a)", a);
    cr_assert(fabs((double)vm_softplus(x) - softplus) <= 2 * EPS * (1 + softplus) ||
                  isinf(softplus),
              "softplus(%a) = %a", a, (double)vm_softplus(x));
}

static void check_kin_of_number(real x)
{
    if (isfinite((double)x))
        check_kin(x);
}

Test(FLOW_NAME(vmath), sigmoid_tanh_softplus)
{
    each_number(check_kin_of_number);
    for (int i = -4000; i <= 4000; i++)
        check_kin((real)(0.0117 * i));
    cr_assert_eq(vm_sigmoid((real)INFINITY), 1);
    cr_assert_eq(vm_sigmoid((real)-INFINITY), 0);
    cr_assert_eq(vm_tanh((real)INFINITY), 1);
    cr_assert_eq(vm_tanh((real)-INFINITY), -1);
    cr_assert_eq(vm_softplus((real)INFINITY), (real)INFINITY);
    cr_assert_eq(vm_softplus((real)-INFINITY), 0);
    cr_assert(isnan((double)vm_sigmoid((real)NAN)) && isnan((double)vm_tanh((real)NAN)) &&
              isnan((double)vm_softplus((real)NAN)));
}

Test(FLOW_NAME(vmath), abs_and_sqrt)
{
    cr_assert_eq(vm_abs((real)-2.385), (real)2.385);
    cr_assert_eq(vm_abs((real)0.713), (real)0.713);
    cr_assert(isnan((double)vm_abs((real)NAN)));
    cr_assert_eq((double)vm_sqrt((real)5.6882), (double)(real)sqrt((double)(real)5.6882));
}
