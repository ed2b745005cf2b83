/* tests/plugins/umami_missing.c -- a function is not there. */
#define MISSING
#include "umami.c"
