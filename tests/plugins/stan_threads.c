/* tests/plugins/stan_threads.c -- built for threads. */
#define STAN_INFO "Stan version: 2.36.0\nSTAN_THREADS=true\nSTAN_OPENCL=false\n"
#include "stan.c"
