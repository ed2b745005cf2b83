/* pipeline/command/check_target.h -- distill check-target: the target of a config, or a plug-in, held to its word. */
#ifndef PIPELINE_COMMAND_CHECK_TARGET_H
#define PIPELINE_COMMAND_CHECK_TARGET_H

#include "pipeline/config/config.h"

/* sources: of a run; or its file is a library, anything but a .yaml, which is opened with `options` (NULL: not given).
 * Prints on stdout; returns the exit code of the process: that of wrong data where a student would learn something
 * wrong, or nothing. */
int check_target_verb(const config_sources *sources, const char *options);

#endif
