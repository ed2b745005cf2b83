/* Reading a configuration: what a good one becomes. */
#include "pipeline/config/config.h"

#include "flow/round.h"
#include "teacher/generate.h"
#include "tests/common/temp.h"
#include "tests/pipeline/load.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- good configurations */

Test(config, least)
{
    load_open();
    config *self = load_good(LOAD_HEAD);
    cr_expect_eq(self->schema, 1);
    cr_expect_str_eq(self->name, "t");
    cr_expect_not(self->seed_given);
    cr_expect_str_eq(data_generators[self->data.generator].kind.name, "rings");
    cr_expect_null(self->data.path);
    cr_expect(isnan(self->data.noise) && isnan(self->data.logit.alpha));
    cr_expect_eq(self->compute.threads, 0);
    cr_expect_eq(self->compute.network, FLOW_NETWORK_AS_IS);
    cr_expect_eq(self->data.columns.n, 0);
    cr_expect_eq(self->validate.require.n, 0);
    config_free(self);
    temp_close();
}

static const char everything[] =
    "schema: 1\n"
    "name: 'two.moons_3-b'\n"
    "seed: 9223372036854775807\n"
    "precision: f64\n"
    "compute: {threads: 3, shard: 96, network: auto}\n"
    "data:\n"
    "  path: ok.csv\n"
    "  header: no\n"
    "  columns: [x, 3, '04', 2e5]\n"
    "  context:\n"
    "  - \"gr\\u00fcn\"\n"
    "  standardize: false\n"
    "  dequantize: 2.385e-3\n"
    "  logit: {alpha: 1e-6, lo: -713, hi: +2.}\n"
    "  nonfinite: drop\n"
    "  repeated: keep\n"
    "  split: seed\n"
    "  valid: .25\n"
    "  test: 0\n"
    "teacher:\n"
    "  flow: {layers: 8, hidden: [64], residual: 2, activation: silu, transformer: spline,\n"
    "         bins: 16, bound: 5, permute: random, linear: lu, actnorm: true}\n"
    "  train: {batch: 1e3, epochs: 60, lr: 1e-4, warmup: 100, schedule: plateau,\n"
    "          plateau_factor: 0.25, plateau_patience: 7, weight_decay: 1e-5, clip: 2.5,\n"
    "          average: 0.999, patience: 8}\n"
    "student:\n"
    "  flow: {layers: 3, hidden: [128, 2.56e2], activation: tanh, transformer: affine,\n"
    "         scale_bound: 3, permute: none, linear: none}\n"
    "  train: {batch: 2048, steps: 4e4, lr: 5e-4, schedule: constant, clip: 3, gradient: path,\n"
    "          forward: 0.5, forward_end: 0.125, widen: 0.07, widen_by: 1.6, temper: 0.1,\n"
    "          temper_until: 0.4, late_batch: 4, late_from: 0.9}\n"
    "validate:\n"
    "  samples: 2e5\n"
    "  require: {khat: \"< 0.7\", ess_reverse: '>=0.8', kl_forward: <= 1e-2 , elbo: '> -3'}\n"
    "export: {samples: 1e5, file: s.csv}\n";

Test(config, every_value_arrives)
{
    load_open();
    config *self = load_good(everything);
    cr_expect_str_eq(self->name, "two.moons_3-b");
    cr_expect(self->seed == INT64_MAX && self->seed_given);
    cr_expect_eq(self->precision, FLOW_F64);
    cr_expect(self->compute.threads == 3 && self->compute.shard == 96 &&
              self->compute.network == -1);

    const config_data *data = &self->data;
    cr_expect_str_eq(data->path, "ok.csv");
    cr_expect_eq(data->generator, -1);
    cr_expect_eq(data->header, FILE_HEADER_NO);
    cr_expect_eq(data->columns.n, 4);
    cr_expect_str_eq(data->columns.at[1], "3");
    cr_expect_str_eq(data->columns.at[2], "04");
    cr_expect_str_eq(data->columns.at[3], "2e5");
    cr_expect_str_eq(data->context.at[0], "gr\xc3\xbcn");
    cr_expect(!data->standardize && data->dequantize == 2.385e-3);
    cr_expect(data->logit.alpha == 1e-6 && data->logit.lo == -713 && data->logit.hi == 2);
    cr_expect_eq(data->repeated, DATA_REPEATED_KEEP);
    cr_expect(data->nonfinite == DATA_NONFINITE_DROP && data->split == DATA_SPLIT_SEED);
    cr_expect(data->valid == 0.25 && data->test == 0);
    config_free(self);
    temp_close();
}

