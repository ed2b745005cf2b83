/* A spline of [-B, B]; outside of it the identity. */
static void tau_spline(const tau *self, real *restrict y, real *restrict l, const real *restrict x,
                       real *restrict h, int back)
{
    lane out;
    spline_run(self, out, l, x, h, back, 0);
    for (int j = 0; j < W; j++) {
        const int in = (x[j] >= -self->bound) & (x[j] <= self->bound);
        y[j] = in ? out[j] : x[j];
        l[j] = in ? l[j] : 0;
    }
}
