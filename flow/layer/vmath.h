/* flow/layer/vmath.h -- exp, log, sin and kin, free of branches so that loops over them vectorise.
 *
 * All keep IEEE behaviour at infinities and NaN. Errors are within 2 units in the last place for
 * exp and log (tests/flow/vmath.c holds them to that), and absolute errors of that size relative to
 * 1 for tanh, sigmoid, softplus, sin and cos.
 *
 * exp: x = k ln 2 + r, |r| <= ln 2 / 2, Taylor series of e^r (its remainder is below half a unit).
 * log: x = 2^k m, m in [sqrt .5, sqrt 2), log m = 2 atanh((m - 1) / (m + 1)). */
#ifndef FLOW_LAYER_VMATH_H
#define FLOW_LAYER_VMATH_H

#include "flow/layer/real.h"

#include <string.h>

#if FLOW_BITS == 32
typedef uint32_t real_bits; /* for bit patterns whose shifts and differences may wrap: NaN, x < 0 */
#define VM_MANTISSA 23
#define VM_BIAS 127
#define VM_ROUND 12582912.0f /* 1.5 * 2^23: adding it rounds to a whole number */
#define VM_EXP_HI 89.0f
#define VM_EXP_LO -104.0f
#define VM_LN2_HI 0.693145751953125f
#define VM_LN2_LO 1.42860682030941723e-6f
#define VM_SQRT_HALF_BITS 0x3f3504f3
#else
typedef uint64_t real_bits;
#define VM_MANTISSA 52
#define VM_BIAS 1023
#define VM_ROUND 6755399441055744.0
#define VM_EXP_HI 710.0
#define VM_EXP_LO -746.0
#define VM_LN2_HI 6.93147180369123816490e-01
#define VM_LN2_LO 1.90821492927058770002e-10
#define VM_SQRT_HALF_BITS 0x3fe6a09e667f3bcd
#endif

FLOW_INLINE real_int vm_bits(real x)
{
    real_int b;
    memcpy(&b, &x, sizeof b);
    return b;
}

