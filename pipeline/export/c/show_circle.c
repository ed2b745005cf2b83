/* sin r for |r| <= pi / 2 */
INLINE real sin_series(real r)
{
    static const double series[] = {1.9572941063391261e-20, 8.2206352466243297e-18,
                                    2.8114572543455206e-15, 7.6471637318198164e-13,
                                    1.6059043836821613e-10, 2.505210838544172e-8,
                                    2.7557319223985893e-6,  1.984126984126984e-4,
                                    8.333333333333333e-3,   1.6666666666666666e-1};
    real z = r * r, p = 0;
    for (int i = 0; i < TERMS(series); i++)
        p = (real)series[i] - p * z;
    return r - r * z * p;
}

/* Of an x within [-PI, PI]. */
INLINE real real_sin(real x)
{
    real a = real_abs(x), m = a > PI / 2 ? (PI - a) + PI_LOW : a, y = sin_series(m);
    return x < 0 ? -y : y;
}

INLINE real real_cos(real x)
{
    return sin_series((PI / 2 - real_abs(x)) + PI_LOW / 2);
}

static void show_circle(real *to, const real *x, int ld)
{
    for (int j = 0; j < ld; j++) {
        real turned, at = real_turn(x[j], &turned);
        to[j] = real_cos(at);
        to[ld + j] = real_sin(at);
    }
}
