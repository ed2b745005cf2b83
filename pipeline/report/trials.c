#include "pipeline/report/trials.h"

#include "flow/json.h"

const char *trials_word(flow_network network)
{
    const flow_word *w = flow_networks;
    while (w->name && w->value != (int)network)
        w++;
    return w->name;
}

static json_t *trial_json(const trial *self)
{
    return json_pack("{s:s, s:b, s:s, s:o, s:o}", "network", trials_word(self->network), "taken",
                     (int)self->taken, "why", self->why, "rows_per_s",
                     flow_json_real(self->pace.rows_per_s), "row_seconds",
                     flow_json_real(self->pace.row_seconds));
}

json_t *trials_json(const trials *self)
{
    json_t *out = json_array();
    for (size_t i = 0; i < self->n; i++)
        flow_json_append(&out, trial_json(&self->at[i]));
    return out;
}
