/* files/safetensors_set.h -- a set of tensors in memory, for the two halves of safetensors. */
#ifndef FILES_SAFETENSORS_SET_H
#define FILES_SAFETENSORS_SET_H

#include "files/encode.h"
#include "files/safetensors.h"

#include <stdbool.h>

#define METADATA "__metadata__"
enum { LENGTH_BYTES = 8, MAX_HEADER = 100000000 };

typedef struct file_tensor {
    char *name;
    flow_precision dtype;
    size_t rank, dims[FILE_TENSORS_MAX_RANK];
    size_t count; /* product of dims */
    size_t begin; /* while reading: offset of the first byte */
    unsigned char *bytes;
} file_tensor;

struct file_tensors {
    file_tensor *list;
    size_t count, room;
    json_t *metadata; /* object of strings */
};

static inline size_t file_tensor_bytes(const file_tensor *t)
{
    return t->count * file_encode_size(t->dtype);
}

/* Sets count; false: it or its bytes overflow. */
bool file_tensor_measure(file_tensor *t);

/* Takes over what *t points to, also if it fails. */
int file_tensors_append(file_tensors *self, file_tensor *t, flow_err *err);

void file_tensor_release(file_tensor *t);

#endif
