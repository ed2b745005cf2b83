/* tests/plugins/hollow.c -- it can be opened, and that is all. */
#include "distill_target.h"

static int hollow_open(void **handle, distill_about *about, const char *options, char *message)
{
    (void)handle, (void)about, (void)options, (void)message;
    return DISTILL_GOOD;
}

const distill_target distill_plugin = {DISTILL_TARGET_VERSION, hollow_open, 0, 0, 0};
