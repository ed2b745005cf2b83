#include "teacher/likelihood.h"

#include "teacher/weights.h"

#include <math.h>
#include <stdlib.h>

/* (n, D) in the user's units, in new memory; NULL if there is none. */
static double *to_user(const flow_units *units, const double *u, size_t n)
{
    double *out = malloc((n * units->dim + 1) * sizeof *out);
    if (out && n)
        flow_units_to_user(units, out, NULL, u, n);
    return out;
}

int teacher_model_log_likelihood(const flow_model *model, flow_pool *pool, double *mean, double *se,
                                 const data_part *part, flow_err *err)
{
    size_t n = part->n;
    double *x = to_user(model->units, part->x, n), *logp = malloc((n + 1) * sizeof *logp);
    double *context = model->context_units ? to_user(model->context_units, part->context, n) : NULL;
    int code = FLOW_OK;
    *mean = *se = NAN;
    if (!x || !logp || (model->context_units && !context))
        code = flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", n);
    if (!code && n)
        code = flow_model_log_prob(model, pool, logp, x, context, n, err);
    if (!code && n)
        data_weighted_mean(mean, se, logp, part->weight, n);
    free(x);
    free(logp);
    free(context);
    return code;
}
