/* pipeline/stages/run.c -- the stages of a run in their order: data, teacher, student, validate, export.
 */
#include "pipeline/stages/run.h"

#include "files/model.h"
#include "files/read.h"
#include "pipeline/config/settings.h"
#include "pipeline/config/show.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/progress.h"
#include "pipeline/console/signals.h"
#include "pipeline/console/version.h"
#include "pipeline/report/picture_run.h"
#include "pipeline/report/verdict.h"
#include "pipeline/stages/course.h"
#include "pipeline/stages/output.h"
#include "pipeline/stages/rundir.h"
#include "student/iaf.h"
#include "teacher/generate.h"
#include "teacher/maf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct run {
    const run_options *options;
    config *config;
    rundir dir;
    flow_pool *pool;
    data_set *data;
    const data_generator *generator; /* NULL: the data are from a file */
    flow_model teacher, student;     /* units and names belong to the data set and to `names` */
    json_t *names, *context_names;
    target *target;
    course course; /* of the training in work */
    distill_state training;
    student_validation validation;
    double started, seconds[5]; /* of teacher, student, validate, export, picture */
    bool gates_hold;
} run;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- data */

static file_table *load_table(run *r, flow_err *err)
{
    const config_data *d = &r->config->data;
    if (d->path)
        return file_read(d->path, d->header, err);
    r->generator = &data_generators[d->generator];
    double noise = isnan(d->noise) ? r->generator->noise : d->noise;
    return data_generate_table(r->generator, noise, r->config->seed, (size_t)d->rows, err);
}

static json_t *name_list(char **names, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(names[i]));
    return list;
}

static int stage_data(run *r, flow_err *err)
{
    file_table *table = load_table(r, err);
    if (!table)
        return err->code;
    data_options options = settings_data(r->config);
    const char *source = r->config->data.path ? r->config->data.path : r->generator->name;
    r->data = data_set_create(table, source, &options, err);
    file_table_free(table);
    if (!r->data)
        return err->code;
    r->names = name_list(r->data->names, r->data->dim);
    r->context_names = name_list(r->data->context_names, r->data->n_context);
    if (!r->options->quiet)
        fprintf(stderr, "data      %s: %zu + %zu + %zu rows, %zu columns, %zu of context\n", source,
                r->data->train.n, r->data->valid.n, r->data->test.n, r->data->dim,
                r->data->n_context);
    if (r->data->dropped && !r->options->quiet)
        fprintf(stderr, "data      %zu rows that were not finite were dropped\n", r->data->dropped);
    return 0;
}

static void fill_model(run *r, flow_model *model, flow *f, const char *role)
{
    *model = (flow_model){.flow = f,
                          .units = r->data->units,
                          .context_units = r->data->context_units,
                          .names = r->names,
                          .context_names = r->data->n_context ? r->context_names : NULL};
    strcpy(model->role, role);
}

static int write_model(run *r, const flow_model *model, flow_err *err)
{
    char name[64], path[RUNDIR_PATH];
    snprintf(name, sizeof name, "%s/model.safetensors", model->role);
    return rundir_path(&r->dir, path, name, err) ? flow_model_write(model, path, err) : err->code;
}

/* Keeps what was trained even if it was stopped; the stop stays an error. */
static int end_training(run *r, const flow_model *model, int code, flow_err *err)
{
    flow_err late = FLOW_ERR_INIT;
    if (course_end(&r->course, err))
        return err->code;
    if (code && code != FLOW_ESTOPPED) {
        progress_clear();
        return flow_fail_prefix(err, model->role);
    }
    if (write_model(r, model, &late)) {
        *err = late;
        return err->code;
    }
    return code;
}

/* ---- teacher */

static int stage_teacher(run *r, flow_err *err)
{
    size_t hidden[CONFIG_MAX_WHOLES];
    teacher_fit_state state;
    flow_spec spec =
        settings_flow(r->config, hidden, FLOW_DATA_TO_NOISE, r->data->dim, r->data->n_context);
    teacher_fit_options options = settings_fit(r->config);
    flow *maf = maf_create(&spec, r->config->precision, err);
    if (!maf)
        return flow_fail_prefix(err, "teacher.flow");
    fill_model(r, &r->teacher, maf, "teacher");
    if (course_begin(&r->course, &r->dir, "teacher", options.epochs, err))
        return err->code;
    int code =
        teacher_fit(maf, &state, r->pool, r->data, &options, course_watch_fit, &r->course, err);
    if (code == 0)
        course_tell_fit(&state, flow_n_weights(maf));
    return end_training(r, &r->teacher, code, err);
}

