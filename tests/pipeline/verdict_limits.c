/* Figures that are judged without a gate, and every warning. */
#include "tests/pipeline/verdict_made.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- limits: what is judged without a gate */

/* What holds the value of a figure that has a limit, and a value beyond that. */
static void spoil(int figure)
{
    student_diagnostics *d = &figures.weights;
    static const struct {
        double *at, beyond;
    } bad[GATE_COUNT] = {
        [GATE_KL_REVERSE] = {&figures.weights.kl_reverse.value, 0.11},
        [GATE_KL_FORWARD] = {&figures.weights.kl_forward.value, 0.11},
        [GATE_JEFFREYS] = {&figures.weights.jeffreys.value, 0.21},
        [GATE_LOG_Z_SIGMAS] = {&figures.weights.log_z.value, -0.021},
        [GATE_NORMALISATION_SIGMAS] = {&figures.weights.mean_w.z, -5.1},
        [GATE_ESS_REVERSE] = {&figures.weights.ess_reverse.value, 0.49},
        [GATE_ESS_FORWARD] = {&figures.weights.ess_forward.value, 0.49},
        [GATE_OVER_WEIGHT] = {&figures.weights.unweighting.over_weight, 0.051},
        [GATE_KHAT] = {&figures.weights.psis.khat, 0.695},
        [GATE_KHAT_FORWARD] = {&figures.weights.psis_forward.khat, 0.685},
        [GATE_MODE_SHARE_ERROR] = {&figures.modes_summary.deviation, 0.051},
        [GATE_MEAN_ERROR] = {&figures.moments.mean_excess.value, 0.051},
        [GATE_SD_ERROR] = {&figures.moments.sd_excess.value, 0.11},
        [GATE_CORRELATION_ERROR] = {&figures.moments.correlation_excess.value, 0.051},
        [GATE_TAIL_FACTOR] = {&figures.tails.off, 1.26},
        [GATE_TEACHER_TAIL_FACTOR] = {&figures.against_data.tails.off, 1.26},
        [GATE_TWO_SAMPLE_SIGMAS] = {&figures.energy.value, 0.11},
        [GATE_ROUNDTRIP] = {&figures.roundtrip, 0.011},
        [GATE_TEACHER_LIKELIHOOD_GAP] = {&figures.against_data.train_log_likelihood, -0.74},
        [GATE_TEACHER_REPEATED_ROWS] = {&figures.against_data.repeated, 0.11},
        [GATE_TEACHER_TWO_SAMPLE_SIGMAS] = {&figures.against_data.sliced_w2.value, 0.33},
        [GATE_TEACHER_MEAN_ERROR] = {&figures.against_data.moments.mean_excess.value, 0.11},
        [GATE_TEACHER_SD_ERROR] = {&figures.against_data.moments.sd_excess.value, 0.26},
        [GATE_TEACHER_CORRELATION_ERROR] = {&figures.against_data.moments.correlation_excess.value,
                                            0.11},
        [GATE_MISSED_MASS] = {&figures.against_chain.hunt.mass.value, 0.0104},
        [GATE_CHAIN_RHAT] = {&figures.against_chain.rhat, 1.11},
        [GATE_CHAIN_KL_FORWARD] = {&figures.against_chain.kl_forward, 0.11},
        [GATE_CHAIN_ENERGY_ERROR] = {&figures.against_chain.apart, 0.126},
        [GATE_TEACHER_OUTSIDE] = {&figures.against_data.outside.value, 0.021},
        [GATE_TEACHER_MISSED] = {&figures.against_data.missed.value, 0.0051}};
    if (bad[figure].at)
        *bad[figure].at = bad[figure].beyond;
    d->uncovered[0] = figure == GATE_UNCOVERED_3 ? 201 : d->uncovered[0];
    d->uncovered[1] = figure == GATE_UNCOVERED_5 ? 21 : d->uncovered[1];
    d->uncovered[2] = figure == GATE_UNCOVERED_10 ? 1 : d->uncovered[2];
    if (figure == GATE_CHAIN_UNCOVERED_10)
        figures.against_chain.uncovered[2] = 5;
}

static void spoiled(int figure)
{
    set_up();
    spoil(figure);
}

