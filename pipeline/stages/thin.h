/* pipeline/stages/thin.h -- networks too narrow for what their masks let them see. */
#ifndef PIPELINE_STAGES_THIN_H
#define PIPELINE_STAGES_THIN_H

#include "flow/flow.h"

/* A warning on stderr if a hidden layer of the flow, which the config describes in `section`, is too
 * narrow. */
int thin_tell(const flow *f, const char *section, flow_err *err);

#endif
