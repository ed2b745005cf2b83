#include "pipeline/report/verdict.h"

#include "flow/json.h"
#include "pipeline/report/judge.h"
#include "pipeline/report/verdict_parts.h"

#include <math.h>
#include <stdio.h>

/* ---- gates */

static json_t *gate_json(const gate *g, double value, bool holds)
{
    char bound[GATE_TEXT];
    gate_print(bound, g);
    return json_pack("{s:s, s:s, s:o, s:b}", "key", gate_figures[g->figure].name, "bound", bound,
                     "value", flow_json_real(value), "pass", (int)holds);
}

static json_t *reason(const gate *g, double value)
{
    char bound[GATE_TEXT], line[200];
    gate_print(bound, g);
    snprintf(line, sizeof line, "%s is %.6g, wanted %s", gate_figures[g->figure].name, value,
             bound);
    return json_string(line);
}

/* Appends the gates to *list and what failed to *reasons. */
static bool judge_gates(const verdict_input *in, const judged *figures, json_t **list,
                        json_t **reasons)
{
    bool all = true;
    for (size_t i = 0; i < in->require->n; i++) {
        const gate *g = &in->require->at[i];
        double value = figures->value[g->figure];
        bool holds = gate_holds(g, value);
        flow_json_append(list, gate_json(g, value, holds));
        if (!holds)
            flow_json_append(reasons, reason(g, value));
        all = all && holds;
    }
    return all;
}

/* ---- what was not asked for, and is judged all the same */

/* Appends to *reasons what keeps a run whose gates hold from being a pass: one line. */
static bool judge_rest(const verdict_input *in, const judged *figures, json_t **reasons)
{
    char line[100 + 40 * GATE_COUNT] = "no gates in validate.require";
    size_t used = 0;
    for (int i = 0; i < GATE_COUNT && in->require->n > 0; i++)
        if (verdict_beyond(in, figures, (gate_figure)i))
            used += (size_t)snprintf(
                line + used, sizeof line - used, "%s%s",
                used ? ", " : "beyond its limit, and without a gate: ", gate_figures[i].name);
    if (in->require->n > 0 && used == 0)
        return true;
    flow_json_append(reasons, json_string(line));
    return false;
}

/* What a student misses shows at samples of its target alone. */
static bool judge_sides(const verdict_input *in, json_t **reasons)
{
    if (in->student->sampled)
        return true;
    flow_json_append(
        reasons,
        json_string("only one side could be seen: the target has no sampler, so a mode or a "
                    "tail that the student misses would not show"));
    return false;
}

/* Whether none of the figures is beyond its limit that fail a run by themselves; else they are among the *reasons. */
static bool judge_worst(const verdict_input *in, const judged *figures, json_t **reasons)
{
    bool good = true;
    for (int i = 0; i < GATE_COUNT; i++) {
        if (!gate_figures[i].fails || !verdict_beyond(in, figures, (gate_figure)i))
            continue;
        flow_json_append(reasons, json_string(gate_figures[i].beyond));
        good = false;
    }
    return good;
}

static const char *judge(const verdict_input *in, const judged *figures, bool *pass, json_t **gates,
                         json_t **reasons)
{
    bool gates_hold = judge_gates(in, figures, gates, reasons);
    *pass = judge_worst(in, figures, reasons) && gates_hold;
    if (!*pass)
        return "fail";
    bool rest = judge_rest(in, figures, reasons), sides = judge_sides(in, reasons);
    return rest && sides ? "pass" : "unverified";
}

/* ---- the whole */

static json_t *figure_json(const verdict_input *in, const judged *figures, gate_figure which)
{
    return json_pack("{s:s, s:o, s:o, s:b, s:b}", "key", gate_figures[which].name, "value",
                     flow_json_real(figures->value[which]), "limit",
                     flow_json_real(figures->limit[which]), "small_is_good",
                     (int)gate_figures[which].small_is_good, "beyond",
                     (int)verdict_beyond(in, figures, which));
}

static json_t *figures_json(const verdict_input *in, const judged *figures)
{
    json_t *list = json_array();
    for (int i = 0; i < GATE_COUNT; i++)
        if (gate_figures[i].of != GATE_OF_CLOCK)
            flow_json_append(&list, figure_json(in, figures, (gate_figure)i));
    return list;
}

static json_t *training(const verdict_input *in)
{
    const distill_state *t = in->training;
    json_t *weights =
        in->student_flow ? json_integer((json_int_t)flow_n_weights(in->student_flow)) : json_null();
    const verdict_price *p = in->price;
    return json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "network",
                     flow_network_name(in->network), "networks",
                     in->trials ? trials_json(in->trials) : json_null(), "rows",
                     (json_int_t)t->rows, "densities", (json_int_t)p->densities, "gradients",
                     (json_int_t)p->gradients, "draws", (json_int_t)p->draws, "clipped_steps",
                     (json_int_t)t->clipped, "skipped_steps", (json_int_t)t->skipped,
                     "zero_density_rows", (json_int_t)t->zero_density, "broken_rows",
                     verdict_broken(&t->broken), "weights", weights);
}

static void set_samples(json_t **out, const verdict_input *in)
{
    const student_validation *v = in->student;
    flow_json_set(out, "broken",
                  json_pack("{s:o, s:o}", "reverse", verdict_broken(&v->broken), "forward",
                            verdict_broken(&v->teacher_broken)));
    flow_json_set(out, "samples", json_integer((json_int_t)in->samples));
    flow_json_set(out, "uncovered", verdict_uncovered(in));
    flow_json_set(out, "chain", verdict_chain(&v->against_chain, in->names));
    flow_json_set(out, "hunt", verdict_hunt(&v->against_chain.hunt, in->names));
    flow_json_set(out, "log_q_forward", verdict_estimate(v->log_q_forward));
    flow_json_set(out, "roundtrip", flow_json_real(v->roundtrip));
    flow_json_set(out, "mode_share", verdict_modes(v));
    flow_json_set(out, "mode_share_worst", verdict_worst_mode(v));
    flow_json_set(out, "moments", verdict_moments(&v->moments, "student", "teacher", in->names));
    flow_json_set(out, "tails", verdict_tails(&v->tails, "student", "teacher", in->names));
    flow_json_set(out, "two_sample",
                  verdict_two_samples(&v->sliced_w2, &v->energy, "flow", "teacher"));
}

json_t *verdict_json(const verdict_input *in, bool *pass)
{
    const student_validation *v = in->student;
    judged figures;
    json_t *out = json_object(), *gates = json_array(), *reasons = json_array();
    judge_run(&figures, v, in->test, in->test_inside);
    flow_json_set(&out, "verdict", json_string(judge(in, &figures, pass, &gates, &reasons)));
    flow_json_set(&out, "reasons", reasons);
    flow_json_set(&out, "warnings", verdict_warnings(in, &figures));
    flow_json_set(&out, "gates", gates);
    flow_json_set(&out, "figures", figures_json(in, &figures));
    verdict_set_weights(&out, &v->weights);
    set_samples(&out, in);
    flow_json_set(&out, "teacher",
                  in->test_rows || in->teacher_flow ? verdict_teacher(in) : json_null());
    flow_json_set(&out, "student", training(in));
    flow_json_set(&out, "speed", verdict_speed(&v->speed, in->price, v->against_chain.seconds));
    flow_json_set(&out, "ladder", in->ladder ? rungs_json(in->ladder) : json_null());
    return out;
}
