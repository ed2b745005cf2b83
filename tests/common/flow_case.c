/* A case of the conformance kit: an example with numbers for its pass (examples.h). */
#include "tests/common/examples.h"

#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_case(flow_case *self, const json_t *layer)
{
    char *text = json_dumps(layer, JSON_COMPACT);
    snprintf(self->name, sizeof self->name, "%s D=%zu C=%zu n=%zu %.120s",
             flow_backend_name(self->flow), self->dim, self->context, self->n, text);
    free(text);
}

void flow_case_open(flow_case *self, const flow_backend *backend, size_t example, size_t dim,
                    size_t context, size_t n)
{
    flow_err err = FLOW_ERR_INIT;
    const uint64_t seed = 7919 * example + 31 * dim + context;
    json_t *layer = example_layer(example, dim);
    json_t *description = describe_one(dim, context, "data_to_noise", json_incref(layer));
    *self = (flow_case){.dim = dim, .context = context, .n = n};
    self->flow = flow_create_on(backend, description, SIZE_MAX, &err);
    cr_assert(self->flow, "%s", err.text);
    randomise_parameters(self->flow, 0.55, seed + 1);
    self->pass = flow_pass_create(self->flow, n, FLOW_PASS_TRAIN, &err);
    cr_assert(self->pass, "%s", err.text);
    self->x = random_numbers_new(n * dim, 1.3, seed + 2); /* 8 % beyond the spline's bound */
    self->c = random_numbers_new(n * context, 0.9, seed + 3);
    self->dy = random_numbers_new(n * dim, 0.7, seed + 4);
    self->dlogdet = random_numbers_new(n, 0.8, seed + 5);
    self->y = malloc(n * dim * sizeof *self->y);
    self->dx = malloc(n * dim * sizeof *self->dx);
    self->logdet = malloc(n * sizeof *self->logdet);
    self->gradient = aligned_alloc(64, flow_params_bytes(self->flow) / 64 * 64 + 64);
    name_case(self, layer);
    json_decref(layer);
    json_decref(description);
}

void flow_case_close(flow_case *self)
{
    double *owned[] = {self->x, self->c, self->dy, self->dlogdet, self->y, self->logdet, self->dx};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
    free(self->gradient);
    flow_pass_free(self->pass);
    flow_free(self->flow);
}

void flow_case_each(const flow_backend *backend, size_t max_dim, size_t n,
                    void (*check)(flow_case *self))
{
    static const size_t dims[] = {1, 2, 3, 5, 17};
    max_dim = UNLESS_SANITIZED(max_dim, max_dim < 5 ? max_dim : 5);
    for (size_t e = 0; e < example_count(); e += UNLESS_SANITIZED(1, 3))
        for (size_t d = 0; d < sizeof dims / sizeof dims[0] && dims[d] <= max_dim; d++)
            for (size_t context = 0; context <= 2; context += 2) {
                flow_case c;
                flow_case_open(&c, backend, e, dims[d], context, n);
                check(&c);
                flow_case_close(&c);
            }
}

void flow_case_run(flow_case *self)
{
    flow_gradient gradient = {.block = self->gradient};
    memset(self->gradient, 0xff, flow_params_bytes(self->flow)); /* NaN: to be overwritten */
    flow_pass_forward(self->pass, NULL, self->y, self->logdet, self->x, self->c, self->n);
    flow_pass_backward(self->pass, NULL, self->dx, &gradient, self->dy, self->dlogdet);
}
