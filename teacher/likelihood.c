#include "teacher/likelihood.h"

#include "teacher/weights.h"

#include <math.h>
#include <stdlib.h>

typedef struct likelihood {
    const flow_model *model;
    flow_pool *pool;
    double *logp; /* (n) of all rows */
} likelihood;

/* Rows become what their user would ask for. */
static int take_densities(void *arg, double *x, double *context, size_t first, size_t n,
                          flow_err *err)
{
    const likelihood *self = arg;
    const flow_model *model = self->model;
    flow_units_to_user(model->units, x, NULL, x, n);
    if (context)
        flow_units_to_user(model->context_units, context, NULL, context, n);
    return flow_model_log_prob(model, self->pool, self->logp + first, x, context, n, err);
}

int teacher_model_log_likelihood(const flow_model *model, flow_pool *pool, double *mean, double *se,
                                 const data_part *part, flow_err *err)
{
    size_t n = part->n;
    double *logp = malloc((n + 1) * sizeof *logp);
    likelihood all = {model, pool, logp};
    *mean = *se = NAN;
    int code = logp ? data_part_visit(part, take_densities, &all, err)
                    : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", n);
    if (!code && n)
        data_weighted_mean(mean, se, logp, &part->weight, n);
    free(logp);
    return code;
}
