#include "pipeline/command/inspect.h"

#include "files/read.h"
#include "flow/json.h"
#include "pipeline/command/config_of.h"
#include "pipeline/command/inspect_model.h"
#include "pipeline/config/show.h"
#include "pipeline/console/exit.h"
#include "pipeline/stages/data.h"
#include "teacher/look.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const levels[] = {
    [LOOK_NOTE] = "note", [LOOK_WARNING] = "warning", [LOOK_ERROR] = "error"};

/* ---- for people */

static void print_head(const data_look *look, const char *file)
{
    printf("%s: %zu rows of %zu columns (%zu train, %zu validate, %zu test)\n", file, look->rows.n,
           look->n_columns, look->n_train, look->n_valid, look->n_test);
    if (look->rows.dropped)
        printf("%zu rows that are not finite are left out\n", look->rows.dropped);
    printf("\n%-16s %8s %10s %17s %12s %12s %12s %7s %7s %6s\n", "column", "distinct", "step",
           "commonest", "least", "median", "largest", "below", "above", "drift");
}

static const char *label(char *out, size_t size, const file_table *table, size_t col)
{
    if (table->names)
        snprintf(out, size, "%s", table->names[col]);
    else
        snprintf(out, size, "%zu", file_table_place(table, col));
    return out;
}

/* Digits that tell values apart which are all far from 0: 5 of the spread. */
static int digits_of(const look_column *of)
{
    double size = fmax(fabs(of->min), fabs(of->max)), more = log10(size / of->spread);
    return !(more > 0) ? 5 : more < 7 ? 5 + (int)more : 12;
}

static void print_column(const look_column *of, const file_table *table)
{
    char name[256], step[32] = "-", mode[48] = "-";
    int digits = digits_of(of);
    if (of->step > 0)
        snprintf(step, sizeof step, "%.5g", of->step);
    if (of->mode_share >= 0.001)
        snprintf(mode, sizeof mode, "%.5g %5.1f%%", of->mode, 100 * of->mode_share);
    printf("%-16s %8zu %10s %17s %12.*g %12.*g %12.*g %7.3g %7.3g %6.2f%s\n",
           label(name, sizeof name, table, of->col), of->distinct, step, mode, digits, of->min,
           digits, of->median, digits, of->max, of->low, of->high, of->drift,
           of->context ? "  given" : "");
}

static void print_findings(const data_look *look)
{
    for (size_t i = 0; i < look->n_findings; i++) {
        const look_finding *f = &look->findings[i];
        printf("%s%s: %s\n    %s\n", i ? "" : "\n", levels[f->level], f->text, f->remedy);
    }
}

static void print_suggestion(const data_look *look)
{
    if (*look->suggestion)
        printf("\nall of it in the config, where it is right:\n    %s\n", look->suggestion);
}

static void print_all(const data_look *look, const file_table *table, const char *file)
{
    print_head(look, file);
    for (size_t i = 0; i < look->n_columns; i++)
        print_column(&look->columns[i], table);
    puts("\ncommonest: a value that many rows share. below, above: how far least and largest are "
         "from "
         "the median,\nin standard deviations as the quartiles give them. drift: 0 if training, "
         "validation and test rows are alike, 1 if apart.");
    if (look->columns[0].looked_at < look->rows.n)
        printf("distinct, commonest and quartiles are of %d rows at even distances.\n", LOOK_ROWS);
    print_findings(look);
    print_suggestion(look);
}

/* ---- for programs */

static json_t *numbers(const look_column *of)
{
    const struct {
        const char *key;
        double value;
    } list[] = {{"min", of->min},
                {"q1", of->q1},
                {"median", of->median},
                {"q3", of->q3},
                {"max", of->max},
                {"mean", of->mean},
                {"sd", of->sd},
                {"spread", of->spread},
                {"below", of->low},
                {"above", of->high},
                {"gap", of->gap},
                {"mode", of->mode},
                {"mode_share", of->mode_share},
                {"drift", of->drift},
                {"edge_below", of->edge[0]},
                {"edge_above", of->edge[1]},
                {"step", of->step > 0 ? of->step : NAN},
                {"period", of->period > 0 ? of->period : NAN}};
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        flow_json_set(&out, list[i].key, flow_json_real(list[i].value));
    return out;
}

static json_t *column_json(const look_column *of, const file_table *table)
{
    json_t *out = numbers(of);
    flow_json_set(&out, "column", json_integer((json_int_t)of->col));
    flow_json_set(&out, "name", table->names ? json_string(table->names[of->col]) : json_null());
    flow_json_set(&out, "distinct", json_integer((json_int_t)of->distinct));
    flow_json_set(&out, "looked_at", json_integer((json_int_t)of->looked_at));
    flow_json_set(
        &out, "integer",
        json_boolean(of->step > 0 && rint(of->step) == of->step && rint(of->min) == of->min));
    flow_json_set(&out, "monotone", json_boolean(of->monotone));
    return out;
}

