#include "pipeline/command/show_progress.h"

#include "pipeline/console/progress.h"

#include <unistd.h>

void show_progress(const char *verb, uint64_t rows, bool quiet, bool to_stdout)
{
    progress_init(quiet || (to_stdout && isatty(STDOUT_FILENO)));
    progress_begin_late(verb, rows);
}