/* Each alone: one warning, with its name, meaning and next step, and a run whose gates hold is no pass. */
Test(verdict, every_figure_with_a_limit_is_judged_without_a_gate)
{
    for (int figure = 0; figure < GATE_COUNT; figure++) {
        const gate_info *info = &gate_figures[figure];
        bool pass;
        if (isnan(info->limit))
            continue;
        spoiled(figure);
        require.n = 1;
        require.at[0] = (gate){GATE_STUDENT_ROWS_PER_S, GATE_GT, 1};
        json_t *out = made(&pass);
        cr_expect_eq(pass, !info->fails, "%s", info->name);
        cr_expect_str_eq(json_string_value(at(out, "verdict")), info->fails ? "fail" : "unverified",
                         "%s", info->name);
        cr_assert_eq(json_array_size(at(out, "warnings")), 1, "%s", info->name);
        const char *text = json_string_value(at(out, "warnings.0"));
        cr_expect(strncmp(text, info->name, strlen(info->name)) == 0, "%s: %s", info->name, text);
        cr_expect(strstr(text, info->beyond) && strstr(text, info->next), "%s", text);
        cr_expect(strstr(json_string_value(at(out, "reasons.0")),
                         info->fails ? info->beyond : info->name));
        json_decref(out);
    }
}

Test(verdict, a_gate_stands_in_for_the_limit)
{
    for (int figure = 0; figure < GATE_COUNT; figure++) {
        const gate_info *info = &gate_figures[figure];
        bool pass;
        if (isnan(info->limit))
            continue;
        spoiled(figure);
        require.n = 1;
        require.at[0] = (gate){(gate_figure)figure, info->small_is_good ? GATE_LT : GATE_GT,
                               info->small_is_good ? 1e9 : 0};
        json_t *out = made(&pass);
        cr_expect_str_eq(json_string_value(at(out, "verdict")), "pass", "%s", info->name);
        cr_expect_eq(json_array_size(at(out, "warnings")), 0, "%s", info->name);
        json_decref(out);
    }
}

Test(verdict, every_figure_is_listed_with_its_limit)
{
    bool pass;
    spoiled(GATE_TEACHER_MEAN_ERROR);
    json_t *out = made(&pass);
    const json_t *list = at(out, "figures");
    size_t i, beyond = 0, judged = 0;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        gate_figure which = gate_find(json_string_value(at(one, "key")));
        cr_assert_neq(which, GATE_COUNT);
        judged++;
        beyond += json_is_true(at(one, "beyond"));
        cr_expect_float_eq(number(one, "value"),
                           which == GATE_TEACHER_MEAN_ERROR ? 0.11 : gate_values[which], 1e-12,
                           "%s", gate_figures[which].name);
    }
    cr_expect(judged == GATE_COUNT - 2 && beyond == 1); /* the clock has no limits */
    json_decref(out);
}

/* Where validation.json has a figure is what `explain` says. */
Test(verdict, every_figure_has_its_place)
{
    bool pass;
    set_up();
    json_t *out = made(&pass);
    for (int figure = 0; figure < GATE_COUNT; figure++) {
        const json_t *found = at(out, gate_figures[figure].place);
        if (json_is_number(found))
            cr_expect_float_eq(json_number_value(found), gate_values[figure], 1e-12, "%s",
                               gate_figures[figure].name);
    }
    json_decref(out);
}

Test(verdict, of_warnings_that_say_the_same_one_is_given)
{
    bool pass;
    spoiled(GATE_UNCOVERED_10);
    spoil(GATE_UNCOVERED_3);
    spoil(GATE_ESS_FORWARD);
    spoil(GATE_KHAT_FORWARD);
    json_t *out = made(&pass);
    cr_assert_eq(json_array_size(at(out, "warnings")), 1);
    const char *text = json_string_value(at(out, "warnings.0"));
    cr_expect(strstr(text, "1 of 100000 samples of the teacher"), "%s", text);
    cr_expect(strstr(text, "height = 7, 3.5 sd out"), "%s", text);
    json_decref(out);
}

