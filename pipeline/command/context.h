/* pipeline/command/context.h -- the rows of context that a conditional model needs: from a file, or one row from the
 * command line. */
#ifndef PIPELINE_COMMAND_CONTEXT_H
#define PIPELINE_COMMAND_CONTEXT_H

#include "files/csv.h"
#include "files/model.h"
#include "files/stream.h"

#include <stdbool.h>
#include <stdint.h>

/* n: any number of rows, one at least. */
#define CONTEXT_ANY SIZE_MAX

/* What the options of a verb say of context. */
typedef struct context_options {
    const char *given; /* a file, or "name=value,name=value"; NULL: none was given */
    file_header header;
    bool extra; /* columns that the model does not know are left out (rows.h) */
} context_options;

/* Rows for n rows of something: n, or 1, which then holds for all of them; *out NULL where the model
 * wants none. Columns and values as rows_take has them. model_path is for messages. */
int context_load(file_table **out, const flow_model *model, const char *model_path,
                 const context_options *options, size_t n, flow_err *err);

/* The same block by block, of rows that are not matched yet. *rows NULL: the model wants none. *source is what messages call it. own: what
 * the rows are of, if they are not of a file; free it after them. */
typedef struct context_rows {
    file_stream *rows;
    file_table *own;
    const char *source;
} context_rows;

int context_open(context_rows *out, const flow_model *model, const char *model_path,
                 const context_options *options, size_t n, flow_err *err);
void context_close(context_rows *self); /* accepts one that is all zero */

#endif
