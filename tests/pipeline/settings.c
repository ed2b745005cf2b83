/* What the config says arrives in the options of the floors below, each value in its place. */
#include "pipeline/config/settings.h"

#include "teacher/streams.h"
#include "tests/common/temp.h"
#include "tests/pipeline/load.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char text[] =
    "schema: 1\nseed: 77\ncompute: {shard: 48}\n"
    "data:\n  path: ok.csv\n  columns: [a, b]\n  context: [c]\n  standardize: false\n"
    "  dequantize: 0.5\n  logit: {alpha: 1e-3, lo: -2, hi: 3}\n  nonfinite: drop\n  repeated: "
    "keep\n  split: seed\n"
    "  valid: 0.25\n  test: 0.125\n"
    "teacher:\n"
    "  train: {batch: 11, epochs: 12, lr: 0.013, warmup: 14, schedule: plateau, plateau_factor: "
    "0.15,\n"
    "          plateau_patience: 16, weight_decay: 0.017, clip: 18, average: 0.19, patience: 20}\n"
    "student:\n"
    "  layerwise: {steps: 36, lr: 0.037, widen_by: 3.8}\n"
    "  train: {batch: 21, steps: 2200, lr: 0.023, warmup: 24, schedule: constant, weight_decay: "
    "0.025,\n"
    "          clip: 26, average: 0.27, gradient: path, forward: 0.28, forward_end: 0.29, widen: "
    "0.3,\n"
    "          widen_by: 3.1, temper: 0.32, temper_until: 0.33, late_batch: 34, late_from: 0.35}\n";

static config *load(void)
{
    char *said;
    load_open();
    config *self = load_text(&(load_input){.text = text}, &said, NULL);
    cr_assert(self, "%s", said);
    free(said);
    return self;
}

static void done(config *self)
{
    config_free(self);
    temp_close();
}

Test(settings, data)
{
    config *self = load();
    data_options o = settings_data(self);
    cr_expect(o.n_columns == 2 && strcmp(o.columns[1], "b") == 0);
    cr_expect(o.n_context == 1 && strcmp(o.context[0], "c") == 0);
    cr_expect(o.kind.step == 0.5 && o.kind.smear && !o.kinds && !o.standardize);
    cr_expect(o.kind.alpha == 1e-3 && o.kind.lo == -2 && o.kind.hi == 3);
    cr_expect_eq(o.repeated, DATA_REPEATED_KEEP);
    cr_expect(o.nonfinite == DATA_NONFINITE_DROP && o.split == DATA_SPLIT_SEED);
    cr_expect(o.valid == 0.25 && o.test == 0.125 && o.seed == 77);
    done(self);
}

Test(settings, what_is_off)
{
    load_open();
    config *self = load_text(&(load_input){.text = LOAD_HEAD}, NULL, NULL);
    cr_assert_not_null(self);
    data_options o = settings_data(self);
    cr_expect(isinf(o.kind.lo) && isinf(o.kind.hi) && o.kind.step == 0 && o.n_columns == 0 &&
              o.n_context == 0);
    done(self);
}

Test(settings, fit)
{
    config *self = load();
    teacher_fit_options o = settings_fit(self, 1000);
    cr_expect(o.batch == 11 && o.epochs == 12 && o.shard == 48 && o.lr == 0.013 && o.warmup == 14);
    cr_expect(o.schedule == FLOW_PLATEAU && o.plateau_factor == 0.15 && o.plateau_patience == 16);
    cr_expect(o.weight_decay == 0.017 && o.clip == 18 && o.average == 0.19 && o.patience == 20);
    cr_expect(o.seed == 77 && o.stop != NULL);
    done(self);
}

Test(settings, distillation)
{
    config *self = load();
    distill_options o = settings_distill(self);
    cr_expect(o.batch == 21 && o.steps == 2200 && o.shard == 48 && o.lr == 0.023 && o.warmup == 24);
    cr_expect(o.schedule == FLOW_CONSTANT && o.weight_decay == 0.025 && o.clip == 26);
    cr_expect(o.average == 0.27 && o.gradient == DISTILL_PATH);
    cr_expect(o.forward == 0.28 && o.forward_end == 0.29 && o.widen == 0.3 && o.widen_by == 3.1);
    cr_expect(o.temper == 0.32 && o.temper_until == 0.33);
    cr_expect(o.late_batch == 34 && o.late_from == 0.35 && o.seed == 77 && o.stop != NULL);
    done(self);
}

