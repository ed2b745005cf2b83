#include "files/model_points.h"

#include "flow/units_points.h"

#include <math.h>
#include <stdlib.h>

/* log(e^a + e^b); NaN if one is. */
static double log_add(double a, double b)
{
    double large = a > b ? a : b, small = a > b ? b : a;
    return isinf(large) ? large : large + log1p(exp(small - large));
}

/* What a sum over points works with, in one block. */
typedef struct room {
    double *u;             /* (n, D) */
    double *logdet, *term; /* (n) */
} room;

static int add_point(const flow_model *self, flow_pool *pool, double *logp, const room *r,
                     const double *x, const double *inner, size_t n, size_t index, flow_err *err)
{
    flow_units_point(self->units, r->u, r->logdet, x, n, index);
    int code = flow_log_prob(self->flow, pool, r->term, NULL, r->u, inner, n, err);
    for (size_t i = 0; !code && i < n; i++) {
        double term = r->term[i] + r->logdet[i];
        logp[i] = index == 0 ? term : log_add(logp[i], term);
    }
    return code;
}

int model_points_log_prob(const flow_model *self, flow_pool *pool, double *logp, const double *x,
                          const double *inner, size_t n, flow_err *err)
{
    size_t dim = flow_dim(self->flow), points = flow_units_points(self->units);
    double *block = malloc((n * (dim + 2) + 1) * sizeof *block);
    if (!block)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", n);
    room r = {.u = block, .logdet = block + n * dim, .term = block + n * (dim + 1)};
    int code = FLOW_OK;
    for (size_t index = 0; !code && index < points; index++)
        code = add_point(self, pool, logp, &r, x, inner, n, index, err);
    free(block);
    return code;
}
