/* tests/plugins/umami_wants.c -- it wants a strong coupling for each row. */
#define WANTS_ALPHA_S
#include "umami.c"
