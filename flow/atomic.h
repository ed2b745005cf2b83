/* flow/atomic.h -- a file that appears whole or not at all.
 *
 * What is written goes to NAME.tmp.PID in the directory of NAME; commit flushes it to the disk and
 * renames it, so a reader sees the old file or the new one, also after a power cut. A kill may
 * leave NAME.tmp.PID behind. If NAME is a device or a pipe (/dev/stdout), it is written to
 * directly. */
#ifndef FLOW_ATOMIC_H
#define FLOW_ATOMIC_H

#include "flow/err.h"

#include <stddef.h>
#include <stdio.h>

typedef struct flow_atomic flow_atomic;

/* FLOW_ECREATE if it cannot be made there. */
flow_atomic *flow_atomic_open(const char *path, flow_err *err);

/* Where to write; stays open until commit or discard. */
FILE *flow_atomic_file(flow_atomic *self);

/* Both free self. After a failed commit (FLOW_EIO) the old file is as it was. */
int flow_atomic_commit(flow_atomic *self, flow_err *err);
void flow_atomic_discard(flow_atomic *self); /* accepts NULL */

/* The three steps in one. */
int flow_atomic_write(const char *path, const void *bytes, size_t len, flow_err *err);

#endif
