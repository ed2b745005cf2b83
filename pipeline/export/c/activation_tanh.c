/* 16 numbers; y may be a. */
static void tanh_sixteen(real *y, const real *a)
{
    real from[16], to[16];
    memcpy(from, a, sizeof from);
    for (int j = 0; j < 16; j++) {
        const real x = from[j];
        to[j] = real_tanh(x);
    }
    memcpy(y, to, sizeof to);
}

static void activate_tanh(real *y, const real *a, int count)
{
    for (int i = 0; i < count; i += 16)
        tanh_sixteen(y + i, a + i);
}