Test(config, every_value_of_the_flows_arrives)
{
    load_open();
    config *self = load_good(everything);
    cr_expect(load_has(
        self->teacher.flow,
        "{\"kind\": \"maf\", \"layers\": 8, \"conditioner\": {\"hidden\": [64], \"residual\": 2, "
        "\"activation\": \"silu\"}, \"transformer\": {\"kind\": \"spline\", \"bins\": 16, "
        "\"bound\": 5.0}, "
        "\"permute\": \"random\", \"linear\": \"lu\", \"actnorm\": true}"));
    cr_expect(load_has(
        self->student.flow,
        "{\"kind\": \"iaf\", \"layers\": 3, \"conditioner\": {\"hidden\": [128, 256], "
        "\"residual\": 0, "
        "\"activation\": \"tanh\"}, \"transformer\": {\"kind\": \"affine\", \"scale_bound\": 3.0}, "
        "\"permute\": \"none\", \"linear\": \"none\", \"actnorm\": false}"));

    const config_teacher_train *fit = &self->teacher.train;
    cr_expect(fit->batch == 1000 && fit->epochs == 60 && fit->lr == 1e-4 && fit->warmup == 100);
    cr_expect(fit->schedule == FLOW_PLATEAU && fit->plateau_factor == 0.25);
    cr_expect(fit->plateau_patience == 7 && fit->weight_decay == 1e-5 && fit->clip == 2.5);
    cr_expect(fit->average == 0.999 && fit->patience == 8);
    const config_student_train *train = &self->student.train;
    cr_expect(train->batch == 2048 && train->steps == 40000 && train->lr == 5e-4);
    cr_expect(train->schedule == FLOW_CONSTANT && train->gradient == DISTILL_PATH);
    cr_expect(train->forward == 0.5 && train->forward_end == 0.125 && train->temper == 0.1);
    cr_expect(train->widen == 0.07 && train->widen_by == 1.6);
    cr_expect(train->temper_until == 0.4 && train->late_batch == 4 && train->late_from == 0.9);
    config_free(self);
    temp_close();
}

Test(config, every_gate_arrives)
{
    load_open();
    config *self = load_good(everything);
    const gate expected[] = {{GATE_KHAT, GATE_LT, 0.7},
                             {GATE_ESS_REVERSE, GATE_GE, 0.8},
                             {GATE_KL_FORWARD, GATE_LE, 1e-2},
                             {GATE_ELBO, GATE_GT, -3}};
    cr_expect_eq(self->validate.samples, 200000);
    cr_assert_eq(self->validate.require.n, 4);
    for (size_t i = 0; i < 4; i++) {
        const gate *got = &self->validate.require.at[i];
        cr_expect(got->figure == expected[i].figure && got->op == expected[i].op &&
                      got->bound == expected[i].bound,
                  "gate %zu", i);
    }
    cr_expect(self->export.samples == 100000);
    cr_expect_str_eq(self->export.file, "s.csv");
    config_free(self);
    temp_close();
}

/* Close to what the rules refuse. */
Test(config, allowed_together)
{
    static const char *const texts[] = {
        LOAD_HEAD "student: {train: {forward: 0.5, forward_end: 1, temper: 0.5}}\n",
        LOAD_HEAD "student: {train: {forward: 1, forward_end: 0.5, temper: 0.5}}\n",
        LOAD_HEAD "student: {train: {warmup: 100, steps: 100}}\n",
        "schema: 1\ndata: {generator: rings, valid: 0}\nteacher: {train: {patience: 0}}\n",
        "schema: 1\ndata: {generator: rings, valid: 0.5, test: 0.499}\n",
        "schema: 1\ndata: {path: ok.csv, header: yes}\n",
        "schema: 1\ndata: {generator: rings, noise: 0}\n",
        LOAD_HEAD "student: {flow: {hidden: [8, 8], residual: 0}}\n",
        LOAD_HEAD "student: {shrink: {halvings: 6}}\n",
        LOAD_HEAD "student: {flow: {iterations: 2}, shrink: {iterations: 1}}\n",
        LOAD_HEAD "student: {flow: {iterations: auto}, shrink: {iterations: 9}}\n",
        LOAD_HEAD "validate: {require: {mode_share_error: < 0.1}}\n"};
    load_open();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        config_free(load_good(texts[i]));
    temp_close();
}

