/* ---- the flow in its own units, up to W rows; inner (n, CONTEXT) */

static void tile_load(tile *t, const double *rows, const double *inner, int n)
{
    t->ld = n == 1 ? 1 : W;
    memset(t->logdet, 0, sizeof t->logdet);
    for (int j = 0; j < t->ld; j++) {
        const int r = j < n ? j : n - 1; /* filler is the last row once more */
        for (int i = 0; i < D; i++)
            t->x[i * t->ld + j] = (real)rows[r * D + i];
        for (int i = 0; i < CONTEXT; i++)
            t->context[i * t->ld + j] = (real)inner[r * CONTEXT + i];
    }
}

static void tile_store(double *rows, const tile *t, int n)
{
    for (int r = 0; r < n; r++)
        for (int i = 0; i < D; i++)
            rows[r * D + i] = (double)t->x[i * t->ld + r];
}

static void flow_transport(double *x, double *q, const double *z, const double *inner, int n)
{
    tile t;
    tile_load(&t, z, inner, n);
    to_data(&t);
    tile_store(x, &t, n);
    close_data(x, n);
    for (int r = 0; r < n; r++)
        q[r] = base_log_prob(z + r * D) - t.logdet[r];
}

static void flow_log_prob(double *q, const double *u, const double *inner, int n)
{
    tile t;
    double z[D * W] = {0};
    tile_load(&t, u, inner, n);
    to_noise(&t);
    tile_store(z, &t, n);
    close_noise(z, n);
    for (int r = 0; r < n; r++)
        q[r] = base_log_prob(z + r * D) + t.logdet[r];
}
