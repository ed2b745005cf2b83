#include "teacher/volume.h"

enum { BLOCK = 256 }; /* rows at a time */

typedef struct volume {
    const flow_units *units;
    double sum;
} volume;

/* n <= BLOCK; x (n, dim) is overwritten. */
static void add_block(volume *self, double *x, size_t n)
{
    double logdet[BLOCK] = {0};
    flow_units_to_user(self->units, x, logdet, x, n);
    for (size_t r = 0; r < n; r++)
        self->sum += logdet[r];
}

static int add(void *arg, double *x, double *context, size_t first, size_t n, flow_err *err)
{
    volume *self = arg;
    (void)context;
    (void)first;
    (void)err;
    for (size_t at = 0; at < n; at += BLOCK)
        add_block(self, x + at * self->units->dim, n - at < BLOCK ? n - at : BLOCK);
    return FLOW_OK;
}

int volume_mean(double *mean, const flow_units *units, const data_part *part, flow_err *err)
{
    volume all = {.units = units};
    int code = data_part_visit(part, add, &all, err);
    *mean = part->n ? all.sum / (double)part->n : 0;
    return code;
}
