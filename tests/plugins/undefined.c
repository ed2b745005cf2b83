/* tests/plugins/undefined.c -- a function of it is nowhere. */
#include "distill_target.h"

int function_that_is_nowhere(void **, distill_about *, const char *, char *);

const distill_target distill_plugin = {DISTILL_TARGET_VERSION, function_that_is_nowhere, 0, 0, 0};
