/* tests/plugins/old.c -- built for another version of the header. */
#include "distill_target.h"

const distill_target distill_plugin = {DISTILL_TARGET_VERSION + 6, 0, 0, 0, 0};
