/* tests/plugins/umami_resonance.c -- three outgoing particles without mass, two of which come from one of 91.2 GeV and a
 * width of 2.5: 1e6 / ((q - m^2)^2 + m^2 width^2), q their mass squared. */
#define PARTICLES 5
#define MASSES 0, 0, 0, 0, 0
#define RESONANCE
#include "umami.c"
