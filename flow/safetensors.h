/* flow/safetensors.h -- named tensors and a map of strings, in memory and as a safetensors file.
 *
 * The file (github.com/huggingface/safetensors, README "Format"): 8 bytes, the little-endian length
 * N of the header; N bytes of JSON,
 *   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...,
 *    "__metadata__": {"key": "text"}};
 * then the tensors, offsets counted from the end of the header.
 *
 * Written files are canonical: the same content gives the same bytes, whatever the order of adding. */
#ifndef FLOW_SAFETENSORS_H
#define FLOW_SAFETENSORS_H

#include "flow/flow.h" /* flow_precision */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { FLOW_TENSORS_MAX_RANK = 8 };
#define FLOW_TENSORS_NONE SIZE_MAX

typedef struct flow_tensors flow_tensors;

flow_tensors *flow_tensors_create(flow_err *err);
void flow_tensors_free(flow_tensors *self);

/* ---- tensors */

typedef struct flow_tensors_entry {
    const char *name; /* belongs to the flow_tensors, until it is freed */
    flow_precision dtype;
    size_t rank; /* 0: one number */
    size_t dims[FLOW_TENSORS_MAX_RANK];
    size_t count; /* product of dims */
} flow_tensors_entry;

/* Copies `values`, product(dims) numbers in C order. A name that is taken, empty, reserved
 * ("__metadata__") or not UTF-8 is FLOW_EUSAGE; a finite number that FLOW_F32 cannot hold,
 * FLOW_EDATA. A failed call leaves self as it was. */
int flow_tensors_add(flow_tensors *self, const char *name, flow_precision dtype, const size_t *dims,
                     size_t rank, const double *values, flow_err *err);

size_t flow_tensors_count(const flow_tensors *self);
size_t flow_tensors_find(const flow_tensors *self, const char *name); /* or FLOW_TENSORS_NONE */
void flow_tensors_info(const flow_tensors *self, flow_tensors_entry *info, size_t index);
void flow_tensors_get(const flow_tensors *self, double *values, size_t index); /* copies count */

/* ---- metadata */

/* Sets or replaces; FLOW_EUSAGE if key or value is not UTF-8. */
int flow_tensors_set_metadata(flow_tensors *self, const char *key, const char *value,
                              flow_err *err);
const char *flow_tensors_metadata(const flow_tensors *self, const char *key); /* or NULL */
const json_t *flow_tensors_metadata_all(const flow_tensors *self); /* an object of strings */

/* ---- files */

/* Atomic. */
int flow_tensors_write(const flow_tensors *self, const char *path, flow_err *err);

/* The bytes of the file, to be freed by the caller. */
unsigned char *flow_tensors_write_bytes(const flow_tensors *self, size_t *len, flow_err *err);

/* Treats the file as hostile; whatever is wrong is FLOW_EDATA and names the file and the tensor.
 * Only F32 and F64 are known. A header may have 100 MB at most. */
flow_tensors *flow_tensors_read(const char *path, flow_err *err);
flow_tensors *flow_tensors_read_bytes(const void *bytes, size_t len, const char *name,
                                      flow_err *err);

#endif
