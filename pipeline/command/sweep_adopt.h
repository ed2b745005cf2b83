/* pipeline/command/sweep_adopt.h -- points of a sweep that somebody else has run, by their commands. */
#ifndef PIPELINE_COMMAND_SWEEP_ADOPT_H
#define PIPELINE_COMMAND_SWEEP_ADOPT_H

#include "pipeline/command/sweep_points.h"

/* Whether the point's directory holds a run that came to its end, of this very command: the same files and the same --set, as
 * the run has kept them. Then the point is done. */
bool sweep_adopt(sweep_point_of *point, const config_sources *sources);

#endif
