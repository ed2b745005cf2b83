/* The search for a student's size, with callers that are made up: who passes, and what a training does. */
#include "student/search.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D = 5, N = 200 };

static const char layers[] =
    "[{\"kind\": \"autoregressive\", \"transformer\": \"affine\", \"conditioner\": {\"kind\": "
    "\"mlp\", \"hidden\": [16]}}]";

/* What the callbacks do, and the course of events in words: "u1" an untrained rung was looked at, "L2" and "T2"
 * one was trained layer by layer and as a whole, "l2" and "t2" it was looked at after that, "a2" it was put
 * aside; "/2" a half of its width. */
typedef struct script {
    flow *teacher, *precise;
    flow_pool *pool;
    target *target;
    student_sides sides;
    size_t untrained, layered, trained; /* the smallest T that passes */
    bool by_layers;                     /* there is something to be done layer by layer */
    size_t fail_layers_at;              /* T at which that diverges */
    size_t stop_at;                     /* T at which the training is stopped; 0: none */
    size_t fail_at;                     /* T at which it diverges */
    double narrowest;                   /* the least width that passes */
    bool any_width;                     /* the width is to be found */
    char said[400];
    student_rungs rungs;
    flow *taken;
    flow_err err;
} script;

static void say(script *s, char what, const flow_unrolling *how)
{
    size_t used = strlen(s->said);
    int share = (int)(1 / how->width + 0.5);
    used += (size_t)snprintf(s->said + used, sizeof s->said - used, "%s%c%zu", used ? " " : "",
                             what, how->iterations);
    if (share > 1)
        snprintf(s->said + used, sizeof s->said - used, "/%d", share);
}

static bool passes(void *arg, const student_rung *rung)
{
    script *s = arg;
    say(s, rung->layerwise ? 'l' : rung->trained ? 't' : 'u', &rung->how);
    return rung->how.width >= s->narrowest &&
           rung->how.iterations >= (rung->layerwise ? s->layered
                                    : rung->trained ? s->trained
                                                    : s->untrained);
}

/* Moves every weight, so that it shows whose are handed over. */
static void nudge(flow *student, float by)
{
    float *w = flow_params(student);
    for (size_t i = 0; i < flow_params_bytes(student) / sizeof *w; i++)
        w[i] += by;
}

static int train_layers(void *arg, flow *student, student_rung *rung, flow_err *err)
{
    script *s = arg;
    say(s, 'L', &rung->how);
    nudge(student, 1e-3F);
    rung->layers.trained = s->by_layers;
    return rung->how.iterations == s->fail_layers_at ? flow_fail(err, FLOW_ENOMEM, "no memory") : 0;
}

static int train(void *arg, flow *student, student_rung *rung, flow_err *err)
{
    script *s = arg;
    say(s, 'T', &rung->how);
    nudge(student, 1e-2F);
    cr_expect(rung->trained && flow_get_direction(student) == FLOW_NOISE_TO_DATA);
    cr_expect(!rung->how.tied, "T = %zu: steps of their own were asked for", rung->how.iterations);
    rung->training.step = 70 + rung->how.iterations;
    if (rung->how.iterations == s->stop_at)
        return flow_fail(err, FLOW_ESTOPPED, "stopped");
    return rung->how.iterations == s->fail_at ? flow_fail(err, FLOW_EDIVERGED, "away") : 0;
}

static int aside(void *arg, const flow *student, const student_rung *rung, flow_err *err)
{
    (void)err;
    cr_expect(student && rung->trained && rung->training.step == 70 + rung->how.iterations);
    say(arg, 'a', &rung->how);
    return 0;
}

static void open_script(script *s)
{
    json_t *d = describe_one(D, 0, "data_to_noise", json_loads(layers, 0, NULL));
    s->teacher = flow_create(d, FLOW_F32, &s->err);
    cr_assert(s->teacher, "%s", s->err.text);
    randomise_parameters(s->teacher, 0.5, 3);
    json_decref(d);
    s->precise = flow_convert(s->teacher, FLOW_F64, &s->err);
    s->target = target_from_flow(s->precise, &s->err);
    s->pool = flow_pool_create(2, NULL);
    cr_assert_eq(student_sides_init(&s->sides, s->target, s->pool, NULL, N, 11, &s->err), 0, "%s",
                 s->err.text);
}

static int search(script *s, size_t iterations, size_t fewest, size_t halvings)
{
    open_script(s);
    const student_searching with = {
        .teacher = s->teacher,
        .sides = &s->sides,
        .how = {.iterations = iterations, .width = s->any_width ? NAN : 1},
        .fewest = fewest,
        .halvings = halvings,
        .passes = passes,
        .layerwise = s->layered ? train_layers : NULL,
        .train = train,
        .aside = aside,
        .arg = s};
    return student_search(&with, &s->taken, &s->rungs, &s->err);
}

