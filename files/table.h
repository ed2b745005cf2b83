/* files/table.h -- numbers in rows and columns, as a data file holds them. */
#ifndef FILES_TABLE_H
#define FILES_TABLE_H

#include "flow/err.h"

#include <stddef.h>

enum { FILE_NOTE_SIZE = 320, FILE_LABEL_SIZE = 160 };

typedef struct file_table {
    double *values; /* (rows, cols), row-major */
    size_t rows, cols;
    char **names;      /* (cols) names of the columns, or NULL: the file has none */
    size_t *places;    /* (cols) where they stand in the file, counted from 0; NULL: 0, 1, 2, ... */
    size_t first_line; /* row i is line first_line + i of a text; 0: rows are not lines like that */
    char note[FILE_NOTE_SIZE]; /* what was made of the file that may surprise its owner; or "" */
} file_table;

/* Values are not set, names and places are NULL. cols >= 1; rows may be 0. */
file_table *file_table_create(size_t rows, size_t cols, flow_err *err);
void file_table_free(file_table *self);

/* Copies the (cols) names; those it had are freed. After a failure it has none. */
int file_table_set_names(file_table *self, const char *const *names, flow_err *err);

/* Where column col stands in the file, counted from 0. */
size_t file_table_place(const file_table *self, size_t col);

/* One more thing that may surprise; what there is no room for is left out. */
__attribute__((format(printf, 2, 3))) void file_table_note(file_table *self, const char *fmt, ...);

/* "column 3 'price' (counted from 0)" and "row 4 (line 6)", for messages; both return label. */
const char *file_column_label(char label[FILE_LABEL_SIZE], const file_table *table, size_t col);
const char *file_row_label(char label[FILE_LABEL_SIZE], const file_table *table, size_t row);

#endif
