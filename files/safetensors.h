/* files/safetensors.h -- named tensors and a map of strings, in memory and as a safetensors file.
 *
 * The file (github.com/huggingface/safetensors, README "Format"): 8 bytes, the little-endian length
 * N of the header; N bytes of JSON,
 *   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...,
 *    "__metadata__": {"key": "text"}};
 * then the tensors, offsets counted from the end of the header.
 *
 * Written files are canonical: the same content gives the same bytes, whatever the order of adding. */
#ifndef FILES_SAFETENSORS_H
#define FILES_SAFETENSORS_H

#include "flow/flow.h" /* flow_precision */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { FILE_TENSORS_MAX_RANK = 8 };
#define FILE_TENSORS_NONE SIZE_MAX

typedef struct file_tensors file_tensors;

file_tensors *file_tensors_create(flow_err *err);
void file_tensors_free(file_tensors *self);

/* ---- tensors */

typedef struct file_tensors_entry {
    const char *name; /* belongs to the file_tensors, until it is freed */
    flow_precision dtype;
    size_t rank; /* 0: one number */
    size_t dims[FILE_TENSORS_MAX_RANK];
    size_t count; /* product of dims */
} file_tensors_entry;

/* Copies `values`, product(dims) numbers in C order. A name that is taken, empty, reserved
 * ("__metadata__") or not UTF-8 is FLOW_EUSAGE; a finite number that FLOW_F32 cannot hold,
 * FLOW_EDATA. A failed call leaves self as it was. */
int file_tensors_add(file_tensors *self, const char *name, flow_precision dtype, const size_t *dims,
                     size_t rank, const double *values, flow_err *err);

size_t file_tensors_count(const file_tensors *self);
size_t file_tensors_find(const file_tensors *self, const char *name); /* or FILE_TENSORS_NONE */
void file_tensors_info(const file_tensors *self, file_tensors_entry *info, size_t index);
void file_tensors_get(const file_tensors *self, double *values, size_t index); /* copies count */

/* ---- metadata */

/* Sets or replaces; FLOW_EUSAGE if key or value is not UTF-8. */
int file_tensors_set_metadata(file_tensors *self, const char *key, const char *value,
                              flow_err *err);
const char *file_tensors_metadata(const file_tensors *self, const char *key); /* or NULL */
const json_t *file_tensors_metadata_all(const file_tensors *self); /* an object of strings */

/* ---- files */

/* Atomic. */
int file_tensors_write(const file_tensors *self, const char *path, flow_err *err);

/* The bytes of the file, to be freed by the caller. */
unsigned char *file_tensors_write_bytes(const file_tensors *self, size_t *len, flow_err *err);

/* Treats the file as hostile; whatever is wrong is FLOW_EDATA and names the file and the tensor.
 * Only F32 and F64 are known. A header may have 100 MB at most. */
file_tensors *file_tensors_read(const char *path, flow_err *err);
file_tensors *file_tensors_read_bytes(const void *bytes, size_t len, const char *name,
                                      flow_err *err);

#endif
