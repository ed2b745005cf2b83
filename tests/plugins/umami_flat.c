/* tests/plugins/umami_flat.c -- 1, of three outgoing particles with masses: its integral is the volume of phase space. */
#define PARTICLES 5
#define MASSES 0.2, 0.5, 1, 2, 0.5
#define FLAT
#include "umami.c"
