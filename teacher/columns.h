/* teacher/columns.h -- columns of a table, asked for by name or by number. */
#ifndef TEACHER_COLUMNS_H
#define TEACHER_COLUMNS_H

#include "files/table.h"

#include <stdbool.h>
#include <stddef.h>

/* cols (n) = the columns that asked (n) names: a name of the table, else a number counted from 0, that of the column in
 * the file.
 * Sets taken (table->cols) for each; one that is taken already, or is not there, is FLOW_ECONFIG.
 * source names the table in messages. */
int data_columns_find(size_t *cols, bool *taken, const file_table *table, const char *source,
                      const char *const *asked, size_t n, flow_err *err);

/* For a file_wish: wanted (head->cols) becomes the columns that asked (n) names, all of them there. */
int data_columns_choose(bool *wanted, const file_table *head, const char *source,
                        const char *const *asked, size_t n, flow_err *err);

/* "column 3 'price' (counted from 0)", for messages; returns label. */
enum { DATA_LABEL_SIZE = FILE_LABEL_SIZE };
const char *data_column_label(char *label, const file_table *table, size_t col);

/* The names of cols (n), "x3" for column 3 where the table has none. The array and each string are
 * the caller's to free. */
char **data_columns_names(const file_table *table, const size_t *cols, size_t n, flow_err *err);
void data_columns_names_free(char **names, size_t n); /* accepts NULL */

#endif
