#include "pipeline/command/sweep_table.h"

#include "flow/json.h"
#include "pipeline/command/run_files.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/json_print.h"
#include "pipeline/stages/stage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const states[] = {[POINT_LEFT] = "left",
                                     [POINT_RUNNING] = "running",
                                     [POINT_DONE] = "done",
                                     [POINT_FAILED] = "failed"};

static const gate_figure usual[] = {GATE_KL_REVERSE, GATE_KL_FORWARD, GATE_ESS_REVERSE,
                                    GATE_ESS_FORWARD};

/* ---- rows */

static json_t *figure_of(const json_t *verdict, const char *key)
{
    json_t *value = run_files_figure(verdict, key);
    return value ? json_incref(value) : json_null();
}

static json_t *row_of(const sweep_list *list, size_t index, flow_err *err)
{
    const sweep_point_of *p = &list->points[index];
    json_t *row = json_object();
    json_t *verdict =
        p->state == POINT_DONE ? run_files_json(p->dir, STAGE_VERDICT, err) : json_null();
    json_t *said = json_object_get(verdict, "verdict");
    const char *metric = gate_figures[list->config->sweep->metric].name;
    bool ended = p->state == POINT_DONE || p->state == POINT_FAILED;
    flow_json_set(&row, "point", json_string(p->name));
    flow_json_set(&row, "dir", json_string(p->dir));
    flow_json_set(&row, "state", json_string(states[p->state]));
    flow_json_set(&row, "code", ended ? json_integer(p->code) : json_null());
    flow_json_set(&row, "verdict", said ? json_incref(said) : json_null());
    flow_json_set(&row, metric, figure_of(verdict, metric));
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        flow_json_set(&row, gate_figures[usual[i]].name,
                      figure_of(verdict, gate_figures[usual[i]].name));
    flow_json_set(&row, "seconds", ended ? json_real(p->seconds) : json_null());
    flow_json_set(&row, "best", json_false());
    json_decref(verdict);
    return row;
}

/* Those whose gates hold come first. */
static bool is_better(const json_t *a, const json_t *b, const char *metric, bool largest)
{
    json_int_t gates = json_integer_value(json_object_get(a, "code")),
               others = json_integer_value(json_object_get(b, "code"));
    double x = json_number_value(json_object_get(a, metric)),
           y = json_number_value(json_object_get(b, metric));
    return gates != others ? gates < others : largest ? x > y : x < y;
}

static void mark_best(const sweep_list *list, json_t *rows)
{
    const char *metric = gate_figures[list->config->sweep->metric].name;
    json_t *best = NULL, *row;
    size_t i;
    json_array_foreach(
        rows, i, row) if (json_is_number(json_object_get(row, metric)) &&
                          (!best || is_better(row, best, metric, list->config->sweep->largest)))
        best = row;
    if (best)
        json_object_set(best, "best", json_true());
}

json_t *sweep_table(const sweep_list *list, flow_err *err)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < list->n && !err->code; i++)
        flow_json_append(&rows, row_of(list, i, err));
    if (rows && !err->code)
        mark_best(list, rows);
    else if (!err->code)
        flow_fail(err, FLOW_ENOMEM, "out of memory for a table of %zu points", list->n);
    if (!err->code)
        return rows;
    json_decref(rows);
    return NULL;
}

const char *sweep_table_best(const json_t *table)
{
    size_t i;
    json_t *row;
    json_array_foreach(table, i, row) if (
        json_is_true(
            json_object_get(row, "best"))) return json_string_value(json_object_get(row, "dir"));
    return NULL;
}

/* ---- as text */

/* For a table: four digits; a dash for what is not there. */
static void short_text(char out[64], const json_t *value)
{
    if (json_is_string(value))
        snprintf(out, 64, "%.60s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(out, 64, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(out, 64, "%.4g", json_real_value(value));
    else
        snprintf(out, 64, "%s", json_is_true(value) ? "*" : json_is_false(value) ? "" : "-");
}

static bool is_shown(const char *key)
{
    return strcmp(key, "dir") != 0 && strcmp(key, "code") != 0 && strcmp(key, "best") != 0;
}

static int widest(const json_t *table)
{
    size_t i, most = 5;
    json_t *row;
    json_array_foreach(table, i, row)
    {
        size_t size = strlen(json_string_value(json_object_get(row, "point")));
        most = size > most ? size : most;
    }
    return (int)most;
}

static void print_rows(FILE *to, const json_t *table)
{
    json_t *row = json_array_get(table, 0), *value;
    const char *key;
    size_t i;
    int first = widest(table);
    fprintf(to, "  %-*s", first, "point");
    json_object_foreach(row, key, value) if (is_shown(key) && strcmp(key, "point") != 0)
        fprintf(to, " %11s", key);
    putc('\n', to);
    json_array_foreach(table, i, row)
    {
        fprintf(to, "%s %-*s", json_is_true(json_object_get(row, "best")) ? "*" : " ", first,
                json_string_value(json_object_get(row, "point")));
        json_object_foreach(row, key, value) if (is_shown(key) && strcmp(key, "point") != 0)
        {
            char text[64];
            short_text(text, value);
            fprintf(to, " %*s", strlen(key) > 11 ? (int)strlen(key) : 11, text);
        }
        putc('\n', to);
    }
}

static void print_csv(FILE *to, const json_t *table)
{
    json_t *row = json_array_get(table, 0), *value;
    const char *key, *comma = "";
    size_t i;
    json_object_foreach(row, key, value)
    {
        fprintf(to, "%s%s", comma, key);
        comma = ",";
    }
    putc('\n', to);
    json_array_foreach(table, i, row)
    {
        comma = "";
        json_object_foreach(row, key, value)
        {
            fputs(comma, to);
            json_print_field(to, value);
            comma = ",";
        }
        putc('\n', to);
    }
}

int sweep_table_print(FILE *to, const json_t *table, sweep_form form, flow_err *err)
{
    if (form == SWEEP_JSON)
        return json_print(table, err);
    if (form == SWEEP_CSV)
        print_csv(to, table);
    else
        print_rows(to, table);
    return FLOW_OK;
}
