#include "files/safetensors.h"

#include "files/atomic.h"
#include "files/safetensors_set.h"
#include "files/utf8.h"
#include "flow/json.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- in memory */

file_tensors *file_tensors_create(flow_err *err)
{
    file_tensors *self = calloc(1, sizeof *self);
    if (self)
        self->metadata = json_object();
    if (!self || !self->metadata) {
        free(self);
        flow_fail(err, FLOW_ENOMEM, "no memory for a set of tensors");
        return NULL;
    }
    return self;
}

void file_tensor_release(file_tensor *t)
{
    free(t->name);
    free(t->bytes);
}

void file_tensors_free(file_tensors *self)
{
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        file_tensor_release(&self->list[i]);
    free(self->list);
    json_decref(self->metadata);
    free(self);
}

/* count = product of dims; false if it or its bytes overflow. */
bool file_tensor_measure(file_tensor *t)
{
    size_t bytes;
    t->count = 1;
    for (size_t i = 0; i < t->rank; i++)
        if (t->dims[i] > INT64_MAX || __builtin_mul_overflow(t->count, t->dims[i], &t->count))
            return false;
    return !__builtin_mul_overflow(t->count, file_encode_size(t->dtype), &bytes);
}

/* Takes over what t owns, in success and in failure. */
int file_tensors_append(file_tensors *self, file_tensor *t, flow_err *err)
{
    if (self->count == self->room) {
        size_t room = self->room ? 2 * self->room : 16;
        file_tensor *list = realloc(self->list, room * sizeof *list);
        if (!list) {
            file_tensor_release(t);
            return flow_fail(err, FLOW_ENOMEM, "no memory for %zu tensors", room);
        }
        self->list = list;
        self->room = room;
    }
    self->list[self->count++] = *t;
    return FLOW_OK;
}

static int check_name(const file_tensors *self, const char *name, flow_err *err)
{
    if (!*name || strcmp(name, METADATA) == 0 || file_not_utf8(name))
        return flow_fail(err, FLOW_EUSAGE, "a tensor cannot be named '%s'", name);
    if (file_tensors_find(self, name) != FILE_TENSORS_NONE)
        return flow_fail(err, FLOW_EUSAGE, "there are two tensors named '%s'", name);
    return FLOW_OK;
}

int file_tensors_add(file_tensors *self, const char *name, flow_precision dtype, const size_t *dims,
                     size_t rank, const double *values, flow_err *err)
{
    if (rank > FILE_TENSORS_MAX_RANK)
        return flow_fail(err, FLOW_EUSAGE, "tensor '%s': more than %d dimensions", name,
                         FILE_TENSORS_MAX_RANK);
    int code = check_name(self, name, err);
    if (code)
        return code;
    file_tensor t = {.dtype = dtype, .rank = rank};
    if (rank > 0)
        memcpy(t.dims, dims, rank * sizeof *dims);
    if (!file_tensor_measure(&t))
        return flow_fail(err, FLOW_ENOMEM, "tensor '%s' is too large", name);
    t.name = strdup(name);
    t.bytes = malloc(file_tensor_bytes(&t) + 1);
    size_t good = t.name && t.bytes ? file_encode(t.bytes, values, t.count, dtype) : 0;
    if (t.name && t.bytes && good == t.count)
        return file_tensors_append(self, &t, err);
    code = t.name && t.bytes
               ? flow_fail(err, FLOW_EDATA, "tensor '%s': element %zu, %g, is too large for F32",
                           name, good, values[good])
               : flow_fail(err, FLOW_ENOMEM, "no memory for tensor '%s'", name);
    file_tensor_release(&t);
    return code;
}

size_t file_tensors_count(const file_tensors *self)
{
    return self->count;
}

size_t file_tensors_find(const file_tensors *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->list[i].name, name) == 0)
            return i;
    return FILE_TENSORS_NONE;
}

void file_tensors_info(const file_tensors *self, file_tensors_entry *info, size_t index)
{
    assert(index < self->count);
    const file_tensor *t = &self->list[index];
    *info = (file_tensors_entry){
        .name = t->name, .dtype = t->dtype, .rank = t->rank, .count = t->count};
    memcpy(info->dims, t->dims, sizeof t->dims);
}

void file_tensors_get(const file_tensors *self, double *values, size_t index)
{
    assert(index < self->count);
    const file_tensor *t = &self->list[index];
    file_decode(values, t->bytes, t->count, t->dtype);
}

int file_tensors_set_metadata(file_tensors *self, const char *key, const char *value, flow_err *err)
{
    if (file_not_utf8(key) || file_not_utf8(value))
        return flow_fail(err, FLOW_EUSAGE, "metadata '%s' is not UTF-8 text", key);
    if (json_object_set_new(self->metadata, key, json_string(value)) != 0)
        return flow_fail(err, FLOW_ENOMEM, "no memory for metadata '%s'", key);
    return FLOW_OK;
}

