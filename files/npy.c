#include "files/npy.h"

#include "files/atomic.h"
#include "files/encode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    MAGIC_LEN = 6,
    MAX_HEADER = 1 << 20, /* bytes; NumPy's own headers have about 100 */
    CHUNK = 4096          /* numbers converted at a time */
};
static const char MAGIC[MAGIC_LEN + 1] = "\x93NUMPY";

/* ---- the header, a Python dictionary: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }
 *
 * Each parse_ function moves the cursor behind what it understood, or returns false. */

typedef struct cursor {
    const char *at, *end;
} cursor;

typedef struct span {
    const char *at;
    int len;
} span;

typedef struct npy_header {
    span descr, shape_text; /* inside the text of the header */
    bool quoted;            /* descr is a string, not the list that describes a structured type */
    bool fortran, has_fortran;
    size_t rank, shape[2];
    /* what check_header concludes */
    flow_precision precision;
    size_t rows, cols, count; /* count = rows * cols */
} npy_header;

static void skip_space(cursor *in)
{
    while (in->at < in->end && *in->at == ' ')
        in->at++;
}

static bool parse_char(cursor *in, char c)
{
    skip_space(in);
    if (in->at == in->end || *in->at != c)
        return false;
    in->at++;
    return true;
}

static bool parse_word(cursor *in, const char *word)
{
    size_t len = strlen(word);
    skip_space(in);
    if ((size_t)(in->end - in->at) < len || memcmp(in->at, word, len) != 0)
        return false;
    in->at += len;
    return true;
}

/* 'text' or "text", without escapes. */
static bool parse_string(cursor *in, span *text)
{
    skip_space(in);
    if (in->at == in->end || (*in->at != '\'' && *in->at != '"'))
        return false;
    char quote = *in->at++;
    text->at = in->at;
    while (in->at < in->end && *in->at != quote && *in->at != '\\')
        in->at++;
    if (in->at == in->end || *in->at != quote)
        return false;
    text->len = (int)(in->at++ - text->at);
    return true;
}

static bool parse_size(cursor *in, size_t *value)
{
    skip_space(in);
    const char *start = in->at;
    for (*value = 0; in->at < in->end && *in->at >= '0' && *in->at <= '9'; in->at++)
        if (__builtin_mul_overflow(*value, (size_t)10, value) ||
            __builtin_add_overflow(*value, (size_t)(*in->at - '0'), value))
            return false;
    return in->at > start;
}

/* (), (3,), (3, 4), (3, 4, 5); numbers after the second are counted only. */
static bool parse_shape(cursor *in, npy_header *header)
{
    skip_space(in);
    header->shape_text.at = in->at;
    if (!parse_char(in, '('))
        return false;
    while (!parse_char(in, ')')) {
        size_t value;
        if (!parse_size(in, &value))
            return false;
        if (header->rank < 2)
            header->shape[header->rank] = value;
        header->rank++;
        skip_space(in);
        bool last = in->at < in->end && *in->at == ')';
        if (last ? header->rank == 1 : !parse_char(in, ','))
            return false; /* (3) is a number in Python, not a tuple */
    }
    header->shape_text.len = (int)(in->at - header->shape_text.at);
    return true;
}

static bool parse_descr(cursor *in, npy_header *header)
{
    skip_space(in);
    if (in->at == in->end || *in->at != '[')
        return header->quoted = parse_string(in, &header->descr);
    /* A structured type: refused later, so only its end is of interest. */
    header->descr.at = in->at;
    int depth = 0;
    do {
        depth += (*in->at == '[') - (*in->at == ']');
        in->at++;
    } while (depth > 0 && in->at < in->end);
    header->descr.len = (int)(in->at - header->descr.at);
    return depth == 0;
}

static bool span_is(span text, const char *word)
{
    return (size_t)text.len == strlen(word) && memcmp(text.at, word, (size_t)text.len) == 0;
}

static bool parse_entry(cursor *in, npy_header *header)
{
    span key;
    if (!parse_string(in, &key) || !parse_char(in, ':'))
        return false;
    if (span_is(key, "descr"))
        return !header->descr.at && parse_descr(in, header);
    if (span_is(key, "shape"))
        return !header->shape_text.at && parse_shape(in, header);
    if (!span_is(key, "fortran_order") || header->has_fortran)
        return false;
    header->has_fortran = true;
    header->fortran = parse_word(in, "True");
    return header->fortran || parse_word(in, "False");
}

