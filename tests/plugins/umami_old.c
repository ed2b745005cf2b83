/* tests/plugins/umami_old.c -- of version 1.0, as it was at first: it says neither version nor masses nor inputs, and has no parameters. */
#define OLD
#include "umami.c"
