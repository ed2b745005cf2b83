/* What main does in the program, for the test programs, whose main is Criterion's (flow/blas.h). */
#include "flow/blas.h"

__attribute__((constructor)) static void start(void)
{
    flow_blas_one_thread();
}
