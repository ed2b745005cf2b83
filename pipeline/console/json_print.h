/* pipeline/console/json_print.h -- a JSON document on stdout, for programs: all digits of a number. */
#ifndef PIPELINE_CONSOLE_JSON_PRINT_H
#define PIPELINE_CONSOLE_JSON_PRINT_H

#include "flow/err.h"

#include <jansson.h>

/* NULL is one that there was no memory for: FLOW_ENOMEM. */
int json_print(const json_t *document, flow_err *err);

#endif
