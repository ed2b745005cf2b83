/* teacher/data_text.h -- what libraries of other people's interfaces are opened with: JSON, or the path of a file of it. */
#ifndef TEACHER_DATA_TEXT_H
#define TEACHER_DATA_TEXT_H

#include "flow/err.h"

#include <jansson.h>
#include <stdbool.h>

/* A path ends in .json. */
bool data_text_is_path(const char *data);

/* The JSON object; a new reference. NULL with FLOW_ENOINPUT (no such file), FLOW_EDATA (no JSON, no object) or
 * FLOW_ENOMEM; messages begin with "data". */
json_t *data_text_object(const char *data, flow_err *err);

#endif
