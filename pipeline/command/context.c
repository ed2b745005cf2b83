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

int context_load(file_table **out, const flow_model *model, const char *model_path,
                 const context_options *options, size_t n, flow_err *err)
{
    const rows_wanted wanted = rows_of_context(model);
    const char *given = options->given;
    *out = NULL;
    if (wanted.n == 0 && given)
        return flow_fail(err, FLOW_EUSAGE, "%s: the model has no context, so --context has no use",
                         model_path);
    if (wanted.n == 0)
        return 0;
    if (!given)
        return flow_fail(err, FLOW_EUSAGE,
                         "%s: a conditional model: give --context FILE, or name=value,..., with "
                         "%zu columns",
                         model_path, wanted.n);
    bool here = is_inline(given);
    const char *source = here ? "--context" : given;
    file_table *table = here ? read_inline(given, err)
                             : rows_read(given, options->header, &wanted, options->extra, err);
    int code = table ? check_rows(table, source, n, err) : err->code;
    if (!code)
        code = rows_take(out, table, source, &wanted, options->extra, err);
    file_table_free(table);
    return code;
}
