/* pipeline/stages/run.c -- a run: everything that can be checked first, then the loop over the stages that have to run. */
#include "pipeline/stages/run.h"

#include "pipeline/console/exit.h"
#include "pipeline/console/foreign.h"
#include "pipeline/console/notice.h"
#include "pipeline/console/progress.h"
#include "pipeline/console/signals.h"
#include "pipeline/report/verdict.h"
#include "pipeline/stages/backends.h"
#include "pipeline/stages/flows.h"
#include "pipeline/stages/links.h"
#include "pipeline/stages/opening.h"
#include "pipeline/stages/record.h"
#include "pipeline/stages/record_files.h"
#include "pipeline/stages/run_words.h"
#include "pipeline/stages/set.h"
#include "pipeline/stages/why.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct run {
    const run_options *options;
    opening at; /* config, directory, memory, plan */
    rundir record;
    record_texts texts;
    record_course course;
    bool shown; /* users see no whole set yet: links are made as files come */
    bool begun; /* something was written */
    bool told;  /* it came to its end: its directory is named */
    stage_work work;
    rundir results[STAGE_COUNT]; /* of those that are whole */
    void *products[STAGE_COUNT]; /* NULL: nobody asked for it yet */
} run;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- results */

/* Stage i is whole: its result goes into the store. */
static int keep(run *r, size_t i, const rundir *part, flow_err *err)
{
    const stage *s = stages[i];
    plan_step *step = &r->at.plan.at[i];
    store_end end = {.key = step->key,
                     .of = step->of,
                     .product = s->store ? s->store(r->products[i]) : NULL,
                     .seconds = r->course.seconds[i],
                     .backend = r->course.backend};
    if (s->store && !end.product)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the result of stage %s", s->name);
    step->entry = store_keep(part, s, &end, err);
    if (!step->entry)
        return err->code;
    return r->shown ? store_link_now(r->at.dir.root, step->entry, err) : 0;
}

/* Of a stage that writes nothing, what it hangs on is kept, to say what is another the next time. */
static int keep_bare(run *r, size_t i, flow_err *err)
{
    rundir part;
    int code =
        store_begin(&part, &r->at.dir, stages[i]->name, r->at.plan.at[i].key, false, false, err);
    return code ? code : keep(r, i, &part, err);
}

/* The directory stays as it is until the first stage that writes: bad data leave no trace. */
static int begin(run *r, flow_err *err)
{
    char folder[RUNDIR_PATH];
    if (r->begun)
        return FLOW_OK;
    r->begun = true;
    snprintf(folder, sizeof folder, "%.2000s/stages", r->at.dir.root);
    int code = rundir_make_folders(folder, err);
    rundir_sweep(folder);
    rundir_sweep(r->record.root);
    if (!code)
        code = links_sweep(r->at.dir.root, err);
    if (!code)
        code = known_write(&r->at.memory, r->at.dir.root, err);
    if (!code)
        code = rundir_make_folders(r->record.root, err);
    if (!code)
        code = record_begin(&r->record, r->at.config, &r->texts, err);
    if (!code)
        code = record_resolved(&r->record, r->work.config, err);
    if (!code && r->shown)
        code = record_link_now(&r->record, err);
    for (size_t i = 0; i < STAGE_COUNT && !code; i++)
        if (r->course.ran[i] && !r->at.plan.at[i].entry)
            code = keep_bare(r, i, err);
    return code;
}

/* ---- a stage */

static int make_room(run *r, size_t i, flow_err *err)
{
    free(r->products[i]);
    r->products[i] = calloc(1, stages[i]->product_size + 1);
    return r->products[i]
               ? 0
               : flow_fail(err, FLOW_ENOMEM, "out of memory for stage %s", stages[i]->name);
}

static void list_inputs(const void *inputs[STAGE_COUNT], const run *r, const stage *s)
{
    for (size_t j = 0; s->inputs[j]; j++)
        inputs[j] = stage_takes(s, s->inputs[j], r->work.config)
                        ? r->products[stage_index(s->inputs[j])]
                        : NULL;
}

/* What it settled takes the place of the config for all behind it. */
static int settle(run *r, size_t i, flow_err *err)
{
    if (!stages[i]->settled)
        return 0;
    r->work.config = stages[i]->settled(r->products[i]);
    return r->begun ? record_resolved(&r->record, r->work.config, err) : 0;
}

