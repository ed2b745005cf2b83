#include "pipeline/config/show.h"

#include "pipeline/console/exit.h"
#include "pipeline/console/term.h"

#include <unistd.h>

config *config_load_shown(int *status, const config_sources *sources)
{
    complaints *out = complaints_create();
    if (!out) {
        const flow_err err = {FLOW_ENOMEM, "out of memory"};
        *status = exit_fail(&err);
        return NULL;
    }
    config *self = config_load(sources, out);
    complaints_show(out, stderr, term_colour(STDERR_FILENO));
    *status = complaints_exit_code(out);
    complaints_free(out);
    return self;
}
