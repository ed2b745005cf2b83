/* pipeline/stages/lock.h -- one run at a time in a directory.
 *
 * The kernel holds the lock (flock) on the file LOCK_FILE, as long as the descriptor is open: it is gone
 * with the process, however that ends. What is written in the file only tells others who holds it, and is
 * left behind when nobody does. */
#ifndef PIPELINE_STAGES_LOCK_H
#define PIPELINE_STAGES_LOCK_H

#include "flow/err.h"

#include <stdbool.h>

#define LOCK_FILE ".lock"

/* Whether a process holds it now, and which: "pid 4711 on host a since 12:03". Takes nothing, and makes no file. */
enum { LOCK_HOLDER = 160 };
bool lock_is_held(char holder[LOCK_HOLDER], const char *directory);

/* A descriptor to be closed, or -1: FLOW_ELOCKED "DIR is in use by pid 4711 on host a since 12:03". */
int lock_take(const char *directory, flow_err *err);

#endif
