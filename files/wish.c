#include "files/wish.h"

#include "files/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int file_name_check(const char *name, size_t col, flow_err *err)
{
    const char *bad = file_not_utf8(name);
    if (bad)
        return flow_fail(
            err, FLOW_EDATA,
            "the name of column %zu (counted from 0) is not UTF-8 (byte 0x%02x at %zu); "
            "if the file is Latin-1, iconv -f latin1 -t utf-8 FILE converts it",
            col, (unsigned char)*bad, (size_t)(bad - name));
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return flow_fail(err, FLOW_EDATA,
                             "the name of column %zu (counted from 0) holds a control character",
                             col);
    return FLOW_OK;
}

typedef struct named {
    const char *name;
    bool wanted;
} named;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

/* The same name twice would make a column impossible to ask for. */
static int check_twice(const file_table *table, const bool *wanted, flow_err *err)
{
    int code = FLOW_OK;
    named *list = calloc(table->cols, sizeof *list);
    if (!list)
        return flow_fail(err, FLOW_ENOMEM, "no memory for %zu names", table->cols);
    for (size_t col = 0; col < table->cols; col++)
        list[col] = (named){table->names[col], wanted[col]};
    qsort(list, table->cols, sizeof *list, by_name);
    for (size_t i = 1; i < table->cols && !code; i++)
        if ((list[i - 1].wanted || list[i].wanted) && by_name(&list[i - 1], &list[i]) == 0 &&
            *list[i].name)
            code = flow_fail(err, FLOW_EDATA,
                             "two columns are named '%.80s'; rename one, or ask for "
                             "other columns",
                             list[i].name);
    free(list);
    return code;
}

static int check_names(const file_table *table, const bool *wanted, flow_err *err)
{
    int code = FLOW_OK;
    for (size_t col = 0; table->names && col < table->cols && !code; col++)
        if (wanted[col])
            code = file_name_check(table->names[col], col, err);
    return code || !table->names ? code : check_twice(table, wanted, err);
}

/* A column without a name that is wanted by its number is called by it, "x3". */
static int name_unnamed(file_table *table, const bool *wanted, flow_err *err)
{
    char made_up[32];
    for (size_t col = 0; table->names && col < table->cols; col++) {
        if (!wanted[col] || *table->names[col])
            continue;
        snprintf(made_up, sizeof made_up, "x%zu", col);
        char *name = strdup(made_up);
        if (!name)
            return flow_fail(err, FLOW_ENOMEM, "no memory for a name");
        free(table->names[col]);
        table->names[col] = name;
    }
    return FLOW_OK;
}

/* Tells of columns left out for want of a name, when nothing but them was. */
static void note_unnamed(file_table *table, const bool *wanted)
{
    size_t unnamed = table->cols;
    for (size_t col = 0; table->names && col < table->cols; col++) {
        if (!wanted[col] && *table->names[col])
            return;
        if (!wanted[col] && unnamed == table->cols)
            unnamed = col;
    }
    if (unnamed < table->cols)
        file_table_note(table, "column %zu (counted from 0) has no name and is left out", unnamed);
}

/* Moves the wanted columns together. */
static void keep(file_table *table, size_t *slots, size_t *places, const bool *wanted)
{
    size_t kept = 0;
    for (size_t col = 0; col < table->cols; col++) {
        slots[col] = wanted[col] ? kept : FILE_UNWANTED;
        if (table->names && !wanted[col])
            free(table->names[col]);
        else if (table->names)
            table->names[kept] = table->names[col];
        if (wanted[col])
            places[kept++] = col;
    }
    table->cols = kept;
    table->places = places;
}

static int check(file_table *table, const bool *wanted, flow_err *err)
{
    size_t n = 0;
    for (size_t col = 0; col < table->cols; col++)
        n += wanted[col];
    if (n == 0)
        return flow_fail(err, FLOW_EDATA, "no column has a name");
    int code = check_names(table, wanted, err);
    return code ? code : name_unnamed(table, wanted, err);
}

static int choose(const file_wish *self, bool *wanted, file_table *table, const char *where,
                  flow_err *err)
{
    for (size_t col = 0; col < table->cols; col++)
        wanted[col] = !table->names || *table->names[col];
    int code = self->choose ? self->choose(wanted, table, self->asker, err) : FLOW_OK;
    if (code)
        return code; /* says itself what it is about */
    code = check(table, wanted, err);
    return code ? flow_fail_prefix(err, where) : FLOW_OK;
}

int file_wish_apply(const file_wish *self, size_t **slots, file_table *table, const char *where,
                    flow_err *err)
{
    bool *wanted = calloc(table->cols, sizeof *wanted);
    size_t *places = calloc(table->cols, sizeof *places);
    *slots = calloc(table->cols, sizeof **slots);
    int code =
        wanted && places && *slots
            ? choose(self, wanted, table, where, err)
            : flow_fail(err, FLOW_ENOMEM, "%s: no memory for %zu columns", where, table->cols);
    if (code) {
        free(*slots);
        free(places);
        *slots = NULL;
    } else {
        note_unnamed(table, wanted);
        keep(table, *slots, places, wanted);
    }
    free(wanted);
    return code;
}
