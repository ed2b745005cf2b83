#include "files/npy.h"

#include "files/npy_dtype.h"
#include "files/npy_format.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_HEADER = 1 << 20 }; /* bytes; NumPy's own headers have about 100 */

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
    npy_dtype dtype;
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
    if (npy_dtype_parse(&header->dtype, descr.at, (size_t)descr.len))
        return FLOW_OK;
    bool is_complex = descr.len > 1 && descr.at[1] == 'c';
    return flow_fail(
        err, FLOW_EDATA, "%s: dtype '%.*s' is not supported; save it as %s", name, shown, descr.at,
        is_complex ? "real columns: numpy.save(file, numpy.column_stack((x.real, x.imag)))"
                   : "float64: numpy.save(file, x.astype('<f8'))");
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

/* Where the numbers of a file go. */
typedef struct sink {
    file_table *table;
    const npy_header *header;
    const size_t *slots; /* (header->cols) of the table; FILE_UNWANTED: dropped */
    size_t room;         /* rows that table->values can hold */
} sink;

/* Makes room for so many rows; grows with what has been read, never ahead of it by more than twice.
 * In a file of known size the first step is the last. */
static int make_room(sink *self, size_t rows, flow_err *err)
{
    file_table *table = self->table;
    size_t all = self->header->rows;
    if (rows <= self->room)
        return FLOW_OK;
    size_t wanted = all / 2 < self->room ? all : rows > self->room * 2 ? rows : self->room * 2;
    double *values = realloc(table->values, wanted * table->cols * sizeof *values);
    if (!values)
        return flow_fail(err, FLOW_ENOMEM, "no memory for %zu numbers", wanted * table->cols);
    table->values = values;
    self->room = wanted;
    return FLOW_OK;
}

/* numbers (n) are those of the file from number `first` on. */
static int store(sink *self, const double *numbers, size_t first, size_t n, flow_err *err)
{
    const npy_header *header = self->header;
    size_t width = header->fortran ? header->rows : header->cols;
    size_t outer = first / width, inner = first % width;
    int code = make_room(self, header->fortran ? header->rows : (first + n - 1) / width + 1, err);
    for (size_t i = 0; !code && i < n; i++) {
        size_t row = header->fortran ? inner : outer, col = header->fortran ? outer : inner;
        size_t slot = self->slots[col];
        if (slot != FILE_UNWANTED)
            self->table->values[row * self->table->cols + slot] = numbers[i];
        if (++inner == width) {
            inner = 0;
            outer++;
        }
    }
    return code;
}

/* The numbers and nothing behind them. */
static int read_values(FILE *in, sink *self, flow_err *err)
{
    unsigned char bytes[CHUNK * sizeof(double)];
    double numbers[CHUNK];
    size_t size = self->header->dtype.size, count = self->header->count;
    for (size_t done = 0, n; done < count; done += n) {
        n = count - done < CHUNK ? count - done : CHUNK;
        size_t got = fread(bytes, size, n, in);
        if (got != n)
            return flow_fail(err, FLOW_EDATA, "%zu numbers of the %zu its header promises: %s",
                             done + got, count, ending_of(in));
        npy_decode(numbers, bytes, n, &self->header->dtype);
        int code = store(self, numbers, done, n, err);
        if (code)
            return code;
    }
    if (getc(in) != EOF)
        return flow_fail(err, FLOW_EDATA, "has bytes behind the %zu numbers its header promises",
                         count);
    return FLOW_OK;
}

/* In Fortran order a pipe says no row before its last column: the numbers are kept, then stored. */
static int read_turned(FILE *in, sink *self, flow_err *err)
{
    npy_header flat = *self->header;
    const size_t slot = 0;
    flat.fortran = false;
    flat.rows = flat.count;
    flat.cols = 1;
    file_table *numbers = file_table_create(0, 1, err);
    if (!numbers)
        return FLOW_ENOMEM;
    int code = read_values(in, &(sink){numbers, &flat, &slot, 0}, err);
    if (!code && flat.count > 0)
        code = store(self, numbers->values, 0, flat.count, err);
    file_table_free(numbers);
    return code;
}

static int read_numbers(FILE *in, sink *self, const char *name, flow_err *err)
{
    const npy_header *header = self->header;
    size_t left = bytes_left(in), wanted = header->count * header->dtype.size;
    bool known = left != SIZE_MAX;
    if (known && left != wanted)
        return flow_fail(err, FLOW_EDATA,
                         "%s: its header promises %zu bytes of numbers, but %zu follow", name,
                         wanted, left);
    int code = known ? make_room(self, header->rows, err) : FLOW_OK;
    if (!code)
        code = header->fortran && !known ? read_turned(in, self, err) : read_values(in, self, err);
    self->table->rows = header->rows;
    return code ? flow_fail_prefix(err, name) : FLOW_OK;
}

static file_table *read_table(FILE *in, const char *name, const npy_header *header,
                              const file_wish *wish, flow_err *err)
{
    size_t *slots = NULL;
    file_table *table = file_table_create(0, header->cols, err);
    int code = table ? file_wish_apply(wish, &slots, table, name, err) : FLOW_ENOMEM;
    if (!code && !wish->head)
        code = read_numbers(in, &(sink){table, header, slots, 0}, name, err);
    free(slots);
    if (!code)
        return table;
    file_table_free(table);
    return NULL;
}

file_table *file_npy_read_stream(FILE *in, const char *name, const file_wish *wish, flow_err *err)
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
        table = read_table(in, name, &header, wish, err);
    free(text);
    return table;
}

file_table *file_npy_read(const char *path, const file_wish *wish, flow_err *err)
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
        table = file_npy_read_stream(in, path, wish, err);
    fclose(in);
    return table;
}
