#include "files/safetensors.h"

#include "files/atomic.h"
#include "files/encode.h"
#include "flow/json.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define METADATA "__metadata__"
enum { LENGTH_BYTES = 8, MAX_HEADER = 100000000 };

typedef struct tensor {
    char *name;
    flow_precision dtype;
    size_t rank, dims[FILE_TENSORS_MAX_RANK];
    size_t count; /* product of dims */
    size_t begin; /* while reading: offset of the first byte */
    unsigned char *bytes;
} tensor;

struct file_tensors {
    tensor *list;
    size_t count, room;
    json_t *metadata; /* object of strings */
};

static size_t bytes_of(const tensor *t)
{
    return t->count * file_encode_size(t->dtype);
}

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

static void release(tensor *t)
{
    free(t->name);
    free(t->bytes);
}

void file_tensors_free(file_tensors *self)
{
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        release(&self->list[i]);
    free(self->list);
    json_decref(self->metadata);
    free(self);
}

/* count = product of dims; false if it or its bytes overflow. */
static bool measure(tensor *t)
{
    size_t bytes;
    t->count = 1;
    for (size_t i = 0; i < t->rank; i++)
        if (t->dims[i] > INT64_MAX || __builtin_mul_overflow(t->count, t->dims[i], &t->count))
            return false;
    return !__builtin_mul_overflow(t->count, file_encode_size(t->dtype), &bytes);
}

/* Takes over what t owns, in success and in failure. */
static int append(file_tensors *self, tensor *t, flow_err *err)
{
    if (self->count == self->room) {
        size_t room = self->room ? 2 * self->room : 16;
        tensor *list = realloc(self->list, room * sizeof *list);
        if (!list) {
            release(t);
            return flow_fail(err, FLOW_ENOMEM, "no memory for %zu tensors", room);
        }
        self->list = list;
        self->room = room;
    }
    self->list[self->count++] = *t;
    return FLOW_OK;
}

/* Bytes of the character that the text starts with, 0 if they are not UTF-8 (RFC 3629, section 4). */
static size_t character(const unsigned char *at)
{
    size_t length = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
        (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f) || *at > 0xf4)
        return 0;
    return length;
}

static bool is_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t length; *at; at += length)
        if (!(length = character(at)))
            return false;
    return true;
}

static int check_name(const file_tensors *self, const char *name, flow_err *err)
{
    if (!*name || strcmp(name, METADATA) == 0 || !is_utf8(name))
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
    tensor t = {.dtype = dtype, .rank = rank};
    if (rank > 0)
        memcpy(t.dims, dims, rank * sizeof *dims);
    if (!measure(&t))
        return flow_fail(err, FLOW_ENOMEM, "tensor '%s' is too large", name);
    t.name = strdup(name);
    t.bytes = malloc(bytes_of(&t) + 1);
    size_t good = t.name && t.bytes ? file_encode(t.bytes, values, t.count, dtype) : 0;
    if (t.name && t.bytes && good == t.count)
        return append(self, &t, err);
    code = t.name && t.bytes
               ? flow_fail(err, FLOW_EDATA, "tensor '%s': element %zu, %g, is too large for F32",
                           name, good, values[good])
               : flow_fail(err, FLOW_ENOMEM, "no memory for tensor '%s'", name);
    release(&t);
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
    const tensor *t = &self->list[index];
    *info = (file_tensors_entry){
        .name = t->name, .dtype = t->dtype, .rank = t->rank, .count = t->count};
    memcpy(info->dims, t->dims, sizeof t->dims);
}

void file_tensors_get(const file_tensors *self, double *values, size_t index)
{
    assert(index < self->count);
    const tensor *t = &self->list[index];
    file_decode(values, t->bytes, t->count, t->dtype);
}

int file_tensors_set_metadata(file_tensors *self, const char *key, const char *value, flow_err *err)
{
    if (!is_utf8(key) || !is_utf8(value))
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
    const tensor *left = *(const tensor *const *)a, *right = *(const tensor *const *)b;
    if (left->dtype != right->dtype)
        return left->dtype == FLOW_F64 ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* Pointers into self->list, in the order of the file; to be freed. */
static const tensor **sorted(const file_tensors *self)
{
    const tensor **order = malloc((self->count + 1) * sizeof *order);
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
static json_t *describe(const tensor *t, size_t begin)
{
    json_t *shape = json_array();
    for (size_t i = 0; i < t->rank; i++)
        if (json_array_append_new(shape, json_integer((json_int_t)t->dims[i])) != 0) {
            json_decref(shape);
            return NULL;
        }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", t->dtype == FLOW_F32 ? "F32" : "F64", "shape",
                     shape, "data_offsets", (json_int_t)begin, (json_int_t)(begin + bytes_of(t)));
}

/* The header's JSON text, to be freed; *total = bytes of all tensors. */
static char *make_header(const file_tensors *self, const tensor **order, size_t *total)
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
        *total += bytes_of(order[i]);
    }
    text = flow_json_text(header, JSON_COMPACT);
