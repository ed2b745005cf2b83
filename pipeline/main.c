#include "flow/blas.h"
#include "pipeline/command/cli.h"

int main(int argc, char **argv)
{
    flow_blas_one_thread();
    return cli_main(argc, argv);
}