Test(config, paths_are_relative_to_their_file)
{
    load_open();
    temp_write("t.yaml", LOAD_HEAD, strlen(LOAD_HEAD));
    char file[600];
    snprintf(file, sizeof file, "%s", temp_path("t.yaml"));
    const char *sets[] = {"data.generator=null", "data.path=ok.csv"};
    temp_write("o.yaml", "data: {generator: null, path: ok.npy}\n", 38);
    char overlay[600];
    snprintf(overlay, sizeof overlay, "%s", temp_path("o.yaml"));
    const char *overlays[] = {overlay};

    complaints *out = complaints_create();
    config *self = config_load(&(config_sources){file, overlays, 1, NULL, 0}, out);
    cr_assert_not_null(self);
    cr_expect_str_eq(self->data.path, temp_path("ok.npy"));
    config_free(self);
    self = config_load(&(config_sources){file, NULL, 0, sets, 2}, out);
    cr_assert_not_null(self);
    cr_expect_str_eq(self->data.path, "ok.csv");
    config_free(self);
    char absolute[700];
    snprintf(absolute, sizeof absolute, "data: {path: %s}\n", temp_path("ok.csv"));
    temp_write("o.yaml", absolute, strlen(absolute));
    self = config_load(&(config_sources){file, overlays, 1, sets, 1}, out);
    cr_assert_not_null(self);
    cr_expect_str_eq(self->data.path, temp_path("ok.csv"));
    config_free(self);
    complaints_free(out);
    temp_close();
}

Test(config, name_after_the_file)
{
    static const char *const files[] = {"moons.yaml", "a b.yml", ".yaml", "-x",
                                        "gr\xc3\xbcn.1.yaml"};
    static const char *const names[] = {"moons", "a_b", "_yaml", "_x", "gr__n.1"};
    load_open();
    for (size_t i = 0; i < 5; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s", temp_write(files[i], LOAD_HEAD, strlen(LOAD_HEAD)));
        complaints *out = complaints_create();
        config *self = config_load(&(config_sources){.file = path}, out);
        cr_assert_not_null(self);
        cr_expect_str_eq(self->name, names[i]);
        config_free(self);
        complaints_free(out);
    }
    temp_close();
}

/* ---- overlays and --set */

Test(config, later_sources_win)
{
    load_open();
    const load_input input = {
        .text = LOAD_HEAD "seed: 1\nteacher:\n  flow: {layers: 2, hidden: [8, 8]}\n"
                          "validate: {require: {khat: < 0.7, elbo: '> -3'}}\n",
        .overlay = "seed: 2\nteacher:\n  flow: {layers: 3}\n"
                   "validate: {require: {khat: < 0.5, kl_forward: < 1}}\n",
        .sets = {"seed=3", "student.flow.hidden=[16, 32]", "validate.require.elbo=null",
                 "validate.require.roundtrip=< 1e-9", "name=2024", "seed=4"}};
    config *self = load_text(&input, NULL, NULL);
    cr_assert_not_null(self);
    cr_expect_eq(self->seed, 4);
    cr_expect(
        load_has(self->teacher.flow, "{\"layers\": 3, \"conditioner\": {\"hidden\": [8, 8]}}"));
    cr_expect(load_has(self->student.flow, "{\"conditioner\": {\"hidden\": [16, 32]}}"));
    cr_expect_str_eq(self->name, "2024");
    const gate_figure left[] = {GATE_KHAT, GATE_KL_FORWARD, GATE_ROUNDTRIP};
    cr_assert_eq(self->validate.require.n, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(self->validate.require.at[0].bound, 0.5);
        bool found = false;
        for (size_t j = 0; j < 3; j++)
            found |= self->validate.require.at[j].figure == left[i];
        cr_expect(found, "figure %zu", i);
    }
    config_free(self);
    temp_close();
}

Test(config, null_takes_back)
{
    load_open();
    const load_input input = {
        .text = LOAD_HEAD "seed: 1\nteacher: {flow: {transformer: spline, bins: 57}}\n"
                          "validate: {require: {khat: < 0.7}}\n",
        .overlay = "teacher: {flow: {transformer: ~, bins: null}}\nvalidate: {require: null}\n",
        .sets = {"seed=null", "data.generator=null", "data.path=ok.npy"}};
    config *self = load_text(&input, NULL, NULL), *fresh = load_good(LOAD_HEAD);
    cr_assert_not_null(self);
    cr_expect(!self->seed_given && self->data.generator == -1);
    cr_expect(json_equal(self->teacher.flow, fresh->teacher.flow));
    cr_expect_eq(self->validate.require.n, 0);
    config_free(fresh);
    config_free(self);
    temp_close();
}

