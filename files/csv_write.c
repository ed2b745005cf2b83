#include "files/csv.h"

#include "files/atomic.h"
#include "files/c_locale.h"
#include "files/csv_number.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct file_csv_writer {
    file_atomic *file; /* NULL: a stream of the caller */
    FILE *out;
    char *name;
    size_t cols;
    int digits;
};

enum { ALL_DIGITS = 17 }; /* reading gives the same bits */

/* Quoted if it could be taken for something else. */
static void write_name(FILE *out, const char *name)
{
    double ignored;
    csv_decimals any = {.commas = true};
    bool plain = !strpbrk(name, ",;\"#") && csv_parse(&ignored, &any, name) == CSV_TEXT;
    if (plain) {
        fputs(name, out);
        return;
    }
    putc('"', out);
    for (; *name; name++) {
        if (*name == '"')
            putc('"', out);
        putc(*name, out);
    }
    putc('"', out);
}

static int check_stream(const file_csv_writer *self, flow_err *err)
{
    if (!ferror(self->out))
        return FLOW_OK;
    return flow_fail(err, FLOW_EIO, "%s: cannot be written: %s", self->name,
                     file_why(errno ? errno : EIO));
}

static file_csv_writer *writer_create(const char *path, FILE *out, const char *name, size_t cols,
                                      const char *const *names, flow_err *err)
{
    if (cols == 0) {
        flow_fail(err, FLOW_EUSAGE, "%s: a table wants columns", name);
        return NULL;
    }
    file_csv_writer *self = calloc(1, sizeof *self);
    if (self)
        self->name = strdup(name);
    if (!self || !self->name) {
        flow_fail(err, FLOW_ENOMEM, "%s: no memory to write it", name);
        goto fail;
    }
    self->cols = cols;
    self->digits = ALL_DIGITS;
    if (path && !(self->file = file_atomic_open(path, err)))
        goto fail;
    self->out = path ? file_atomic_file(self->file) : out;
    for (size_t col = 0; names && col < cols; col++) {
        write_name(self->out, names[col]);
        putc(col + 1 < cols ? ',' : '\n', self->out);
    }
    if (check_stream(self, err) == FLOW_OK)
        return self;
fail:
    file_csv_discard(self);
    return NULL;
}

file_csv_writer *file_csv_open(const char *path, size_t cols, const char *const *names,
                               flow_err *err)
{
    return writer_create(path, NULL, path, cols, names, err);
}

file_csv_writer *file_csv_open_stream(FILE *out, const char *name, size_t cols,
                                      const char *const *names, flow_err *err)
{
    return writer_create(NULL, out, name, cols, names, err);
}

void file_csv_digits(file_csv_writer *self, int digits)
{
    assert(digits >= 1 && digits <= ALL_DIGITS);
    self->digits = digits;
}

int file_csv_append(file_csv_writer *self, const double *values, size_t n, flow_err *err)
{
    c_locale locale = c_locale_enter();
    for (size_t i = 0; i < n * self->cols; i++)
        fprintf(self->out, (i + 1) % self->cols ? "%.*g," : "%.*g\n", self->digits, values[i]);
    c_locale_leave(locale);
    return check_stream(self, err);
}

void file_csv_discard(file_csv_writer *self)
{
    if (!self)
        return;
    file_atomic_discard(self->file);
    free(self->name);
    free(self);
}

int file_csv_close(file_csv_writer *self, flow_err *err)
{
    int code;
    if (self->file) {
        code = file_atomic_commit(self->file, err);
        self->file = NULL;
    } else {
        errno = 0;
        (void)!fflush(self->out); /* sets the stream's error flag */
        code = check_stream(self, err);
    }
    file_csv_discard(self);
    return code;
}

int file_csv_write(const char *path, const double *values, size_t rows, size_t cols,
                   const char *const *names, flow_err *err)
{
    file_csv_writer *writer = file_csv_open(path, cols, names, err);
    if (!writer)
        return err ? err->code : FLOW_ECREATE;
    int code = file_csv_append(writer, values, rows, err);
    if (code) {
        file_csv_discard(writer);
        return code;
    }
    return file_csv_close(writer, err);
}
