/* pipeline/command/config_of.h -- the config that a verb is given among other things: a file, or the directory of a run, which keeps its own. */
#ifndef PIPELINE_COMMAND_CONFIG_OF_H
#define PIPELINE_COMMAND_CONFIG_OF_H

#include "flow/err.h"
#include "pipeline/stages/rundir.h"

#include <stdbool.h>

/* Whether it is one by its name, or a directory. */
bool config_of_is(const char *path);

/* The file to load: path itself, or what the run in that directory was given, in room (RUNDIR_PATH). NULL: there is no run. */
const char *config_of(char *room, const char *path, flow_err *err);

#endif
