/* tests/plugins/stan_new.c -- of a version that is not known. */
#define STAN_MAJOR 3
#include "stan.c"
