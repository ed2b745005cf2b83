/* pipeline/stages/look.h -- what a run says of the table before it fits anything. */
#ifndef PIPELINE_STAGES_LOOK_H
#define PIPELINE_STAGES_LOOK_H

#include "pipeline/config/config.h"
#include "teacher/look.h"

/* Warnings on stderr, a few of each kind; in one line whether there is more to be seen. source: what
 * messages call the table. quiet: without that line. */
void look_tell(const data_look *look, const config *config, const char *source, bool quiet);

#endif
