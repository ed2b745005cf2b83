/* pipeline/stages/rows.h -- rows of data or of context for a model: the columns of a table matched by the names
 * that the model file holds, their values looked at.
 *
 * By name, in any order. A name of the model that the table lacks is an error, and so is one that the model does
 * not know; the names of the model's other side may be there, too: a table of data and context serves as both.
 * A table without names is taken by position, and so is one whose names are all others, by a model whose own are
 * made up ("x0", "x1", ...: it was trained on a table without names). Then a line on stderr says so. */
#ifndef PIPELINE_STAGES_ROWS_H
#define PIPELINE_STAGES_ROWS_H

#include "files/model.h"
#include "files/read.h"
#include "files/stream.h"

#include <stdbool.h>

typedef struct rows_wanted {
    const json_t *names;  /* (n) */
    const json_t *others; /* names of the model's other side; NULL: it has none */
    const double *ranges; /* (n, 2) what training saw; NULL: not known */
    const flow_units *units;
    size_t n;
} rows_wanted;

rows_wanted rows_of_data(const flow_model *model);
rows_wanted rows_of_context(const flow_model *model);

/* ---- block by block

 * Columns of a table for one side of a model. Rows are looked at in their order, blocks after one another; then they are judged. */
typedef struct rows_columns rows_columns;

/* head: of which table, borrowed like the rest; its values are not looked at. extra as below. FLOW_EDATA names the columns that are missing or unknown. */
rows_columns *rows_match(const file_table *head, const char *source, const rows_wanted *wanted,
                         bool extra, flow_err *err);
void rows_columns_free(rows_columns *self); /* accepts NULL */

/* rows (k, head->cols): the next of them. */
void rows_look(rows_columns *self, const double *rows, size_t k);

/* FLOW_EDATA names the first value that is not finite, with its row and column; warnings and notes as of rows_take. */
int rows_judge(const rows_columns *self, flow_err *err);

/* Looks at all rows of the stream for each of `sides` (n_sides, those that are not NULL), and judges. */
int rows_scan(rows_columns *const *sides, size_t n_sides, file_stream *rows, flow_err *err);

/* to (k, n of the wanted) = rows (k, head->cols). */
void rows_gather(const rows_columns *self, double *to, const double *rows, size_t k);

/* As rows_read, of which no more than a block is in memory. */
file_stream *rows_open(const char *path, file_header header, const rows_wanted *wanted, bool extra,
                       flow_err *err);

/* ---- whole tables */

/* A table from a file, of the columns alone that the model knows, either side, if it names them; *wanted is one of its
 * sides. extra: others are left aside, unread, instead of refused. Tells what was made of the file. */
file_table *rows_read(const char *path, file_header header, const rows_wanted *wanted, bool extra,
                      flow_err *err);

/* Whether the table names all that is wanted. */
bool rows_are_named(const file_table *table, const rows_wanted *wanted);

/* A new table (rows, n) in the model's order, without names; extra as above. FLOW_EDATA names the columns that are missing or unknown, or the first value that
 * is not finite, with its row and column. Warns of values far outside of what training saw: by more than
 * a quarter of the range; nothing is far on a circle. source is what messages call the table. */
int rows_take(file_table **out, const file_table *table, const char *source,
              const rows_wanted *wanted, bool extra, flow_err *err);

#endif
