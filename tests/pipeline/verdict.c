/* validation.json from figures that are known: every gate, every warning, what is null, and what happens
 * when memory runs out. */
#include "pipeline/report/verdict.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"width", "height"};
static student_mode modes[2], teacher_modes[2];
static student_validation figures;
static config_gates require;
static distill_state training;
static verdict_input input;

/* Figures that are all different, so that none can stand for another. */
static void set_up(void)
{
    modes[0] = (student_mode){.weight = 0.5, .share = 0.48, .se = 0.011};
    modes[1] = (student_mode){.weight = 0.5, .share = 0.52, .se = 0.012};
    teacher_modes[0].share = 0.493;
    teacher_modes[1].share = 0.507;
    figures = (student_validation){
        .weights = {.elbo = {-0.031, 0.001},
                    .eubo = {0.029, 0.002},
                    .jeffreys = {0.060, 0.003},
                    .log_z = {0.013, 0.004},
                    .kl_reverse = {0.032, 0.005},
                    .kl_forward = {0.028, 0.006},
                    .ess_reverse = {0.91, 0.007},
                    .ess_forward = {0.89, 0.008},
                    .curve_reverse = {2, {50, 200}, {0.95, 0.91}},
                    .psis = {.khat = 0.41, .threshold = 0.69, .tail = 120},
                    .mean_w = {1.001, 0.009, 0.11},
                    .mean_inverse_w = {0.998, 0.01, -0.2}},
        .moments = {.mean = {.column = 1, .other = 1, .student = 2.1, .reference = 2.2, .z = -1.4},
                    .sd = {.column = 0, .z = NAN},
                    .correlation = {.column = 0, .other = 1, .z = 0.7}},
        .sliced_w2 = {.value = 0.02, .teacher = 0.018, .p = 0.3, .rows = 2000},
        .energy = {.value = NAN},
        .n_modes = 2,
        .modes = modes,
        .teacher_modes = teacher_modes,
        .modes_summary = {.deviation = 0.023},
        .roundtrip = 1.5e-7,
        .speed = {.student = 2e6, .teacher_incremental = 1e6, .teacher_naive = 3e5}};
    training = (distill_state){.rows = 4711, .clipped = 3, .spread_path = NAN};
    require = (config_gates){.n = 0};
    input = (verdict_input){.student = &figures,
                            .require = &require,
                            .teacher_mean = -1.25,
                            .teacher_mean_inside = -1.5,
                            .teacher_se = 0.03,
                            .teacher_rows = 300,
                            .samples = 1000,
                            .training = &training,
                            .names = names};
}

static json_t *made(bool *pass)
{
    json_t *out = verdict_json(&input, pass);
    cr_assert_not_null(out);
    return out;
}

/* The value at "a.b.2.c". */
static const json_t *at(const json_t *value, const char *path)
{
    char part[64];
    while (*path) {
        size_t size = strcspn(path, ".");
        memcpy(part, path, size);
        part[size] = '\0';
        value = json_is_array(value) ? json_array_get(value, strtoul(part, NULL, 10))
                                     : json_object_get(value, part);
        cr_assert_not_null(value, "there is no %s", part);
        path += size + (path[size] == '.');
    }
    return value;
}

static double number(const json_t *value, const char *path)
{
    cr_assert(json_is_number(at(value, path)), "%s is no number", path);
    return json_number_value(at(value, path));
}

static void expect_null(const json_t *value, const char *path)
{
    cr_expect(json_is_null(at(value, path)), "%s is not null", path);
}

/* ---- figures */

Test(verdict, figures_are_where_they_belong)
{
    static const struct {
        const char *path;
        double value;
    } wanted[] = {{"elbo.value", -0.031},
                  {"eubo.se", 0.002},
                  {"jeffreys.value", 0.060},
                  {"log_z.value", 0.013},
                  {"kl_reverse.value", 0.032},
                  {"kl_forward.value", 0.028},
                  {"kl_forward.se", 0.006},
                  {"ess_reverse.value", 0.91},
                  {"ess_reverse.ess_curve.1.0", 200},
                  {"ess_reverse.ess_curve.0.1", 0.95},
                  {"ess_forward.value", 0.89},
                  {"khat.value", 0.41},
                  {"khat.threshold", 0.69},
                  {"khat.tail", 120},
                  {"normalisation.mean_w.z", 0.11},
                  {"normalisation.mean_inverse_w.value", 0.998},
                  {"samples", 1000},
                  {"roundtrip", 1.5e-7},
                  {"mode_share.0.share", 0.48},
                  {"mode_share.1.teacher", 0.507},
                  {"moments.mean.student", 2.1},
                  {"moments.mean.teacher", 2.2},
                  {"two_sample.sliced_w2.teacher", 0.018},
                  {"teacher.test_log_likelihood.value", -1.25},
                  {"teacher.test_log_likelihood.rows", 300},
                  {"teacher.test_log_likelihood.value_in_flow_units", -1.5},
                  {"student.rows", 4711},
                  {"student.clipped_steps", 3},
                  {"speed.student_rows_per_s", 2e6},
                  {"speed.teacher_naive_rows_per_s", 3e5}};
    bool pass;
    set_up();
    json_t *out = made(&pass);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        cr_expect_eq(number(out, wanted[i].path), wanted[i].value, "%s", wanted[i].path);
    cr_expect_str_eq(json_string_value(at(out, "moments.mean.column")), "height");
    cr_expect_str_eq(json_string_value(at(out, "moments.correlation.other")), "height");
    expect_null(out, "moments.sd");
    expect_null(out, "two_sample.energy");
    json_decref(out);
}

