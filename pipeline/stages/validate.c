#include "pipeline/stages/validate.h"

#include "files/npy.h"
#include "files/utf8.h"
#include "flow/json.h"
#include "pipeline/config/settings.h"
#include "pipeline/console/progress.h"
#include "pipeline/report/verdict.h"
#include "pipeline/stages/data.h"
#include "pipeline/stages/shipped.h"
#include "pipeline/stages/stage.h"
#include "pipeline/stages/student.h"
#include "pipeline/stages/target.h"
#include "pipeline/stages/teacher.h"
#include "teacher/fit.h"
#include "teacher/likelihood.h"

#include <math.h>
#include <stdio.h>

static const char VERDICT[] = STAGE_VERDICT, CHAIN[] = "chain.npy";

/* What is held against what. */
typedef struct sides {
    const data_product *data; /* NULL with the teacher: a target is learnt from */
    const teacher_product *teacher;
    const target_product *target;
    const student_product *student;
} sides;

/* As it is shipped, and all else in double, whatever the precision of the run (validate.h). */
static int measure(student_validation *out, const stage_work *work, const sides *s,
                   const shipped *as, flow_err *err)
{
    const config *c = work->config;
    const target_product *t = s->target;
    student_validate_options options = {.samples = (size_t)c->validate.samples,
                                        .seed = c->seed,
                                        .as_trained = as->rounded ? s->student->model.flow : NULL,
                                        .chain = settings_chain(c, t->exact),
                                        .chains = settings_chains(c),
                                        .hunt = settings_hunt(c),
                                        .units = t->frame.units,
                                        .data = t->data,
                                        .held_out = t->data ? data_held_out(t->data) : NULL};
    distill_contexts contexts = target_contexts_held_out(t);
    int code = student_validate(out, as->model.flow, t->exact, t->flow, work->pool, &contexts,
                                &options, err);
    if (s->data)
        out->against_data.repeated = s->data->repeated;
    return code;
}

static int measure_rounded(student_validation *out, const stage_work *work, const sides *s,
                           flow_network network, flow_err *err)
{
    shipped as;
    int code = shipped_open(&as, &s->student->model, network, err);
    if (code)
        return code;
    code = measure(out, work, s, &as, err);
    shipped_release(&as);
    return code;
}

static int write_verdict(validate_product *out, const verdict_input *in, const stage_work *work,
                         flow_err *err)
{
    bool pass;
    json_t *verdict = verdict_json(in, &pass);
    int code = rundir_write_json(work->dir, VERDICT, verdict, err);
    if (!code && work->quiet)
        verdict_tell(verdict);
    else if (!code)
        verdict_print(in, verdict);
    out->gate_failed = !pass;
    out->network = in->network;
    verdict_notes(out->teacher_note, out->student_note, in);
    json_decref(verdict);
    return code;
}

/* Where there were chains. */
static int write_chain(const student_chain_rows *rows, size_t dim, const stage_work *work,
                       flow_err *err)
{
    char path[RUNDIR_PATH];
    if (rows->n == 0)
        return FLOW_OK;
    return rundir_path(work->dir, path, CHAIN, err)
               ? file_npy_write(path, rows->x, rows->n, dim, FLOW_F64, err)
               : err->code;
}

/* Of the test rows: the mean of what `distill logp` gives for them, and the same as the flow has it. */
static int likelihood(verdict_input *in, const stage_work *work, const sides *s, flow_err *err)
{
    const flow_model *teacher = &s->teacher->model;
    const data_part *test = &s->target->data->test;
    int code =
        teacher_model_log_likelihood(teacher, work->pool, &in->test.value, &in->test.se, test, err);
    return code ? code
                : teacher_log_likelihood(teacher->flow, work->pool, &in->test_inside.value,
                                         &in->test_inside.se, test, err);
}

static void tell(const verdict_input *in)
{
    if (isnan(in->test.value))
        progress_end("%zu samples", in->samples);
    else
        progress_end(
            "%zu samples; teacher's test log-likelihood %.4f +- %.4f nats a row in the units of "
            "the data, %.4f in those of the flow",
            in->samples, in->test.value, in->test.se, in->test_inside.value);
}

/* ---- which networks */

/* Where a choice is left, a student that cannot be rounded, or has no figures then, is one that does not pass. */
static int excuse(trial *t, int code, flow_err *err)
{
    if (code != FLOW_ECONFIG && code != FLOW_EDATA && code != FLOW_EDIVERGED)
        return code;
    snprintf(t->why, TRIAL_WHY, "%.190s", err->text);
    file_mend_utf8(t->why); /* where a letter was cut */
    *err = (flow_err)FLOW_ERR_INIT;
    return 0;
}

/* The student as it was trained is what remains. */
static void take_last(trial *t, size_t tried)
{
    t->taken = true;
    snprintf(t->why, TRIAL_WHY, "%s",
             tried > 1 ? "as it was trained, for no other passes"
                       : "as it was trained, for this processor is faster with no other");
}