static void close_script(script *s)
{
    student_rungs_release(&s->rungs);
    student_sides_release(&s->sides);
    flow_free(s->taken);
    flow_free(s->teacher);
    flow_free(s->precise);
    target_free(s->target);
    flow_pool_free(s->pool);
}

typedef struct course {
    const char *name;
    size_t untrained, trained;
    size_t iterations, fewest, halvings;
    const char *said;
    size_t taken; /* its T */
    bool is_trained;
} course;

static const course courses[] = {
    {"up to the first that passes, down from one below for as long as they do", 3, 2, 0, 0, 0,
     "u1 u2 u3 u3 T2 t2 T1 t1 a1 t2", 2, true},
    {"down to one step", 2, 1, 0, 0, 0, "u1 u2 u2 T1 t1 t1", 1, true},
    {"one below does not: the first that passed", 3, 3, 0, 0, 0, "u1 u2 u3 u3 T2 t2 T3 t3 a2 t3", 3,
     true},
    {"none passes: the largest, and nothing below it", 99, 99, 0, 0, 0,
     "u1 u2 u3 u4 u5 u5 T5 t5 t5 u5", 5, true},
    {"what training spoils is handed over as it starts", 2, 99, 0, 0, 0,
     "u1 u2 u2 T1 t1 T2 t2 a1 t2 u2 a2", 2, false},
    {"and its smaller ones are made all the same", 2, 99, 0, 1, 1,
     "u1 u2 u2 T1 t1 T2 t2 a1 t2 u2 a2 T2/2 a2/2 T1/2 a1/2", 2, false},
    {"a given number of steps, the ladder up to there", 1, 1, 3, 0, 0, "T3 t3 t3", 3, true},
    {"a given one that does not pass", 99, 99, 2, 0, 0, "T2 t2 t2 u2", 2, true},
    {"shrunk: fewer steps", 3, 3, 0, 1, 0, "u1 u2 u3 u3 T2 t2 T3 t3 a2 t3 T1 a1", 3, true},
    {"shrunk: narrower", 1, 1, 1, 0, 2, "T1 t1 t1 T1/2 a1/2 T1/4 a1/4", 1, true},
    {"shrunk: both", 2, 2, 2, 1, 1, "T2 t2 t2 T2/2 a2/2 T1 a1 T1/2 a1/2", 2, true},
};

Test(search, takes_its_course)
{
    for (size_t k = 0; k < sizeof courses / sizeof *courses; k++) {
        const course *c = courses + k;
        script s = {.untrained = c->untrained, .trained = c->trained, .err = FLOW_ERR_INIT};
        cr_expect_eq(search(&s, c->iterations, c->fewest, c->halvings), 0, "%s: %s", c->name,
                     s.err.text);
        cr_expect_str_eq(s.said, c->said, "%s:\n  %s\n  %s", c->name, s.said, c->said);
        const student_rung *taken = &s.rungs.at[s.rungs.taken];
        cr_expect(taken->how.iterations == c->taken && taken->trained == c->is_trained, "%s",
                  c->name);
        cr_expect_eq(taken->training.went_back, !c->is_trained, "%s", c->name);
        cr_expect_eq(taken->training.step, 70 + c->taken, "%s", c->name);
        cr_expect(s.taken && flow_get_precision(s.taken) == FLOW_F32, "%s", c->name);
        for (size_t t = 0; t < c->iterations;
             t++) /* the ladder up to there is measured all the same */
            cr_expect(s.rungs.at[t].how.iterations == t + 1 && !s.rungs.at[t].trained, "%s",
                      c->name);
        close_script(&s);
    }
}

typedef struct narrowing {
    size_t trained, fewest;
    double narrowest;
    const char *said;
    size_t taken; /* its T */
    double width;
} narrowing;

static const narrowing narrowings[] = {
    {2, 0, 0.5, "u1 u2 u3 u3 T2 t2 T1 t1 a1 t2 t2 T2/2 t2/2 a2 T2/4 t2/4 a2/4", 2, 0.5},
    {2, 0, 1, "u1 u2 u3 u3 T2 t2 T1 t1 a1 t2 t2 T2/2 t2/2 a2/2", 2, 1},
    {2, 1, 0.5, "u1 u2 u3 u3 T2 t2 T1 t1 a1 t2 t2 T2/2 t2/2 a2 T2/4 t2/4 a2/4", 2, 0.5},
    {99, 0, 0.5, "u1 u2 u3 u3 T2 t2 T3 t3 a2 t3 u3 a3 u3 T3/2 t3/2 a3/2", 3, 1},
};

