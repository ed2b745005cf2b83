/* ---- y = L S U x + b: L below the diagonal, U above it, both with ones on it; S = scale */

typedef struct lu_linear {
    const real *lu, *bias, *scale, *unscale; /* (dim, dim), (dim), (dim), (dim): 1 / scale */
    double logdet;
    int dim;
} lu_linear;

static void lu_linear_forward(const lu_linear *self, tile *t, real *x)
{
    const int d = self->dim, ld = t->ld;
    for (int i = 0; i < d; i++) {
        for (int k = i + 1; k < d; k++)
            add_row(x + i * ld, self->lu[i * d + k], x + k * ld, ld);
        scale_row(x + i * ld, self->scale[i], 0, ld);
    }
    for (int i = d; i-- > 0;) {
        for (int k = 0; k < i; k++)
            add_row(x + i * ld, self->lu[i * d + k], x + k * ld, ld);
        scale_row(x + i * ld, 1, self->bias[i], ld);
    }
    add_logdet(t, self->logdet);
}

static void lu_linear_inverse(const lu_linear *self, tile *t, real *x)
{
    const int d = self->dim, ld = t->ld;
    for (int i = 0; i < d; i++) {
        scale_row(x + i * ld, 1, -self->bias[i], ld);
        for (int k = 0; k < i; k++)
            add_row(x + i * ld, -self->lu[i * d + k], x + k * ld, ld);
    }
    for (int i = d; i-- > 0;) {
        scale_row(x + i * ld, self->unscale[i], 0, ld);
        for (int k = i + 1; k < d; k++)
            add_row(x + i * ld, -self->lu[i * d + k], x + k * ld, ld);
    }
    add_logdet(t, -self->logdet);
}
