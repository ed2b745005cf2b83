#include "files/npy.h"

#include "files/atomic.h"
#include "files/encode.h"
#include "files/npy_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct file_npy_writer {
    file_atomic *file; /* NULL: a stream of the caller */
    FILE *out;
    char *name;
    size_t rows, width, done; /* width = numbers in a row */
    flow_precision precision;
};

/* A multiple of 64 bytes: magic, version 1.0, length, dictionary, spaces, newline. Returns the
 * length. */
static size_t make_header(char bytes[192], size_t rows, size_t cols, flow_precision precision)
{
    char shape[64];
    if (cols > 0)
        snprintf(shape, sizeof shape, "(%zu, %zu)", rows, cols);
    else
        snprintf(shape, sizeof shape, "(%zu,)", rows);
    memset(bytes, ' ', 192);
    memcpy(bytes, MAGIC, MAGIC_LEN);
    int used =
        snprintf(bytes + 10, 182, "{'descr': '<f%zu', 'fortran_order': False, 'shape': %s, }",
                 file_encode_size(precision), shape);
    bytes[10 + used] = ' ';
    size_t len = ((size_t)used + 11 + 63) / 64 * 64;
    bytes[6] = 1;
    bytes[7] = 0;
    bytes[8] = (char)(len - 10);
    bytes[9] = 0;
    bytes[len - 1] = '\n';
    return len;
}

static file_npy_writer *writer_create(const char *name, size_t rows, size_t cols,
                                      flow_precision precision, flow_err *err)
{
    file_npy_writer *self = calloc(1, sizeof *self);
    if (self)
        self->name = strdup(name);
    if (!self || !self->name) {
        free(self);
        flow_fail(err, FLOW_ENOMEM, "%s: no memory to write it", name);
        return NULL;
    }
    self->rows = rows;
    self->width = cols > 0 ? cols : 1;
    self->precision = precision;
    return self;
}

static int write_bytes(file_npy_writer *self, const void *bytes, size_t len, flow_err *err)
{
    if (fwrite(bytes, 1, len, self->out) != len)
        return flow_fail(err, FLOW_EIO, "%s: cannot be written: %s", self->name, file_why(errno));
    return FLOW_OK;
}

static file_npy_writer *writer_start(file_npy_writer *self, size_t cols, flow_err *err)
{
    char header[192];
    size_t len = make_header(header, self->rows, cols, self->precision);
    if (write_bytes(self, header, len, err)) {
        file_npy_discard(self);
        return NULL;
    }
    return self;
}

file_npy_writer *file_npy_open_stream(FILE *out, const char *name, size_t rows, size_t cols,
                                      flow_precision precision, flow_err *err)
{
    file_npy_writer *self = writer_create(name, rows, cols, precision, err);
    if (!self)
        return NULL;
    self->out = out;
    return writer_start(self, cols, err);
}

file_npy_writer *file_npy_open(const char *path, size_t rows, size_t cols, flow_precision precision,
                               flow_err *err)
{
    file_npy_writer *self = writer_create(path, rows, cols, precision, err);
    if (!self)
        return NULL;
    self->file = file_atomic_open(path, err);
    if (!self->file) {
        file_npy_discard(self);
        return NULL;
    }
    self->out = file_atomic_file(self->file);
    return writer_start(self, cols, err);
}

int file_npy_append(file_npy_writer *self, const double *values, size_t n, flow_err *err)
{
    if (n > self->rows - self->done)
        return flow_fail(err, FLOW_EUSAGE, "%s: more than its %zu rows", self->name, self->rows);
    unsigned char bytes[CHUNK * sizeof(double)];
    size_t count = n * self->width, size = file_encode_size(self->precision);
    for (size_t at = 0, part; at < count; at += part) {
        part = count - at < CHUNK ? count - at : CHUNK;
        size_t good = file_encode(bytes, values + at, part, self->precision);
        if (good < part)
            return flow_fail(
                err, FLOW_EDATA,
                "%s: row %zu, column %zu (counted from 0): %g is too large for float32", self->name,
                self->done + (at + good) / self->width, (at + good) % self->width,
                values[at + good]);
        int code = write_bytes(self, bytes, part * size, err);
        if (code)
            return code;
    }
    self->done += n;
    return FLOW_OK;
}

void file_npy_discard(file_npy_writer *self)
{
    if (!self)
        return;
    file_atomic_discard(self->file);
    free(self->name);
    free(self);
}

int file_npy_close(file_npy_writer *self, flow_err *err)
{
    int code = FLOW_OK;
    if (self->done != self->rows) {
        code = flow_fail(err, FLOW_EIO, "%s: %zu of %zu rows were written", self->name, self->done,
                         self->rows);
    } else if (self->file) {
        code = file_atomic_commit(self->file, err);
        self->file = NULL;
    } else if (fflush(self->out) != 0) {
        code = flow_fail(err, FLOW_EIO, "%s: cannot be written: %s", self->name, file_why(errno));
    }
    file_npy_discard(self);
    return code;
}

int file_npy_write(const char *path, const double *values, size_t rows, size_t cols,
                   flow_precision precision, flow_err *err)
{
    file_npy_writer *writer = file_npy_open(path, rows, cols, precision, err);
    if (!writer)
        return err ? err->code : FLOW_ECREATE;
    int code = file_npy_append(writer, values, rows, err);
    if (code) {
        file_npy_discard(writer);
        return code;
    }
    return file_npy_close(writer, err);
}