/* ---- student */

static distill_contexts contexts_of(const data_part *part)
{
    return (distill_contexts){.rows = part->context, .n = part->n};
}

static int stage_student(run *r, flow_err *err)
{
    size_t hidden[CONFIG_MAX_WHOLES];
    flow_spec spec =
        settings_flow(r->config, hidden, FLOW_NOISE_TO_DATA, r->data->dim, r->data->n_context);
    distill_options options = settings_distill(r->config);
    distill_contexts contexts = contexts_of(&r->data->train);
    flow *iaf = iaf_create(&spec, r->config->precision, err);
    if (!iaf)
        return flow_fail_prefix(err, "student.flow");
    fill_model(r, &r->student, iaf, "student");
    r->target = target_from_flow(r->teacher.flow, err);
    if (!r->target || course_begin(&r->course, &r->dir, "student", options.steps, err))
        return err->code;
    int code = student_distill(iaf, &r->training, r->pool, r->target, &contexts, &options,
                               course_watch_distill, &r->course, err);
    if (code == 0)
        course_tell_distill(&r->training, flow_n_weights(iaf));
    return end_training(r, &r->student, code, err);
}

/* ---- validate */

static size_t mode_in_user_units(void *arg, const double *u)
{
    const run *r = arg;
    double x[2];
    flow_units_to_user(r->data->units, x, NULL, u, 1);
    return r->generator->mode_of(x);
}

static const data_part *held_out(const data_set *data)
{
    return data->test.n ? &data->test : data->valid.n ? &data->valid : &data->train;
}

static int write_verdict(run *r, double mean, double se, flow_err *err)
{
    verdict_input in = {.student = &r->validation,
                        .require = &r->config->validate.require,
                        .teacher_mean = mean,
                        .teacher_se = se,
                        .teacher_rows = r->data->test.n,
                        .samples = (size_t)r->config->validate.samples,
                        .teacher_flow = r->teacher.flow,
                        .student_flow = r->student.flow,
                        .training = &r->training,
                        .names = (const char *const *)r->data->names};
    json_t *verdict = verdict_json(&in, &r->gates_hold);
    int code = rundir_write_json(&r->dir, "validation.json", verdict, err);
    if (!code && !r->options->quiet)
        verdict_print(&in, verdict);
    json_decref(verdict);
    return code;
}

/* Measured in double, whatever the precision of the run (validate.h). */
static int validate_in_double(run *r, const student_validate_options *options,
                              const target_modes *modes, flow_err *err)
{
    distill_contexts contexts = contexts_of(held_out(r->data));
    flow *precise = flow_convert(r->teacher.flow, FLOW_F64, err);
    target *teacher = precise ? target_from_flow(precise, err) : NULL;
    if (teacher)
        teacher->modes = modes;
    int code = teacher ? student_validate(&r->validation, r->student.flow, teacher, r->teacher.flow,
                                          r->pool, &contexts, options, err)
                       : err->code;
    target_free(teacher);
    flow_free(precise);
    return code;
}

/* The modes of made-up data, of equal weight; weights (n) are the caller's to free. NULL: no memory. */
static double *known_modes(target_modes *out, run *r)
{
    size_t n = r->generator ? r->generator->modes : 0;
    double *weights = malloc((n + 1) * sizeof *weights);
    for (size_t k = 0; weights && k < n; k++)
        weights[k] = 1.0 / (double)n;
    *out = (target_modes){.n = n, .weights = weights, .mode_of = mode_in_user_units, .arg = r};
    return weights;
}

static int validate_with_modes(run *r, const student_validate_options *options, flow_err *err)
{
    target_modes modes;
    double *weights = known_modes(&modes, r);
    int code = weights ? validate_in_double(r, options, modes.n ? &modes : NULL, err)
                       : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu modes", modes.n);
    free(weights);
    return code;
}

