/* tests/e2e/scenes_pipeline.h -- scenes of the pipeline's own, for memory.c: a plan, what is kept on the way of a stage, and a model
 * as C. */
#ifndef TESTS_E2E_SCENES_PIPELINE_H
#define TESTS_E2E_SCENES_PIPELINE_H

#include "pipeline/export/export.h"
#include "pipeline/stages/checkpoint.h"
#include "pipeline/stages/links_change.h"
#include "pipeline/stages/plan.h"
#include "pipeline/stages/rung_file.h"
#include "tests/e2e/scenes.h"

#include <sys/stat.h>

/* ---- every kind of layer, on columns that are grids and wrapped circles, as C */

static int play_export(uint64_t *sum, flow_err *err)
{
    flow_model model = {.flow = made[FLOW_NOISE_TO_DATA],
                        .units = data->units,
                        .context_units = data->context_units,
                        .names = names_of(data->names, data->dim),
                        .context_names = names_of(data->context_names, data->n_context),
                        .role = "student"};
    int code = model.names && model.context_names
                   ? export_file(export_kinds[0], &model, path, "m", err)
                   : flow_fail(err, FLOW_ENOMEM, "names");
    if (!code)
        add_file(sum);
    json_decref(model.names);
    json_decref(model.context_names);
    return code;
}

/* ---- a plan, from the text of a config on */

static const char small_config[] =
    "schema: 1\nseed: 3\ndata: {generator: rings, rows: 500}\n"
    "teacher: {flow: {kind: maf, layers: 2, hidden: [8]}, train: {epochs: 2}}\n"
    "validate: {require: {khat: < 0.9}}\n";

static void add_text(uint64_t *sum, const char *text)
{
    add(sum, text, strlen(text));
}

static int plan_of(uint64_t *sum, const config *c, flow_err *err)
{
    const plan_wishes none = {NULL, NULL, NULL};
    known memory;
    plan p = {.files = NULL};
    int code = known_read(&memory, folder, err);
    if (!code)
        code = plan_make(&p, folder, c, &memory, &none, err);
    for (size_t i = 0; i < STAGE_COUNT && !code; i++)
        add_text(sum, p.at[i].key);
    plan_release(&p);
    known_release(&memory);
    return code;
}

/* A complaint that there is no memory is all there is. */
static int play_plan(uint64_t *sum, flow_err *err)
{
    static const char *const sets[] = {"teacher.flow.layers=3", "student.train.lr=0.001"};
    const config_sources from = {.file = path, .sets = sets, .n_sets = 2};
    FILE *to = fopen(path, "wb");
    fputs(small_config, to);
    fclose(to);
    complaints *told = complaints_create();
    config *c = told ? config_load(&from, told) : NULL;
    int code = c ? plan_of(sum, c, err) : flow_fail(err, FLOW_ENOMEM, "the config was not read");
    if (!c && told && complaints_exit_code(told) != 71)
        code = flow_fail(err, FLOW_EBUG, "exit code %d", complaints_exit_code(told));
    config_free(c);
    complaints_free(told);
    return code;
}

/* ---- a rung, and a checkpoint, written and read; a link that is switched */

static const char *in_folder(char out[RUNDIR_PATH], const char *name)
{
    return rundir_in(out, folder, name);
}

static int keep_rung(state_owner *owner, uint64_t *sum, flow *student, flow_err *err)
{
    student_rung rung = {.how = {.iterations = 2, .width = 1}}, back;
    bool found = false;
    long long lines;
    int code = rung_file_write(owner, 0, &rung, student, err);
    if (!code)
        code = rung_file_read(owner, &found, &lines, 0, &back, student, err);
    if (!code && !found)
        code = flow_fail(err, FLOW_ENOMEM, "it was not read"); /* what is not there is made anew */
    if (!code)
        add(sum, &back.how.iterations, sizeof back.how.iterations);
    return code;
}

static int switch_link(const rundir *dir, flow_err *err)
{
    links_change change = {.root = dir->root};
    int code = links_change_add(&change, "a", "stages/one/a", err);
    code = code ? code : links_change_add(&change, "b", "stages/one/b", err);
    code = code ? code : links_change_make(&change, err);
    links_change_end(&change);
    return code;
}

static int keep_all(state_owner *owner, uint64_t *sum, flow *student, flow_err *err)
{
    int code = metrics_open(&owner->told->metrics, owner->work->dir, "metrics.jsonl", err);
    if (!code)
        code = metrics_append(&owner->told->metrics, json_pack("{s:i}", "step", 1), err);
    if (!code)
        code = keep_rung(owner, sum, student, err);
    if (!code)
        code = switch_link(owner->work->dir, err);
    flow_err late = FLOW_ERR_INIT;
    metrics_close(&owner->told->metrics, &late);
    return code;
}

static void leave_nothing(void)
{
    static const char *const names[] = {"metrics.jsonl", "rung-0", "a", "b"};
    char file[RUNDIR_PATH];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_folder(file, names[i]));
}

static int play_kept(uint64_t *sum, flow_err *err)
{
    static double earlier;
    const rundir dir = rundir_at(folder);
    const stage_work work = {.dir = &dir, .key = "k", .quiet = true, .earlier = &earlier};
    course told = {.metrics.fd = -1};
    state_owner owner = {.work = &work, .stage = "student", .told = &told};
    int code = keep_all(&owner, sum, made[FLOW_NOISE_TO_DATA], err);
    leave_nothing();
    return code;
}

#endif
