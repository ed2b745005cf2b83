/* 16 numbers; y may be a. */
static void elu_sixteen(real *y, const real *a)
{
    real from[16], to[16];
    memcpy(from, a, sizeof from);
    for (int j = 0; j < 16; j++) {
        const real x = from[j];
        to[j] = x > 0 ? x : real_exp(x > 0 ? 0 : x) - 1;
    }
    memcpy(y, to, sizeof to);
}

static void activate_elu(real *y, const real *a, int count)
{
    for (int i = 0; i < count; i += 16)
        elu_sixteen(y + i, a + i);
}
