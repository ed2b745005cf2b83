/* atan r for 0 <= r <= 1: the Taylor series at a quarter of the angle */
INLINE real atan_unit(real r)
{
    const real h = r / (1 + real_sqrt(1 + r * r)), q = h / (1 + real_sqrt(1 + h * h)), z = q * q;
    real p = (real)(1.0 / 25);
    for (int i = 23; i > 1; i -= 2)
        p = 1 / (real)i - p * z;
    return 4 * (q - q * z * p);
}

/* The angle of the point (c, s); 0 at the origin. */
INLINE real real_angle(real c, real s)
{
    const real ac = real_abs(c), as = real_abs(s);
    const real large = ac > as ? ac : as, small = ac > as ? as : ac;
    real a = atan_unit(large > 0 ? small / large : large);
    a = as > ac ? (PI / 2 - a) + PI_LOW / 2 : a;
    a = c < 0 ? (PI - a) + PI_LOW : a;
    return s < 0 ? -a : a;
}

/* A spline of the circle onto itself, then a rotation by the angle of the point (1 + a, b), which are behind its slopes. */
static void tau_circular_spline(const tau *self, real *restrict y, real *restrict l,
                                const real *restrict x, real *restrict h, int back)
{
    const real *a = h + 3 * self->bins * W, *b = a + W;
    lane angle, at, turned, out;
    for (int j = 0; j < W; j++)
        angle[j] = real_angle(1 + a[j], b[j]);
    for (int j = 0; j < W; j++)
        at[j] = real_turn(back ? x[j] - angle[j] : x[j], &turned[j]);
    spline_run(self, out, l, at, h, back, 1);
    for (int j = 0; j < W; j++)
        y[j] = turned[j] + (back ? out[j] : out[j] + angle[j]);
}
