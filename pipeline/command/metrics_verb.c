#include "pipeline/command/metrics_verb.h"

#include "flow/json.h"
#include "flow/suggest.h"
#include "pipeline/command/run_files.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/json_print.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDE = 13, MOST = 64 };

/* ---- columns: of every row that is printed together, in the order in which they come */

typedef struct columns {
    size_t n;
    const char *names[MOST];
} columns;

static bool has(const columns *self, const char *name)
{
    for (size_t i = 0; i < self->n; i++)
        if (strcmp(self->names[i], name) == 0)
            return true;
    return false;
}

static void add_columns(columns *self, const json_t *rows)
{
    const char *name;
    json_t *value, *row;
    size_t i;
    json_array_foreach(rows, i, row) json_object_foreach(
        row, name, value) if (self->n < MOST && !has(self, name) && !json_is_array(value))
        self->names[self->n++] = name;
}

/* ---- for people */

static void print_cell(const json_t *value)
{
    char text[40] = "-";
    if (json_is_string(value))
        snprintf(text, sizeof text, "%.32s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(text, sizeof text, "%.6g", json_real_value(value));
    printf(" %*s", WIDE, text);
}

static void print_table(const char *stage, const json_t *rows)
{
    columns all = {.n = 0};
    json_t *row;
    size_t i;
    add_columns(&all, rows);
    printf("%s\n", stage);
    for (size_t c = 0; c < all.n; c++)
        printf(" %*s", WIDE, all.names[c]);
    putchar('\n');
    json_array_foreach(rows, i, row)
    {
        for (size_t c = 0; c < all.n; c++)
            print_cell(json_object_get(row, all.names[c]));
        putchar('\n');
    }
}

/* ---- for programs */

static void print_csv(const json_t *all)
{
    columns of = {.n = 0};
    const char *stage;
    json_t *rows, *row;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)all, stage, rows) add_columns(&of, rows);
    fputs("stage", stdout);
    for (size_t c = 0; c < of.n; c++)
        printf(",%s", of.names[c]);
    putchar('\n');
    json_object_foreach((json_t *)(uintptr_t)all, stage, rows) json_array_foreach(rows, i, row)
    {
        fputs(stage, stdout);
        for (size_t c = 0; c < of.n; c++) {
            putchar(',');
            json_print_field(stdout, json_object_get(row, of.names[c]));
        }
        putchar('\n');
    }
}

/* ---- the whole */

static int check_stage(const char *stage, flow_err *err)
{
    size_t n = 0;
    while (run_files_trained[n] && (!stage || strcmp(run_files_trained[n], stage) != 0))
        n++;
    if (!stage || run_files_trained[n])
        return FLOW_OK;
    const char *near = flow_suggest(stage, run_files_trained, n);
    return flow_fail(err, FLOW_EUSAGE, "stage '%.60s' has no metrics; %s%s%s", stage,
                     near ? "did you mean '" : "there are those of teacher and student",
                     near ? near : "", near ? "'?" : "");
}

/* {stage: rows} of those that there are. */
static json_t *read_all(const metrics_options *o, flow_err *err)
{
    json_t *out = json_object();
    for (const char *const *stage = run_files_trained; *stage && !err->code; stage++) {
        if (o->stage && strcmp(o->stage, *stage) != 0)
            continue;
        json_t *rows = run_files_metrics(o->run, *stage, err);
        if (json_array_size(rows))
            flow_json_set(&out, *stage, rows);
        else
            json_decref(rows);
    }
    if (!err->code && !out)
        flow_fail(err, FLOW_ENOMEM, "out of memory for the metrics of %s", o->run);
    if (!err->code && !json_object_size(out))
        flow_fail(err, FLOW_ENOINPUT, "%s: no metrics are written yet", o->run);
    return out;
}

int metrics_verb(const metrics_options *options)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *all = NULL, *rows;
    const char *stage;
    if (!run_files_check(options->run, &err) && !check_stage(options->stage, &err))
        all = read_all(options, &err);
    if (!err.code && options->form == METRICS_JSON)
        json_print(all, &err);
    else if (!err.code && options->form == METRICS_CSV)
        print_csv(all);
    else if (!err.code)
        json_object_foreach(all, stage, rows) print_table(stage, rows);
    json_decref(all);
    return err.code ? exit_fail(&err) : EXIT_GOOD;
}
