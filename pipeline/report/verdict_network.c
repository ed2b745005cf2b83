/* pipeline/report/verdict_network.c -- a student whose networks are rounded: whether it passes as it is shipped. */
#include "flow/json.h"
#include "pipeline/report/verdict_parts.h"

#include <stdio.h>

/* The others are the same whatever its networks are, or the clock's. */
static bool is_of_student(gate_figure which)
{
    gate_of of = gate_figures[which].of;
    return of == GATE_OF_RUNG || of == GATE_OF_STUDENT;
}

/* A gate on the student that does not hold; NULL: all do. */
static const gate *failed_gate(const verdict_input *in, const judged *figures)
{
    for (size_t i = 0; i < in->require->n; i++) {
        const gate *g = &in->require->at[i];
        if (is_of_student(g->figure) && !gate_holds(g, figures->value[g->figure]))
            return g;
    }
    return NULL;
}

static gate_figure first_beyond(const verdict_input *in, const judged *figures)
{
    int i = 0;
    while (i < GATE_COUNT &&
           !(is_of_student((gate_figure)i) && verdict_beyond(in, figures, (gate_figure)i)))
        i++;
    return (gate_figure)i;
}

static bool passes(char why[TRIAL_WHY], const verdict_input *in, const judged *figures)
{
    char bound[GATE_TEXT];
    const gate *g = failed_gate(in, figures);
    gate_figure beyond = g ? GATE_COUNT : first_beyond(in, figures);
    if (g) {
        gate_print(bound, g);
        snprintf(why, TRIAL_WHY, "%s is %.3g, wanted %s", gate_figures[g->figure].name,
                 figures->value[g->figure], bound);
    } else if (beyond < GATE_COUNT)
        snprintf(why, TRIAL_WHY, "%s is %.3g, beyond %.3g", gate_figures[beyond].name,
                 figures->value[beyond], figures->limit[beyond]);
    else
        snprintf(why, TRIAL_WHY,
                 "the gates on the student hold, and its other figures are within their limits");
    return !g && beyond == GATE_COUNT;
}

bool verdict_student_passes(char why[TRIAL_WHY], const verdict_input *in)
{
    judged figures;
    judge_run(&figures, in->student, in->test, in->test_inside);
    return passes(why, in, &figures);
}

void verdict_warn_of_network(json_t **list, const verdict_input *in, const judged *figures)
{
    char why[TRIAL_WHY], line[TRIAL_WHY + 200];
    if (in->network == FLOW_NETWORK_AS_IS || passes(why, in, figures))
        return;
    snprintf(line, sizeof line,
             "the student was measured as it is shipped, with its networks in %s: %s; with "
             "compute.network: %s it is as it was trained, and nothing is trained again",
             flow_network_name(in->network), why, flow_network_name(FLOW_NETWORK_AS_IS));
    flow_json_append(list, json_string(line));
}
