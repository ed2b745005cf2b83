/* tests/plugins/umami_new.c -- of a version that is not known. */
#define MAJOR 2
#include "umami.c"
