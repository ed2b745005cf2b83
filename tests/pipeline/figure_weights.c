/* Log weights as the report counts them. */
#include "pipeline/report/figure_weights.h"

#include <criterion/criterion.h>
#include <math.h>

/* Whether the line at 3 nats is drawn, where the farthest weight is there. */
static bool reached(double farthest)
{
    static figure_weights figure;
    double at[] = {-1, 0, 0.5, farthest};
    bank rows = {.own = {.at = at, .n = 4}};
    flow_err err = FLOW_ERR_INIT;
    json_t *verdict = json_object();
    cr_assert_eq(figure_weights_count(&figure, &rows, verdict, &err), 0, "%s", err.text);
    json_decref(verdict);
    return figure_weights_reach(&figure);
}

Test(figure_weights, what_counts_as_missed_is_marked_where_the_axis_reaches_it)
{
    cr_expect(!reached(1));
    cr_expect(!reached(-5));
    cr_expect(!reached(INFINITY));
    cr_expect(reached(3.5));
}
