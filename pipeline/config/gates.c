#include "pipeline/config/gates.h"

#include "pipeline/config/number.h"

#include <stdio.h>
#include <string.h>

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

bool gate_within(const gate_info *self, double value, double limit)
{
    return self->small_is_good ? !(value > limit) : !(value < limit);
}
