/* tests/pipeline/holds.h -- looking for words in a text that was wrapped. */
#ifndef TESTS_PIPELINE_HOLDS_H
#define TESTS_PIPELINE_HOLDS_H

#include <stdbool.h>

/* Whether text holds part when all runs of white space are one. */
bool holds(const char *text, const char *part);

#endif
