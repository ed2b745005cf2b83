/* tests/e2e/scene_targets.h -- the scene of memory.c in which every kind of target is made and used. */
#ifndef TESTS_E2E_SCENE_TARGETS_H
#define TESTS_E2E_SCENE_TARGETS_H

#include "pipeline/stages/derived.h"
#include "teacher/plugin_workers.h"
#include "teacher/probe.h"
#include "tests/common/plugins.h"
#include "tests/e2e/scenes.h"

enum { TARGET_ROWS = 3 };

static int use_quantities(uint64_t *sum, const quantities *of, const double *x, flow_err *err)
{
    quantities_broken broken = {.count = 0};
    double *values = of ? malloc(TARGET_ROWS * of->count * sizeof *values) : NULL;
    if (!values)
        return of ? flow_fail(err, FLOW_ENOMEM, "values") : 0;
    int code =
        quantities_derive(of, pool, values, of->count, NULL, &broken, x, TARGET_ROWS, 0, err);
    if (!code)
        add(sum, values, TARGET_ROWS * of->count * sizeof *values);
    free(values);
    return code;
}

static int use_target(uint64_t *sum, const target *t, flow_err *err)
{
    double *x = calloc((2 * t->dim + 1) * TARGET_ROWS, sizeof *x), *grad = NULL, *logp = NULL;
    if (!x)
        return flow_fail(err, FLOW_ENOMEM, "rows");
    grad = x + t->dim * TARGET_ROWS;
    logp = grad + t->dim * TARGET_ROWS;
    int code = t->ops->sample
                   ? target_sample(t, pool, x, logp, NULL, NULL, stream, 0, TARGET_ROWS, err)
                   : 0;
    if (!code)
        code = target_log_density(t, pool, logp, t->flags & TARGET_GRADIENT ? grad : NULL, NULL, x,
                                  NULL, TARGET_ROWS, err);
    if (!code)
        add(sum, x, (2 * t->dim + 1) * TARGET_ROWS * sizeof *x);
    if (!code)
        code = use_quantities(sum, target_quantities(t), x, err);
    free(x);
    return code;
}

static int play_description(uint64_t *sum, const char *text, flow_err *err)
{
    json_t *description = json_loads(text, 0, NULL);
    target *t = description ? target_create(description, err) : NULL;
    json_decref(description);
    if (!t)
        return err->code ? err->code : flow_fail(err, FLOW_ENOMEM, "%s", text);
    int code = use_target(sum, t, err);
    target_free(t);
    return code;
}

/* Every kind as its example has it, and what reads or computes more than that. */
static int play_targets(uint64_t *sum, flow_err *err)
{
    static const char *const more[] = {
        "{\"kind\": \"gaussian\", \"dim\": 3, \"condition\": 2}",
        "{\"kind\": \"gaussians\", \"means\": [[1, 2], [3, 4]]}",
        "{\"kind\": \"posterior\", \"model\": \"kidscore_momiq\", "
        "\"data\": \"configs/data/posteriordb/kidiq.csv\"}",
        "{\"kind\": \"posterior\", \"model\": \"garch11\", "
        "\"data\": \"configs/data/posteriordb/garch.csv\"}",
        "{\"kind\": \"posterior\", \"model\": \"low_dim_gauss_mix\", "
        "\"data\": \"configs/data/posteriordb/low_dim_gauss_mix.csv\"}",
    };
    int code = 0;
    for (const target_kind *const *k = target_kinds; *k && !code; k++)
        code = (*k)->example ? play_description(sum, (*k)->example, err) : 0;
    for (size_t i = 0; i < sizeof more / sizeof *more && !code; i++)
        code = play_description(sum, more[i], err);
    return code;
}

