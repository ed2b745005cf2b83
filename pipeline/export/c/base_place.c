/* z = shift + scale u, a column each */
static void place(double *z, int n)
{
    for (int i = 0; i < n * L; i++)
        z[i] = base_shift[i % L] + base_scale[i % L] * z[i];
}

static double placed(double z, int i)
{
    return (z - base_shift[i]) * base_over[i];
}