/* Rows, clipping and averages are those of the training; the warmup, too, if the steps are enough for it. */
Test(settings, layerwise)
{
    config *self = load();
    student_layers_options o = settings_layerwise(self);
    cr_expect(o.steps == 36 && o.lr == 0.037 && o.widen_by == 3.8 && o.shard == 48);
    cr_expect(o.batch == 21 && o.warmup == 24 && o.clip == 26 && o.average == 0.27);
    cr_expect(o.seed == 77 && o.stop != NULL);
    self->student.layerwise.steps = 23;
    self->student.layerwise.lr = NAN;
    o = settings_layerwise(self);
    cr_expect(o.warmup == 23 && o.lr == 0);
    done(self);
}

/* What is auto hangs on the student's flow, and on the other end of the line. */
Test(settings, what_is_auto)
{
    static const struct {
        const char *text;
        double lr, forward_end;
        int warm;
    } cases[] = {
        {LOAD_HEAD, 0, 0, 1},
        {LOAD_HEAD "student: {flow: {layers: 2}, train: {forward: 0.25}}\n", CONFIG_LR, 0.25, 0},
        {LOAD_HEAD "student: {flow: {iterations: 2}, train: {lr: 0.5}}\n", 0.5, 0, 1},
        {LOAD_HEAD "student: {train: {forward: 1, forward_end: 0}}\n", 0, 0, 1}};
    load_open();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        config *self = load_text(&(load_input){.text = cases[k].text}, NULL, NULL);
        cr_assert_not_null(self);
        distill_options o = settings_distill(self);
        cr_expect(o.lr == cases[k].lr && o.forward_end == cases[k].forward_end, "%zu", k);
        cr_expect_eq(o.warm, cases[k].warm, "%zu", k);
        config_free(self);
    }
    temp_close();
}

/* Few rows make more passes, and a student that starts as its teacher fewer steps. */
Test(settings, how_long)
{
    static const size_t rows[] = {48, 10240, 25600, 1000000}, epochs[] = {100, 38, 30, 30};
    load_open();
    config *self = load_text(&(load_input){.text = LOAD_HEAD}, NULL, NULL);
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(settings_fit(self, rows[i]).epochs, epochs[i], "%zu rows", rows[i]);
    self->teacher.train.epochs = 7;
    cr_expect_eq(settings_fit(self, 48).epochs, 7);
    cr_expect_eq(settings_distill(self).steps, CONFIG_STEPS_WARM);
    self->student.train.steps = 9;
    cr_expect_eq(settings_distill(self).steps, 9);
    config_free(self);
    self = load_text(&(load_input){.text = LOAD_HEAD "student: {flow: {layers: 2}}\n"}, NULL, NULL);
    cr_expect_eq(settings_distill(self).steps, CONFIG_STEPS);
    config_free(self);
    temp_close();
}

/* Chains and hunt: the usual where nothing is said. */
Test(settings, verdict)
{
    load_open();
    config *self = load_text(&(load_input){.text = LOAD_HEAD}, NULL, NULL);
    cr_expect_eq(settings_chains(self), CONFIG_CHAINS);
    cr_expect_eq(settings_hunt(self), CONFIG_HUNT);
    self->validate.chains = 12;
    self->validate.hunt = 2.385;
    cr_expect_eq(settings_chains(self), 12);
    cr_expect_eq(settings_hunt(self), 2.385);
    config_free(self);
    temp_close();
}

/* Random orders come from a stream of the stage's own. */
Test(settings, place)
{
    config *self = load();
    flow_place at = settings_place(self, STREAM_STUDENT, 5, 2);
    cr_expect(at.dim == 5 && at.context == 2 && at.stream.seed == 77);
    cr_expect(at.stream.stage == STREAM_STUDENT && at.stream.purpose == PCG_PERMUTE);
    done(self);
}