/* A file that changed while it was read is neither the one nor the other. */
static int check_files(const run *r, size_t i, flow_err *err)
{
    const char *key;
    json_t *sum;
    json_object_foreach(json_object_get(r->at.plan.at[i].of, "digests"), key, sum)
    {
        const char *file =
            json_string_value(json_object_get(json_object_get(r->at.plan.files, key), "file"));
        if (!known_is_same(&r->at.memory, file))
            return flow_fail(err, FLOW_EDATA, "%s was changed while it was read", file);
    }
    return 0;
}

static rundir result_of(const run *r, size_t i)
{
    char name[STORE_NAME];
    rundir out = {.lock = -1, .home = r->at.dir.root};
    snprintf(out.root, sizeof out.root, "%.2000s/%s", out.home,
             store_name(name, stages[i]->name, r->at.plan.at[i].key));
    return out;
}

/* Of the stages before i that the config asks for. */
static void place_results(run *r, size_t i)
{
    for (size_t j = 0; j < i; j++)
        r->results[j] = r->at.plan.at[j].entry ? result_of(r, j) : (rundir){.lock = -1};
}

static int work_in(run *r, size_t i, const rundir *dir, flow_err *err)
{
    const void *inputs[STAGE_COUNT];
    stage_work work = r->work;
    work.dir = dir;
    work.key = r->at.plan.at[i].key;
    work.backend = r->course.backend;
    double start = now(), earlier = 0;
    work.earlier = &earlier;
    list_inputs(inputs, r, stages[i]);
    place_results(r, i);
    int code = make_room(r, i, err);
    if (!code)
        code = stages[i]->run(r->products[i], &work, inputs, err);
    if (!code)
        code = check_files(r, i, err);
    r->course.seconds[i] = earlier + now() - start;
    return code ? code : settle(r, i, err);
}

/* Its files go into a directory of their own, which takes its place when it is whole. */
static int work_and_keep(run *r, size_t i, flow_err *err)
{
    rundir part;
    flow_err gone = FLOW_ERR_INIT;
    const stage *s = stages[i];
    const plan_step *step = &r->at.plan.at[i];
    int code = begin(r, err);
    if (!code)
        code = store_begin(&part, &r->at.dir, s->name, step->key, step->goes_on, r->shown, err);
    if (code)
        return code;
    code = work_in(r, i, &part, err);
    if (rundir_check(&part, &gone) || rundir_check(&r->at.dir, &gone)) {
        *err = gone; /* whatever else was met */
        return gone.code;
    }
    if (code)
        store_abandon(&part, s, err);
    return code ? code : keep(r, i, &part, err);
}

static int run_stage(run *r, size_t i, flow_err *err)
{
    if (stages[i]->outputs[0] || r->begun)
        return work_and_keep(r, i, err);
    return work_in(r, i, &r->at.dir, err);
}

/* ---- what is there */

static int load(run *r, size_t i, flow_err *err)
{
    char name[STORE_NAME];
    const void *inputs[STAGE_COUNT];
    const plan_step *step = &r->at.plan.at[i];
    const rundir dir = result_of(r, i);
    stage_work work = r->work;
    work.dir = &dir;
    list_inputs(inputs, r, stages[i]);
    json_t *kept = store_product(r->at.dir.root, step->entry, err);
    int code = kept ? make_room(r, i, err) : err->code;
    if (!code)
        code = stages[i]->load(r->products[i], &work, inputs, kept, err);
    json_decref(kept);
    return code ? flow_fail_prefix(err, store_name(name, stages[i]->name, step->key))
                : settle(r, i, err);
}

/* The product of a stage that need not run, for one that has to. */
static int need(run *r, size_t i, flow_err *err)
{
    int code = 0;
    if (r->products[i] || r->at.plan.at[i].what == PLAN_OUT)
        return 0;
    for (const stage *const *in = stages[i]->inputs; *in && !code; in++)
        if (stage_takes(stages[i], *in, r->work.config))
            code = need(r, stage_index(*in), err);
    if (code)
        return code;
    return stages[i]->load ? load(r, i, err) : work_in(r, i, &r->at.dir, err);
}

