/* files/spool.h -- numbers put by and read again: few of them in memory, more in a file without a name in TMPDIR (or
 * /tmp), which is gone with the process. */
#ifndef FILES_SPOOL_H
#define FILES_SPOOL_H

#include "flow/err.h"

#include <stddef.h>

enum { FILE_SPOOL_HELD = 1 << 19 }; /* numbers that are held in memory, 4 MB */

typedef struct file_spool file_spool;

file_spool *file_spool_create(flow_err *err);
void file_spool_free(file_spool *self); /* accepts NULL */

/* Behind those that are there. Where no file can be made, memory holds them all; FLOW_EIO: the file cannot
 * hold them. */
int file_spool_append(file_spool *self, const double *numbers, size_t n, flow_err *err);

size_t file_spool_count(const file_spool *self);

/* to (n) = numbers first .. first + n - 1, which are there. FLOW_EIO. */
int file_spool_read(const file_spool *self, double *to, size_t first, size_t n, flow_err *err);

#endif
