#include "files/stream.h"

#include "files/csv.h"
#include "files/npy.h"
#include "files/stream_source.h"

#include <stdlib.h>

enum {
    MOST_ROWS = 4096,
    NUMBERS = 1 << 17
}; /* of a block: so many rows, or about so many numbers */

struct file_stream {
    file_table *own; /* the head; NULL: it is a table's */
    const file_table *head;
    stream_source source;     /* of own */
    size_t next, rows;        /* the next row; rows of a block */
    double *values, *numbers; /* (rows, head->cols); (rows * cols of the file, or rows) */
};

static size_t rows_of_block(size_t cols)
{
    size_t rows = NUMBERS / cols;
    return rows < 1 ? 1 : rows < MOST_ROWS ? rows : MOST_ROWS;
}

file_stream *file_stream_create(file_table *head, const stream_source *source, flow_err *err)
{
    file_stream *self = calloc(1, sizeof *self);
    size_t rows = rows_of_block(source->cols);
    if (!self) {
        source->free(source->arg);
        free(source->slots);
        file_table_free(head);
        flow_fail(err, FLOW_ENOMEM, "no memory for a block of rows");
        return NULL;
    }
    *self = (file_stream){.own = head, .head = head, .source = *source, .rows = rows};
    head->rows = source->rows;
    free(head->values);
    head->values = NULL;
    self->values = malloc(rows * head->cols * sizeof *self->values);
    if (self->values && (source->slots || source->fortran))
        self->numbers = malloc(rows * (source->fortran ? 1 : source->cols) * sizeof *self->numbers);
    if (self->values && (self->numbers || !(source->slots || source->fortran)))
        return self;
    file_stream_free(self);
    flow_fail(err, FLOW_ENOMEM, "no memory for a block of %zu rows", rows);
    return NULL;
}

file_stream *file_stream_of_table(const file_table *table, flow_err *err)
{
    file_stream *self = calloc(1, sizeof *self);
    if (self)
        *self = (file_stream){.head = table, .rows = rows_of_block(table->cols)};
    else
        flow_fail(err, FLOW_ENOMEM, "no memory for the rows of a table");
    return self;
}

void file_stream_free(file_stream *self)
{
    if (!self)
        return;
    if (self->own)
        self->source.free(self->source.arg);
    free(self->source.slots);
    file_table_free(self->own);
    free(self->values);
    free(self->numbers);
    free(self);
}

const file_table *file_stream_head(const file_stream *self)
{
    return self->head;
}

/* ---- a block */

/* n rows of which some columns are wanted. */
static void pick(file_stream *self, size_t n)
{
    const stream_source *s = &self->source;
    for (size_t i = 0; i < n; i++)
        for (size_t col = 0; col < s->cols; col++)
            if (s->slots[col] != FILE_UNWANTED)
                self->values[i * self->head->cols + s->slots[col]] =
                    self->numbers[i * s->cols + col];
}

static int read_rows(file_stream *self, size_t n, flow_err *err)
{
    const stream_source *s = &self->source;
    double *to = s->slots ? self->numbers : self->values;
    int code = s->read(s->arg, to, self->next * s->cols, n * s->cols, err);
    if (!code && s->slots)
        pick(self, n);
    return code;
}

static int read_columns(file_stream *self, size_t n, flow_err *err)
{
    const stream_source *s = &self->source;
    int code = FLOW_OK;
    for (size_t col = 0; !code && col < s->cols; col++) {
        size_t slot = s->slots ? s->slots[col] : col;
        if (slot == FILE_UNWANTED)
            continue;
        code = s->read(s->arg, self->numbers, col * s->rows + self->next, n, err);
        for (size_t i = 0; !code && i < n; i++)
            self->values[i * self->head->cols + slot] = self->numbers[i];
    }
    return code;
}

int file_stream_next(file_stream *self, const double **rows, size_t *n, flow_err *err)
{
    size_t left = self->head->rows - self->next;
    int code = FLOW_OK;
    *n = left < self->rows ? left : self->rows;
    *rows = self->own ? self->values : self->head->values + self->next * self->head->cols;
    if (*n > 0 && self->own)
        code = self->source.fortran ? read_columns(self, *n, err) : read_rows(self, *n, err);
    self->next = *n > 0 && !code ? self->next + *n : 0;
    return code;
}

void file_stream_rewind(file_stream *self)
{
    self->next = 0;
}

/* ---- numbers that were put by */

static int read_spool(void *arg, double *to, size_t first, size_t n, flow_err *err)
{
    return file_spool_read(arg, to, first, n, err);
}

static void free_spool(void *arg)
{
    file_spool_free(arg);
}

stream_source stream_source_of_spool(file_spool *spool, size_t rows, size_t cols)
{
    return (stream_source){
        .arg = spool, .read = read_spool, .free = free_spool, .rows = rows, .cols = cols};
}