Test(verdict, warnings_name_the_column)
{
    static const struct {
        gate_figure figure;
        const char *text;
    } wanted[] = {{GATE_MEAN_ERROR, "(column height)"},
                  {GATE_SD_ERROR, "(column width)"},
                  {GATE_CORRELATION_ERROR, "(columns width and height)"},
                  {GATE_MODE_SHARE_ERROR, "(height, mode 3: 0.5200 for 0.5000)"},
                  {GATE_TEACHER_SD_ERROR, "(column height)"},
                  {GATE_TEACHER_OUTSIDE, "(column height: 10 to 19, the data 11 to 18)"},
                  {GATE_TEACHER_LIKELIHOOD_GAP, "(training -0.74, test -1.25 nats a row)"}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        bool pass;
        spoiled((int)wanted[i].figure);
        json_t *out = made(&pass);
        const char *text = json_string_value(at(out, "warnings.0"));
        cr_expect(strstr(text, wanted[i].text), "%s", text);
        json_decref(out);
    }
}

/* What shares that are right are off by among so few samples is within the limit, and a gate below it is told. */
Test(verdict, shares_are_judged_by_what_chance_makes)
{
    bool pass;
    spoiled(GATE_MODE_SHARE_ERROR);
    figures.modes_summary.chance = 0.06;
    json_t *out = made(&pass);
    cr_assert_eq(json_array_size(at(out, "warnings")), 0);
    json_decref(out);
    require.n = 1;
    require.at[0] = (gate){GATE_MODE_SHARE_ERROR, GATE_LT, 0.055};
    out = made(&pass);
    cr_assert(pass && json_array_size(at(out, "warnings")) == 1);
    const char *text = json_string_value(at(out, "warnings.0"));
    cr_expect(strstr(text, "off by up to 0.06") && strstr(text, "raise validate.samples"), "%s",
              text);
    json_decref(out);
    require.at[0].bound = 0.07;
    out = made(&pass);
    cr_assert_eq(json_array_size(at(out, "warnings")), 0);
    json_decref(out);
}

/* Equal weights have a tail of rounding, whose index says nothing. */
Test(verdict, a_khat_of_even_weights_is_not_judged)
{
    bool pass;
    set_up();
    figures.weights.psis.khat = figures.weights.psis_forward.khat = 0.9;
    figures.weights.ess_reverse.value = figures.weights.ess_forward.value = 0.96;
    json_t *out = made(&pass);
    cr_expect_eq(json_array_size(at(out, "warnings")), 0);
    json_decref(out);
}

/* ---- warnings that have no figure */

static void set_warning(int which)
{
    student_diagnostics *d = &figures.weights;
    size_t *const counts[] = {&figures.modes_summary.empty, &training.skipped, &d->zero_reverse,
                              &d->zero_forward};
    broken_rows *const broken[] = {&training.broken, &figures.broken, &figures.teacher_broken};
    if (which < 4)
        *counts[which] = 1;
    else
        broken_note(broken[which - 4], 17, NAN, (const double[]){0.5, -2}, 2);
}

Test(verdict, each_warning_comes_alone)
{
    static const char *const texts[] = {
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
    for (int which = 0; which < 7; which++) {
        set_up();
        set_warning(which);
        out = made(&pass);
        cr_expect_eq(json_array_size(at(out, "warnings")), 1, "warning %d", which);
        const char *text = json_string_value(at(out, "warnings.0"));
        cr_expect(strstr(text, texts[which]), "%s", text);
        json_decref(out);
    }
}

/* Which column, on which side, how many rows of which: that of the teacher is below, and of the student above. */
Test(verdict, a_tail_is_told_with_its_place)
{
    static const struct {
        int figure;
        const char *where;
    } cases[] = {
        {GATE_TAIL_FACTOR, "tail_factor is 1.26, beyond 1.25 (column height, above 17: 40 of 1000 "
                           "samples, 15 of 900 of "
                           "the teacher's; the farthest 18.5 and 17.5): "},
        {GATE_TEACHER_TAIL_FACTOR,
         "teacher_tail_factor is 1.26, beyond 1.25 (column width, below -2.5: 3 of 1000 samples, "
         "30 of 3000 rows of the data; the farthest -3 and -3.5): "}};
    for (size_t i = 0; i < 2; i++) {
        bool pass;
        spoiled(cases[i].figure);
        json_t *out = made(&pass);
        const char *text = json_string_value(at(out, "warnings.0"));
        cr_expect(text && strncmp(text, cases[i].where, strlen(cases[i].where)) == 0, "%s", text);
        json_decref(out);
    }
}