Test(config, set_may_hold_anything)
{
    load_open();
    const load_input input = {.text = LOAD_HEAD,
                              .sets = {"seed=3\n---\n4", "name=\x1b[31mred", "name=\xfc", "\n=\n"}};
    char *said;
    cr_expect_null(load_text(&input, &said, NULL));
    cr_expect_str_eq(
        said, "--set 'seed=3?---?4': error: a second document ('---') [E108]; "
              "help: one file is one run; use -c FILE for overlays\n"
              "--set 'name=?[31mred': error: a control character, U+001B [E107]\n"
              "--set 'name=?': error: not UTF-8 (byte 0xfc) [E107]; help: save the file as UTF-8\n"
              "--set '?=?': error: no value after '=' [E113]; "
              "help: KEY=null takes a key back to its default\n"
              "4 errors; nothing was run\n");
    free(said);
    temp_close();
}

Test(config, errors_name_the_overlay)
{
    load_open();
    const load_input input = {.text = LOAD_HEAD "sed: 1\n",
                              .overlay = "teacher: {flow: {layers: 0}}\n",
                              .sets = {"student.train.temper_until=0.5"}};
    char *said;
    cr_expect_null(load_text(&input, &said, NULL));
    cr_expect_not_null(strstr(said, "t.yaml:3:1: error: unknown key 'sed'"), "%s", said);
    char *second = strstr(said, "o.yaml:1:26: error: teacher.flow.layers wants");
    cr_expect_not_null(second, "%s", said);
    cr_expect_not_null(strstr(said, "\n2 errors; nothing was run\n"), "%s", said);
    free(said);
    temp_close();
}

/* ---- objectives */

/* Their keys are their own, and some of those of every objective are for nothing with them. */
Test(config, objectives)
{
    static const struct {
        const char *said, *want;
    } cases[] = {
        {"{objective: mass_transport, temper: 0.5}",
         "student.train.temper has no effect: student.train.objective is mass_transport"},
        {"{objective: {kind: importance, alpha: 2}, forward: 0.5}",
         "student.train.forward has no effect: student.train.objective is importance"},
        {"{objective: two_sided, widen: 0.2}",
         "student.train.widen has no effect: student.train.objective is two_sided"},
        {"{objective: {kind: two_sided, cap: 0.5}}", "cap"},
        {"{objective: {kind: mass_transport, alpha: 2}}", "alpha"},
        {"{objective: {kind: fab, polish: 0.9, start: 0.2}}", "no step is left between them"},
        {"{objective: mass_transports}", "did you mean 'mass_transport'?"}};
    load_open();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char text[300], *said;
        snprintf(text, sizeof text, "%sstudent: {train: %s}\n", LOAD_HEAD, cases[k].said);
        const load_input input = {.text = text};
        cr_expect_null(load_text(&input, &said, NULL), "%s", cases[k].said);
        cr_expect_not_null(strstr(said, cases[k].want), "%s", said);
        free(said);
    }
    config *self = load_good(LOAD_HEAD "student: {train: {objective: {kind: mass_transport, trust: "
                                       "0.2}, gradient: log_variance}}\n");
    const json_t *objective = self->student.train.objective;
    cr_expect_eq(json_number_value(json_object_get(objective, "trust")), 0.2);
    cr_expect_eq(json_number_value(json_object_get(objective, "start")), 0.1, "a default");
    config_free(self);
    self = load_good(LOAD_HEAD "student: {train: {objective: two_sided, temper: 0.1}}\n");
    cr_expect_eq(self->student.train.temper, 0.1, "it is tempered like kl");
    config_free(self);
    self = load_good(LOAD_HEAD);
    cr_expect_null(self->student.train.objective, "of its own accord");
    config_free(self);
    temp_close();
}

/* ---- the seed */