/* The whole dictionary: three keys in any order, each once; then spaces and one newline. */
static bool parse_header(npy_header *header, const char *text, size_t len)
{
    *header = (npy_header){0};
    if (len > 0 && text[len - 1] == '\n')
        len--;
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false; /* so that parts of it can be shown in a message */
    cursor in = {text, text + len};
    if (!parse_char(&in, '{'))
        return false;
    while (!parse_char(&in, '}'))
        if (!parse_entry(&in, header) ||
            (!parse_char(&in, ',') && (in.at == in.end || *in.at != '}')))
            return false;
    skip_space(&in);
    return in.at == in.end && header->descr.at && header->shape_text.at && header->has_fortran;
}

/* ---- reading */

static const char *ending_of(FILE *in)
{
    return ferror(in) ? strerror(errno) : "the file ends too early";
}

/* Bytes from here to the end of a regular file; SIZE_MAX if that cannot be known (a pipe). */
static size_t bytes_left(FILE *in)
{
    struct stat status;
    int fd = fileno(in);
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return SIZE_MAX;
    off_t here = ftello(in);
    return here < 0 || here > status.st_size ? SIZE_MAX : (size_t)(status.st_size - here);
}

/* The text of the header, to be freed; the stream is then at the first number. */
static char *read_header_text(FILE *in, const char *name, size_t *len, flow_err *err)
{
    unsigned char fixed[MAGIC_LEN + 2], size[4] = {0};
    if (fread(fixed, 1, sizeof fixed, in) != sizeof fixed || memcmp(fixed, MAGIC, MAGIC_LEN) != 0) {
        flow_fail(err, FLOW_EDATA, "%s: not a .npy file: it does not start with \\x93NUMPY", name);
        return NULL;
    }
    unsigned major = fixed[MAGIC_LEN], minor = fixed[MAGIC_LEN + 1];
    if (major < 1 || major > 3 || minor != 0) {
        flow_fail(err, FLOW_EDATA, "%s: .npy format %u.%u is not known; 1.0, 2.0 and 3.0 are", name,
                  major, minor);
        return NULL;
    }
    size_t size_len = major == 1 ? 2 : 4;
    bool good = fread(size, 1, size_len, in) == size_len;
    *len = (size_t)size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
    if (good && *len > MAX_HEADER) {
        flow_fail(err, FLOW_EDATA, "%s: the header claims %zu bytes; %d are the limit", name, *len,
                  MAX_HEADER);
        return NULL;
    }
    char *text = good ? malloc(*len + 1) : NULL;
    if (good && !text) {
        flow_fail(err, FLOW_ENOMEM, "%s: no memory for its header", name);
        return NULL;
    }
    if (!good || fread(text, 1, *len, in) != *len) {
        flow_fail(err, FLOW_EDATA, "%s: the header cannot be read: %s", name, ending_of(in));
        free(text);
        return NULL;
    }
    return text;
}

static int check_dtype(npy_header *header, const char *name, flow_err *err)
{
    span descr = header->descr;
    int shown = descr.len < 80 ? descr.len : 80;
    if (!header->quoted)
        return flow_fail(err, FLOW_EDATA,
                         "%s: holds a structured array, %.*s; save its columns as one matrix: "
                         "numpy.lib.recfunctions.structured_to_unstructured(x)",
                         name, shown, descr.at);
    header->precision = span_is(descr, "<f4") ? FLOW_F32 : FLOW_F64;
    if (header->precision == FLOW_F32 || span_is(descr, "<f8"))
        return FLOW_OK;
    return flow_fail(err, FLOW_EDATA,
                     "%s: dtype '%.*s'%s is not supported; save it as little-endian float64: "
                     "numpy.save(file, x.astype('<f8'))",
                     name, shown, descr.at,
                     descr.len > 0 && *descr.at == '>' ? " (big-endian)" : "");
}

static int check_header(npy_header *header, const char *name, flow_err *err)
{
    int code = check_dtype(header, name, err);
    if (code)
        return code;
    int shown = header->shape_text.len < 80 ? header->shape_text.len : 80;
    const char *shape = header->shape_text.at;
    if (header->rank < 1 || header->rank > 2)
        return flow_fail(err, FLOW_EDATA, "%s: shape %.*s; wanted (rows,) or (rows, columns)", name,
                         shown, shape);
    if (header->fortran)
        return flow_fail(err, FLOW_EDATA,
                         "%s: is in Fortran order; save it in C order: "
                         "numpy.save(file, numpy.ascontiguousarray(x))",
                         name);
    header->rows = header->shape[0];
    header->cols = header->rank == 2 ? header->shape[1] : 1;
    if (header->cols == 0)
        return flow_fail(err, FLOW_EDATA, "%s: shape %.*s has no columns", name, shown, shape);
    size_t bytes;
    if (__builtin_mul_overflow(header->rows, header->cols, &header->count) ||
        __builtin_mul_overflow(header->count, sizeof(double), &bytes))
        return flow_fail(err, FLOW_EDATA, "%s: shape %.*s is too large", name, shown, shape);
    return FLOW_OK;
}

