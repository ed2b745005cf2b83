/* pipeline/console/spark.h -- a course of numbers as a line of small bars. */
#ifndef PIPELINE_CONSOLE_SPARK_H
#define PIPELINE_CONSOLE_SPARK_H

#include <stddef.h>

enum { SPARK_BARS = 40, SPARK_BYTES = 3 * SPARK_BARS + 1 };

/* Draws the n values (those that are not finite are gaps), of which neighbours share a bar where there are more than
 * SPARK_BARS: full height is the largest, but for one value in twenty, which may be higher still. In block
 * characters where the locale says UTF-8, else in ASCII. Returns out. */
const char *spark_draw(char out[SPARK_BYTES], const double *values, size_t n);

#endif
