#include "student/iaf.h"

flow *iaf_create(const flow_spec *spec, flow_precision precision, flow_err *err)
{
    flow_spec own = *spec;
    own.direction = FLOW_NOISE_TO_DATA;
    return flow_spec_create(&own, precision, err);
}
