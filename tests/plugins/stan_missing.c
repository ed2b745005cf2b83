/* tests/plugins/stan_missing.c -- a function is not there. */
#define STAN_NO_GRADIENT
#include "stan.c"
