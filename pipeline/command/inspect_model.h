/* pipeline/command/inspect_model.h -- distill inspect of a model file: what an outside reader needs of it, beside the formulas of
 * files/FORMAT.md. */
#ifndef PIPELINE_COMMAND_INSPECT_MODEL_H
#define PIPELINE_COMMAND_INSPECT_MODEL_H

#include <stdbool.h>

/* Whether the path has the name of one. */
bool inspect_model_is(const char *path);

/* Prints on stdout; returns the exit code of the process: that of wrong data for a file that is no model. */
int inspect_model(const char *path, bool json);

#endif
