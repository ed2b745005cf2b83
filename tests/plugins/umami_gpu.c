/* tests/plugins/umami_gpu.c -- its momenta are in the memory of a GPU. */
#define DEVICE 1
#include "umami.c"
