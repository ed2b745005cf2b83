#include "flow/blas.h"
#include "pipeline/command/cli.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* What was large and is free goes back at once: by itself the C library keeps as much as was ever free. */
static void give_memory_back(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
#endif
}

int main(int argc, char **argv)
{
    give_memory_back();
    flow_blas_one_thread();
    return cli_main(argc, argv);
}
