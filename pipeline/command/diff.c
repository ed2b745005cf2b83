#include "pipeline/command/diff.h"

#include "flow/json.h"
#include "pipeline/command/run_files.h"
#include "pipeline/config/gates.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/json_print.h"
#include "pipeline/stages/record_files.h"
#include "pipeline/stages/stage.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 256, NAME = 34, WIDE = 14 };

static json_t *or_null(const json_t *value)
{
    return value ? json_incref((json_t *)(uintptr_t)value) : json_null();
}

/* ---- keys of the config */

static void add_differences(json_t **out, const char *path, const json_t *a, const json_t *b);

/* The keys of `of`, those that `other` has as well only once. */
static void add_keys(json_t **out, const char *path, const json_t *of, const json_t *a,
                     const json_t *b, const json_t *known)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)of, name, value)
    {
        char below[PATH];
        snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", name);
        if (!json_object_get(known, name))
            add_differences(out, below, json_object_get(a, name), json_object_get(b, name));
    }
}

static void add_differences(json_t **out, const char *path, const json_t *a, const json_t *b)
{
    if (json_equal(a, b))
        return;
    if (json_is_object(a) || json_is_object(b)) {
        add_keys(out, path, a, a, b, NULL);
        add_keys(out, path, b, a, b, a);
    } else {
        flow_json_append(
            out, json_pack("{s:s, s:o, s:o}", "key", path, "a", or_null(a), "b", or_null(b)));
    }
}

/* ---- figures */

static json_t *side_by_side(const char *key, const json_t *a, const json_t *b)
{
    bool both = json_is_number(a) && json_is_number(b);
    double change = both ? json_number_value(b) - json_number_value(a) : (double)NAN;
    return json_pack("{s:s, s:o, s:o, s:o}", "key", key, "a", or_null(a), "b", or_null(b),
                     "difference", flow_json_real(change));
}

static json_t *figures_of(const json_t *a, const json_t *b)
{
    json_t *out = json_array();
    for (size_t i = 0; i < GATE_COUNT; i++) {
        const char *key = gate_figures[i].name;
        const json_t *of_a = run_files_figure(a, key), *of_b = run_files_figure(b, key);
        if (json_is_number(of_a) || json_is_number(of_b))
            flow_json_append(&out, side_by_side(key, of_a, of_b));
    }
    return out;
}

static json_t *seconds_of(const json_t *a, const json_t *b)
{
    const json_t *of_a = json_object_get(a, "seconds"), *of_b = json_object_get(b, "seconds");
    const char *name;
    json_t *value, *out = json_array();
    json_object_foreach(json_is_object(of_a) ? (json_t *)(uintptr_t)of_a
                                             : (json_t *)(uintptr_t)of_b,
                        name, value) if (json_is_number(json_object_get(of_a, name)) ||
                                         json_is_number(json_object_get(of_b, name)))
        flow_json_append(
            &out, side_by_side(name, json_object_get(of_a, name), json_object_get(of_b, name)));
    return out;
}

/* ---- for people */

static const char *short_text(char out[WIDE + 1], const json_t *value)
{
    char *text = json_is_real(value) ? NULL : flow_json_text(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (json_is_real(value))
        snprintf(out, WIDE + 1, "%.6g", json_real_value(value));
    else
        snprintf(out, WIDE + 1, "%s", text && strcmp(text, "null") != 0 ? text : "-");
    free(text);
    return out;
}

static void print_config(const json_t *list)
{
    size_t i;
    json_t *one;
    puts(json_array_size(list) ? "config" : "config: the same");
    json_array_foreach(list, i, one)
    {
        char *a = flow_json_text(json_object_get(one, "a"), JSON_ENCODE_ANY | JSON_COMPACT);
        char *b = flow_json_text(json_object_get(one, "b"), JSON_ENCODE_ANY | JSON_COMPACT);
        printf("  %-*s %s -> %s\n", NAME, json_string_value(json_object_get(one, "key")),
               a ? a : "?", b ? b : "?");
        free(a);
        free(b);
    }
}

static void print_figures(const char *title, const json_t *list)
{
    size_t i;
    json_t *one;
    char a[WIDE + 1], b[WIDE + 1], change[WIDE + 1];
    if (json_array_size(list))
        printf("\n%s\n", title);
    json_array_foreach(list, i, one) printf(
        "  %-*s %*s %*s %*s\n", NAME, json_string_value(json_object_get(one, "key")), WIDE,
        short_text(a, json_object_get(one, "a")), WIDE, short_text(b, json_object_get(one, "b")),
        WIDE, short_text(change, json_object_get(one, "difference")));
}

static void print_all(const json_t *diff)
{
    const json_t *runs = json_object_get(diff, "runs"),
                 *verdicts = json_object_get(diff, "verdict");
    for (size_t i = 0; i < 2; i++) {
        const char *verdict = json_string_value(json_array_get(verdicts, i));
        printf("%c  %s  %s\n", "ab"[i], json_string_value(json_array_get(runs, i)),
               verdict ? verdict : "no verdict yet");
    }
    putchar('\n');
    print_config(json_object_get(diff, "config"));
    print_figures("figures                                         a              b          b - a",
                  json_object_get(diff, "figures"));
    print_figures("seconds                                         a              b          b - a",
                  json_object_get(diff, "seconds"));
}

/* ---- the whole */

/* The three documents of one run, an array; NULL after an error. */
static json_t *read_run(const char *run, flow_err *err)
{
    static const char *const names[] = {record_file_resolved, STAGE_VERDICT, record_file_manifest};
    json_t *out = json_array();
    if (run_files_check(run, err) == 0)
        for (size_t i = 0; i < 3 && !err->code; i++)
            flow_json_append(&out, run_files_json(run, names[i], err));
    if (!out && !err->code)
        flow_fail(err, FLOW_ENOMEM, "out of memory for %s", run);
    return out;
}

static json_t *compare(const diff_options *o, const json_t *a, const json_t *b)
{
    json_t *out = json_object(), *keys = json_array();
    const json_t *of_a = json_array_get(a, 1), *of_b = json_array_get(b, 1);
    add_differences(&keys, "", json_array_get(a, 0), json_array_get(b, 0));
    flow_json_set(&out, "runs", json_pack("[s, s]", o->runs[0], o->runs[1]));
    flow_json_set(&out, "verdict",
                  json_pack("[o, o]", or_null(json_object_get(of_a, "verdict")),
                            or_null(json_object_get(of_b, "verdict"))));
    flow_json_set(&out, "config", keys);
    flow_json_set(&out, "figures", figures_of(of_a, of_b));
    flow_json_set(&out, "seconds", seconds_of(json_array_get(a, 2), json_array_get(b, 2)));
    return out;
}

int diff_verb(const diff_options *options)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *a = read_run(options->runs[0], &err);
    json_t *b = err.code ? NULL : read_run(options->runs[1], &err);
    json_t *out = err.code ? NULL : compare(options, a, b);
    if (!err.code && !out)
        flow_fail(&err, FLOW_ENOMEM, "out of memory for a comparison");
    else if (!err.code && options->json)
        json_print(out, &err);
    else if (!err.code)
        print_all(out);
    json_decref(a);
    json_decref(b);
    json_decref(out);
    return err.code ? exit_fail(&err) : EXIT_GOOD;
}
