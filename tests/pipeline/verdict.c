/* validation.json from figures that are known: every gate, what is null, and what happens when memory runs out. */
#include "tests/pipeline/verdict_made.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
                  {"mode_share_worst.mode", 3},
                  {"mode_share_worst.error", 0.023},
                  {"mode_share_worst.p", 0.37},
                  {"mode_share_worst.chance", 0.017},
                  {"moments.mean.student", 2.1},
                  {"moments.mean.teacher", 2.2},
                  {"two_sample.sliced_w2.teacher", 0.018},
                  {"teacher.test_log_likelihood.value", -1.75},
                  {"teacher.test_log_likelihood.rows", 300},
                  {"teacher.test_log_likelihood.value_in_flow_units", -1.25},
                  {"student.rows", 4711},
                  {"student.clipped_steps", 3},
                  {"teacher.train_log_likelihood.value", -1.0},
                  {"teacher.train_log_likelihood.rows", 2400},
                  {"teacher.repeated_rows", 0.05},
                  {"teacher.data_rows", 300},
                  {"teacher.two_sample.sigmas", 2},
                  {"teacher.two_sample.energy.value", 0.06},
                  {"teacher.moments.sd.teacher", 1.1},
                  {"teacher.moments.sd.data", 1.2},
                  {"teacher.moments.mean_error", 0.021},
                  {"tails.off", 1.125},
                  {"tails.rows.student", 1000},
                  {"tails.rows.teacher", 900},
                  {"tails.worst.beyond", 17},
                  {"tails.worst.student", 40},
                  {"tails.worst.teacher", 15},
                  {"tails.worst.off", 1.125},
                  {"tails.columns.1.above.farthest.student", 18.5},
                  {"tails.columns.1.above.teacher.2", 15},
                  {"teacher.tails.off", 1.2},
                  {"teacher.tails.worst.beyond", -2.5},
                  {"teacher.tails.worst.data", 30},
                  {"teacher.tails.columns.0.below.teacher.0", 3},
                  {"teacher.tails.columns.0.below.farthest.data", -3.5},
                  {"teacher.outside.value", 0.004},
                  {"teacher.columns.1.range.teacher.1", 19},
                  {"teacher.columns.1.range.data.0", 11},
                  {"teacher.columns.1.mean.teacher", 0.5},
                  {"teacher.columns.1.sd.data", 0.9},
                  {"teacher.columns.1.outside", 0.005},
                  {"uncovered.rows", 100000},
                  {"uncovered.above.0.nats", 3},
                  {"uncovered.above.1.count", 5},
                  {"uncovered.above.1.share", 5e-5},
                  {"uncovered.worst.0.row", 41},
                  {"uncovered.worst.0.sds", 3.5},
                  {"khat_forward.value", 0.43},
                  {"hunt.mass.value", 0.001},
                  {"hunt.mass.se", 0.0001},
                  {"hunt.rows", 4000},
                  {"hunt.missed", 40},
                  {"hunt.ess", 1234},
                  {"hunt.khat", 0.3},
                  {"hunt.log_z", 0.02},
                  {"hunt.pieces", 2},
                  {"hunt.evaluations", 4321},
                  {"hunt.regions.0.mass.value", 0.0009},
                  {"hunt.regions.0.mass.se", 0.0002},
                  {"hunt.regions.0.rows", 39},
                  {"hunt.regions.0.nats", 7.5},
                  {"hunt.regions.0.columns.0.value", 7},
                  {"hunt.regions.0.columns.0.distance", 3.5},
                  {"hunt.regions.0.columns.1.value", -2},
                  {"chain.rows", 4000},
                  {"chain.chains", 250},
                  {"chain.evaluations", 123456},
                  {"chain.rhat", 1.04},
                  {"chain.rhat_column.value", 1.7},
                  {"chain.effective", 3000},
                  {"chain.acceptance", 0.77},
                  {"chain.eubo.se", 0.003},
                  {"chain.uncovered.above.1.count", 20},
                  {"chain.uncovered.worst", 11.5},
                  {"chain.energies.apart", 0.06},
                  {"chain.energies.weighed_apart", 0.03},
                  {"chain.energies.chance", 0.025},
                  {"chain.energies.quantiles.shares.3", 0.5},
                  {"chain.energies.quantiles.student.0", -6},
                  {"chain.energies.quantiles.weighed.0", -5},
                  {"chain.energies.quantiles.chain.0", -4},
                  {"chain.energies.bins.hi", 2},
                  {"chain.energies.bins.student.0", 0.1},
                  {"chain.energies.bins.weighed.0", 0.2},
                  {"chain.energies.bins.chain.0", 0.3},
                  {"speed.chain_seconds", 1.5},
                  {"speed.student_row_seconds", 5e-6},
                  {"speed.teacher_incremental_rows_per_s", 1e6},
                  {"speed.teacher_naive_row_seconds", 7e-6},
                  {"speed.student_rows_per_s", 2e6},
                  {"speed.teacher_naive_rows_per_s", 3e5}};
    bool pass;
    set_up();
    json_t *out = made(&pass);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        cr_expect_float_eq(number(out, wanted[i].path), wanted[i].value,
                           1e-14 * fabs(wanted[i].value), "%s", wanted[i].path);
    cr_expect_str_eq(json_string_value(at(out, "moments.mean.column")), "height");
    cr_expect_str_eq(json_string_value(at(out, "moments.correlation.other")), "height");
    cr_expect_str_eq(json_string_value(at(out, "mode_share.0.partition")), "side");
    cr_expect_str_eq(json_string_value(at(out, "mode_share_worst.partition")), "height");
    expect_null(out, "moments.sd");
    cr_expect_str_eq(json_string_value(at(out, "teacher.outside.column")), "height");
    cr_expect_str_eq(json_string_value(at(out, "tails.worst.column")), "height");
    cr_expect_str_eq(json_string_value(at(out, "tails.worst.side")), "above");
    cr_expect_str_eq(json_string_value(at(out, "tails.worst.level")), "last rows");
    cr_expect_str_eq(json_string_value(at(out, "teacher.tails.worst.side")), "below");
    expect_null(out, "tails.columns.1.above.beyond.1");
    expect_null(out, "tails.columns.1.above.student.1");
    expect_null(out, "tails.columns.1.above.off.1");
    cr_expect_str_eq(json_string_value(at(out, "uncovered.worst.0.column")), "height");
    cr_expect_str_eq(json_string_value(at(out, "two_sample.units")), "flow");
    cr_expect_str_eq(json_string_value(at(out, "teacher.two_sample.units")), "robust");
    cr_expect_eq(json_array_size(at(out, "teacher.columns")), 2);
    json_decref(out);
}