/* A shared library, with options, names, circles and a row that is no point; in this process and in another. */
static int play_plugin(uint64_t *sum, flow_err *err)
{
    static char program[PLUGIN_TEXT], text[PLUGIN_TEXT];
    plugin_set_host(&(plugin_host){.program = built_path(program, "distill")});
    plugin_text(text, "plugin/banana.so", "\"options\": \"bend=0.2\"");
    int code = play_description(sum, text, err);
    if (code)
        return code;
    plugin_text(text, "tests/plugins/mises.so", "\"workers\": 1");
    code = play_description(sum, text, err);
    if (code)
        return code;
    plugin_text(text, "plugin/banana.so", "\"workers\": 1");
    return play_description(sum, text, err);
}

static int play_stan(uint64_t *sum, flow_err *err)
{
    static char text[PLUGIN_TEXT];
    plugin_text(text, "tests/plugins/stan.so",
                "\"options\": \"{\\\"mu\\\": 0.3, \\\"sd\\\": 1.7}\"");
    return play_description(sum, text, err);
}

/* A matrix element, with everything that it can be given. */
static int play_umami(uint64_t *sum, flow_err *err)
{
    static char text[PLUGIN_TEXT];
    plugin_text(text, "tests/plugins/umami.so",
                "\"options\": \"{\\\"energy\\\": 9, \\\"alpha_s\\\": 0.3, \\\"pt_min\\\": 1, "
                "\\\"parameters\\\": {\\\"aEWM1\\\": [128, 0]}, \\\"masses\\\": [0, 0, 0, 0]}\"");
    int code = play_description(sum, text, err);
    if (code)
        return code;
    plugin_text(text, "tests/plugins/umami.so", "\"data\": \"tests/plugins/umami.json\"");
    return play_description(sum, text, err);
}

/* What is written of a row of a student of this target: its own quantities, and those of a library that is given what
 * stands in the place of the columns, if anything does. */
static int play_rows(uint64_t *sum, const target *t, flow_err *err)
{
    static char library[PLUGIN_TEXT];
    static const double x[2 * 3] = {0.3, -1.2, 2.1, 0.7, 0.1, -0.4};
    double values[2 * 16];
    flow_model model = {.flow = made[FLOW_NOISE_TO_DATA], .names = json_pack("[s, s]", "x", "y")};
    const derived_options options = {.what = DERIVED_ALL,
                                     .function = built_path(library, "tests/plugins/derived.so"),
                                     .options = "of=y"};
    derived *of = model.names ? derived_open(&model, target_quantities(t), &options, err) : NULL;
    int code = of            ? derived_rows(of, pool, values, x, 2, 0, err)
               : model.names ? err->code
                             : flow_fail(err, FLOW_ENOMEM, "names");
    if (!code)
        add(sum, values, 2 * derived_width(of) * sizeof *values);
    derived_free(of);
    json_decref(model.names);
    return code;
}

static int play_quantities(uint64_t *sum, flow_err *err)
{
    static const char *const keys[] = {"\"options\": \"bend=0.1\"", "\"workers\": 1"};
    static char program[PLUGIN_TEXT], text[PLUGIN_TEXT];
    int code = 0;
    plugin_set_host(&(plugin_host){.program = built_path(program, "distill")});
    for (int i = 0; i < 2 && !code; i++) {
        json_t *description =
            json_loads(plugin_text(text, "tests/plugins/both.so", keys[i]), 0, NULL);
        target *t = description ? target_create(description, err) : NULL;
        code = t           ? play_rows(sum, t, err)
               : err->code ? err->code
                           : flow_fail(err, FLOW_ENOMEM, "t");
        target_free(t);
        json_decref(description);
    }
    return code;
}

static int play_probe(uint64_t *sum, flow_err *err)
{
    static const double x[] = {0.3, -1.2, 2.1, 0.7};
    probe seen;
    json_t *description = json_pack("{s:s, s:i}", "kind", "gaussian", "dim", 2);
    target *t = description ? target_create(description, err) : NULL;
    json_decref(description);
    if (!t)
        return err->code ? err->code : flow_fail(err, FLOW_ENOMEM, "a gaussian");
    int code = probe_target(&seen, t, x, 2, err);
    if (!code)
        add(sum, &seen.compared, sizeof seen.compared);
    target_free(t);
    return code;
}

#endif