FLOW_INLINE real vm_from_bits(real_int b)
{
    real x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* 2^k for k within the exponent range of normal numbers. */
FLOW_INLINE real vm_pow2(real_int k)
{
    return vm_from_bits((real_int)((real_bits)(k + VM_BIAS) << VM_MANTISSA));
}

FLOW_INLINE real vm_exp_poly(real r)
{
#if FLOW_BITS == 32
    real p = 1.98412698e-4f;
    p = p * r + 1.38888889e-3f;
    p = p * r + 8.33333333e-3f;
    p = p * r + 4.16666667e-2f;
#else
    real p = 1.6059043836821613e-10;
    p = p * r + 2.08767569878681e-9;
    p = p * r + 2.505210838544172e-8;
    p = p * r + 2.755731922398589e-7;
    p = p * r + 2.7557319223985893e-6;
    p = p * r + 2.48015873015873e-5;
    p = p * r + 1.984126984126984e-4;
    p = p * r + 1.388888888888889e-3;
    p = p * r + 8.333333333333333e-3;
    p = p * r + 4.1666666666666664e-2;
#endif
    p = p * r + (real)1.6666666666666666e-1;
    p = p * r + (real)0.5;
    return p * r * r + r; /* e^r - 1 */
}

FLOW_INLINE real vm_exp(real x)
{
    real c = x > VM_EXP_HI ? VM_EXP_HI : x; /* NaN passes both tests unchanged */
    c = c < VM_EXP_LO ? VM_EXP_LO : c;
    real shifted = c * (real)1.44269504088896340736 + VM_ROUND;
    real k = shifted - VM_ROUND;
    real_int n = vm_bits(shifted) - vm_bits(VM_ROUND);
    real r = (c - k * VM_LN2_HI) - k * VM_LN2_LO;
    /* in two factors, so that the ends of the range neither overflow early nor lose subnormals */
    real_int half = n >> 1;
    return (vm_exp_poly(r) + (real)1) * vm_pow2(half) * vm_pow2(n - half);
}

#if FLOW_BITS == 32
/* e^x to 3e-6 of itself, for what is rounded to so many levels afterwards: 2^k 2^f, |f| <= 1/2, by the polynomial of
 * degree 4 with the least relative error. Between e^-87 and e^88, to stay within the normal numbers. */
FLOW_INLINE real vm_exp_rough(real x)
{
    real c = x > 88.0f ? 88.0f : x; /* NaN passes both tests unchanged */
    c = c < -87.0f ? -87.0f : c;
    real t = c * 1.44269504f, shifted = t + VM_ROUND, f = t - (shifted - VM_ROUND);
    real p = 0.00957010158f;
    p = p * f + 0.0559178603f;
    p = p * f + 0.240247448f;
    p = p * f + 0.693121815f;
    p = p * f + 0.999999261f;
    return p * vm_pow2(vm_bits(shifted) - vm_bits(VM_ROUND));
}
#endif

/* log x for x >= 0; -inf at 0, NaN below 0. Subnormal x count as 2^(1 - bias). */
FLOW_INLINE real vm_log(real x)
{
    real_int b = vm_bits(x);
    real_int k = (real_int)((real_bits)b - VM_SQRT_HALF_BITS) >> VM_MANTISSA;
    real m = vm_from_bits((real_int)((real_bits)b - ((real_bits)k << VM_MANTISSA)));
    real s = (m - (real)1) / (m + (real)1), z = s * s;
#if FLOW_BITS == 32
    real p = 0.2222222222f; /* 2/9 */
#else
    real p = 2.0 / 21;
    p = p * z + 2.0 / 19;
    p = p * z + 2.0 / 17;
    p = p * z + 2.0 / 15;
    p = p * z + 2.0 / 13;
    p = p * z + 2.0 / 11;
    p = p * z + 2.0 / 9;
#endif
    p = p * z + (real)(2.0 / 7);
    p = p * z + (real)(2.0 / 5);
    p = p * z + (real)(2.0 / 3);
    real kr = (real)k;
    /* log m = 2s + s z p. 2s = (m - 1) - s (m - 1) keeps the leading term exact */
    real f = m - (real)1;
    real y = kr * VM_LN2_HI + (f - (s * (f - z * p) - kr * VM_LN2_LO));
    real inf = (real)__builtin_inf();
    y = x == (real)0 ? -inf : y;
    y = x == inf ? inf : y;
    return x >= (real)0 ? y : (real)__builtin_nan("");
}

FLOW_INLINE real vm_sqrt(real x)
{
#if FLOW_BITS == 32
    return __builtin_sqrtf(x);
#else
    return __builtin_sqrt(x);
#endif
}

FLOW_INLINE real vm_abs(real x)
{
    return x < (real)0 ? -x : x;
}

FLOW_INLINE real vm_sigmoid(real x)
{
    return (real)1 / ((real)1 + vm_exp(-x));
}

FLOW_INLINE real vm_tanh(real x)
{
    return (real)1 - (real)2 / ((real)1 + vm_exp((real)2 * x));
}

/* log(1 + e^x) */
FLOW_INLINE real vm_softplus(real x)
{
    real top = x > (real)0 ? x : (real)0;
    real y = top + vm_log((real)1 + vm_exp(-vm_abs(x)));
    return x == x ? y : x;
}

/* ---- turns: angles in radians, any number of times round */

#if FLOW_BITS == 32
#define VM_PI 3.14159274101257324f /* the nearest there is; pi = VM_PI + VM_PI_LO */
#define VM_PI_LO -8.74227765734758577e-8f
#else
#define VM_PI 3.14159265358979312
#define VM_PI_LO 1.22464679914735318e-16
#endif

/* The point of [-VM_PI, VM_PI] that x is after a whole number of turns; *turned, what they make: x =
 * *turned + the point. An x that is there already stays to the last bit. */
FLOW_INLINE real vm_turn(real x, real *turned)
{
    real k = (x * (real)0.15915494309189533577 + VM_ROUND) - VM_ROUND;
    real r = (x - k * (2 * VM_PI)) - k * (2 * VM_PI_LO);
    k = vm_abs(x) <= VM_PI ? 0 : k;
    r = vm_abs(x) <= VM_PI ? x : r;
    r = r > VM_PI ? VM_PI : r; /* so many turns that nothing is left of the rest */
    r = r < -VM_PI ? -VM_PI : r;
    *turned = x - r;
    return r;
}

/* atan r for 0 <= r <= 1: the Taylor series at a quarter of the angle, whose tangent is below .2. */
FLOW_INLINE real vm_atan_unit(real r)
{
    real h = r / ((real)1 + vm_sqrt((real)1 + r * r));
    real q = h / ((real)1 + vm_sqrt((real)1 + h * h)), z = q * q;
#if FLOW_BITS == 32
    real p = (real)(1.0 / 9);
#else
    real p = 1.0 / 25;
    p = 1.0 / 23 - p * z;
    p = 1.0 / 21 - p * z;
    p = 1.0 / 19 - p * z;
    p = 1.0 / 17 - p * z;
    p = 1.0 / 15 - p * z;
    p = 1.0 / 13 - p * z;
    p = 1.0 / 11 - p * z;
    p = 1.0 / 9 - p * z;
#endif
    p = (real)(1.0 / 7) - p * z;
    p = (real)(1.0 / 5) - p * z;
    p = (real)(1.0 / 3) - p * z;
    return 4 * (q - q * z * p);
}

/* The angle of the point (c, s), in [-VM_PI, VM_PI]; errors relative to 1. 0 at the origin. */
FLOW_INLINE real vm_angle(real c, real s)
{
    real ac = vm_abs(c), as = vm_abs(s);
    real large = ac > as ? ac : as, small = ac > as ? as : ac;
    real a = vm_atan_unit(large > 0 ? small / large : large); /* NaN stays */
    a = as > ac ? (VM_PI / 2 - a) + VM_PI_LO / 2 : a;
    a = c < 0 ? (VM_PI - a) + VM_PI_LO : a;
    return s < 0 ? -a : a;
}

/* sin r for |r| <= pi / 2: the Taylor series. */
FLOW_INLINE real vm_sin_poly(real r)
{
    real z = r * r;
#if FLOW_BITS == 32
    real p = 1.6059043837e-10f;
    p = p * z - 2.5052108385e-8f;
    p = p * z + 2.7557319224e-6f;
#else
    real p = 1.9572941063391261e-20;
    p = p * z - 8.2206352466243297e-18;
    p = p * z + 2.8114572543455206e-15;
    p = p * z - 7.6471637318198164e-13;
    p = p * z + 1.6059043836821613e-10;
    p = p * z - 2.505210838544172e-8;
    p = p * z + 2.7557319223985893e-6;
#endif
    p = p * z - (real)1.984126984126984e-4;
    p = p * z + (real)8.333333333333333e-3;
    p = p * z - (real)1.6666666666666666e-1;
    return r + r * z * p;
}

/* Of an x within [-VM_PI, VM_PI]; errors relative to 1. */
FLOW_INLINE real vm_sin(real x)
{
    real a = vm_abs(x), m = a > VM_PI / 2 ? (VM_PI - a) + VM_PI_LO : a;
    real y = vm_sin_poly(m);
    return x < 0 ? -y : y;
}

FLOW_INLINE real vm_cos(real x)
{
    return vm_sin_poly((VM_PI / 2 - vm_abs(x)) + VM_PI_LO / 2);
}

#endif