const char *file_tensors_metadata(const file_tensors *self, const char *key)
{
    return json_string_value(json_object_get(self->metadata, key));
}

const json_t *file_tensors_metadata_all(const file_tensors *self)
{
    return self->metadata;
}

/* ---- writing: metadata by key, tensors by size of the type (so that all stay aligned), then name
 */

static int by_type_and_name(const void *a, const void *b)
{
    const file_tensor *left = *(const file_tensor *const *)a,
                      *right = *(const file_tensor *const *)b;
    if (left->dtype != right->dtype)
        return left->dtype == FLOW_F64 ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* Pointers into self->list, in the order of the file; to be freed. */
static const file_tensor **sorted(const file_tensors *self)
{
    const file_tensor **order = malloc((self->count + 1) * sizeof *order);
    for (size_t i = 0; order && i < self->count; i++)
        order[i] = &self->list[i];
    if (order && self->count > 0)
        qsort(order, self->count, sizeof *order, by_type_and_name);
    return order;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The metadata with its keys in order; NULL: no memory. */
static json_t *sorted_metadata(json_t *metadata)
{
    size_t n = 0;
    const char **keys = malloc((json_object_size(metadata) + 1) * sizeof *keys);
    json_t *out = json_object();
    if (!keys || !out)
        goto fail;
    for (void *at = json_object_iter(metadata); at; at = json_object_iter_next(metadata, at))
        keys[n++] = json_object_iter_key(at);
    qsort(keys, n, sizeof *keys, by_text);
    for (size_t i = 0; i < n; i++)
        if (json_object_set(out, keys[i], json_object_get(metadata, keys[i])) != 0)
            goto fail;
    free(keys);
    return out;
fail:
    free(keys);
    json_decref(out);
    return NULL;
}

/* {"dtype": ..., "shape": [...], "data_offsets": [begin, begin + size]} */
static json_t *describe(const file_tensor *t, size_t begin)
{
    json_t *shape = json_array();
    for (size_t i = 0; i < t->rank; i++)
        if (json_array_append_new(shape, json_integer((json_int_t)t->dims[i])) != 0) {
            json_decref(shape);
            return NULL;
        }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", t->dtype == FLOW_F32 ? "F32" : "F64", "shape",
                     shape, "data_offsets", (json_int_t)begin,
                     (json_int_t)(begin + file_tensor_bytes(t)));
}

/* The header's JSON text, to be freed; *total = bytes of all tensors. */
static char *make_header(const file_tensors *self, const file_tensor **order, size_t *total)
{
    char *text = NULL;
    json_t *header = json_object();
    *total = 0;
    if (json_object_size(self->metadata) > 0 &&
        json_object_set_new(header, METADATA, sorted_metadata(self->metadata)) != 0)
        goto done;
    for (size_t i = 0; i < self->count; i++) {
        if (json_object_set_new(header, order[i]->name, describe(order[i], *total)) != 0)
            goto done;
        *total += file_tensor_bytes(order[i]);
    }
    text = flow_json_text(header, JSON_COMPACT);
done:
    json_decref(header);
    return text;
}

/* Length, header padded to a multiple of 8, tensors. */
static void assemble(unsigned char *out, const char *header, size_t padded,
                     const file_tensor **order, size_t count)
{
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        *out++ = (unsigned char)((uint64_t)padded >> 8 * i);
    memset(out, ' ', padded);
    memcpy(out, header, strlen(header));
    out += padded;
    for (size_t i = 0; i < count; i++) {
        memcpy(out, order[i]->bytes, file_tensor_bytes(order[i]));
        out += file_tensor_bytes(order[i]);
    }
}

unsigned char *file_tensors_write_bytes(const file_tensors *self, size_t *len, flow_err *err)
{
    unsigned char *out = NULL;
    char *header = NULL;
    size_t total = 0;
    const file_tensor **order = sorted(self);
    if (order)
        header = make_header(self, order, &total);
    if (header) {
        size_t padded = (strlen(header) + 7) / 8 * 8;
        *len = LENGTH_BYTES + padded + total;
        out = malloc(*len);
        if (out)
            assemble(out, header, padded, order, self->count);
    }
    if (!out)
        flow_fail(err, FLOW_ENOMEM, "no memory to write %zu tensors", self->count);
    free(header);
    free(order);
    return out;
}

int file_tensors_write(const file_tensors *self, const char *path, flow_err *err)
{
    size_t len;
    unsigned char *bytes = file_tensors_write_bytes(self, &len, err);
    if (!bytes)
        return FLOW_ENOMEM;
    int code = file_atomic_write(path, bytes, len, err);
    free(bytes);
    return code;
}
