#include "pipeline/command/status.h"

#include "flow/json.h"
#include "pipeline/command/run_files.h"
#include "pipeline/command/tell.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/json_print.h"
#include "pipeline/console/progress.h"
#include "pipeline/console/spark.h"
#include "pipeline/stages/lock.h"
#include "pipeline/stages/record_files.h"
#include "pipeline/stages/stage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 10, PAD = 14, HOLDER = LOCK_HOLDER };

/* ---- what is known: one object, which --json prints */

/* {key, n, least, values} of a training; null: it has no numbers. */
static json_t *course_of(const json_t *rows)
{
    const char *key = run_files_loss(rows);
    double *values = key ? run_files_column(rows, key) : NULL;
    size_t n = 0, all = json_array_size(rows);
    double least = INFINITY;
    json_t *list = json_array(), *out = json_object();
    for (size_t i = 0; i < all && values; i++)
        if (isfinite(values[i])) {
            flow_json_append(&list, json_real(values[i]));
            least = fmin(least, values[i]);
            n++;
        }
    free(values);
    if (!key) {
        json_decref(list);
        json_decref(out);
        return json_null();
    }
    flow_json_set(&out, "key", json_string(key));
    flow_json_set(&out, "n", json_integer((json_int_t)n));
    flow_json_set(&out, "least", flow_json_real(least));
    flow_json_set(&out, "values", list);
    return out;
}

static int add_courses(json_t **out, const char *run, flow_err *err)
{
    json_t *all = json_object();
    for (const char *const *name = run_files_trained; *name && !err->code; name++) {
        json_t *rows = run_files_metrics(run, *name, err);
        if (rows)
            flow_json_set(&all, *name, course_of(rows));
        json_decref(rows);
    }
    flow_json_set(out, "losses", all);
    return err->code;
}

static void take(json_t **out, const json_t *from, const char *const *keys)
{
    for (; *keys; keys++) {
        json_t *value = json_object_get(from, *keys);
        flow_json_set(out, *keys, value ? json_incref(value) : json_null());
    }
}

/* "running" while its lock is held; else how its manifest says that it ended, or "killed" without one. That it came to its
 * end is "done": whether it is good is the verdict's to say. */
static void add_state(json_t **out, const char *run, const json_t *manifest)
{
    char holder[HOLDER];
    const char *end = json_string_value(json_object_get(manifest, "end"));
    bool held = lock_is_held(holder, run);
    if (end && strcmp(end, "good") == 0)
        end = "done";
    flow_json_set(out, "state", json_string(held ? "running" : end ? end : "killed"));
    flow_json_set(out, "holder", held ? json_string(holder) : json_null());
}

static json_t *status_of(const char *run, flow_err *err)
{
    static const char *const of_manifest[] = {"started", "ended", "seconds", "threads",
                                              "backend", "seed",  NULL};
    static const char *const of_verdict[] = {"verdict", "reasons", "warnings", "gates", NULL};
    json_t *out = json_object(), *manifest = NULL, *verdict = NULL;
    if (!run_files_check(run, err) && (manifest = run_files_json(run, record_file_manifest, err)) &&
        (verdict = run_files_json(run, STAGE_VERDICT, err))) {
        flow_json_set(&out, "run", json_string(run));
        add_state(&out, run, manifest);
        take(&out, manifest, of_manifest);
        take(&out, verdict, of_verdict);
        add_courses(&out, run, err);
    }
    json_decref(manifest);
    json_decref(verdict);
    if (!err->code && !out)
        flow_fail(err, FLOW_ENOMEM, "out of memory for the status of %s", run);
    if (!err->code)
        return out;
    json_decref(out);
    return NULL;
}

/* ---- for people */

static void labelled(const char *label, const char *text)
{
    printf("  %-*s", LABEL, label);
    tell_wrap(stdout, text, LABEL + 2, LABEL + 2);
}

static void print_state(const json_t *status)
{
    const char *state = json_string_value(json_object_get(status, "state"));
    const char *holder = json_string_value(json_object_get(status, "holder"));
    double started = json_number_value(json_object_get(status, "started"));
    double ended = json_number_value(json_object_get(status, "ended"));
    char time[48] = "";
    if (!holder && ended > started)
        progress_time(time, sizeof time, ended - started);
    printf("%s  %s%s%s%s%s\n", json_string_value(json_object_get(status, "run")), state,
           holder ? ": " : "", holder ? holder : "", *time ? ", " : "", time);
}

static void print_verdict(const json_t *status)
{
    const char *verdict = json_string_value(json_object_get(status, "verdict"));
    size_t i;
    json_t *line;
    labelled("verdict", verdict ? verdict : "none yet");
    json_array_foreach(json_object_get(status, "reasons"), i, line)
        labelled("", json_string_value(line));
    json_array_foreach(json_object_get(status, "warnings"), i, line)
        labelled("warning", json_string_value(line));
    json_array_foreach(json_object_get(status, "gates"), i, line)
        printf("  %-*s%-28s %-10s %.4g%s\n", LABEL, i ? "" : "gates",
               json_string_value(json_object_get(line, "key")),
               json_string_value(json_object_get(line, "bound")),
               json_number_value(json_object_get(line, "value")),
               json_is_true(json_object_get(line, "pass")) ? "" : "  fails");
}

/* "20 of valid_loss, least 1.03  ####___" */
static void print_course(const json_t *course)
{
    char bars[SPARK_BYTES];
    size_t n = json_array_size(json_object_get(course, "values"));
    double *values = malloc((n + 1) * sizeof *values);
    for (size_t i = 0; i < n && values; i++)
        values[i] = json_number_value(json_array_get(json_object_get(course, "values"), i));
    if (values && n)
        printf("%s %s, last %.4f", spark_draw(bars, values, n),
               json_string_value(json_object_get(course, "key")), values[n - 1]);
    free(values);
}

static void print_stages(const json_t *status)
{
    const json_t *all = json_object_get(status, "seconds");
    for (size_t i = 0; i < STAGE_COUNT; i++) {
        const json_t *spent = json_object_get(all, stages[i]->name);
        const json_t *course = json_object_get(json_object_get(status, "losses"), stages[i]->name);
        char time[48] = "";
        if (!json_is_number(spent) && !json_is_object(course))
            continue;
        if (json_is_number(spent))
            progress_time(time, sizeof time, json_number_value(spent));
        printf("  %-*s%s%*s", LABEL, stages[i]->name, time,
               json_is_object(course) ? PAD - (int)strlen(time) : 0, "");
        print_course(course);
        putchar('\n');
    }
}

int status_verb(const status_options *options)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *status = status_of(options->run, &err);
    if (status && options->json) {
        json_print(status, &err);
    } else if (status) {
        print_state(status);
        print_verdict(status);
        print_stages(status);
    }
    json_decref(status);
    return err.code ? exit_fail(&err) : EXIT_GOOD;
}
