/* pipeline/console/version.h -- what this program is made of, and on what it runs. */
#ifndef PIPELINE_CONSOLE_VERSION_H
#define PIPELINE_CONSOLE_VERSION_H

#include <jansson.h>
#include <stdio.h>

/* The version, and one line each for the commit ("unknown" where it was not built in a checkout), the compiler, the libraries
 * and the processor that results may hang on. */
void version_print(FILE *to);

/* The same as an object of strings; a new reference. */
json_t *version_json(void);

#endif
