/* flow/temper.c -- samples of a flow whose base is narrower, or wider, than the one it was trained with.
 *
 * With m the middle of the base and z drawn from it, z' = m + T (z - m) has the density base(z) / T^D, and the
 * layers carry it on:
 *
 *   log q_T(x) = log base(z) - D log T - log|det dx/dz'|
 *
 * where D counts the columns that the base moves: a circle is full at any temperature. With flow_transport's
 * log-density at z', log base(z') - log|det dx/dz'|, in hand, that is what it says + log base(z) - log base(z')
 * - D log T. */
#include "flow/base.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "normal, student_t": the kinds that can. */
static const char *names_of_able(char *out, size_t size)
{
    *out = '\0';
    for (size_t i = 0; flow_base_kinds[i]; i++) {
        size_t used = strlen(out);
        if (flow_base_kinds[i]->temper)
            snprintf(out + used, size - used, "%s%s", used ? ", " : "",
                     flow_base_kinds[i]->kind.name);
    }
    return out;
}

int flow_check_temperature(const flow *self, double temperature, flow_err *err)
{
    char able[200];
    if (!(temperature > 0) || !isfinite(temperature))
        return flow_fail(err, FLOW_EUSAGE, "a temperature of %g; wanted: above 0, and finite",
                         temperature);
    if (!self->base->tempered)
        return flow_fail(err, FLOW_EUSAGE,
                         "a flow on a %s base has no temperature; those can have one whose base is "
                         "one of %s",
                         self->base->ops->kind.name, names_of_able(able, sizeof able));
    return FLOW_OK;
}

int flow_noise_temper(const flow *self, double *z, double temperature, size_t n, flow_err *err)
{
    if (flow_check_temperature(self, temperature, err))
        return FLOW_EUSAGE;
    self->base->ops->temper(self->base, z, base_params(self, NULL), temperature, n);
    return FLOW_OK;
}

/* Of up to FLOW_SHARD rows. */
static void draw(const flow *self, double *z, double *shift, pcg_stream stream, uint64_t first,
                 size_t n, double temperature)
{
    double moved[FLOW_SHARD];
    flow_noise(self, NULL, z, stream, first, n);
    flow_base_log_prob(self, NULL, shift, z, n);
    self->base->ops->temper(self->base, z, base_params(self, NULL), temperature, n);
    flow_base_log_prob(self, NULL, moved, z, n);
    for (size_t r = 0; r < n; r++)
        shift[r] -= moved[r] + (double)self->base->tempered * log(temperature);
}

void flow_noise_tempered(const flow *self, double *z, double *shift, pcg_stream stream,
                         uint64_t first, size_t n, double temperature)
{
    for (size_t row = 0; row < n; row += FLOW_SHARD)
        draw(self, z + row * self->dim, shift + row, stream, first + row,
             n - row < FLOW_SHARD ? n - row : FLOW_SHARD, temperature);
}

void flow_temper_shift(const flow *self, double *shift, double *z, double temperature, size_t n)
{
    double at[FLOW_SHARD];
    flow_base_log_prob(self, NULL, at, z, n);
    self->base->ops->temper(self->base, z, base_params(self, NULL), 1 / temperature, n);
    flow_base_log_prob(self, NULL, shift, z, n);
    for (size_t r = 0; r < n; r++)
        shift[r] -= at[r] + (double)self->base->tempered * log(temperature);
}

int flow_sample_tempered(const flow *self, flow_pool *pool, double *x, double *logp,
                         const double *context, pcg_stream stream, uint64_t first, size_t n,
                         double temperature, flow_err *err)
{
    if (temperature == 1)
        return flow_sample(self, pool, x, logp, context, stream, first, n, err);
    int code = flow_check_temperature(self, temperature, err);
    double *z = code ? NULL : malloc(n * (self->dim + 1) * sizeof *z + 1);
    if (!z)
        return code ? code : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", n);
    double *shift = z + n * self->dim;
    flow_noise_tempered(self, z, shift, stream, first, n, temperature);
    code = flow_transport(self, pool, x, logp, z, context, n, err);
    for (size_t r = 0; !code && logp && r < n; r++)
        logp[r] += shift[r];
    free(z);
    return code;
}
