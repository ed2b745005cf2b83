/* pipeline/version.h -- what this program is made of. */
#ifndef PIPELINE_VERSION_H
#define PIPELINE_VERSION_H

#include <stdio.h>

/* The version, and one line each for the compiler and the libraries that results may hang on. */
void version_print(FILE *to);

#endif
