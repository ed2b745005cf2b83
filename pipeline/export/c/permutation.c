/* y_i = x_order[i], and back */
static void permute(tile *t, real *x, const int *order, int dim)
{
    real from[D * W];
    const size_t row = (size_t)t->ld * sizeof *x;
    memcpy(from, x, (size_t)dim * row);
    for (int i = 0; i < dim; i++)
        memcpy(x + i * t->ld, from + order[i] * t->ld, row);
}

static void permute_back(tile *t, real *x, const int *order, int dim)
{
    real from[D * W];
    const size_t row = (size_t)t->ld * sizeof *x;
    memcpy(from, x, (size_t)dim * row);
    for (int i = 0; i < dim; i++)
        memcpy(x + order[i] * t->ld, from + i * t->ld, row);
}
