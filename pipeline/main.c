#include "flow/blas.h"
#include "pipeline/command/cli.h"
#include "pipeline/console/notice.h"
#include "pipeline/console/signals.h"
#include "teacher/plugin_talk.h"
#include "teacher/plugin_worker.h"
#include "teacher/plugin_workers.h"

#include <stdlib.h>
#include <string.h>
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

static void tell(const char *text)
{
    notice_warning("target: %s", text);
}

int main(int argc, char **argv)
{
    const plugin_host host = {.program = "/proc/self/exe", .tell = tell};
    give_memory_back();
    flow_blas_one_thread();
    if (argc > 1 && strcmp(argv[1], PLUGIN_WORKER_VERB) == 0)
        return plugin_worker_main(argc - 2, argv + 2);
    signals_leave();
    plugin_set_host(&host);
    return cli_main(argc, argv);
}
