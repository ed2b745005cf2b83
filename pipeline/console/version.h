/* pipeline/console/version.h -- what this program is made of. */
#ifndef PIPELINE_CONSOLE_VERSION_H
#define PIPELINE_CONSOLE_VERSION_H

#include <jansson.h>
#include <stdio.h>

/* The version, and one line each for the compiler and the libraries that results may hang on. */
void version_print(FILE *to);

/* The same as an object of strings; a new reference. */
json_t *version_json(void);

#endif
