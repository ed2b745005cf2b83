#include "student/iaf.h"

flow *iaf_create(const json_t *preset, const flow_place *place, flow_precision precision,
                 flow_err *err)
{
    return flow_preset_create(preset, FLOW_NOISE_TO_DATA, place, precision, err);
}