/* All that stage i is given. What settles the config comes first: products are made of what it says. */
static int need_inputs(run *r, size_t i, flow_err *err)
{
    int code = 0;
    for (size_t j = 0; j < i && !code; j++)
        if (stages[j]->settled)
            code = need(r, j, err);
    for (const stage *const *in = stages[i]->inputs; *in && !code; in++)
        if (stage_takes(stages[i], *in, r->work.config))
            code = need(r, stage_index(*in), err);
    return code;
}

static void tell_kept(const run *r, size_t i)
{
    const plan_step *step = &r->at.plan.at[i];
    if (!r->options->quiet && stages[i]->outputs[0])
        fprintf(stderr, "%-10skept, with key %.8s\n", stages[i]->name, step->key);
}

/* A run that failed between a stage and its links left them to the next. */
static int pass_by(run *r, size_t i, flow_err *err)
{
    plan_step *step = &r->at.plan.at[i];
    tell_kept(r, i);
    if (stages[i]->outputs[0])
        backends_compare(stages[i]->name, "was made", step->entry, r->course.backend);
    return r->shown && !store_is_linked(r->at.dir.root, step->entry)
               ? store_link_now(r->at.dir.root, step->entry, err)
               : 0;
}

/* A stop that comes behind the last stage stops nothing. */
static int stop_behind(const run *r, size_t i, flow_err *err)
{
    for (size_t j = i + 1; j < STAGE_COUNT; j++)
        if (r->at.plan.at[j].what == PLAN_RUN)
            return flow_fail(err, FLOW_ESTOPPED, "stopped behind stage %s", stages[i]->name);
    notice_note("the stop came behind the last stage: the run is whole");
    return 0;
}

/* Nothing is begun in a directory that somebody took away. */
static int run_one(run *r, size_t i, flow_err *err)
{
    int code = rundir_check(&r->at.dir, err);
    if (!code)
        code = need_inputs(r, i, err);
    if (!code)
        code = run_stage(r, i, err);
    r->course.ran[i] = !code;
    return code || !signals_pending() ? code : stop_behind(r, i, err);
}