static json_t *rows_json(const data_look *look)
{
    const look_rows *rows = &look->rows;
    json_t *out = json_object();
    flow_json_set(&out, "n", json_integer((json_int_t)rows->n));
    flow_json_set(&out, "not_finite", json_integer((json_int_t)rows->dropped));
    flow_json_set(&out, "train", json_integer((json_int_t)look->n_train));
    flow_json_set(&out, "valid", json_integer((json_int_t)look->n_valid));
    flow_json_set(&out, "test", json_integer((json_int_t)look->n_test));
    flow_json_set(&out, "repeats", flow_json_real(rows->repeats));
    flow_json_set(&out, "across", flow_json_real(rows->across));
    return out;
}

static json_t *finding_json(const look_finding *f)
{
    json_t *out = json_object();
    flow_json_set(&out, "level", json_string(levels[f->level]));
    flow_json_set(&out, "kind", json_string(f->kind));
    flow_json_set(&out, "column",
                  f->col == LOOK_NO_COLUMN ? json_null() : json_integer((json_int_t)f->col));
    flow_json_set(&out, "text", json_string(f->text));
    flow_json_set(&out, "remedy", json_string(f->remedy));
    return out;
}

static int print_json(const data_look *look, const file_table *table, const char *file,
                      flow_err *err)
{
    json_t *out = json_object(), *columns = json_array(), *findings = json_array();
    for (size_t i = 0; i < look->n_columns; i++)
        flow_json_append(&columns, column_json(&look->columns[i], table));
    for (size_t i = 0; i < look->n_findings; i++)
        flow_json_append(&findings, finding_json(&look->findings[i]));
    flow_json_set(&out, "file", json_string(file));
    flow_json_set(&out, "rows", rows_json(look));
    flow_json_set(&out, "columns", columns);
    flow_json_set(&out, "findings", findings);
    flow_json_set(&out, "suggestion",
                  *look->suggestion ? json_string(look->suggestion) : json_null());
    char *text = flow_json_text(out, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(out);
    if (!text)
        return flow_fail(err, FLOW_ENOMEM, "no memory for the figures of %s", file);
    puts(text);
    free(text);
    return FLOW_OK;
}

/* ---- the whole */

static int show(const data_look *look, const file_table *table, const inspect_options *o,
                flow_err *err)
{
    int code = FLOW_OK;
    if (o->json)
        code = print_json(look, table, o->file, err);
    else
        print_all(look, table, o->file);
    return code ? code : data_look_judge(look, o->file, err);
}

int inspect_file(const char *file, file_header header, inspect_use *use, void *arg, flow_err *err)
{
    data_options options = data_options_default();
    options.nonfinite = DATA_NONFINITE_DROP;
    const file_wish wish = {.header = header};
    data_plan plan;
    file_stream *rows = file_stream_open(file, &wish, err);
    int code = rows ? data_plan_init(&plan, rows, file, &options, err) : err->code;
    if (!code) {
        data_look *look = data_look_at(rows, &plan, file, &options, err);
        code = look ? use(look, file_stream_head(rows), arg, err) : err->code;
        data_look_free(look);
        data_plan_release(&plan);
    }
    file_stream_free(rows);
    return code;
}

static int show_table(const data_look *look, const file_table *head, void *arg, flow_err *err)
{
    return show(look, head, arg, err);
}

/* As a run of the config would: its columns, kinds, context and split. */
static int look_at_config(const inspect_options *o, config *c, flow_err *err)
{
    data_opened from = {.rows = NULL};
    int code = config_draw_seed(c, err);
    if (!code && o->header_given)
        code = flow_fail(err, FLOW_EUSAGE, "--header is for a .csv; %s says data.header", o->file);
    if (!code)
        code = data_open(&from, c, err);
    if (!code)
        code = show(from.look, file_stream_head(from.rows), o, err);
    data_close(&from);
    return code;
}

static int inspect_config(const inspect_options *o)
{
    char room[RUNDIR_PATH];
    int status;
    flow_err err = FLOW_ERR_INIT;
    const config_sources sources = {.file = config_of(room, o->file, &err)};
    config *c = sources.file ? config_load_shown(&status, &sources) : NULL;
    if (!c)
        return err.code ? exit_fail(&err) : status;
    int code = look_at_config(o, c, &err);
    config_free(c);
    return code ? exit_fail(&err) : EXIT_GOOD;
}

static int refuse_header(const char *file)
{
    flow_err err = FLOW_ERR_INIT;
    flow_fail(&err, FLOW_EUSAGE, "--header is for a .csv; %s is a model", file);
    return exit_fail(&err);
}

int inspect_verb(const inspect_options *o)
{
    flow_err err = FLOW_ERR_INIT;
    inspect_options mine = *o;
    if (config_of_is(o->file))
        return inspect_config(o);
    if (inspect_model_is(o->file))
        return o->header_given ? refuse_header(o->file) : inspect_model(o->file, o->json);
    return inspect_file(o->file, o->header, show_table, &mine, &err) ? exit_fail(&err) : EXIT_GOOD;
}
