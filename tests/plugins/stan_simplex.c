/* tests/plugins/stan_simplex.c -- with more numbers than there are unconstrained ones. */
#define STAN_SIMPLEX
#include "stan.c"
