/* A distillation that is saved at every step and loaded by another: on to the same bits. */
#include "student/objective.h"
#include "tests/common/check.h"
#include "tests/common/distilling.h"
#include "tests/common/examples.h"
#include "tests/common/gaussian.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXTS = 20 };
static double contexts[CONTEXTS];
static const distill_contexts table = {.rows = {.at = contexts, .precision = FLOW_F64, .width = 1},
                                       .n = CONTEXTS};

/* All that can be switched on: both terms, both estimators, widening, tempering, larger batches late, the
 * average, and rows that break. */
static distill_options usual(void)
{
    distill_options o = distilling_options();
    o.batch = 40;
    o.steps = 9;
    o.shard = 16;
    o.gradient = DISTILL_AUTO;
    o.forward = 0.2;
    o.forward_end = 0.7;
    o.widen = 0.2;
    o.widen_by = 1.5;
    o.temper = 0.4;
    o.temper_until = 0.9;
    o.late_batch = 2;
    o.late_from = 0.6;
    o.average = 0.9;
    o.weight_decay = 1e-3;
    o.clip = 1.1;
    o.warmup = 3;
    return o;
}

static size_t context = 1; /* columns of it */

typedef struct course {
    gaussian g;
    flow *student;
    flow_pool *pool;
    student_distillation *run;
} course;

static void open_course(course *self, size_t threads, const distill_options *options)
{
    flow_err err = FLOW_ERR_INIT;
    gaussian_init(&self->g, 3, lower3, mean3);
    self->g.base.context = context;
    self->g.gain = -0.6;
    self->g.broken_above = 4.5;
    random_numbers(contexts, CONTEXTS, 0.8, 4);
    self->student = student_iaf(&self->g.base, FLOW_F32);
    self->pool = flow_pool_create(threads, &err);
    self->run = student_distillation_create(self->student, self->pool, &self->g.base, &table,
                                            options, &err);
    cr_assert(self->run, "%s", err.text);
}

static void close_course(course *self)
{
    student_distillation_free(self->run);
    flow_pool_free(self->pool);
    flow_free(self->student);
    cr_assert_eq(atomic_load(&self->g.works), 0, "scratch was not freed");
}

static void step(course *self)
{
    flow_err err = FLOW_ERR_INIT;
    int probed;
    cr_assert_eq(student_distillation_step(self->run, &probed, &err), 0, "%s", err.text);
}

static void finish(course *self)
{
    flow_err err = FLOW_ERR_INIT;
    while (!student_distillation_over(self->run))
        step(self);
    cr_assert_eq(student_distillation_finish(self->run, &err), 0, "%s", err.text);
}

static void check_resumed(const distill_options *options, size_t stride)
{
    course whole;
    flow_err err = FLOW_ERR_INIT;
    open_course(&whole, 1, options);
    finish(&whole);
    const distill_state *want = student_distillation_at(whole.run);
    for (size_t k = 0; k <= options->steps; k += stride) {
        course first, second;
        void *block;
        size_t size;
        open_course(&first, 2, options);
        open_course(&second, 1 + k % 3, options);
        for (size_t i = 0; i < k; i++)
            step(&first);
        for (size_t i = 0; i < 4 && k % 2; i++) /* one that has gone elsewhere */
            step(&second);
        cr_assert_eq(student_distillation_save(first.run, &block, &size, &err), 0, "%s", err.text);
        cr_assert_eq(student_distillation_load(second.run, block, size, &err), 0, "%s", err.text);
        finish(&second);
        cr_assert(memcmp(flow_params(second.student), flow_params(whole.student),
                         flow_params_bytes(whole.student)) == 0,
                  "weights, saved at step %zu", k);
        cr_assert(memcmp(student_distillation_at(second.run), want, sizeof *want) == 0,
                  "state, saved at step %zu", k);
        free(block);
        close_course(&first);
        close_course(&second);
    }
    close_course(&whole);
}

Test(distill_resumed, same_bits_from_every_step)
{
    distill_options options = usual();
    check_resumed(&options, 1);
    options.gradient = DISTILL_TOTAL;
    options.forward = options.forward_end = options.widen = options.average = 0;
    check_resumed(&options, 1);
}

/* Every kind of objective, with numbers so small that each of its parts has its turn in nine steps. */
static const char *const small[] = {
    "{\"kind\": \"kl\", \"cover\": 0.2}",
    "{\"kind\": \"mass_transport\", \"buffer\": 70, \"every\": 2, \"trust\": 0.1, \"polish\": 0.3}",
    "{\"kind\": \"importance\", \"buffer\": 70, \"every\": 2, \"alpha\": 2, \"ess\": 0.7, "
    "\"widen\": 0.2, "
    "\"polish\": 0.3}",
    "{\"kind\": \"fab\", \"buffer\": 70, \"every\": 2, \"chains\": 40, \"betas\": 3, \"polish\": "
    "0.3}",
    "{\"kind\": \"two_sided\", \"lag\": 3, \"widen\": 0.2, \"polish\": 0.3}",
    NULL};