/* Where the width is to be found, too: halved from the T that was taken, for as long as it passes. */
Test(search, narrower_for_as_long_as_it_passes)
{
    for (size_t k = 0; k < sizeof narrowings / sizeof *narrowings; k++) {
        const narrowing *c = narrowings + k;
        script s = {.untrained = 3,
                    .trained = c->trained,
                    .narrowest = c->narrowest,
                    .any_width = true,
                    .err = FLOW_ERR_INIT};
        cr_expect_eq(search(&s, 0, c->fewest, 0), 0, "%zu: %s", k, s.err.text);
        cr_expect_str_eq(s.said, c->said, "%zu:\n  %s\n  %s", k, s.said, c->said);
        const student_rung *taken = &s.rungs.at[s.rungs.taken];
        cr_expect(taken->how.iterations == c->taken && fabs(taken->how.width - c->width) < 1e-9,
                  "%zu", k);
        close_script(&s);
    }
}

/* The untrained rungs are the teacher's own networks; the student's log q is the one that was measured. */
Test(search, hands_over_the_student_that_it_measured)
{
    script s = {.untrained = 2, .trained = 2, .err = FLOW_ERR_INIT};
    student_rung again;
    cr_assert_eq(search(&s, 0, 0, 0), 0, "%s", s.err.text);
    cr_assert_eq(student_rung_measure(&again, s.taken, &s.sides, &s.err), 0, "%s", s.err.text);
    const student_diagnostics *a = &again.weights, *b = &s.rungs.at[s.rungs.taken].weights;
    cr_expect(a->kl_reverse.value == b->kl_reverse.value &&
              a->kl_forward.value == b->kl_forward.value);
    close_script(&s);
}

/* A student that passes layer by layer, and not as a whole, is handed over as it was, weights and all. */
Test(search, layer_by_layer)
{
    static const struct {
        size_t layered, trained;
        bool by_layers;
        const char *said;
        bool is_layerwise;
    } cases[] = {
        {2, 2, true, "L2 T2 t2 t2 t2", false},
        {2, 99, true, "L2 T2 t2 l2 l2 l2", true},
        {99, 99, true, "L2 T2 t2 l2 t2 t2 u2", false},
        {2, 99, false, "L2 T2 t2 t2 u2", false},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        script s = {.untrained = 99,
                    .layered = cases[k].layered,
                    .trained = cases[k].trained,
                    .by_layers = cases[k].by_layers,
                    .err = FLOW_ERR_INIT};
        student_rung again;
        cr_assert_eq(search(&s, 2, 0, 0), 0, "%s", s.err.text);
        cr_expect_str_eq(s.said, cases[k].said, "%zu: %s", k, s.said);
        const student_rung *taken = &s.rungs.at[s.rungs.taken];
        cr_expect_eq(s.rungs.n, 3 + cases[k].by_layers, "untrained, and after each training");
        cr_expect(taken->trained && taken->layerwise == cases[k].is_layerwise, "%zu", k);
        cr_expect_eq(taken->training.went_back, cases[k].is_layerwise, "%zu", k);
        cr_assert_eq(student_rung_measure(&again, s.taken, &s.sides, &s.err), 0, "%s", s.err.text);
        cr_expect_eq(again.weights.kl_reverse.value, taken->weights.kl_reverse.value, "%zu", k);
        close_script(&s);
    }
}

Test(search, an_error_layer_by_layer)
{
    script s = {.untrained = 3,
                .layered = 1,
                .trained = 1,
                .by_layers = true,
                .fail_layers_at = 2,
                .err = FLOW_ERR_INIT};
    cr_assert_eq(search(&s, 0, 0, 0), FLOW_ENOMEM);
    cr_expect(!s.taken && strstr(s.err.text, "no memory"));
    close_script(&s);
}

/* ---- kept, and made again from there */

enum { MOST = 24 };

typedef struct memory {
    student_rung rungs[MOST];
    void *weights[MOST]; /* NULL: untrained */
    size_t n, end;       /* kept; that it ends at */
    script *of;
} memory;

static memory all;

static int remember(void *arg, size_t n, const student_rung *rung, const flow *student,
                    flow_err *err)
{
    (void)arg;
    cr_assert(n == all.n && n < MOST);
    all.rungs[n] = *rung;
    all.weights[n] = student ? malloc(flow_params_bytes(student)) : NULL;
    if (student)
        memcpy(all.weights[n], flow_params_const(student), flow_params_bytes(student));
    return ++all.n == all.end ? flow_fail(err, FLOW_ESTOPPED, "enough") : 0;
}

static int recall(void *arg, bool *found, size_t n, student_rung *rung, flow *student,
                  flow_err *err)
{
    (void)arg;
    (void)err;
    *found = n < all.n;
    if (!*found)
        return 0;
    *rung = all.rungs[n];
    cr_assert_eq(student != NULL, all.weights[n] != NULL);
    if (student)
        memcpy(flow_params(student), all.weights[n], flow_params_bytes(student));
    return 0;
}

