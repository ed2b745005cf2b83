#include "pipeline/report/trials.h"

#include "flow/json.h"

#include <string.h>

const char *trials_rounded(const json_t *verdict)
{
    const char *word = json_string_value(flow_json_below(verdict, "student.network"));
    return word && strcmp(word, flow_network_name(FLOW_NETWORK_AS_IS)) != 0 ? word : NULL;
}

static json_t *trial_json(const trial *self)
{
    return json_pack("{s:s, s:b, s:s, s:o, s:o}", "network", flow_network_name(self->network),
                     "taken", (int)self->taken, "why", self->why, "rows_per_s",
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
