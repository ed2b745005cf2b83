/* ---- angles in radians, any number of times round */

/* The point of [-PI, PI] that x is after a whole number of turns; *turned, what they make. */
INLINE real real_turn(real x, real *turned)
{
    real k = (x * (real)0.15915494309189533577 + ROUND) - ROUND;
    real r = (x - k * (2 * PI)) - k * (2 * PI_LOW);
    r = real_abs(x) <= PI ? x : r;
    r = r > PI ? PI : r;
    r = r < -PI ? -PI : r;
    *turned = x - r;
    return r;
}

/* The point of [-pi, pi) that x is. */
static double circle_point(double x)
{
    const double pi = 3.14159265358979323846;
    if (x >= -pi && x < pi)
        return x;
    double turned = x - 2 * pi * floor((x + pi) / (2 * pi));
    return turned >= -pi && turned < pi ? turned : isfinite(x) ? -pi : x;
}

static void close_circles(double *rows, const unsigned char *circle, int n)
{
    for (int i = 0; i < n * D; i++)
        if (circle[i % D])
            rows[i] = circle_point(rows[i]);
}
