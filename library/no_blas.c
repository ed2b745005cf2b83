/* library/no_blas.c -- the library has no BLAS in it (its lu_linear is compiled with FLOW_BLAS=0): a pool has nothing to ask.
 */
#include "flow/blas.h"

int flow_blas_check(flow_err *err)
{
    (void)err;
    return FLOW_OK;
}
