/* pipeline/command/context.h -- the rows of context that a conditional model needs, from a file. */
#ifndef PIPELINE_COMMAND_CONTEXT_H
#define PIPELINE_COMMAND_CONTEXT_H

#include "files/model.h"
#include "files/table.h"

#include <stdint.h>

/* n: any number of rows, one at least. */
#define CONTEXT_ANY SIZE_MAX

/* Reads `path` and checks it against the model and n rows; *out NULL where none is wanted. path
 * NULL: none was given. model_path is for messages. Free *out also after an error. */
int context_load(file_table **out, const flow_model *model, const char *model_path,
                 const char *path, size_t n, flow_err *err);

#endif
