/* files/atomic.h -- a file that appears whole or not at all.
 *
 * What is written goes to NAME.tmp.PID in the directory of NAME; commit flushes it to the disk and
 * renames it, so a reader sees the old file or the new one, also after a power cut. SIGKILL may
 * leave NAME.tmp.PID behind; other signals do not (file_atomic_abandon). If NAME is a device or a pipe (/dev/stdout), it is written to
 * directly. */
#ifndef FILES_ATOMIC_H
#define FILES_ATOMIC_H

#include "flow/err.h"

#include <stddef.h>
#include <stdio.h>

typedef struct file_atomic file_atomic;

/* FLOW_ECREATE if it cannot be made there. */
file_atomic *file_atomic_open(const char *path, flow_err *err);

/* Where to write; stays open until commit or discard. */
FILE *file_atomic_file(file_atomic *self);

/* Both free self. After a failed commit (FLOW_EIO) the old file is as it was. */
int file_atomic_commit(file_atomic *self, flow_err *err);
void file_atomic_discard(file_atomic *self); /* accepts NULL */

/* Why a write failed, by its errno: a full disk is called that. And the code for it where a file cannot be made: FLOW_ECREATE,
 * or FLOW_EIO of a full disk. */
const char *file_why(int number);
int file_create_code(int number);

/* Removes the temporary of every file that is open in this process, as far as there is room to remember them (16): for
 * a signal handler that ends the process. Safe there; of no use otherwise. */
void file_atomic_abandon(void);

/* Bytes of a name without ".tmp.PID": all of them where it is none of a temporary file. */
size_t file_atomic_stem(const char *name);

/* The three steps in one. */
int file_atomic_write(const char *path, const void *bytes, size_t len, flow_err *err);

#endif
