#include "pipeline/stages/shipped.h"

int shipped_open(shipped *out, const flow_model *student, flow_network network, flow_err *err)
{
    *out = (shipped){.model = *student};
    if (network == FLOW_NETWORK_AS_IS)
        return 0;
    out->rounded = out->model.flow = flow_round(student->flow, network, err);
    return out->rounded ? 0 : flow_fail_prefix(err, "compute.network");
}

void shipped_release(shipped *self)
{
    flow_free(self->rounded);
}

size_t shipped_candidates(flow_network *out, const config *c)
{
    size_t words = 0, n = 0;
    if (!shipped_is_chosen(c)) {
        out[0] = (flow_network)c->compute.network;
        return 1;
    }
    while (flow_networks[words].name)
        words++;
    while (words-- > 0 && n < TRIALS_MOST - 1)
        if (flow_network_is_faster((flow_network)flow_networks[words].value))
            out[n++] = (flow_network)flow_networks[words].value;
    out[n++] = FLOW_NETWORK_AS_IS;
    return n;
}

flow_network shipped_network(const config *c, const validate_product *validated)
{
    return shipped_is_chosen(c) ? validated->network : (flow_network)c->compute.network;
}

bool shipped_is_chosen(const config *c)
{
    return c->compute.network < 0;
}