done:
    json_decref(header);
    return text;
}

/* Length, header padded to a multiple of 8, tensors. */
static void assemble(unsigned char *out, const char *header, size_t padded, const tensor **order,
                     size_t count)
{
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        *out++ = (unsigned char)((uint64_t)padded >> 8 * i);
    memset(out, ' ', padded);
    memcpy(out, header, strlen(header));
    out += padded;
    for (size_t i = 0; i < count; i++) {
        memcpy(out, order[i]->bytes, bytes_of(order[i]));
        out += bytes_of(order[i]);
    }
}

unsigned char *file_tensors_write_bytes(const file_tensors *self, size_t *len, flow_err *err)
{
    unsigned char *out = NULL;
    char *header = NULL;
    size_t total = 0;
    const tensor **order = sorted(self);
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

/* ---- reading. The errors name the tensor; the entry points put the file in front. */

/* A whole number >= 0 that a size_t holds. */
static bool get_size(const json_t *value, size_t *out)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (uintmax_t)number > SIZE_MAX)
        return false;
    *out = (size_t)number;
    return true;
}

static int parse_shape(tensor *t, const json_t *shape, flow_err *err)
{
    if (!json_is_array(shape))
        return flow_fail(err, FLOW_EDATA, "tensor '%.200s': 'shape' wants a list", t->name);
    t->rank = json_array_size(shape);
    if (t->rank > FILE_TENSORS_MAX_RANK)
        return flow_fail(err, FLOW_EDATA, "tensor '%.200s': %zu dimensions, %d are the limit",
                         t->name, t->rank, FILE_TENSORS_MAX_RANK);
    for (size_t i = 0; i < t->rank; i++)
        if (!get_size(json_array_get(shape, i), &t->dims[i]))
            return flow_fail(err, FLOW_EDATA, "tensor '%.200s': 'shape' wants whole numbers >= 0",
                             t->name);
    if (!measure(t))
        return flow_fail(err, FLOW_EDATA, "tensor '%.200s': its shape is too large", t->name);
    return FLOW_OK;
}

static int parse_dtype(tensor *t, const json_t *dtype, flow_err *err)
{
    const char *text = json_string_value(dtype);
    if (!text)
        return flow_fail(err, FLOW_EDATA, "tensor '%.200s': 'dtype' wants a string", t->name);
    t->dtype = strcmp(text, "F32") == 0 ? FLOW_F32 : FLOW_F64;
    if (t->dtype == FLOW_F64 && strcmp(text, "F64") != 0)
        return flow_fail(err, FLOW_EDATA,
                         "tensor '%.200s': dtype '%.40s'; only F32 and F64 are known", t->name,
                         text);
    return FLOW_OK;
}

static int parse_offsets(tensor *t, const json_t *offsets, flow_err *err)
{
    size_t end;
    if (json_array_size(offsets) != 2 || !get_size(json_array_get(offsets, 0), &t->begin) ||
        !get_size(json_array_get(offsets, 1), &end) || end < t->begin)
        return flow_fail(err, FLOW_EDATA,
                         "tensor '%.200s': 'data_offsets' wants [begin, end], 0 <= begin <= end",
                         t->name);
    if (end - t->begin != bytes_of(t))
        return flow_fail(err, FLOW_EDATA,
                         "tensor '%.200s': its shape needs %zu bytes, its offsets enclose %zu",
                         t->name, bytes_of(t), end - t->begin);
    return FLOW_OK;
}

static int parse_tensor(file_tensors *self, const char *name, const json_t *entry, flow_err *err)
{
    if (!*name)
        return flow_fail(err, FLOW_EDATA, "a tensor has no name");
    if (!json_is_object(entry) || json_object_size(entry) != 3)
        return flow_fail(err, FLOW_EDATA,
                         "tensor '%.200s' wants dtype, shape and data_offsets, and nothing else",
                         name);
    tensor t = {.name = strdup(name)};
    if (!t.name)
        return flow_fail(err, FLOW_ENOMEM, "no memory");
    int code = parse_dtype(&t, json_object_get(entry, "dtype"), err);
    if (!code)
        code = parse_shape(&t, json_object_get(entry, "shape"), err);
    if (!code)
        code = parse_offsets(&t, json_object_get(entry, "data_offsets"), err);
    if (!code)
        return append(self, &t, err);
    release(&t);
    return code;
}

static int parse_metadata(file_tensors *self, json_t *metadata, flow_err *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata))
        return flow_fail(err, FLOW_EDATA, "'" METADATA "' wants a map of strings");
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return flow_fail(err, FLOW_EDATA, "'" METADATA "': '%.200s' wants a string", key);
    }
    json_decref(self->metadata);
    self->metadata = json_incref(metadata);
    return FLOW_OK;
}

