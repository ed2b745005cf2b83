/* y = x e^s + m, s = u / (1 + |u| / bound); h = (m, u) */
static void tau_affine(const tau *self, real *restrict y, real *restrict l, const real *restrict x,
                       real *restrict h, int back)
{
    for (int j = 0; j < W; j++)
        l[j] = clamped_log_scale(h[W + j], self->bound);
    if (back)
        for (int j = 0; j < W; j++)
            y[j] = (x[j] - h[j]) * real_exp(-l[j]);
    else
        for (int j = 0; j < W; j++)
            y[j] = x[j] * real_exp(l[j]) + h[j];
}
