/* pipeline/console/json_print.h -- a JSON document on stdout, for programs: all digits of a number. */
#ifndef PIPELINE_CONSOLE_JSON_PRINT_H
#define PIPELINE_CONSOLE_JSON_PRINT_H

#include "flow/err.h"

#include <jansson.h>
#include <stdio.h>

/* NULL is one that there was no memory for: FLOW_ENOMEM. */
int json_print(const json_t *document, flow_err *err);

/* A value as a field of a .csv, all digits of a number: a text in quotes where it has a comma or one, 1 and 0 of a truth, nothing of null. */
void json_print_field(FILE *to, const json_t *value);

#endif
