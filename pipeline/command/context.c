#include "pipeline/command/context.h"

#include "pipeline/config/number.h"
#include "pipeline/stages/rows.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- from the command line */

/* A file of that name is a file. */
static bool is_inline(const char *given)
{
    return strchr(given, '=') && access(given, F_OK) != 0;
}

static size_t count(const char *text, char c)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == c;
    return n;
}

/* "name=value" into value and, cut off at its last '=', the name. names (n) are those before it. */
static int read_pair(double *value, char *pair, char *const *names, size_t n, flow_err *err)
{
    char *equal = strrchr(pair, '=');
    if (!equal || equal == pair)
        return flow_fail(err, FLOW_EUSAGE, "--context wants name=value, got '%.80s'", pair);
    if (number_parse_real(value, equal + 1) != NUMBER_GOOD)
        return flow_fail(err, FLOW_EUSAGE, "--context: '%.80s' wants a finite number behind '='",
                         pair);
    *equal = '\0';
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], pair) == 0)
            return flow_fail(err, FLOW_EUSAGE, "--context: '%.80s' is given twice", pair);
    return 0;
}

/* names (table->cols) point into text, which is cut to pieces. */
static int read_pairs(file_table *table, char **names, char *text, flow_err *err)
{
    int code = 0;
    for (size_t i = 0; !code && i < table->cols; i++) {
        char *comma = strchr(names[i] = text, ',');
        if (comma)
            *comma = '\0';
        code = read_pair(table->values + i, names[i], names, i, err);
        text = comma ? comma + 1 : text;
    }
    return code ? code : file_table_set_names(table, (const char *const *)names, err);
}

/* A table of one row. */
static file_table *read_inline(const char *given, flow_err *err)
{
    file_table *table = file_table_create(1, count(given, ',') + 1, err);
    char *text = strdup(given), **names = table ? calloc(table->cols, sizeof *names) : NULL;
    int code = table && text && names ? read_pairs(table, names, text, err)
                                      : flow_fail(err, FLOW_ENOMEM, "out of memory for a context");
    free(text);
    free(names);
    if (!code)
        return table;
    file_table_free(table);
    return NULL;
}

/* ---- either */

static int check_rows(const file_table *rows, const char *source, size_t n, flow_err *err)
{
    if (n == CONTEXT_ANY && rows->rows == 0)
        return flow_fail(err, FLOW_EDATA, "%s: no rows of context", source);
    if (n != CONTEXT_ANY && rows->rows != n && rows->rows != 1)
        return flow_fail(err, FLOW_EDATA,
                         "%s: %zu rows of context for %zu rows; give as many, or one for all",
                         source, rows->rows, n);
    return 0;
}

/* Whether there is a context where one is wanted, and none where none is. */
static int check_given(const rows_wanted *wanted, const char *given, const char *model_path,
                       flow_err *err)
{
    if (wanted->n == 0 && given)
        return flow_fail(err, FLOW_EUSAGE, "%s: the model has no context, so --context has no use",
                         model_path);
    if (wanted->n > 0 && !given)
        return flow_fail(err, FLOW_EUSAGE,
                         "%s: a conditional model: give --context FILE, or name=value,..., with "
                         "%zu columns",
                         model_path, wanted->n);
    return 0;
}

static int open_rows(context_rows *out, const rows_wanted *wanted, const context_options *options,
                     flow_err *err)
{
    const char *given = options->given;
    bool here = is_inline(given);
    out->source = here ? "--context" : given;
    if (!here)
        out->rows = rows_open(given, options->header, wanted, options->extra, err);
    else if ((out->own = read_inline(given, err)))
        out->rows = file_stream_of_table(out->own, err);
    return out->rows ? 0 : err->code;
}

int context_open(context_rows *out, const flow_model *model, const char *model_path,
                 const context_options *options, size_t n, flow_err *err)
{
    const rows_wanted wanted = rows_of_context(model);
    *out = (context_rows){.rows = NULL};
    int code = check_given(&wanted, options->given, model_path, err);
    if (code || wanted.n == 0)
        return code;
    code = open_rows(out, &wanted, options, err);
    if (!code)
        code = check_rows(file_stream_head(out->rows), out->source, n, err);
    if (code)
        context_close(out);
    return code;
}

void context_close(context_rows *self)
{
    file_stream_free(self->rows);
    file_table_free(self->own);
    *self = (context_rows){.rows = NULL};
}

/* ---- all of them */

/* *out (n, C) = all rows, which were looked at and are good. */
static int gather(file_table **out, const rows_columns *columns, file_stream *rows, size_t cols,
                  flow_err *err)
{
    const double *block;
    size_t n = 1, at = 0;
    *out = file_table_create(file_stream_head(rows)->rows, cols, err);
    int code = *out ? 0 : err->code;
    for (file_stream_rewind(rows); !code && n > 0; at += n) {
        code = file_stream_next(rows, &block, &n, err);
        if (!code)
            rows_gather(columns, (*out)->values + at * cols, block, n);
    }
    return code;
}

int context_load(file_table **out, const flow_model *model, const char *model_path,
                 const context_options *options, size_t n, flow_err *err)
{
    const rows_wanted wanted = rows_of_context(model);
    context_rows from;
    *out = NULL;
    int code = context_open(&from, model, model_path, options, n, err);
    if (code || !from.rows)
        return code;
    rows_columns *columns =
        rows_match(file_stream_head(from.rows), from.source, &wanted, options->extra, err);
    code = columns ? rows_scan(&columns, 1, from.rows, err) : err->code;
    if (!code)
        code = gather(out, columns, from.rows, wanted.n, err);
    rows_columns_free(columns);
    context_close(&from);
    return code;
}