/* Makes room for one more chunk; grows with what has been read, never ahead of it by more than
 * twice. In a file of known size the first step is the last. */
static int make_room(file_table *table, size_t *room, size_t done, size_t count, flow_err *err)
{
    size_t wanted = count - done < CHUNK ? count : done + CHUNK;
    if (wanted <= *room)
        return FLOW_OK;
    wanted = count / 2 < *room ? count : wanted > *room * 2 ? wanted : *room * 2;
    double *values = realloc(table->values, wanted * sizeof *values);
    if (!values)
        return flow_fail(err, FLOW_ENOMEM, "no memory for %zu numbers", wanted);
    table->values = values;
    *room = wanted;
    return FLOW_OK;
}

/* The numbers and nothing behind them. room: how many table->values can hold already. */
static int read_values(FILE *in, file_table *table, size_t room, const npy_header *header,
                       flow_err *err)
{
    unsigned char bytes[CHUNK * sizeof(double)];
    size_t size = file_encode_size(header->precision), count = header->count;
    for (size_t done = 0, n; done < count; done += n) {
        n = count - done < CHUNK ? count - done : CHUNK;
        int code = make_room(table, &room, done, count, err);
        if (code)
            return code;
        size_t got = fread(bytes, size, n, in);
        if (got != n)
            return flow_fail(err, FLOW_EDATA, "%zu numbers of the %zu its header promises: %s",
                             done + got, count, ending_of(in));
        file_decode(table->values + done, bytes, n, header->precision);
    }
    if (getc(in) != EOF)
        return flow_fail(err, FLOW_EDATA, "has bytes behind the %zu numbers its header promises",
                         count);
    return FLOW_OK;
}

static file_table *read_table(FILE *in, const char *name, const npy_header *header, flow_err *err)
{
    size_t left = bytes_left(in), wanted = header->count * file_encode_size(header->precision);
    bool known = left != SIZE_MAX;
    if (known && left != wanted) {
        flow_fail(err, FLOW_EDATA, "%s: its header promises %zu bytes of numbers, but %zu follow",
                  name, wanted, left);
        return NULL;
    }
    file_table *table = file_table_create(known ? header->rows : 0, header->cols, err);
    if (!table)
        return NULL;
    if (read_values(in, table, known ? header->count : 0, header, err)) {
        flow_fail_prefix(err, name);
        file_table_free(table);
        return NULL;
    }
    table->rows = header->rows;
    return table;
}

/* head: only the header. */
static file_table *read_stream(FILE *in, const char *name, bool head, flow_err *err)
{
    file_table *table = NULL;
    npy_header header;
    size_t len;
    char *text = read_header_text(in, name, &len, err);
    if (!text)
        return NULL;
    if (!parse_header(&header, text, len))
        flow_fail(err, FLOW_EDATA,
                  "%s: its header is not a dictionary of descr, fortran_order and shape", name);
    else if (check_header(&header, name, err) == FLOW_OK)
        table = head ? file_table_create(0, header.cols, err) : read_table(in, name, &header, err);
    free(text);
    return table;
}

file_table *file_npy_read_stream(FILE *in, const char *name, flow_err *err)
{
    return read_stream(in, name, false, err);
}

static file_table *read_path(const char *path, bool head, flow_err *err)
{
    struct stat status;
    FILE *in = fopen(path, "rb");
    if (!in) {
        flow_fail(err, FLOW_ENOINPUT, "%s: cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    file_table *table = NULL;
    if (fstat(fileno(in), &status) == 0 && S_ISDIR(status.st_mode))
        flow_fail(err, FLOW_ENOINPUT, "%s: is a directory", path);
    else
        table = read_stream(in, path, head, err);
    fclose(in);
    return table;
}

file_table *file_npy_read(const char *path, flow_err *err)
{
    return read_path(path, false, err);
}

file_table *file_npy_read_head(const char *path, flow_err *err)
{
    return read_path(path, true, err);
}

/* ---- writing */

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
        return flow_fail(err, FLOW_EIO, "%s: cannot be written: %s", self->name, strerror(errno));
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
        code = flow_fail(err, FLOW_EIO, "%s: cannot be written: %s", self->name, strerror(errno));
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
