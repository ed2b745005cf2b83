#include "teacher/maf.h"

flow *maf_create(const flow_spec *spec, flow_precision precision, flow_err *err)
{
    flow_spec own = *spec;
    own.direction = FLOW_DATA_TO_NOISE;
    return flow_spec_create(&own, precision, err);
}
