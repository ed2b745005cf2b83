/* y += a x */
INLINE void add_row(real *restrict y, real a, const real *restrict x, int ld)
{
    if (ld == 1)
        y[0] += a * x[0];
    else
        for (int j = 0; j < W; j++)
            y[j] += a * x[j];
}

/* y = y a + b */
INLINE void scale_row(real *y, real a, real b, int ld)
{
    if (ld == 1)
        y[0] = y[0] * a + b;
    else
        for (int j = 0; j < W; j++)
            y[j] = y[j] * a + b;
}

static void add_logdet(tile *t, double logdet)
{
    for (int j = 0; j < t->ld; j++)
        t->logdet[j] += logdet;
}