static int parse_header(file_tensors *self, const char *text, size_t len, flow_err *err)
{
    json_error_t why;
    const char *name;
    json_t *entry;
    int code = FLOW_OK;
    if (len == 0 || *text != '{')
        return flow_fail(err, FLOW_EDATA, "its header does not start with '{'");
    json_t *header = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    if (!header)
        return flow_fail(err, FLOW_EDATA, "its header is not the JSON it should be: %s", why.text);
    json_object_foreach(header, name, entry)
    {
        code = strcmp(name, METADATA) == 0 ? parse_metadata(self, entry, err)
                                           : parse_tensor(self, name, entry, err);
        if (code)
            break;
    }
    json_decref(header);
    return code;
}

static int by_begin(const void *a, const void *b)
{
    const tensor *left = a, *right = b;
    if (left->begin != right->begin)
        return left->begin < right->begin ? -1 : 1;
    return (left->count > 0) - (right->count > 0); /* empty ones first */
}

/* Ranges must tile the data: sorted, each begins where the one before ends, the last at len. */
static int load_data(file_tensors *self, const unsigned char *data, size_t len, flow_err *err)
{
    size_t at = 0;
    if (self->count > 0)
        qsort(self->list, self->count, sizeof *self->list, by_begin);
    for (size_t i = 0; i < self->count; i++) {
        tensor *t = &self->list[i];
        size_t bytes = bytes_of(t);
        if (t->begin != at)
            return flow_fail(err, FLOW_EDATA, "tensor '%.200s' begins at byte %zu, not at %zu: %s",
                             t->name, t->begin, at, t->begin > at ? "a gap" : "an overlap");
        if (bytes > len - at)
            return flow_fail(err, FLOW_EDATA, "tensor '%.200s' ends at byte %zu of %zu: cut off",
                             t->name, at + bytes, len);
        t->bytes = malloc(bytes + 1);
        if (!t->bytes)
            return flow_fail(err, FLOW_ENOMEM, "no memory for tensor '%.200s'", t->name);
        memcpy(t->bytes, data + at, bytes);
        at += bytes;
    }
    if (at != len)
        return flow_fail(err, FLOW_EDATA, "%zu bytes follow the last tensor", len - at);
    return FLOW_OK;
}

/* The length of the header, from the first bytes of a file of len bytes. */
static int header_length(const unsigned char *bytes, size_t len, size_t *header, flow_err *err)
{
    if (len < LENGTH_BYTES)
        return flow_fail(err, FLOW_EDATA, "is too short for a safetensors file: %zu bytes", len);
    uint64_t value = 0;
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    if (value > MAX_HEADER || value > len - LENGTH_BYTES)
        return flow_fail(err, FLOW_EDATA,
                         "its header claims %" PRIu64 " bytes; the file has %zu, the limit is %d",
                         value, len - LENGTH_BYTES, MAX_HEADER);
    *header = (size_t)value;
    return FLOW_OK;
}

/* Names in a message come from the file: an error is one line all the same. */
static void make_printable(flow_err *err)
{
    for (char *c = err ? err->text : NULL; c && *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

file_tensors *file_tensors_read_bytes(const void *bytes, size_t len, const char *name,
                                      flow_err *err)
{
    const unsigned char *at = bytes;
    size_t header = 0;
    file_tensors *self = file_tensors_create(err);
    if (!self)
        return NULL;
    if (header_length(at, len, &header, err) == FLOW_OK) {
        const unsigned char *text = at + LENGTH_BYTES, *data = text + header;
        if (parse_header(self, (const char *)text, header, err) == FLOW_OK &&
            load_data(self, data, len - LENGTH_BYTES - header, err) == FLOW_OK)
            return self;
    }
    flow_fail_prefix(err, name);
    make_printable(err);
    file_tensors_free(self);
    return NULL;
}

/* The whole file, to be freed; *len bytes. */
static unsigned char *read_file(const char *path, size_t *len, flow_err *err)
{
    struct stat status;
    unsigned char *bytes = NULL;
    FILE *in = fopen(path, "rb");
    if (!in || fstat(fileno(in), &status) != 0) {
        flow_fail(err, FLOW_ENOINPUT, "%s: cannot be opened: %s", path, strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        flow_fail(err, FLOW_ENOINPUT, "%s: is not a regular file", path);
    } else if (!(bytes = malloc((size_t)status.st_size + 1))) {
        flow_fail(err, FLOW_ENOMEM, "%s: no memory for its %lld bytes", path,
                  (long long)status.st_size);
    } else {
        *len = fread(bytes, 1, (size_t)status.st_size, in);
        if (ferror(in)) {
            flow_fail(err, FLOW_EIO, "%s: cannot be read: %s", path, strerror(errno));
            free(bytes);
            bytes = NULL;
        }
    }
    if (in)
        fclose(in);
    return bytes;
}

file_tensors *file_tensors_read(const char *path, flow_err *err)
{
    size_t len;
    unsigned char *bytes = read_file(path, &len, err);
    if (!bytes)
        return NULL;
    file_tensors *self = file_tensors_read_bytes(bytes, len, path, err);
    free(bytes);
    return self;
}
