/* ---- steps of the iteration x <- tau^-1(z; h(x)) from x = z, each by a network of its own or one in common */

static void unrolled_forward(const conditioned *self, tile *t, real *x)
{
    real values[VALUES * W], at[D * W];
    memcpy(at, x, (size_t)(self->dim * t->ld) * sizeof *at);
    for (int s = 0; s < self->steps; s++) {
        const network *net = self->nets + (self->tied ? 0 : s);
        const int last = s + 1 == self->steps;
        begin(self, values, t);
        show(self, values, at, 0, self->dim, t->ld);
        network_run(net, values, 0, self->groups, t->ld);
        transform(self, last ? x : at, last ? t->logdet : NULL, x, values, free_from(self),
                  self->dim, 1, t->ld);
    }
}

/* A group through all networks: z by tau of the last one's, then what each step makes of it. */
static void unrolled_group(const conditioned *self, tile *t, real *x, real values[][VALUES * W],
                           int c)
{
    const int first = self->group[c], end = self->group[c + 1], stays = c == 0 && self->bare;
    real at[D * W];
    for (int s = 0; s < self->steps; s++)
        network_run(self->nets + (self->tied ? 0 : s), values[s], c, c + 1, t->ld);
    if (!stays)
        transform(self, x, t->logdet, x, values[self->steps - 1], first, end, 0, t->ld);
    show(self, values[0], x, first, end, t->ld);
    for (int s = 0; s + 1 < self->steps; s++) {
        memcpy(at + first * t->ld, x + first * t->ld, (size_t)((end - first) * t->ld) * sizeof *at);
        if (!stays)
            transform(self, at, NULL, x, values[s], first, end, 1, t->ld);
        show(self, values[s + 1], at, first, end, t->ld);
    }
}

static void unrolled_inverse(const conditioned *self, tile *t, real *x)
{
    real values[STEPS][VALUES * W];
    for (int s = 0; s < self->steps; s++)
        begin(self, values[s], t);
    for (int c = 0; c < self->groups; c++)
        unrolled_group(self, t, x, values, c);
}