Test(config, seed_is_drawn_once)
{
    load_open();
    flow_err err = FLOW_ERR_INIT;
    config *self = load_good(LOAD_HEAD), *other = load_good(LOAD_HEAD);
    cr_assert_eq(config_draw_seed(self, &err), FLOW_OK);
    cr_assert_eq(config_draw_seed(other, &err), FLOW_OK);
    uint64_t seed = self->seed;
    cr_expect(self->seed_drawn && !self->seed_given && seed < UINT64_C(1) << 53);
    cr_expect_neq(seed, other->seed); /* false alarm: 2^-53 */
    cr_assert_eq(config_draw_seed(self, &err), FLOW_OK);
    cr_expect_eq(self->seed, seed);
    config_free(self);
    config_free(other);
    self = load_good(LOAD_HEAD "seed: 0\n");
    cr_assert_eq(config_draw_seed(self, &err), FLOW_OK);
    cr_expect(self->seed == 0 && self->seed_given && !self->seed_drawn);
    config_free(self);
    temp_close();
}

/* ---- JSON */

static void expect_json(const json_t *top, const char *path, const char *expected)
{
    char name[64];
    const json_t *at = top;
    for (const char *rest = path; at && *rest;) {
        size_t size = strcspn(rest, "/");
        snprintf(name, sizeof name, "%.*s", (int)size, rest);
        at = json_object_get(at, name);
        rest += size + (rest[size] == '/');
    }
    char *text =
        at ? json_dumps(at, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    cr_expect_str_eq(text ? text : "(none)", expected, "%s: %s, not %s", path,
                     text ? text : "(none)", expected);
    free(text);
}

Test(config, json_has_what_was_given)
{
    load_open();
    config *self = load_good(everything);
    json_t *json = config_to_json(self);
    expect_json(json, "seed", "9223372036854775807");
    expect_json(json, "name", "\"two.moons_3-b\"");
    expect_json(json, "precision", "\"f64\"");
    expect_json(json, "data/path", "\"ok.csv\"");
    expect_json(json, "data/generator", "null");
    expect_json(json, "data/columns", "[\"x\",\"3\",\"04\",\"2e5\"]");
    expect_json(json, "data/standardize", "false");
    expect_json(json, "data/noise", "\"auto\"");
    expect_json(json, "data/dequantize", "0.002385");
    expect_json(json, "data/logit/lo", "-713.0");
    expect_json(json, "student/flow/conditioner/hidden", "[128,256]");
    expect_json(json, "student/train/steps", "40000");
    expect_json(json, "validate/require",
                "{\"khat\":\"< 0.7\",\"ess_reverse\":\">= 0.8\",\"kl_forward\":\"<= 0.01\","
                "\"elbo\":\"> -3\"}");
    json_decref(json);
    config_free(self);
    temp_close();
}

Test(config, json_fills_in_defaults)
{
    load_open();
    config *self = load_good(LOAD_HEAD);
    json_t *json = config_to_json(self);
    expect_json(json, "seed", "null");
    expect_json(json, "compute", "{\"threads\":\"auto\",\"shard\":\"auto\",\"network\":\"f32\"}");
    expect_json(json, "data/path", "null");
    expect_json(json, "data/context", "null");
    expect_json(json, "data/logit/alpha", "null");
    expect_json(json, "validate/require", "{}");
    json_decref(json);
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(config_draw_seed(self, &err), FLOW_OK);
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)self->seed);
    json = config_to_json(self);
    expect_json(json, "seed", seed);
    json_decref(json);
    config_free(self);
    temp_close();
}

Test(config, json_of_a_path_that_is_not_utf8)
{
    load_open();
    config *self = load_good(LOAD_HEAD);
    self->data.path = "gr\xfcn/x.npy";
    json_t *json = config_to_json(self);
    expect_json(json, "data/path", "\"gr?n/x.npy\"");
    json_decref(json);
    config_free(self);
    temp_close();
}

/* What is said of a target's columns goes through resolved.json and back. */
Test(config, columns_of_a_target_arrive)
{
    load_open();
    config *self =
        load_good("schema: 1\ntarget: {kind: gaussian, columns: {a: positive, b: [-.5, inf], "
                  "c: {period: 360, support: [-180, 180]}, d: {}}}\n");
    cr_expect(load_has(self->target,
                       "{\"columns\": {\"a\": {\"support\": [0.0, \"inf\"], \"period\": 0.0}, "
                       "\"b\": {\"support\": [-0.5, \"inf\"]}, \"c\": {\"support\": [-180.0, "
                       "180.0], \"period\": 360.0}, \"d\": {\"support\": [\"-inf\", \"inf\"]}}}"));
    config_free(self);
    temp_close();
}
