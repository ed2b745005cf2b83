/* tests/plugins/umami_alone.c -- incoming particles and one more: with two incoming ones nothing is free. */
#define PARTICLES 3
#define MASSES 5, 1, 2
#define FLAT
#include "umami.c"