static int run_stages(run *r, flow_err *err)
{
    int code = FLOW_OK;
    for (size_t i = 0; i < STAGE_COUNT && !code; i++) {
        plan_what what = r->at.plan.at[i].what;
        code = what == PLAN_SKIP ? pass_by(r, i, err) : what == PLAN_RUN ? run_one(r, i, err) : 0;
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
    const json_t *verdict = r->at.plan.at[stage_index(&stage_validate)].entry;
    return json_is_true(json_object_get(verdict, "gate_failed"));
}

/* ---- before and after */

/* Whatever can be found wrong is found before anything in the directory is touched. */
static int prepare(run *r, flow_err *err)
{
    const run_options *o = r->options;
    opening *at = &r->at;
    if (opening_begin(at, o, err))
        return err->code;
    bool idle = plan_is_idle(&at->plan);
    if (!idle && flows_check(&r->course.backend, at->config, err))
        return err->code;
    int code = o->told ? record_read_run(&r->texts, o->sources.file, &o->sources, err)
                       : record_read(&r->texts, &o->sources, err);
    if (code || opening_lock(at, err) ||
        record_place(&r->record, &at->dir, at->config, &r->texts, err))
        return err->code;
    uint64_t threads = o->threads ? o->threads : at->config->compute.threads;
    r->shown = !at->plan.current && !why_current_check(at->dir.root, NULL);
    for (size_t i = 0; i < STAGE_COUNT; i++)
        if (at->plan.at[i].entry) /* of when it ran */
            r->course.seconds[i] =
                json_number_value(json_object_get(at->plan.at[i].entry, "seconds"));
    r->work = (stage_work){.config = at->config,
                           .dir = &at->dir,
                           .pool = idle ? NULL : flow_pool_create((size_t)threads, err),
                           .quiet = o->quiet,
                           .results = r->results};
    return idle || r->work.pool ? FLOW_OK : err->code;
}

/* The record of results that users see is not written over by a run that did not come to its end. */
static bool may_tell(const run *r)
{
    return r->shown || set_is_whole(&r->at.plan) ||
           !record_is_linked(&r->record, record_file_manifest);
}

/* How it went, and, if all is there, what users see. */
static int conclude(run *r, flow_err *err)
{
    int code = may_tell(r) ? record_end(&r->record, &r->work, &r->course, &r->at.plan, err) : 0;
    if (!code && set_is_whole(&r->at.plan))
        return set_show(&r->at.plan, &r->record, err);
    return !code && r->shown ? record_link_now(&r->record, err) : code;
}

/* A run that failed behind its last stage left the record to the next. */
static bool lacks_record(const run *r)
{
    return !r->begun && r->shown && !record_is_linked(&r->record, record_file_manifest);
}

/* Writes how it went, if there is a directory to write it into; an error of its own is told only where
 * there was none before. */
static int finish(run *r, int code, flow_err *err)
{
    flow_err late = FLOW_ERR_INIT;
    if (rundir_check(&r->at.dir, &late)) {
        *err = late; /* whatever else was met */
        return late.code;
    }
    if (!code && lacks_record(r))
        code = begin(r, err);
    r->course.ended = now();
    r->course.end = code == FLOW_ESTOPPED ? "stopped"
                    : code                ? "error"
                    : gate_failed(r)      ? "gate failed"
                                          : "good";
    if (!r->begun || conclude(r, &late) == 0 || code)
        return code;
    *err = late;
    return late.code;
}

/* ---- nothing to run */

/* A record of the same results that is told otherwise, a comment in the config say, is written all the same. */
static int write_record(run *r, flow_err *err)
{
    int code = begin(r, err);
    for (size_t i = 0; i < STAGE_COUNT && !code; i++)
        if (stages[i]->settled)
            code = need(r, i, err);
    return finish(r, code, err);
}

static json_t *kept_verdict(const run *r)
{
    char path[RUNDIR_PATH];
    const rundir at = result_of(r, stage_index(&stage_validate));
    return json_load_file(rundir_in(path, at.root, STAGE_VERDICT), JSON_REJECT_DUPLICATES, NULL);
}

static void tell_idle(const run *r, bool shown)
{
    json_t *verdict = kept_verdict(r);
    run_tell_idle(verdict, shown);
    json_decref(verdict);
}

static int show_what_is_there(run *r, flow_err *err)
{
    bool there = record_is_whole(&r->record),
         shown = there && set_is_shown(&r->at.plan, &r->record);
    if (!r->options->quiet)
        tell_idle(r, shown);
    if (shown)
        return 0;
    return there ? set_show(&r->at.plan, &r->record, err) : write_record(r, err);
}

/* ---- all of it */

/* What goes on where a run was stopped. */
/* An exit code that is no 0 has its words, also where the stage that judged did not run again. */
static void tell_kept_verdict(const run *r)
{
    json_t *verdict = kept_verdict(r);
    verdict_tell(verdict);
    json_decref(verdict);
}

static int execute(run *r)
{
    flow_err err = FLOW_ERR_INIT;
    int code = prepare(r, &err);
    if (!code && plan_is_idle(&r->at.plan) && set_is_whole(&r->at.plan)) {
        code = show_what_is_there(r, &err);
    } else if (!code) {
        code = run_stages(r, &err);
        progress_clear();
        code = finish(r, code, &err);
    }
    if (code) {
        int status = exit_fail(&err);
        if (code == FLOW_ESTOPPED && r->begun)
            run_tell_how_to_go_on(r->options);
        return status;
    }
    r->told = true;
    if (gate_failed(r) && !r->course.ran[stage_index(&stage_validate)])
        tell_kept_verdict(r);
    return gate_failed(r) ? EXIT_GATE : EXIT_GOOD;
}

static void release(run *r)
{
    flow_pool_free(r->work.pool);
    record_texts_release(&r->texts);
    opening_end(&r->at);
}

int run_verb(const run_options *options)
{
    int status;
    run r = {.options = options,
             .course = {.argc = options->argc, .argv = options->argv, .started = now()}};
    for (size_t i = 0; i < STAGE_COUNT; i++)
        r.course.seconds[i] = NAN;
    if (!opening_load(&r.at, &status, options))
        return status;
    signals_catch();
    progress_init(options->quiet);
    foreign_begin();
    status = execute(&r);
    release_stages(&r);
    foreign_end();
    if (r.told)
        printf("%s\n", r.at.dir.root);
    release(&r);
    return status;
}