static int stage_validate(run *r, flow_err *err)
{
    double mean, se;
    student_validate_options options = {.samples = (size_t)r->config->validate.samples,
                                        .seed = r->config->seed};
    progress_begin("validate", 0);
    int code = teacher_log_likelihood(r->teacher.flow, r->pool, &mean, &se, &r->data->test, err);
    if (!code)
        code = validate_with_modes(r, &options, err);
    if (code) {
        progress_clear();
        return flow_fail_prefix(err, "validate");
    }
    progress_end("%zu samples; teacher's test log-likelihood %.4f +- %.4f nats a row",
                 options.samples, mean, se);
    return write_verdict(r, mean, se, err);
}

/* ---- export */

/* Contexts for n samples: the held-out rows in turn, in the user's units. */
static double *export_contexts(const run *r, size_t n, flow_err *err)
{
    size_t c = r->data->n_context;
    const data_part *part = held_out(r->data);
    double *out = malloc((n * c + 1) * sizeof *out);
    if (!out) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows of context", n);
        return NULL;
    }
    for (size_t i = 0; i < n && c; i++)
        memcpy(out + i * c, part->context + i % part->n * c, c * sizeof *out);
    if (c)
        flow_units_to_user(r->data->context_units, out, NULL, out, n);
    return out;
}

static int stage_export(run *r, flow_err *err)
{
    size_t n = (size_t)r->config->export.samples;
    char name[512], path[RUNDIR_PATH];
    if (n == 0)
        return 0;
    snprintf(name, sizeof name, "export/%s", r->config->export.file);
    if (!rundir_path(&r->dir, path, name, err))
        return err->code;
    double *contexts = export_contexts(r, n, err);
    output_request request = {
        .model = &r->student,
        .pool = r->pool,
        .context = r->data->n_context ? contexts : NULL,
        .stream = {.seed = r->config->seed, .stage = PCG_EXPORT, .purpose = PCG_BASE},
        .n = n,
        .path = path,
        .format = output_format_of(path)};
    progress_begin("export", n);
    int code = contexts ? output_samples(&request, err) : FLOW_ENOMEM;
    if (!code)
        progress_end("%zu samples in %s", n, path);
    free(contexts);
    return code;
}

/* ---- picture */

static int stage_picture(run *r, flow_err *err)
{
    char path[RUNDIR_PATH];
    if (!rundir_path(&r->dir, path, "picture.png", err))
        return err->code;
    progress_begin("picture", 0);
    int code =
        picture_of_run(path, r->data, &r->teacher, &r->student, r->pool, r->config->seed, err);
    if (code) {
        progress_clear();
        return flow_fail_prefix(err, "picture");
    }
    progress_end("data, teacher and student in %s", path);
    return 0;
}

/* ---- the record of the run */

/* What an earlier run in this directory left, which would pass for this one's. */
static int remove_results(run *r, flow_err *err)
{
    static const char *const names[] = {"validation.json",
                                        "picture.png",
                                        "manifest.json",
                                        "teacher/model.safetensors",
                                        "student/model.safetensors",
                                        "student/metrics.jsonl"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (rundir_remove(&r->dir, names[i], err))
            return err->code;
    return 0;
}

static int write_overrides(run *r, flow_err *err)
{
    const config_sources *s = &r->options->sources;
    size_t size = 1;
    for (size_t i = 0; i < s->n_sets; i++)
        size += strlen(s->sets[i]) + 1;
    char *text = calloc(size, 1);
    if (!text)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the overrides");
    for (size_t i = 0; i < s->n_sets; i++)
        strcat(strcat(text, s->sets[i]), "\n");
    int code = rundir_write_text(&r->dir, "overrides.txt", text, err);
    free(text);
    return code;
}

static int write_inputs(run *r, flow_err *err)
{
    const config_sources *s = &r->options->sources;
    json_t *resolved = config_to_json(r->config);
    int code = rundir_write_json(&r->dir, "resolved.json", resolved, err);
    json_decref(resolved);
    if (!code)
        code = rundir_copy(&r->dir, "config.yaml", s->file, err);
    for (size_t i = 0; i < s->n_overlays && !code; i++) {
        char name[64];
        snprintf(name, sizeof name, "overlay-%zu.yaml", i + 1);
        code = rundir_copy(&r->dir, name, s->overlays[i], err);
    }
    return code ? code : write_overrides(r, err);
}

static json_t *seconds_json(const run *r)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:f}", "teacher", r->seconds[0], "student",
                     r->seconds[1], "validate", r->seconds[2], "export", r->seconds[3], "picture",
                     r->seconds[4]);
}