Test(verdict, what_does_not_apply_is_null)
{
    bool pass;
    set_up();
    figures.n_modes = 0;
    figures.weights.kl_forward = figures.weights.ess_forward = (student_estimate){NAN, NAN};
    figures.weights.elbo.value = -INFINITY;
    input.teacher_mean = input.teacher_se = NAN;
    json_t *out = made(&pass);
    static const char *const none[] = {"mode_share",
                                       "kl_forward.value",
                                       "ess_forward.value",
                                       "elbo.value",
                                       "teacher.weights",
                                       "student.weights",
                                       "teacher.test_log_likelihood.value",
                                       "teacher.test_log_likelihood.se"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        expect_null(out, none[i]);
    json_decref(out);
}

Test(verdict, modes_of_a_teacher_that_cannot_be_sampled_are_null)
{
    bool pass;
    set_up();
    figures.teacher_modes = NULL;
    json_t *out = made(&pass);
    expect_null(out, "mode_share.0.teacher");
    cr_expect_eq(number(out, "mode_share.0.share"), 0.48);
    json_decref(out);
}

Test(verdict, rows_where_the_target_broke_are_counted_and_named)
{
    bool pass;
    set_up();
    figures.teacher_broken =
        (broken_rows){.count = 7, .row = 17, .log_p = NAN, .x = {0.25, -1.5}, .dim = 2};
    training.broken = (broken_rows){.count = 2, .row = 4321, .log_p = INFINITY, .x = {3}, .dim = 1};
    json_t *out = made(&pass);
    cr_expect_eq(number(out, "broken.forward.count"), 7);
    cr_expect(strstr(json_string_value(at(out, "broken.forward.first")), "row 17"));
    cr_expect(strstr(json_string_value(at(out, "student.broken_rows.first")), "row 4321"));
    cr_expect_eq(number(out, "broken.reverse.count"), 0);
    expect_null(out, "broken.reverse.first");
    json_decref(out);
}

/* ---- gates */

/* What each figure's gate looks at. */
static const double gate_values[GATE_COUNT] = {
    [GATE_KL_REVERSE] = 0.032,
    [GATE_KL_FORWARD] = 0.028,
    [GATE_JEFFREYS] = 0.060,
    [GATE_ELBO] = -0.031,
    [GATE_EUBO] = 0.029,
    [GATE_LOG_Z_SIGMAS] = 3.2499898437976067, /* 0.013 over 0.004 and the rounding */
    [GATE_ESS_REVERSE] = 0.91,
    [GATE_ESS_FORWARD] = 0.89,
    [GATE_KHAT] = 0.41,
    [GATE_MODE_SHARE_ERROR] = 0.023,
    [GATE_ROUNDTRIP] = 1.5e-7,
    [GATE_TEACHER_TEST_LOG_LIKELIHOOD] = -1.25,
    [GATE_STUDENT_ROWS_PER_S] = 2e6};

/* A bound a hair on either side of the value: it holds, and it does not. */
Test(verdict, every_figure_can_be_a_gate_that_holds_and_one_that_fails)
{
    for (int figure = 0; figure < GATE_COUNT; figure++)
        for (int good = 0; good < 2; good++) {
            bool small = gate_figures[figure].small_is_good, pass;
            double value = gate_values[figure], hair = 1e-9 * fabs(value);
            set_up();
            require.n = 1;
            require.at[0] = (gate){.figure = (gate_figure)figure,
                                   .op = small ? GATE_LT : GATE_GT,
                                   .bound = value + (small == good ? hair : -hair)};
            json_t *out = made(&pass);
            cr_expect_eq(pass, good, "%s", gate_figures[figure].name);
            cr_expect_str_eq(json_string_value(at(out, "verdict")), good ? "pass" : "fail");
            cr_expect_eq(json_array_size(at(out, "reasons")), good ? 0 : 1);
            cr_expect_str_eq(json_string_value(at(out, "gates.0.key")), gate_figures[figure].name);
            cr_expect_float_eq(number(out, "gates.0.value"), value, 1e-12);
            cr_expect_eq(json_is_true(at(out, "gates.0.pass")), good);
            json_decref(out);
        }
}

Test(verdict, one_gate_that_fails_fails_all)
{
    bool pass;
    set_up();
    require.n = 3;
    require.at[0] = (gate){GATE_KL_REVERSE, GATE_LT, 0.1};
    require.at[1] = (gate){GATE_KHAT, GATE_LT, 0.25};
    require.at[2] = (gate){GATE_ESS_REVERSE, GATE_GT, 0.5};
    json_t *out = made(&pass);
    cr_expect_not(pass);
    cr_expect_eq(json_array_size(at(out, "gates")), 3);
    cr_expect_eq(json_array_size(at(out, "reasons")), 1);
    cr_expect_str_eq(json_string_value(at(out, "reasons.0")), "khat is 0.41, wanted < 0.25");
    json_decref(out);
}

Test(verdict, without_gates_nothing_is_verified_and_nothing_failed)
{
    bool pass;
    set_up();
    json_t *out = made(&pass);
    cr_expect(pass);
    cr_expect_str_eq(json_string_value(at(out, "verdict")), "unverified");
    cr_expect_str_eq(json_string_value(at(out, "reasons.0")), "no gates in validate.require");
    json_decref(out);
}

/* A bound that any number would keep. */
Test(verdict, a_figure_that_could_not_be_computed_fails)
{
    bool pass;
    set_up();
    figures.n_modes = 0;
    require.n = 1;
    require.at[0] = (gate){GATE_MODE_SHARE_ERROR, GATE_LT, 1e300};
    json_t *out = made(&pass);
    cr_expect_not(pass);
    expect_null(out, "gates.0.value");
    json_decref(out);
}

Test(verdict, log_z_is_held_against_what_the_target_says)
{
    bool pass;
    set_up();
    require.n = 1;
    require.at[0] = (gate){GATE_LOG_Z_SIGMAS, GATE_LT, 3};
    figures.log_z = 0.005;
    json_t *out = made(&pass);
    cr_expect(pass);
    cr_expect_float_eq(number(out, "gates.0.value"), 0.008 / hypot(0.004, STUDENT_ROUNDING), 1e-12);
    json_decref(out);
    figures.log_z = NAN; /* an energy without a known constant */
    out = made(&pass);
    cr_expect_not(pass);
    expect_null(out, "gates.0.value");
    json_decref(out);
}

/* ---- warnings */

static void set_warning(int which)
{
    student_diagnostics *d = &figures.weights;
    double *const values[] = {&d->psis.khat, &d->mean_w.z, &d->mean_inverse_w.z,
                              &d->ess_forward.value};
    static const double bad[] = {0.7, -5.1, 5.1, 0.4};
    size_t *const counts[] = {&figures.modes_summary.empty, &training.skipped, &d->zero_reverse,
                              &d->zero_forward};
    broken_rows *const broken[] = {&training.broken, &figures.broken, &figures.teacher_broken};
    if (which < 4)
        *values[which] = bad[which];
    else if (which < 8)
        *counts[which - 4] = 1;
    else
        broken_note(broken[which - 8], 17, NAN, (const double[]){0.5, -2}, 2);
}

Test(verdict, each_warning_comes_alone)
{
    static const char *const texts[] = {
        "k-hat",
        "normalisation",
        "normalisation",
        "forward ESS",
        "known mode",
        "skipped",
        "no density",
        "no density",
        "of the training",
        "the student's samples",
        ("the target's samples, which were left out; the first: log p "
         "is nan at row 17, x = (0.5, -2)")};
    bool pass;
    set_up();
    json_t *out = made(&pass);
    cr_expect_eq(json_array_size(at(out, "warnings")), 0);
    json_decref(out);
    for (int which = 0; which < 11; which++) {
        set_up();
        set_warning(which);
        out = made(&pass);
        cr_expect_eq(json_array_size(at(out, "warnings")), 1, "warning %d", which);
        const char *text = json_string_value(at(out, "warnings.0"));
        cr_expect(strstr(text, texts[which]), "%s", text);
        json_decref(out);
    }
}

/* ---- memory */

static size_t left;

static void *failing_malloc(size_t size)
{
    return left && --left == 0 ? NULL : malloc(size);
}

/* For every allocation that can fail there is no document, and never a part of one. */
Test(verdict, out_of_memory_is_no_document)
{
    bool pass;
    set_up();
    require.n = 1;
    require.at[0] = (gate){GATE_KHAT, GATE_LT, 0.25};
    json_t *whole = made(&pass);
    json_set_alloc_funcs(failing_malloc, free);
    size_t k = 0;
    for (bool ended = false; !ended;) {
        left = ++k;
        json_t *out = verdict_json(&input, &pass);
        ended = left > 0; /* it asked for less than k */
        cr_expect_eq(out != NULL, ended, "allocation %zu", k);
        cr_expect(!out || json_equal(out, whole));
        cr_expect_not(pass, "allocation %zu", k);
        json_decref(out);
    }
    json_set_alloc_funcs(malloc, free);
    cr_expect_gt(k, 200, "only %zu allocations were provoked", k);
    json_decref(whole);
}
