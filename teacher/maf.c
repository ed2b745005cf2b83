#include "teacher/maf.h"

flow *maf_create(const json_t *preset, const flow_place *place, flow_precision precision,
                 flow_err *err)
{
    return flow_preset_create(preset, FLOW_DATA_TO_NOISE, place, precision, err);
}
