/* files/encode.h -- numbers as little-endian bytes, the form they have in .npy and safetensors. */
#ifndef FILES_ENCODE_H
#define FILES_ENCODE_H

#include "flow/flow.h" /* flow_precision */

#include <stddef.h>

/* Bytes of one number. */
size_t file_encode_size(flow_precision precision);

/* bytes (n * size) from values (n), rounded to nearest. Returns n, or the index of the first finite
 * value that would become infinite; the bytes from there on are not set. */
size_t file_encode(void *bytes, const double *values, size_t n, flow_precision precision);

/* values (n) from bytes (n * size); any alignment. */
void file_decode(double *values, const void *bytes, size_t n, flow_precision precision);

#endif