static int search_kept(script *s, size_t fewest, size_t halvings)
{
    open_script(s);
    const student_searching with = {.teacher = s->teacher,
                                    .sides = &s->sides,
                                    .how = {.width = 1},
                                    .fewest = fewest,
                                    .halvings = halvings,
                                    .passes = passes,
                                    .layerwise = train_layers,
                                    .train = train,
                                    .aside = aside,
                                    .remember = remember,
                                    .recall = recall,
                                    .arg = s};
    return student_search(&with, &s->taken, &s->rungs, &s->err);
}

static void forget(void)
{
    for (size_t n = 0; n < all.n; n++)
        free(all.weights[n]);
    all.n = 0;
}

static void compare_searches(const script *a, const script *b)
{
    cr_assert(a->rungs.n == b->rungs.n && a->rungs.taken == b->rungs.taken);
    for (size_t k = 0; k < a->rungs.n; k++) {
        const student_rung *r = &a->rungs.at[k], *q = &b->rungs.at[k];
        cr_assert(r->how.iterations == q->how.iterations && r->trained == q->trained &&
                      r->layerwise == q->layerwise && r->layers.trained == q->layers.trained &&
                      r->training.step == q->training.step &&
                      r->training.went_back == q->training.went_back &&
                      r->weights.kl_reverse.value == q->weights.kl_reverse.value,
                  "rung %zu", k);
    }
    cr_assert_eq(memcmp(flow_params_const(a->taken), flow_params_const(b->taken),
                        flow_params_bytes(a->taken)),
                 0);
}

static size_t trainings(const script *s)
{
    size_t n = 0;
    for (const char *at = s->said; (at = strpbrk(at, "LT")); at++)
        n++;
    return n;
}

/* Stopped behind every rung in turn; with layers or not, back to their weights or not, put aside or taken. */
Test(search, goes_on_behind_what_is_kept)
{
    static const struct {
        size_t untrained, layered, trained, fewest;
        bool by_layers;
    } cases[] = {{3, 1, 2, 1, true}, {1, 1, 99, 0, true}, {2, 2, 2, 0, false}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const script fresh = {.untrained = cases[k].untrained,
                              .layered = cases[k].layered,
                              .trained = cases[k].trained,
                              .by_layers = cases[k].by_layers,
                              .err = FLOW_ERR_INIT};
        script whole = fresh, last = fresh;
        all.end = 0;
        cr_assert_eq(search_kept(&whole, cases[k].fewest, 0), 0, "%s", whole.err.text);
        const size_t n = all.n;
        size_t trained = 0;
        cr_assert_eq(n, whole.rungs.n);
        forget();
        for (all.end = 1; all.end <= n; all.end++) {
            script part = fresh;
            cr_assert_eq(search_kept(&part, cases[k].fewest, 0), FLOW_ESTOPPED);
            cr_assert_eq(all.n, all.end);
            trained += trainings(&part);
            close_script(&part);
        }
        cr_assert_eq(search_kept(&last, cases[k].fewest, 0), 0, "%s", last.err.text);
        cr_assert_eq(trainings(&last), 0);
        cr_expect_eq(trained, trainings(&whole), "%zu trainings, not %zu: none twice", trained,
                     trainings(&whole));
        compare_searches(&whole, &last);
        forget();
        close_script(&last);
        close_script(&whole);
    }
}

/* ---- */

/* Stopped: what is there is handed over, the one in work only if there is no other. */
Test(search, stops)
{
    static const struct {
        size_t at;
        const char *said;
        size_t steps;
    } stops[] = {{2, "u1 u2 u3 u3 T2", 2}, {1, "u1 u2 u3 u3 T2 t2 T1", 2}};
    for (size_t k = 0; k < 2; k++) {
        script s = {.untrained = 3, .trained = 1, .stop_at = stops[k].at, .err = FLOW_ERR_INIT};
        cr_assert_eq(search(&s, 0, 0, 0), FLOW_ESTOPPED);
        cr_expect_str_eq(s.said, stops[k].said);
        cr_assert_not_null(s.taken);
        const flow_unrolling how = {.iterations = stops[k].steps, .width = 1};
        flow *same = flow_unroll(s.teacher, &how, FLOW_F32, &s.err);
        cr_expect_eq(flow_n_weights(s.taken), flow_n_weights(same));
        flow_free(same);
        close_script(&s);
    }
}

Test(search, an_error_leaves_no_student)
{
    for (size_t at = 1; at <= 2; at++) {
        script s = {.untrained = 3, .trained = 1, .fail_at = at, .err = FLOW_ERR_INIT};
        cr_assert_eq(search(&s, 0, 0, 1), FLOW_EDIVERGED);
        cr_expect(!s.taken && strstr(s.err.text, "away"));
        close_script(&s);
    }
}
