/* Bounds on figures: read, shown, held. */
#include "pipeline/config/gates.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

Test(gates, figures_are_whole_and_found_by_name)
{
    for (int i = 0; i < GATE_COUNT; i++) {
        const gate_info *info = &gate_figures[i];
        cr_assert(info->name && *info->name && info->doc && *info->doc, "figure %d", i);
        cr_expect_eq(gate_find(info->name), (gate_figure)i, "%s", info->name);
        cr_expect(info->place && *info->place, "%s", info->name);
        bool judged = !isnan(info->limit);
        cr_expect_eq(info->beyond && *info->beyond, judged, "%s", info->name);
        cr_expect_eq(info->next && *info->next, judged, "%s", info->name);
        for (const gate_info *by = info->said_by; by; by = by->said_by)
            cr_expect(by < info && !isnan(by->limit), "%s is said by %s", info->name, by->name);
    }
    cr_expect_eq(gate_find("kl"), GATE_COUNT);
    cr_expect_eq(gate_find(""), GATE_COUNT);
}

Test(gates, bounds_are_read_and_shown_alike)
{
    static const struct {
        gate_figure figure;
        const char *text, *shown;
        gate_op op;
        double bound;
    } cases[] = {
        {GATE_KHAT, "< 0.7", "< 0.7", GATE_LT, 0.7},
        {GATE_KHAT, "  <=.25", "<= 0.25", GATE_LE, 0.25},
        {GATE_KHAT, "<1e-3", "< 0.001", GATE_LT, 1e-3},
        {GATE_ELBO, "> -0.125", "> -0.125", GATE_GT, -0.125},
        {GATE_ELBO, ">= 2.3000000000000003", ">= 2.3000000000000003", GATE_GE, 2.3000000000000003}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gate g;
        char text[GATE_TEXT];
        flow_err err = FLOW_ERR_INIT;
        cr_assert_eq(gate_parse(&g, cases[i].figure, cases[i].text, &err), 0, "%s: %s",
                     cases[i].text, err.text);
        cr_expect(g.figure == cases[i].figure && g.op == cases[i].op && g.bound == cases[i].bound);
        gate_print(text, &g);
        cr_expect_str_eq(text, cases[i].shown);
    }
}

Test(gates, what_is_no_bound_is_refused)
{
    static const struct {
        gate_figure figure;
        const char *text, *says;
    } cases[] = {
        {GATE_KHAT, "0.7", "wants a bound like \"< 0.5\""},
        {GATE_KHAT, "< ", "wants a bound"},
        {GATE_KHAT, "", "wants a bound"},
        {GATE_KHAT, "<< 1", "wants a bound"},
        {GATE_KHAT, "= 1", "wants a bound"},
        {GATE_KHAT, "=< 1", "wants a bound"},
        {GATE_KHAT, " < 1 ", "wants a bound"},
        {GATE_KHAT, "< nan", "wants a bound"},
        {GATE_KHAT, "< inf", "wants a bound"},
        {GATE_KHAT, "< 1 nat", "wants a bound"},
        {GATE_KHAT, "> 0.7", "is good when it is small"},
        {GATE_ESS_REVERSE, "<= 0.7", "is good when it is large: its bound is like \"> 0.5"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gate g;
        flow_err err = FLOW_ERR_INIT;
        cr_expect_eq(gate_parse(&g, cases[i].figure, cases[i].text, &err), FLOW_ECONFIG, "%s",
                     cases[i].text);
        cr_expect(strstr(err.text, cases[i].says), "%s: %s", cases[i].text, err.text);
    }
}

Test(gates, a_bound_holds_on_its_side)
{
    static const struct {
        gate_op op;
        int below, at, above; /* 0.7 */
    } cases[] = {{GATE_LT, 1, 0, 0}, {GATE_LE, 1, 1, 0}, {GATE_GT, 0, 0, 1}, {GATE_GE, 0, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const gate g = {GATE_KHAT, cases[i].op, 0.7};
        cr_expect_eq(gate_holds(&g, nextafter(0.7, 0)), cases[i].below);
        cr_expect_eq(gate_holds(&g, 0.7), cases[i].at);
        cr_expect_eq(gate_holds(&g, nextafter(0.7, 1)), cases[i].above);
        cr_expect_eq(gate_holds(&g, -INFINITY), cases[i].below);
        cr_expect_eq(gate_holds(&g, INFINITY), cases[i].above);
        cr_expect_not(gate_holds(&g, NAN), "what could not be computed");
    }
}
