/* pipeline/config/no_config.h -- files that people run and that are no config. */
#ifndef PIPELINE_CONFIG_NO_CONFIG_H
#define PIPELINE_CONFIG_NO_CONFIG_H

#include "pipeline/config/complain.h"

/* Whether the file is a table by its name; then a complaint says what a config of it would be. */
bool no_config_table(complaints *out, const char *name);

#endif
