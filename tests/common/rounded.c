#include "tests/common/rounded.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const flow_network rounded_networks[ROUNDED_NETWORKS] = {FLOW_NETWORK_BF16, FLOW_NETWORK_INT8,
                                                         FLOW_NETWORK_INT16};

int rounded_takes(size_t k, size_t example)
{
    return rounded_networks[k] == FLOW_NETWORK_INT8 || (example + k / 2) % 2 == 0;
}

static void set_isa(const char *isa)
{
    if (isa)
        setenv("FLOW_ISA", isa, 1);
    else
        unsetenv("FLOW_ISA");
}

const char *const *rounded_isas(void)
{
    static const char *const all[] = {"generic", "avx2", "avx2_vnni", "avx512", "avx512_vnni"};
    static const char *out[sizeof all / sizeof *all + 1];
    const char *before = getenv("FLOW_ISA");
    char kept[32];
    size_t n = 0;
    snprintf(kept, sizeof kept, "%s", before ? before : "");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        set_isa(all[i]);
        if (flow_backend_find_rounding(NULL))
            out[n++] = all[i];
    }
    set_isa(*kept ? kept : NULL);
    out[n] = NULL;
    return out;
}

flow *rounded_new(const flow *f, flow_network network, const char *isa)
{
    flow_err err = FLOW_ERR_INIT;
    set_isa(isa);
    flow *out = flow_round(f, network, &err);
    cr_assert(out, "%s", err.text);
    return out;
}

void rounded_case_open(rounded_case *self, size_t example, size_t dim, size_t context,
                       flow_direction direction, size_t n, flow_network network, const char *isa)
{
    flow_err err = FLOW_ERR_INIT;
    const uint64_t seed = 7919 * example + 31 * dim + context;
    json_t *layer = example_layer(example, dim);
    json_t *d = describe_one(dim, context, flow_direction_name(direction), json_incref(layer));
    char *text = json_dumps(layer, JSON_COMPACT);
    *self = (rounded_case){.dim = dim, .context = context, .n = n};
    set_isa(isa);
    self->flow = flow_create(d, FLOW_F32, &err);
    cr_assert(self->flow, "%s", err.text);
    randomise_parameters(self->flow, 0.55, seed + 1);
    self->rounded = rounded_new(self->flow, network, isa);
    self->z = random_numbers_new(n * dim, 1.3, seed + 2);
    self->c = random_numbers_new(n * context, 0.9, seed + 3);
    snprintf(self->name, sizeof self->name, "%s %s %s D=%zu C=%zu %.120s",
             flow_backend_name(self->rounded), flow_network_name(network),
             flow_direction_name(direction), dim, context, text);
    free(text);
    json_decref(layer);
    json_decref(d);
}

void rounded_case_close(rounded_case *self)
{
    flow_free(self->flow);
    flow_free(self->rounded);
    free(self->z);
    free(self->c);
}
