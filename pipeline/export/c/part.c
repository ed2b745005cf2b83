/* Some of the dimensions, and back to where they were. */
static void gather(const tile *t, real *to, const real *x, const int *column, int count)
{
    for (int k = 0; k < count; k++)
        memcpy(to + k * t->ld, x + column[k] * t->ld, (size_t)t->ld * sizeof *to);
}

static void scatter(const tile *t, real *x, const real *from, const int *column, int count)
{
    for (int k = 0; k < count; k++)
        memcpy(x + column[k] * t->ld, from + k * t->ld, (size_t)t->ld * sizeof *x);
}
