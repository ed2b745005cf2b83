/* files/safetensors_read.c -- a safetensors file, taken as hostile. */
#include "files/safetensors.h"

#include "files/safetensors_set.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The errors name the tensor; the entry points put the file in front. */

/* A whole number >= 0 that a size_t holds. */
static bool get_size(const json_t *value, size_t *out)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (uintmax_t)number > SIZE_MAX)
        return false;
    *out = (size_t)number;
    return true;
}

static int parse_shape(file_tensor *t, const json_t *shape, flow_err *err)
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
    if (!file_tensor_measure(t))
        return flow_fail(err, FLOW_EDATA, "tensor '%.200s': its shape is too large", t->name);
    return FLOW_OK;
}

static int parse_dtype(file_tensor *t, const json_t *dtype, flow_err *err)
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

static int parse_offsets(file_tensor *t, const json_t *offsets, flow_err *err)
{
    size_t end;
    if (json_array_size(offsets) != 2 || !get_size(json_array_get(offsets, 0), &t->begin) ||
        !get_size(json_array_get(offsets, 1), &end) || end < t->begin)
        return flow_fail(err, FLOW_EDATA,
                         "tensor '%.200s': 'data_offsets' wants [begin, end], 0 <= begin <= end",
                         t->name);
    if (end - t->begin != file_tensor_bytes(t))
        return flow_fail(err, FLOW_EDATA,
                         "tensor '%.200s': its shape needs %zu bytes, its offsets enclose %zu",
                         t->name, file_tensor_bytes(t), end - t->begin);
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
    file_tensor t = {.name = strdup(name)};
    if (!t.name)
        return flow_fail(err, FLOW_ENOMEM, "no memory");
    int code = parse_dtype(&t, json_object_get(entry, "dtype"), err);
    if (!code)
        code = parse_shape(&t, json_object_get(entry, "shape"), err);
    if (!code)
        code = parse_offsets(&t, json_object_get(entry, "data_offsets"), err);
    if (!code)
        return file_tensors_append(self, &t, err);
    file_tensor_release(&t);
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
    const file_tensor *left = a, *right = b;
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
        file_tensor *t = &self->list[i];
        size_t bytes = file_tensor_bytes(t);
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

/* No header is so long that all bytes of its length are letters. */
static int is_text(const unsigned char *bytes)
{
    int text = 1;
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        text &= bytes[i] >= ' ' || bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\t';
    return text && bytes[0] < 0x7f;
}

/* The length of the header, from the first bytes of a file of len bytes. */
static int header_length(const unsigned char *bytes, size_t len, size_t *header, flow_err *err)
{
    if (len < LENGTH_BYTES)
        return flow_fail(err, FLOW_EDATA, "is too short for a safetensors file: %zu bytes", len);
    if (is_text(bytes))
        return flow_fail(err, FLOW_EDATA, "is no model file (safetensors): it begins as text does");
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