static int try_network(trial *t, verdict_input *in, student_validation *figures,
                       const stage_work *work, const sides *s, flow_err *err)
{
    student_validation_release(figures); /* of the one before */
    *t = (trial){.network = in->network, .pace = student_not_timed.student};
    int code = measure_rounded(figures, work, s, in->network, err);
    if (code)
        return code;
    t->pace = figures->speed.student;
    t->taken = verdict_student_passes(t->why, in);
    return 0;
}

/* The first that passes, or the last; the order is no clock's. */
static int choose(verdict_input *in, student_validation *figures, trials *tried,
                  const stage_work *work, const sides *s, flow_err *err)
{
    flow_network all[TRIALS_MOST];
    size_t n = shipped_candidates(all, work->config);
    int code = 0;
    while (!code && tried->n < n && !(tried->n && tried->at[tried->n - 1].taken)) {
        trial *t = &tried->at[tried->n];
        in->network = all[tried->n++];
        code = try_network(t, in, figures, work, s, err);
        if (code && tried->n < n)
            code = excuse(t, code, err);
        else if (tried->n == n)
            take_last(t, n);
    }
    return code;
}

/* All figures, into *in and what it points to. */
static int judge(verdict_input *in, student_validation *figures, trials *tried,
                 const stage_work *work, const sides *s, flow_err *err)
{
    progress_begin(stage_validate.name, 0);
    int code = s->target->data ? likelihood(in, work, s, err) : 0;
    if (!code)
        code = choose(in, figures, tried, work, s, err);
    if (code) {
        progress_clear();
        return flow_fail_prefix(err, stage_validate.name);
    }
    tell(in);
    return FLOW_OK;
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    const sides s = {inputs[0], inputs[1], inputs[2], inputs[3]};
    const data_set *data = s.target->data;
    student_validation figures = {.n_modes = 0};
    trials tried = {.n = 0};
    verdict_input in = {.student = &figures,
                        .require = &work->config->validate.require,
                        .test = {NAN, NAN},
                        .test_inside = {NAN, NAN},
                        .test_rows = data ? data->test.n : 0,
                        .samples = (size_t)work->config->validate.samples,
                        .teacher_flow = s.target->flow,
                        .student_flow = s.student->model.flow,
                        .training = &s.student->training,
                        .price = &s.student->price,
                        .ladder = s.student->ladder.rungs.n ? &s.student->ladder : NULL,
                        .trials = shipped_is_chosen(work->config) ? &tried : NULL,
                        .names = s.target->names};
    int code = judge(&in, &figures, &tried, work, &s, err);
    if (!code)
        code = write_chain(&figures.chain_rows, s.target->exact->dim, work, err);
    if (!code)
        code = write_verdict(product, &in, work, err);
    student_validation_release(&figures);
    return code;
}

/* ---- what its page needs */

static json_t *store(const void *product)
{
    const validate_product *self = product;
    json_t *out = json_object();
    flow_json_set(&out, "gate_failed", json_boolean(self->gate_failed));
    flow_json_set(&out, "network", json_string(flow_network_name(self->network)));
    flow_json_set(&out, "teacher_note", json_string(self->teacher_note));
    flow_json_set(&out, "student_note", json_string(self->student_note));
    return out;
}

static void read_note(char out[VERDICT_NOTE], const json_t *kept, const char *key)
{
    const char *text = json_string_value(json_object_get(kept, key));
    snprintf(out, VERDICT_NOTE, "%s", text ? text : "");
}

static int load(void *product, const stage_work *work, const void *const *inputs,
                const json_t *kept, flow_err *err)
{
    validate_product *out = product;
    static const flow_key key = {.name = "network", .type = FLOW_KEY_WORD, .words = flow_networks};
    const json_t *word = json_object_get(kept, key.name);
    int network = FLOW_NETWORK_AS_IS;
    (void)work;
    (void)inputs;
    if (word && flow_key_read(&network, &key, word, err))
        return err->code;
    out->network = (flow_network)network;
    out->gate_failed = json_is_true(json_object_get(kept, "gate_failed"));
    read_note(out->teacher_note, kept, "teacher_note");
    read_note(out->student_note, kept, "student_note");
    return FLOW_OK;
}

const stage stage_validate = {
    .name = "validate",
    .doc = "holds the student against the teacher, and the teacher against its data",
    .abi = 4,
    .keys = (const char *const[]){"seed", "validate", "compute.network", NULL},
    .inputs =
        (const stage *const[]){&stage_data, &stage_teacher, &stage_target, &stage_student, NULL},
    .outputs = (const char *const[]){VERDICT, CHAIN, NULL},
    .product_size = sizeof(validate_product),
    .run = run,
    .store = store,
    .load = load};
