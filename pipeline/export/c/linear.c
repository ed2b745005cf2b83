/* ---- y_i = x_i scale_i + shift_i, and, with a slope, + slope_i . context */

typedef struct linear {
    const real *scale, *unscale, *shift; /* unscale: 1 / scale */
    const real *slope;                   /* (dim, CONTEXT); NULL: none */
    double logdet;
    int dim;
} linear;

static void add_context(const linear *self, const tile *t, real *x, int i, real sign)
{
    for (int k = 0; self->slope && k < CONTEXT; k++)
        add_row(x, sign * self->slope[i * CONTEXT + k], t->context + k * t->ld, t->ld);
}

static void linear_forward(const linear *self, tile *t, real *x)
{
    for (int i = 0; i < self->dim; i++, x += t->ld) {
        scale_row(x, self->scale[i], self->shift[i], t->ld);
        add_context(self, t, x, i, 1);
    }
    add_logdet(t, self->logdet);
}

static void linear_inverse(const linear *self, tile *t, real *x)
{
    for (int i = 0; i < self->dim; i++, x += t->ld) {
        scale_row(x, 1, -self->shift[i], t->ld);
        add_context(self, t, x, i, -1);
        scale_row(x, self->unscale[i], 0, t->ld);
    }
    add_logdet(t, -self->logdet);
}
