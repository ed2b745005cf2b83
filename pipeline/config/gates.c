#include "pipeline/config/gates.h"

#include "pipeline/config/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const gate_info gate_figures[GATE_COUNT] = {
    [GATE_KL_REVERSE] = {"kl_reverse", "nats", true,
                         "KL(student || teacher): what samples of the student show to be wrong."},
    [GATE_KL_FORWARD] = {"kl_forward", "nats", true,
                         "KL(teacher || student): grows without bound where the student misses "
                         "something the teacher has."},
    [GATE_JEFFREYS] = {"jeffreys", "nats", true, "The sum of both KL divergences."},
    [GATE_ELBO] = {"elbo", "nats", false,
                   "Lower bound of log Z, from samples of the student; the same in any units."},
    [GATE_EUBO] = {"eubo", "nats", true,
                   "Upper bound of log Z, from samples of the teacher; the same in any units."},
    [GATE_LOG_Z_SIGMAS] =
        {"log_z_sigmas", "standard errors", true,
         "|log Z - the exact one| over its standard error, where that is known: a "
         "teacher that is a flow has log Z = 0."},
    [GATE_ESS_REVERSE] = {"ess_reverse", "share of the samples", false,
                          "Effective sample size of importance weights on samples of the student. "
                          "Blind to lost modes."},
    [GATE_ESS_FORWARD] = {"ess_forward", "share of the samples", false,
                          "The same, from samples of the teacher: sees lost modes."},
    [GATE_KHAT] = {"khat", NULL, true,
                   "Pareto shape of the largest importance weights: below 0.7 they can be used."},
    [GATE_MODE_SHARE_ERROR] = {"mode_share_error", "share of the samples", true,
                               "Largest difference between the student's share of a mode and the "
                               "mode's true weight, for data whose modes are known."},
    [GATE_ROUNDTRIP] = {"roundtrip", "standard deviations of the data", true,
                        "Largest error of going through the student and back."},
    [GATE_TEACHER_TEST_LOG_LIKELIHOOD] = {"teacher_test_log_likelihood",
                                          "nats per row, in the units of the data", false,
                                          "Mean log-density of the teacher on the test rows: the "
                                          "mean of what distill logp gives for them."},
    [GATE_STUDENT_ROWS_PER_S] = {"student_rows_per_s", "rows per second", false,
                                 "Speed of the student with the threads of the run."},
};

static const struct {
    const char *text;
    bool small; /* passes small values */
} ops[] = {[GATE_LT] = {"<", true},
           [GATE_LE] = {"<=", true},
           [GATE_GT] = {">", false},
           [GATE_GE] = {">=", false}};

gate_figure gate_find(const char *name)
{
    int figure = 0;
    while (figure < GATE_COUNT && strcmp(gate_figures[figure].name, name) != 0)
        figure++;
    return (gate_figure)figure;
}

int gate_parse(gate *out, gate_figure figure, const char *text, flow_err *err)
{
    const gate_info *info = &gate_figures[figure];
    const char *like = info->small_is_good ? "< 0.5" : "> 0.5", *whole = text;
    text += strspn(text, " ");
    size_t size = strspn(text, "<>=");
    int op = GATE_LT;
    while (op <= GATE_GE && !(strlen(ops[op].text) == size && !strncmp(text, ops[op].text, size)))
        op++;
    double bound;
    const char *number = text + size + strspn(text + size, " ");
    if (op > GATE_GE || number_parse_real(&bound, number) != NUMBER_GOOD)
        return flow_fail(err, FLOW_ECONFIG, "%s wants a bound like \"%s\", got '%.60s'", info->name,
                         like, whole);
    if (ops[op].small != info->small_is_good)
        return flow_fail(err, FLOW_ECONFIG, "%s is good when it is %s: its bound is like \"%s\"",
                         info->name, info->small_is_good ? "small" : "large", like);
    *out = (gate){figure, (gate_op)op, bound};
    return FLOW_OK;
}

void gate_print(char *out, const gate *self)
{
    double back = 0;
    for (int digits = 15; digits <= 17; digits++) { /* the shortest that reads back */
        snprintf(out, GATE_TEXT, "%s %.*g", ops[self->op].text, digits, self->bound);
        number_parse_real(&back, strchr(out, ' ') + 1);
        if (back == self->bound)
            break;
    }
}

bool gate_holds(const gate *self, double value)
{
    switch (self->op) {
    case GATE_LT:
        return value < self->bound;
    case GATE_LE:
        return value <= self->bound;
    case GATE_GT:
        return value > self->bound;
    case GATE_GE:
        break;
    }
    return value >= self->bound;
}
