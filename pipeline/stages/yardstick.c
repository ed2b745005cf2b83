#include "pipeline/stages/yardstick.h"

#include <stdlib.h>

static size_t mode_in_user_units(void *arg, const double *u)
{
    const data_product *data = arg;
    double x[2];
    flow_units_to_user(data->set->units, x, NULL, u, 1);
    return data->generator->mode_of(x);
}

/* The modes of made-up data, of equal weight. */
static int add_modes(yardstick *self, const data_product *data, flow_err *err)
{
    size_t n = data->generator ? data->generator->modes : 0;
    if (n == 0)
        return 0;
    self->weights = malloc(n * sizeof *self->weights);
    if (!self->weights)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu modes", n);
    for (size_t k = 0; k < n; k++)
        self->weights[k] = 1.0 / (double)n;
    self->modes = (target_modes){.n = n,
                                 .weights = self->weights,
                                 .mode_of = mode_in_user_units,
                                 .arg = (void *)(uintptr_t)data /* read only */};
    self->target->modes = &self->modes;
    return 0;
}

int yardstick_open(yardstick *self, const data_product *data, const teacher_product *teacher,
                   flow_err *err)
{
    *self = (yardstick){.precise = flow_convert(teacher->model.flow, FLOW_F64, err)};
    self->target = self->precise ? target_from_flow(self->precise, err) : NULL;
    return self->target ? add_modes(self, data, err) : err->code;
}

void yardstick_close(yardstick *self)
{
    target_free(self->target);
    flow_free(self->precise);
    free(self->weights);
}