Test(verdict, what_does_not_apply_is_null)
{
    bool pass;
    set_up();
    figures.n_modes = 0;
    figures.weights.kl_forward = figures.weights.ess_forward = (student_estimate){NAN, NAN};
    figures.weights.elbo.value = -INFINITY;
    figures.weights.n_forward = 0;
    figures.energy.value = NAN;
    figures.tails = student_no_tails;
    figures.against_data = student_against_no_data;
    input.test = (student_estimate){NAN, NAN};
    json_t *out = made(&pass);
    static const char *const none[] = {"mode_share",
                                       "mode_share_worst",
                                       "two_sample.energy",
                                       "two_sample.sigmas",
                                       "uncovered",
                                       "khat_forward",
                                       "tails",
                                       "teacher.tails",
                                       "teacher.outside",
                                       "teacher.likelihood_gap",
                                       "teacher.two_sample.energy",
                                       "teacher.train_log_likelihood.value",
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

/* A bound a hair on either side of the value: it holds, and it does not. */
Test(verdict, every_figure_can_be_a_gate_that_holds_and_one_that_fails)
{
    for (int figure = 0; figure < GATE_COUNT; figure++)
        for (int good = 0; good < 2; good++) {
            bool small = gate_figures[figure].small_is_good, pass;
            double value = gate_values[figure], hair = 1e-9 * fmax(fabs(value), 1e-9);
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
    figures.weights.log_z_se = 0.05; /* of what the target says */
    out = made(&pass);
    cr_expect_float_eq(number(out, "gates.0.value"),
                       0.008 / hypot(hypot(0.004, STUDENT_ROUNDING), 0.05), 1e-12);
    json_decref(out);
    figures.log_z = NAN; /* an energy without a known constant */
    out = made(&pass);
    cr_expect_not(pass);
    expect_null(out, "gates.0.value");
    json_decref(out);
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

/* Of 1000 rows that were asked for. */
Test(verdict, a_training_has_its_price)
{
    bool pass;
    set_up();
    json_t *out = made(&pass);
    cr_expect_eq(number(out, "student.densities"), 900);
    cr_expect_eq(number(out, "student.gradients"), 800);
    cr_expect_eq(number(out, "student.draws"), 100);
    cr_expect_float_eq(number(out, "speed.training_target_row_seconds"), 2e-6, 1e-15);
    cr_expect_float_eq(number(out, "speed.training_own_row_seconds"), 10e-6, 1e-15);
    json_decref(out);
}

/* ---- a target without samples and data */

Test(verdict, what_was_seen_from_one_side_is_no_pass)
{
    bool pass;
    set_up();
    figures.sampled = false;
    require.n = 1;
    require.at[0] = (gate){GATE_KL_REVERSE, GATE_LT, 1};
    json_t *out = made(&pass);
    cr_expect(pass, "no gate failed");
    cr_expect_str_eq(json_string_value(at(out, "verdict")), "unverified");
    cr_expect(strstr(json_string_value(at(out, "reasons.0")), "one side"));
    json_decref(out);
}

/* What they say on the average is not said, and not judged; what they say of single rows is. */
Test(verdict, chains_that_do_not_agree_accuse_nobody)
{
    bool pass;
    set_up();
    figures.against_chain.rhat = 1.2;
    figures.against_chain.apart = 0.9;
    figures.against_chain.kl_forward = 9;
    json_t *out = made(&pass);
    expect_null(out, "chain.energies.error");
    cr_assert_eq(json_array_size(at(out, "warnings")), 1);
    cr_expect(strstr(json_string_value(at(out, "warnings.0")), "the chains do not agree"));
    json_decref(out);
    figures.against_chain.uncovered[2] = 40;
    out = made(&pass);
    cr_assert_eq(json_array_size(at(out, "warnings")), 2);
    cr_expect(strstr(json_string_value(at(out, "warnings.1")), "chain_uncovered_10"));
    json_decref(out);
}

Test(verdict, without_a_chain_there_is_none)
{
    bool pass;
    set_up();
    figures.against_chain = student_against_no_chain;
    json_t *out = made(&pass);
    expect_null(out, "chain");
    expect_null(out, "hunt");
    expect_null(out, "speed.chain_seconds");
    json_decref(out);
}

Test(verdict, a_target_has_no_teacher)
{
    bool pass;
    set_up();
    input.teacher_flow = NULL;
    input.test_rows = 0;
    json_t *out = made(&pass);
    expect_null(out, "teacher");
    json_decref(out);
}
