/* pipeline/console/json_read.h -- files of JSON, as runs write them: a document, or one a line. */
#ifndef PIPELINE_CONSOLE_JSON_READ_H
#define PIPELINE_CONSOLE_JSON_READ_H

#include "flow/err.h"

#include <jansson.h>
#include <stdbool.h>

/* Both give a new reference, or NULL: FLOW_ENOINPUT if there is no such file, FLOW_EIO, FLOW_EDATA with the line, FLOW_ENOMEM. A key that is
 * there twice is refused. */
json_t *json_read_file(const char *path, flow_err *err);

/* All lines as an array. growing: a last line without its end is still being written, and left out; else it is a line like the others. */
json_t *json_read_lines(const char *path, bool growing, flow_err *err);

#endif
