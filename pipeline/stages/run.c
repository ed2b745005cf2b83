/* pipeline/stages/run.c -- a run: everything that can be checked first, then the loop over the stages. */
#include "pipeline/stages/run.h"

#include "pipeline/config/show.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/foreign.h"
#include "pipeline/console/progress.h"
#include "pipeline/console/signals.h"
#include "pipeline/stages/digests.h"
#include "pipeline/stages/flows.h"
#include "pipeline/stages/record.h"
#include "pipeline/stages/stage.h"
#include "pipeline/stages/validate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct run {
    const run_options *options;
    config *config;
    rundir dir;
    record_texts texts;
    record_course course;
    bool begun; /* the directory is this run's: what an earlier one left is gone */
    bool told;  /* it came to its end: its directory is named */
    stage_work work;
    void *products[STAGE_COUNT]; /* NULL: the stage has not run */
} run;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the stages */

/* An earlier run's files stay until the first stage that writes: bad data leave them as they were. */
static int begin(run *r, const stage *s, flow_err *err)
{
    if (r->begun || !s->outputs[0])
        return FLOW_OK;
    r->begun = true;
    r->course.files = digests_of_target(r->config->target);
    if (!r->course.files)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the digests of files");
    return record_begin(&r->dir, r->config, &r->options->sources, &r->texts, err);
}

static int run_stage(run *r, size_t index, flow_err *err)
{
    const stage *s = stages[index];
    const void *inputs[STAGE_COUNT];
    double start = now();
    if (!(r->products[index] = calloc(1, s->product_size + 1)))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for stage %s", s->name);
    for (size_t i = 0; s->inputs[i]; i++)
        inputs[i] = r->products[stage_index(s->inputs[i])];
    int code = begin(r, s, err);
    if (!code)
        code = s->run(r->products[index], &r->work, inputs, err);
    r->course.seconds[index] = now() - start;
    if (!code && s->settled)
        r->work.config = s->settled(r->products[index]);
    return code;
}

static int run_stages(run *r, flow_err *err)
{
    int code = FLOW_OK;
    for (size_t i = 0; i < STAGE_COUNT && !code; i++) {
        if (stages[i]->is_due && !stages[i]->is_due(r->work.config))
            continue; /* where a stage is skipped: the only place */
        code = run_stage(r, i, err);
        if (!code && signals_pending())
            code = flow_fail(err, FLOW_ESTOPPED, "stopped behind stage %s", stages[i]->name);
    }
    return code;
}

static void release_stages(run *r)
{
    for (size_t i = STAGE_COUNT; i-- > 0; free(r->products[i]))
        if (r->products[i] && stages[i]->release)
            stages[i]->release(r->products[i]);
}

static bool gate_failed(const run *r)
{
    const validate_product *verdict = r->products[stage_index(&stage_validate)];
    return verdict && verdict->gate_failed;
}

/* ---- the whole */

/* Whatever can be found wrong is found before anything in the directory is touched. */
static int prepare(run *r, flow_err *err)
{
    char root[RUNDIR_PATH];
    const run_options *o = r->options;
    snprintf(root, sizeof root, "runs/%.255s", r->config->name);
    if (config_draw_seed(r->config, err) ||
        flows_check(&r->course.backend, r->config, !o->quiet, err) ||
        record_read(&r->texts, &o->sources, err) ||
        rundir_open(&r->dir, o->out ? o->out : root, err))
        return err->code;
    uint64_t threads = o->threads ? o->threads : r->config->compute.threads;
    r->work = (stage_work){.config = r->config,
                           .dir = &r->dir,
                           .pool = flow_pool_create((size_t)threads, err),
                           .quiet = o->quiet};
    return r->work.pool ? FLOW_OK : err->code;
}

/* Writes how it went, if there is a directory to write it into; an error of its own is told only where
 * there was none before. */
static int finish(run *r, int code, flow_err *err)
{
    flow_err late = FLOW_ERR_INIT;
    r->course.ended = now();
    r->course.end = code == FLOW_ESTOPPED ? "stopped"
                    : code                ? "error"
                    : gate_failed(r)      ? "gate failed"
                                          : "good";
    if (!r->begun || record_end(&r->work, &r->course, &late) == 0 || code)
        return code;
    *err = late;
    return late.code;
}

static int execute(run *r)
{
    flow_err err = FLOW_ERR_INIT;
    int code = prepare(r, &err);
    if (!code) {
        code = run_stages(r, &err);
        progress_clear();
        code = finish(r, code, &err);
    }
    if (code)
        return exit_fail(&err);
    r->told = true;
    return gate_failed(r) ? EXIT_GATE : EXIT_GOOD;
}

static void release(run *r)
{
    flow_pool_free(r->work.pool);
    rundir_close(&r->dir);
    record_texts_release(&r->texts);
    json_decref(r->course.files);
    config_free(r->config);
}

int run_verb(const run_options *options)
{
    int status;
    run r = {.options = options,
             .dir.lock = -1,
             .course = {.argc = options->argc, .argv = options->argv, .started = now()}};
    for (size_t i = 0; i < STAGE_COUNT; i++)
        r.course.seconds[i] = NAN;
    r.config = config_load_shown(&status, &options->sources);
    if (!r.config)
        return status;
    signals_catch();
    progress_init(options->quiet);
    foreign_begin();
    status = execute(&r);
    release_stages(&r);
    foreign_end();
    if (r.told)
        printf("%s\n", r.dir.root);
    release(&r);
    return status;
}

int check_verb(const config_sources *sources)
{
    int status;
    flow_err err = FLOW_ERR_INIT;
    const char *backend;
    config *self = config_load_shown(&status, sources);
    foreign_begin();
    if (self)
        status = flows_check(&backend, self, true, &err) ? exit_fail(&err) : EXIT_GOOD;
    if (self && status == EXIT_GOOD)
        fprintf(stderr, "%s: ok\n", sources->file);
    foreign_end();
    config_free(self);
    return status;
}
