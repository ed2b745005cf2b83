#include "flow/blas.h"

#include <cblas.h>

void flow_blas_one_thread(void)
{
    openblas_set_num_threads(1);
}

int flow_blas_check(flow_err *err)
{
    int threads = openblas_get_num_threads();
    if (threads == 1)
        return FLOW_OK;
    return flow_fail(err, FLOW_EUSAGE,
                     "OpenBLAS may use %d threads a call: call flow_blas_one_thread() when the "
                     "program starts, or results depend on the machine",
                     threads);
}
