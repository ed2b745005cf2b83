/* tests/common/temp.h -- a directory for the files of one test, and small helpers around it.
 * What fails here fails the test. */
#ifndef TESTS_COMMON_TEMP_H
#define TESTS_COMMON_TEMP_H

#include <stddef.h>

/* Makes the directory of this test (one at a time) and returns its path. */
const char *temp_open(void);

/* The path of a file in it; valid until the 8th call after this one. */
const char *temp_path(const char *name);

/* Writes a file there and returns its path, valid as above. */
const char *temp_write(const char *name, const void *bytes, size_t len);

/* The bytes of any file plus a zero byte, to be freed; len may be NULL. */
char *temp_slurp(const char *path, size_t *len);

/* While full, no regular file of this process can grow: writing one fails ("File too large"), as on
 * a full disk. Tests never hand a real device to code that could replace it: `make test` may run as
 * root, where a bug would rename a file over /dev/null. */
void temp_disk_full(int full);

/* How many files it holds. */
size_t temp_count(void);

/* Removes the files and the directory. */
void temp_close(void);

#endif