static json_t *small_objective(const objective_kind *kind)
{
    for (const char *const *text = small; *text; text++) {
        json_t *out = json_loads(*text, 0, NULL);
        if (objective_kind_of(out) == kind)
            return out;
        json_decref(out);
    }
    cr_assert_fail("%s has no small numbers here", kind->kind.name);
    return NULL;
}

Test(distill_resumed, every_objective)
{
    for (const objective_kind *const *kind = objective_kinds; *kind; kind++) {
        distill_options options = usual();
        json_t *objective = small_objective(*kind);
        options.objective = objective;
        context = strcmp((*kind)->kind.name, "fab") != 0; /* it has none */
        check_resumed(&options, 1);
        json_decref(objective);
    }
}

/* Beyond a probe: the figures of the last report, and the estimator that was chosen, come along. */
Test(distill_resumed, same_bits_across_probes)
{
    distill_options options = usual();
    options.steps = DISTILL_PROBE + 30;
    check_resumed(&options, 23);
}

Test(distill_resumed, other_blocks_are_refused)
{
    distill_options options = usual(), other = usual();
    course a, b;
    void *block;
    size_t size;
    flow_err err = FLOW_ERR_INIT;
    open_course(&a, 1, &options);
    step(&a);
    cr_assert_eq(student_distillation_save(a.run, &block, &size, &err), 0);
    for (int k = 0; k < 3; k++) {
        other = options;
        other.seed += k == 0;
        other.steps += k == 1;
        other.batch += k == 2;
        open_course(&b, 1, &other);
        cr_assert_eq(student_distillation_load(b.run, block, size, &err), FLOW_EDATA, "%d", k);
        cr_assert(strstr(err.text, "seed, steps or batches"), "%s", err.text);
        close_course(&b);
    }
    open_course(&b, 1, &options);
    ((unsigned char *)block)[size - 9] ^= 1;
    cr_assert_eq(student_distillation_load(b.run, block, size, &err), FLOW_EDATA);
    close_course(&b);
    close_course(&a);
    free(block);
}

/* What a term needs of its target: asked for by weight, refused by name. */
Test(distill_resumed, needs_are_checked)
{
    static const struct {
        double forward, forward_end, widen;
        int sampler;
        unsigned lacks;
        const char *word;
    } cases[] = {{0, 0, 0, 0, 0, NULL},
                 {0, 0.1, 0, 0, 0, "no sampler"},
                 {0.1, 0, 0, 0, 0, "no sampler"},
                 {1, 1, 0, 1, TARGET_GRADIENT, NULL},
                 {1, 0.9, 0, 1, TARGET_GRADIENT, "no gradient"},
                 {0, 0, 0, 1, TARGET_GRADIENT, "no gradient"},
                 {0.5, 0.5, 0.1, 1, TARGET_WIDENS, "widen"},
                 {0, 0, 0.1, 1, TARGET_WIDENS, NULL}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        gaussian g;
        gaussian_init(&g, 2, lower2, mean2);
        if (!cases[k].sampler)
            gaussian_take_sampler_away(&g);
        g.base.flags &= ~cases[k].lacks;
        distilling r = {.teacher = &g.base, .options = usual()};
        r.student = student_iaf(&g.base, FLOW_F32);
        r.options.forward = cases[k].forward;
        r.options.forward_end = cases[k].forward_end;
        r.options.widen = cases[k].widen;
        cr_assert_eq(distilling_run(&r), cases[k].word ? FLOW_ECONFIG : 0, "case %zu: %s", k,
                     r.err.text);
        if (cases[k].word)
            cr_assert(strstr(r.err.text, cases[k].word) && strstr(r.err.text, "student.train."),
                      "%s", r.err.text);
        flow_free(r.student);
    }
}

/* The log-variance gradient wants densities alone. */
Test(distill_resumed, a_target_without_a_gradient)
{
    gaussian g;
    gaussian_init(&g, 2, lower2, mean2);
    g.base.flags &= ~(unsigned)TARGET_GRADIENT;
    distilling r = {.teacher = &g.base, .options = usual()};
    r.student = student_iaf(&g.base, FLOW_F32);
    r.options.gradient = DISTILL_LOG_VARIANCE;
    cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
    cr_assert_eq(r.state.skipped, 0);
    flow_free(r.student);
}
