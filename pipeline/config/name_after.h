/* pipeline/config/name_after.h -- what a run is called that nobody has named. */
#ifndef PIPELINE_CONFIG_NAME_AFTER_H
#define PIPELINE_CONFIG_NAME_AFTER_H

#include "pipeline/config/config.h"

/* The name of the file without directory and ending, made fit for a key of that kind. False: no memory. */
bool name_after(config *self, const char *file);

#endif
