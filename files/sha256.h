/* files/sha256.h -- digests: which file, or which text, it was, for those who come later (FIPS 180-4, SHA-256). */
#ifndef FILES_SHA256_H
#define FILES_SHA256_H

#include "flow/err.h"

#include <stddef.h>

enum { FILE_SHA256 = 65 }; /* 64 hexadecimal digits and '\0' */

/* FLOW_ENOINPUT: the file cannot be read. */
int file_sha256(char out[FILE_SHA256], const char *path, flow_err *err);
void file_sha256_bytes(char out[FILE_SHA256], const void *bytes, size_t n);

#endif
