/* A verdict on rounded networks: what it names, what it warns of, and what is asked of a student alone. */
#include "tests/pipeline/verdict_made.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *word_at(const json_t *verdict, const char *path)
{
    const char *word = json_string_value(at(verdict, path));
    return word ? word : "(null)";
}

static bool warns_of_network(const json_t *verdict)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(verdict, "warnings"), i,
                       one) if (strstr(json_string_value(one), "compute.network: f32")) return true;
    return false;
}

static void ask(gate_figure figure, double bound)
{
    const gate_info *info = &gate_figures[figure];
    require.at[require.n++] =
        (gate){.figure = figure, .op = info->small_is_good ? GATE_LT : GATE_GT, .bound = bound};
}

/* Nothing is beyond anything. */
static void be_fine(void)
{
    require.n = 0;
    for (int i = 0; i < GATE_COUNT; i++)
        if (gate_figures[i].of == GATE_OF_RUNG || gate_figures[i].of == GATE_OF_STUDENT)
            ask((gate_figure)i, gate_figures[i].small_is_good ? 1e9 : -1e9);
}

static json_t *document(void)
{
    bool pass;
    return made(&pass);
}

Test(verdict_network, is_named, .init = set_up)
{
    json_t *v = document();
    cr_expect_str_eq(word_at(v, "student.network"), "f32");
    expect_null(v, "student.networks");
    json_decref(v);
    input.network = FLOW_NETWORK_INT8;
    v = document();
    cr_expect_str_eq(word_at(v, "student.network"), "int8");
    json_decref(v);
}

Test(verdict_network, what_was_tried_is_told, .init = set_up)
{
    const trials tried = {.n = 2,
                          .at = {{.network = FLOW_NETWORK_INT8,
                                  .why = "kl_reverse is 1, wanted < 0.1",
                                  .pace = {5e6, 2e-6}},
                                 {.network = FLOW_NETWORK_AS_IS, .taken = true, .why = "last"}}};
    input.trials = &tried;
    json_t *v = document();
    cr_expect_str_eq(word_at(v, "student.networks.0.network"), "int8");
    cr_expect(json_is_false(at(v, "student.networks.0.taken")));
    cr_expect_str_eq(word_at(v, "student.networks.0.why"), "kl_reverse is 1, wanted < 0.1");
    cr_expect_eq(number(v, "student.networks.0.rows_per_s"), 5e6);
    cr_expect_eq(number(v, "student.networks.0.row_seconds"), 2e-6);
    cr_expect(json_is_true(at(v, "student.networks.1.taken")));
    cr_expect_eq(json_array_size(at(v, "student.networks")), 2);
    json_decref(v);
}

/* Of a student as it was trained there is no other to go back to. */
Test(verdict_network, that_fails_is_told_of_the_way_back, .init = set_up)
{
    for (int rounded = 0; rounded < 2; rounded++) {
        be_fine();
        input.network = rounded ? FLOW_NETWORK_INT8 : FLOW_NETWORK_AS_IS;
        json_t *v = document();
        cr_expect_not(warns_of_network(v), "nothing is wrong");
        json_decref(v);
        require.at[0].bound = 1e-9; /* of kl_reverse */
        v = document();
        cr_expect_eq(warns_of_network(v), rounded == 1);
        cr_expect_str_eq(word_at(v, "verdict"), "fail");
        json_decref(v);
    }
}

Test(verdict_network, passes_by_what_is_the_students_alone, .init = set_up)
{
    char why[TRIAL_WHY];
    be_fine();
    cr_expect(verdict_student_passes(why, &input), "%s", why);
    ask(GATE_TEACHER_TEST_LOG_LIKELIHOOD, 1e9); /* no student can mend it */
    ask(GATE_STUDENT_ROWS_PER_S, 1e30);         /* the clock says that */
    cr_expect(verdict_student_passes(why, &input), "%s", why);
    require.at[0].bound = 0.01;
    cr_expect_not(verdict_student_passes(why, &input));
    cr_expect_str_eq(why, "kl_reverse is 0.032, wanted < 0.01");
    be_fine();
    memmove(require.at, require.at + 1,
            --require.n * sizeof *require.at); /* kl_reverse has no gate */
    cr_expect(verdict_student_passes(why, &input), "%s", why);
    figures.weights.kl_reverse.value = 0.25;
    cr_expect_not(verdict_student_passes(why, &input));
    cr_expect_str_eq(why, "kl_reverse is 0.25, beyond 0.1");
}