static int write_manifest(run *r, const char *end, flow_err *err)
{
    json_t *argv = json_array(), *versions = version_json();
    for (int i = 0; i < r->options->argc; i++)
        json_array_append_new(argv, json_string(r->options->argv[i]));
    const char *backend = r->student.flow   ? flow_backend_name(r->student.flow)
                          : r->teacher.flow ? flow_backend_name(r->teacher.flow)
                                            : NULL;
    json_t *out = json_pack(
        "{s:o, s:o, s:s?, s:I, s:I, s:s, s:f, s:f, s:o, s:s}", "argv", argv, "versions", versions,
        "backend", backend, "threads", (json_int_t)flow_pool_threads(r->pool), "seed",
        (json_int_t)r->config->seed, "seed_from", r->config->seed_given ? "config" : "drawn",
        "started", r->started, "ended", now(), "seconds", seconds_json(r), "end", end);
    int code = rundir_write_json(&r->dir, "manifest.json", out, err);
    json_decref(out);
    return code;
}

/* ---- the whole */

typedef int stage(run *r, flow_err *err);

static int run_stages(run *r, flow_err *err)
{
    static stage *const stages[] = {stage_teacher, stage_student, stage_validate, stage_export,
                                    stage_picture};
    int code = 0;
    for (size_t i = 0; i < sizeof stages / sizeof stages[0] && !code; i++) {
        double start = now();
        code = stages[i](r, err);
        r->seconds[i] = now() - start;
        if (!code && signals_pending())
            code = flow_fail(err, FLOW_ESTOPPED, "stopped between two stages");
    }
    return code;
}

/* Bad data leave an earlier run in the directory as it was; a run that starts leaves nothing of it. */
static int open_run(run *r, flow_err *err)
{
    char root[RUNDIR_PATH];
    snprintf(root, sizeof root, "runs/%.255s", r->config->name);
    uint64_t threads = r->options->threads ? r->options->threads : r->config->compute.threads;
    if (!r->config->seed_given && config_draw_seed(r->config, err))
        return err->code;
    if (!(r->pool = flow_pool_create((size_t)threads, err)) || stage_data(r, err) ||
        rundir_create(&r->dir, r->options->out ? r->options->out : root, err) ||
        remove_results(r, err))
        return err->code;
    return write_inputs(r, err);
}

static void release(run *r)
{
    target_free(r->target);
    flow_free(r->teacher.flow);
    flow_free(r->student.flow);
    data_set_free(r->data);
    json_decref(r->names);
    json_decref(r->context_names);
    student_validation_release(&r->validation);
    flow_pool_free(r->pool);
    config_free(r->config);
}

static int execute(run *r)
{
    flow_err err = FLOW_ERR_INIT, late = FLOW_ERR_INIT;
    int code = open_run(r, &err);
    if (code)
        return exit_fail(&err);
    code = run_stages(r, &err);
    progress_clear();
    const char *end = code == 0               ? (r->gates_hold ? "good" : "gate failed")
                      : code == FLOW_ESTOPPED ? "stopped"
                                              : "error";
    if (write_manifest(r, end, &late) && !code)
        return exit_fail(&late);
    if (code)
        return exit_fail(&err);
    printf("%s\n", r->dir.root);
    return r->gates_hold ? EXIT_GOOD : EXIT_GATE;
}

int run_verb(const run_options *options)
{
    int status;
    run r = {.options = options, .started = now(), .course.metrics.fd = -1};
    r.config = config_load_shown(&status, &options->sources);
    if (!r.config)
        return status;
    signals_catch();
    progress_init(options->quiet);
    status = execute(&r);
    release(&r);
    return status;
}
