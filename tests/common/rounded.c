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

/* Of layers, borrowed. */
static flow *flow_of(json_t *layers, size_t dim, size_t context, flow_direction direction)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(dim, context, flow_direction_name(direction), json_incref(layers));
    flow *out = flow_create(d, FLOW_F32, &err);
    cr_assert(out, "%s", err.text);
    json_decref(d);
    return out;
}

/* An example that has no network gets one behind it: it is what is beside the networks of a rounded flow then. */
static json_t *layers_of(size_t example, size_t dim, size_t context, flow_direction direction)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *layer = example_layer(example, dim);
    json_t *layers = json_is_array(layer) ? layer : json_pack("[o]", layer);
    flow *f = flow_of(layers, dim, context, direction);
    if (flow_check_round(f, FLOW_NETWORK_INT8, &err))
        json_array_append_new(layers, json_pack("{s:s, s:{s:[i]}}", "kind", "autoregressive",
                                                "conditioner", "hidden", 12));
    flow_free(f);
    return layers;
}

void rounded_case_open(rounded_case *self, size_t example, size_t dim, size_t context,
                       flow_direction direction, size_t n, flow_network network, const char *isa)
{
    const uint64_t seed = 7919 * example + 31 * dim + context;
    set_isa(isa);
    json_t *layers = layers_of(example, dim, context, direction);
    char *text = json_dumps(layers, JSON_COMPACT);
    *self = (rounded_case){.dim = dim, .context = context, .n = n};
    self->flow = flow_of(layers, dim, context, direction);
    randomise_parameters(self->flow, 0.55, seed + 1);
    self->rounded = rounded_new(self->flow, network, isa);
    self->z = random_numbers_new(n * dim, 1.3, seed + 2);
    self->c = random_numbers_new(n * context, 0.9, seed + 3);
    snprintf(self->name, sizeof self->name, "%s %s %s D=%zu C=%zu %.120s",
             flow_backend_name(self->rounded), flow_network_name(network),
             flow_direction_name(direction), dim, context, text);
    free(text);
    json_decref(layers);
}

void rounded_case_close(rounded_case *self)
{
    flow_free(self->flow);
    flow_free(self->rounded);
    free(self->z);
    free(self->c);
}
