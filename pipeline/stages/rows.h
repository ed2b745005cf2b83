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
