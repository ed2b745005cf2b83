static void autoregressive_forward(const conditioned *self, tile *t, real *x)
{
    real values[VALUES * W];
    begin(self, values, t);
    show(self, values, x, 0, self->dim, t->ld);
    network_run(self->nets, values, 0, self->groups, t->ld);
    transform(self, x, t->logdet, x, values, free_from(self), self->dim, 0, t->ld);
}

/* Group after group. */
static void autoregressive_inverse(const conditioned *self, tile *t, real *x)
{
    real values[VALUES * W];
    begin(self, values, t);
    for (int c = 0; c < self->groups; c++) {
        const int first = self->group[c], end = self->group[c + 1];
        network_run(self->nets, values, c, c + 1, t->ld);
        if (c > 0 || !self->bare)
            transform(self, x, t->logdet, x, values, first, end, 1, t->ld);
        show(self, values, x, first, end, t->ld);
    }
}
