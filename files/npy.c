#include "files/npy.h"

#include "files/npy_format.h"
#include "files/npy_header.h"
#include "files/spool.h"
#include "files/stream_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

static int fail_size(const char *name, size_t wanted, size_t left, flow_err *err)
{
    return flow_fail(err, FLOW_EDATA,
                     "%s: its header promises %zu bytes of numbers, but %zu follow", name, wanted,
                     left);
}

/* The next n <= CHUNK numbers, of which `done` were read before. */
static int read_chunk(FILE *in, double *numbers, size_t done, size_t n, const npy_header *header,
                      flow_err *err)
{
    unsigned char bytes[CHUNK * sizeof(double)];
    size_t got = fread(bytes, header->dtype.size, n, in);
    if (got != n)
        return flow_fail(err, FLOW_EDATA, "%zu numbers of the %zu its header promises: %s",
                         done + got, header->count, ending_of(in));
    npy_decode(numbers, bytes, n, &header->dtype);
    return FLOW_OK;
}

static int check_end(FILE *in, size_t count, flow_err *err)
{
    return getc(in) == EOF
               ? FLOW_OK
               : flow_fail(err, FLOW_EDATA, "has bytes behind the %zu numbers its header promises",
                           count);
}

/* ---- into a table */

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
    double numbers[CHUNK];
    size_t count = self->header->count;
    for (size_t done = 0, n; done < count; done += n) {
        n = count - done < CHUNK ? count - done : CHUNK;
        int code = read_chunk(in, numbers, done, n, self->header, err);
        if (!code)
            code = store(self, numbers, done, n, err);
        if (code)
            return code;
    }
    return check_end(in, count, err);
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
        return fail_size(name, wanted, left, err);
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
    npy_header header;
    if (npy_header_read(&header, in, name, err))
        return NULL;
    return read_table(in, name, &header, wish, err);
}

static FILE *open_file(const char *path, flow_err *err)
{
    struct stat status;
    FILE *in = fopen(path, "rb");
    if (!in) {
        flow_fail(err, FLOW_ENOINPUT, "%s: cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    if (fstat(fileno(in), &status) != 0 || !S_ISDIR(status.st_mode))
        return in;
    flow_fail(err, FLOW_ENOINPUT, "%s: is a directory", path);
    fclose(in);
    return NULL;
}

file_table *file_npy_read(const char *path, const file_wish *wish, flow_err *err)
{
    FILE *in = open_file(path, err);
    file_table *table = in ? file_npy_read_stream(in, path, wish, err) : NULL;
    if (in)
        fclose(in);
    return table;
}

/* ---- row by row */

typedef struct numbers {
    FILE *in;
    char *name;
    npy_header header;
    off_t start;        /* of the numbers */
    struct stat status; /* as it was opened */
} numbers;

static void free_numbers(void *arg)
{
    numbers *self = arg;
    if (self->in)
        fclose(self->in);
    free(self->name);
    free(self);
}

static bool is_changed(const numbers *self)
{
    struct stat now;
    const struct timespec *then = &self->status.st_mtim;
    return fstat(fileno(self->in), &now) != 0 || now.st_size != self->status.st_size ||
           now.st_mtim.tv_sec != then->tv_sec || now.st_mtim.tv_nsec != then->tv_nsec;
}

static int seek(const numbers *self, size_t first, flow_err *err)
{
    off_t at = self->start + (off_t)(first * self->header.dtype.size);
    if (first == 0 && is_changed(self))
        return flow_fail(err, FLOW_EDATA, "%s: was changed while it was read", self->name);
    if (ftello(self->in) == at || fseeko(self->in, at, SEEK_SET) == 0)
        return FLOW_OK;
    return flow_fail(err, FLOW_EIO, "%s: cannot be read: %s", self->name, strerror(errno));
}

static int read_from(void *arg, double *to, size_t first, size_t n, flow_err *err)
{
    const numbers *self = arg;
    int code = seek(self, first, err);
    for (size_t done = 0, some; !code && done < n; done += some) {
        some = n - done < CHUNK ? n - done : CHUNK;
        code = read_chunk(self->in, to + done, first + done, some, &self->header, err);
        if (code)
            flow_fail_prefix(err, self->name);
    }
    return code;
}

static int append_all(file_spool *out, const numbers *self, flow_err *err)
{
    double values[CHUNK];
    size_t count = self->header.count;
    for (size_t done = 0, n; done < count; done += n) {
        n = count - done < CHUNK ? count - done : CHUNK;
        int code = read_chunk(self->in, values, done, n, &self->header, err);
        if (!code)
            code = file_spool_append(out, values, n, err);
        if (code)
            return code;
    }
    return check_end(self->in, count, err);
}

/* The numbers of what cannot be read again. */
static int put_by(stream_source *out, const numbers *self, flow_err *err)
{
    file_spool *spool = file_spool_create(err);
    if (!spool)
        return FLOW_ENOMEM;
    *out = stream_source_of_spool(spool, self->header.rows, self->header.cols);
    int code = append_all(spool, self, err);
    if (code)
        file_spool_free(spool);
    return code ? flow_fail_prefix(err, self->name) : FLOW_OK;
}

static int check_size(const numbers *self, flow_err *err)
{
    size_t left = bytes_left(self->in), wanted = self->header.count * self->header.dtype.size;
    return left == SIZE_MAX || left == wanted ? FLOW_OK : fail_size(self->name, wanted, left, err);
}

/* self is the source's then, or used up. */
static int make_source(stream_source *out, numbers *self, flow_err *err)
{
    *out = (stream_source){.arg = self,
                           .read = read_from,
                           .free = free_numbers,
                           .rows = self->header.rows,
                           .cols = self->header.cols};
    int code = S_ISREG(self->status.st_mode) ? check_size(self, err) : put_by(out, self, err);
    out->fortran = self->header.fortran;
    if (code || out->arg != self)
        free_numbers(self);
    return code;
}

static file_stream *make_stream(numbers *self, const file_wish *wish, flow_err *err)
{
    size_t *slots = NULL;
    stream_source source;
    file_table *head = file_table_create(0, self->header.cols, err);
    int code = head ? file_wish_apply(wish, &slots, head, self->name, err) : FLOW_ENOMEM;
    if (code)
        free_numbers(self);
    else
        code = make_source(&source, self, err);
    if (code) {
        file_table_free(head);
        free(slots);
        return NULL;
    }
    source.slots = slots;
    return file_stream_create(head, &source, err);
}

static int open_numbers(numbers *self, const char *path, flow_err *err)
{
    self->in = open_file(path, err);
    if (!self->in)
        return FLOW_ENOINPUT;
    self->name = strdup(path);
    if (!self->name)
        return flow_fail(err, FLOW_ENOMEM, "%s: no memory", path);
    int code = npy_header_read(&self->header, self->in, path, err);
    self->start = ftello(self->in);
    if (!code && fstat(fileno(self->in), &self->status) != 0)
        code = flow_fail(err, FLOW_EIO, "%s: cannot be read: %s", path, strerror(errno));
    return code;
}

file_stream *file_npy_stream(const char *path, const file_wish *wish, flow_err *err)
{
    numbers *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "%s: no memory", path);
        return NULL;
    }
    if (open_numbers(self, path, err) == FLOW_OK)
        return make_stream(self, wish, err);
    free_numbers(self);
    return NULL;
}
