/* pipeline/config/show.h -- a configuration loaded for a verb of the command line. */
#ifndef PIPELINE_CONFIG_SHOW_H
#define PIPELINE_CONFIG_SHOW_H

#include "pipeline/config/config.h"

/* Loads a configuration and shows what is wrong with it on stderr. NULL, and the exit code in
 * *status, if anything is. */
config *config_load_shown(int *status, const config_sources *sources);

#endif
