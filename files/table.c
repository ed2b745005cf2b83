#include "files/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

file_table *file_table_create(size_t rows, size_t cols, flow_err *err)
{
    if (cols == 0) {
        flow_fail(err, FLOW_EUSAGE, "a table wants columns");
        return NULL;
    }
    size_t count, bytes;
    if (__builtin_mul_overflow(rows, cols, &count) ||
        __builtin_mul_overflow(count, sizeof(double), &bytes)) {
        flow_fail(err, FLOW_ENOMEM, "a table of %zu x %zu numbers is too large", rows, cols);
        return NULL;
    }
    file_table *self = calloc(1, sizeof *self);
    if (self)
        self->values = malloc(bytes > 0 ? bytes : 1);
    if (!self || !self->values) {
        file_table_free(self);
        flow_fail(err, FLOW_ENOMEM, "no memory for a table of %zu x %zu numbers", rows, cols);
        return NULL;
    }
    self->rows = rows;
    self->cols = cols;
    return self;
}

static void free_names(file_table *self)
{
    for (size_t col = 0; self->names && col < self->cols; col++)
        free(self->names[col]);
    free(self->names);
    self->names = NULL;
}

void file_table_free(file_table *self)
{
    if (!self)
        return;
    free_names(self);
    free(self->places);
    free(self->values);
    free(self);
}

int file_table_set_names(file_table *self, const char *const *names, flow_err *err)
{
    free_names(self);
    self->names = calloc(self->cols, sizeof *self->names);
    if (!self->names)
        return flow_fail(err, FLOW_ENOMEM, "no memory for %zu column names", self->cols);
    for (size_t col = 0; col < self->cols; col++) {
        self->names[col] = strdup(names[col]);
        if (!self->names[col]) {
            free_names(self);
            return flow_fail(err, FLOW_ENOMEM, "no memory for %zu column names", self->cols);
        }
    }
    return FLOW_OK;
}

size_t file_table_place(const file_table *self, size_t col)
{
    return self->places ? self->places[col] : col;
}

void file_table_note(file_table *self, const char *fmt, ...)
{
    size_t used = strlen(self->note);
    va_list args;
    if (used > 0 && used + 2 < sizeof self->note)
        used = (size_t)(stpcpy(self->note + used, "; ") - self->note);
    va_start(args, fmt);
    vsnprintf(self->note + used, sizeof self->note - used, fmt, args);
    va_end(args);
}

const char *file_column_label(char label[FILE_LABEL_SIZE], const file_table *table, size_t col)
{
    const char *name = table->names ? table->names[col] : NULL;
    snprintf(label, FILE_LABEL_SIZE, "column %zu%s%.80s%s (counted from 0)",
             file_table_place(table, col), name ? " '" : "", name ? name : "", name ? "'" : "");
    return label;
}

const char *file_row_label(char label[FILE_LABEL_SIZE], const file_table *table, size_t row)
{
    int used = snprintf(label, FILE_LABEL_SIZE, "row %zu", row);
    if (table->first_line)
        snprintf(label + used, FILE_LABEL_SIZE - (size_t)used, " (line %zu)",
                 table->first_line + row);
    return label;
}
