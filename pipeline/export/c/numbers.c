#define TERMS(SERIES) ((int)(sizeof(SERIES) / sizeof *(SERIES)))

INLINE whole bits_of(real x)
{
    whole b;
    memcpy(&b, &x, sizeof b);
    return b;
}

INLINE real from_bits(whole b)
{
    real x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* 2^k of a normal number. */
INLINE real power_of_two(whole k)
{
    return from_bits((whole)((bits)(k + BIAS) << MANTISSA));
}

/* x = k ln 2 + r, |r| <= ln 2 / 2, and the Taylor series of e^r. */
INLINE real real_exp(real x)
{
    real c = x > EXP_HIGH ? EXP_HIGH : x; /* NaN passes both tests unchanged */
    c = c < EXP_LOW ? EXP_LOW : c;
    real shifted = c * (real)1.44269504088896340736 + ROUND, k = shifted - ROUND;
    whole n = bits_of(shifted) - bits_of(ROUND), half = n >> 1;
    real r = (c - k * LN2_HIGH) - k * LN2_LOW, p = exp_series[0];
    for (int i = 1; i < TERMS(exp_series); i++)
        p = p * r + exp_series[i];
    return (p * r * r + r + 1) * power_of_two(half) * power_of_two(n - half);
}

/* x = 2^k m, m in [sqrt .5, sqrt 2), log m = 2 atanh((m - 1) / (m + 1)). -inf at 0, NaN below. */
INLINE real real_log(real x)
{
    whole b = bits_of(x), k = (whole)((bits)b - (bits)SQRT_HALF) >> MANTISSA;
    real m = from_bits((whole)((bits)b - ((bits)k << MANTISSA))), f = m - 1;
    real s = f / (m + 1), z = s * s, p = log_series[0], kr = (real)k;
    for (int i = 1; i < TERMS(log_series); i++)
        p = p * z + log_series[i];
    real y = kr * LN2_HIGH + (f - (s * (f - z * p) - kr * LN2_LOW));
    y = x == 0 ? (real)-INFINITY : y;
    y = x == (real)INFINITY ? x : y;
    return x >= 0 ? y : (real)NAN;
}

INLINE real real_abs(real x)
{
    return x < 0 ? -x : x;
}

INLINE real real_sigmoid(real x)
{
    return 1 / (1 + real_exp(-x));
}

INLINE real real_tanh(real x)
{
    return 1 - 2 / (1 + real_exp(2 * x));
}

/* log(1 + e^x) */
INLINE real real_softplus(real x)
{
    real top = x > 0 ? x : 0;
    return top + real_log(1 + real_exp(-real_abs(x)));
}

/* Of x >= 0: a first guess of 1 / sqrt x, and Newton's steps. */
INLINE real real_sqrt(real x)
{
    real r = from_bits((whole)(ROOT_MAGIC - ((bits)bits_of(x) >> 1)));
    for (int i = 0; i < (MANTISSA > 23 ? 4 : 3); i++)
        r = r * ((real)1.5 - (real)0.5 * x * r * r);
    real root = x * r;
    return root + (real)0.5 * r * (x - root * root);
}

INLINE real clamped_log_scale(real u, real inverse_bound)
{
    return u / (1 + real_abs(u) * inverse_bound);
}
