#include "teacher/columns.h"

#include "flow/suggest.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *data_column_label(char *label, const file_table *table, size_t col)
{
    return file_column_label(label, table, col);
}

static int fail_unknown(const file_table *table, const char *source, const char *asked,
                        flow_err *err)
{
    if (!table->names)
        return flow_fail(err, FLOW_ECONFIG,
                         "%s: there is no column '%.80s'; its columns have no names, only numbers "
                         "from 0 to %zu",
                         source, asked, table->cols - 1);
    const char *near = flow_suggest(asked, (const char *const *)table->names, table->cols);
    return flow_fail(err, FLOW_ECONFIG, "%s: there is no column '%.80s'%s%.80s%s", source, asked,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int find(size_t *col, const file_table *table, const char *source, const char *asked,
                flow_err *err)
{
    for (*col = 0; table->names && *col < table->cols; ++*col)
        if (strcmp(table->names[*col], asked) == 0)
            return FLOW_OK;
    size_t digits = strspn(asked, "0123456789");
    size_t place = digits > 0 && !asked[digits] ? (size_t)strtoul(asked, NULL, 10) : SIZE_MAX;
    for (*col = 0; *col < table->cols && file_table_place(table, *col) != place; ++*col)
        ;
    return *col < table->cols ? FLOW_OK : fail_unknown(table, source, asked, err);
}

int data_columns_find(size_t *cols, bool *taken, const file_table *table, const char *source,
                      const char *const *asked, size_t n, flow_err *err)
{
    for (size_t i = 0; i < n; i++) {
        size_t col;
        int code = find(&col, table, source, asked[i], err);
        if (code)
            return code;
        if (taken[col])
            return flow_fail(err, FLOW_ECONFIG,
                             "%s: column '%.80s' is asked for twice; a column is modelled, or "
                             "given, or a weight",
                             source, asked[i]);
        taken[col] = true;
        cols[i] = col;
    }
    return FLOW_OK;
}

int data_columns_choose(bool *wanted, const file_table *head, const char *source,
                        const char *const *asked, size_t n, flow_err *err)
{
    for (size_t i = 0; i < n; i++) {
        size_t col;
        int code = find(&col, head, source, asked[i], err);
        if (code)
            return code;
        wanted[col] = true;
    }
    return FLOW_OK;
}

char **data_columns_names(const file_table *table, const size_t *cols, size_t n, flow_err *err)
{
    char **names = calloc(n + 1, sizeof *names);
    for (size_t i = 0; names && i < n; i++) {
        char made_up[32];
        snprintf(made_up, sizeof made_up, "x%zu", file_table_place(table, cols[i]));
        names[i] = strdup(table->names ? table->names[cols[i]] : made_up);
        if (!names[i]) {
            data_columns_names_free(names, i);
            names = NULL;
        }
    }
    if (!names)
        flow_fail(err, FLOW_ENOMEM, "no memory for %zu names", n);
    return names;
}

void data_columns_names_free(char **names, size_t n)
{
    for (size_t i = 0; names && i < n; i++)
        free(names[i]);
    free(names);
}
