/* tests/plugins/stan_unversioned.c -- without a version, as it was before 2.0. */
#define STAN_MAJOR 0
#include "stan.c"
