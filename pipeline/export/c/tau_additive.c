/* y = x + h */
static void tau_additive(const tau *self, real *restrict y, real *restrict l,
                         const real *restrict x, real *restrict h, int back)
{
    (void)self;
    for (int j = 0; j < W; j++) {
        l[j] = 0;
        y[j] = back ? x[j] - h[j] : x[j] + h[j];
    }
}
