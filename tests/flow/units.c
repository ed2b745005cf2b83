/* Units: there and back, the log-determinant against differences, JSON there and back, refusals. */
#include "flow/units.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 4 };

/* A plain column, a logit with and without alpha, an identity. */
static flow_units *make(void)
{
    flow_err err = FLOW_ERR_INIT;
    flow_units *self = flow_units_create(DIM, &err);
    cr_assert_not_null(self, "%s", err.text);
    self->column[0] = (flow_unit){.shift = -713.25, .scale = 2.385};
    self->column[1] = (flow_unit){
        .logit = true, .lo = -3.5, .hi = 14.25, .alpha = 1e-3, .shift = 0.7, .scale = 0.31};
    self->column[2] = (flow_unit){.logit = true, .lo = 0, .hi = 1, .shift = -0.4, .scale = 1.9};
    return self;
}

enum { ROWS = 3 };
static const double rows[ROWS * DIM] = {-700.5, 2.5,   0.713,   2.385, 13.0,     -3.5, /* lo */
                                        1e-9,   -17.5, -713.25, 14.25, 1 - 1e-9, 0.0};

Test(units, the_formula)
{
    flow_units *self = make();
    double u[ROWS * DIM];
    flow_units_to_flow(self, u, NULL, rows, ROWS);
    double p = 1e-3 + (1 - 2e-3) * (2.5 + 3.5) / (14.25 + 3.5);
    cr_assert_float_eq(u[0], (-700.5 + 713.25) / 2.385, 1e-14);
    cr_assert_float_eq(u[1], (log(p / (1 - p)) - 0.7) / 0.31, 1e-13);
    cr_assert_float_eq(u[2], (log(0.713 / 0.287) + 0.4) / 1.9, 1e-14);
    cr_assert_eq(u[3], 2.385);
    cr_assert_float_eq(u[DIM + 1], (log(1e-3 / 0.999) - 0.7) / 0.31, 1e-12, "x = lo");
    flow_units_free(self);
}

Test(units, there_and_back)
{
    flow_units *self = make();
    double u[ROWS * DIM], x[ROWS * DIM], there[ROWS], back[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        there[i] = back[i] = 2.385 * (double)i; /* both add */
    flow_units_to_flow(self, u, there, rows, ROWS);
    flow_units_to_user(self, x, back, u, ROWS);
    for (size_t i = 0; i < ROWS * DIM; i++)
        cr_assert_float_eq(x[i], rows[i], 1e-14 * (1 + fabs(rows[i])), "%zu: %.17g", i, x[i]);
    for (size_t i = 0; i < ROWS; i++)
        cr_assert_float_eq(there[i] + back[i], 4.77 * (double)i, 1e-6 * (i > 0) + 1e-13,
                           "row %zu: %g", i, there[i] + back[i]);
    flow_units_free(self);
}

/* log|du/dx| of one row by central differences; the map is diagonal. */
static double numeric_logdet(const flow_units *self, const double *row)
{
    double sum = 0, moved[DIM], up[DIM], down[DIM];
    for (size_t col = 0; col < DIM; col++) {
        double h = 1e-5;
        memcpy(moved, row, sizeof moved);
        moved[col] = row[col] + h;
        flow_units_to_flow(self, up, NULL, moved, 1);
        moved[col] = row[col] - h;
        flow_units_to_flow(self, down, NULL, moved, 1);
        sum += log((up[col] - down[col]) / (2 * h));
        for (size_t other = 0; other < DIM; other++)
            cr_assert(other == col || up[other] == down[other]);
    }
    return sum;
}

Test(units, logdet_against_differences)
{
    static const double inside[][DIM] = {
        {-700.5, 2.5, 0.713, 2.385}, {13.0, -3.4, 0.03, -17.5}, {-713.25, 14.1, 0.97, 0.0}};
    flow_units *self = make();
    for (size_t i = 0; i < ROWS; i++) {
        double u[DIM], x[DIM], logdet = 0.25, back = -0.5;
        flow_units_to_flow(self, u, &logdet, inside[i], 1);
        flow_units_to_user(self, x, &back, u, 1);
        double want = numeric_logdet(self, inside[i]);
        cr_assert_float_eq(logdet - 0.25, want, 1e-6, "row %zu: %g, not %g", i, logdet, want);
        cr_assert_float_eq(back + 0.5, -want, 1e-6, "row %zu: %g, not %g", i, back, -want);
    }
    flow_units_free(self);
}

Test(units, in_place_and_no_rows)
{
    flow_units *self = make();
    double u[ROWS * DIM], x[ROWS * DIM];
    flow_units_to_flow(self, u, NULL, rows, ROWS);
    memcpy(x, rows, sizeof x);
    flow_units_to_flow(self, x, NULL, x, ROWS);
    cr_assert_eq(memcmp(u, x, sizeof u), 0);
    flow_units_to_flow(self, NULL, NULL, NULL, 0);
    flow_units_to_user(self, NULL, NULL, NULL, 0);
    flow_units_free(self);
    flow_units_free(NULL);
}

Test(units, far_out_samples_stay_in_the_interval)
{
    flow_units *self = make();
    static const double far[] = {0, 1e3, 1e3, 0, 0, -1e3, -1e3, 0};
    double x[2 * DIM], logdet[2] = {0};
    flow_units_to_user(self, x, logdet, far, 2);
    cr_assert_eq(x[2], 1);
    cr_assert(x[DIM + 2] >= 0 && x[DIM + 2] < 1e-300);
    cr_assert_float_eq(x[1], 14.25 + 17.75 * 1e-3 / 0.998, 1e-12, "1 - alpha is at hi");
    cr_assert(isfinite(logdet[0]) && logdet[0] < -2000, "%g", logdet[0]);
    cr_assert(isfinite(logdet[1]) && logdet[1] < -2000, "%g", logdet[1]);
    flow_units_free(self);
}

Test(units, outside)
{
    static const struct {
        double row[DIM];
        size_t want;
    } cases[] = {{{1e300, 2.5, 0.5, -1e300}, DIM}, {{0, 2.5, 0, 0}, 2},     {{0, 2.5, 1, 0}, 2},
                 {{0, 14.26, 0.5, 0}, DIM},        {{0, 14.27, 0.5, 0}, 1}, {{0, -3.52, 2, 0}, 1},
                 {{0, 2.5, (double)NAN, 0}, 2}};
    flow_units *self = make();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double u[DIM], logdet = 0;
        size_t want = cases[i].want;
        cr_assert_eq(flow_units_first_outside(self, cases[i].row), want, "case %zu", i);
        flow_units_to_flow(self, u, &logdet, cases[i].row, 1);
        cr_assert_eq(want < DIM, isnan(logdet), "case %zu", i);
        cr_assert(want == DIM || isnan(u[want]), "case %zu", i);
    }
    flow_units_free(self);
}

/* ---- JSON */

Test(units, json_keeps_bits)
{
    flow_err err = FLOW_ERR_INIT;
    flow_units *self = make();
    self->column[0].shift = 0.1 + 0.2;
    json_t *json = flow_units_to_json(self);
    cr_assert_not_null(json);
    char *text = json_dumps(json, 0);
    json_t *parsed = json_loads(text, 0, NULL);
    flow_units *back = flow_units_from_json(parsed, &err);
    cr_assert_not_null(back, "%s: %s", err.text, text);
    cr_assert_eq(back->dim, DIM);
    for (size_t i = 0; i < DIM; i++) {
        const flow_unit *a = &self->column[i], *b = &back->column[i];
        cr_assert(a->logit == b->logit && a->lo == b->lo && a->hi == b->hi &&
                      a->alpha == b->alpha && a->shift == b->shift && a->scale == b->scale,
                  "column %zu of %s", i, text);
    }
    free(text);
    json_decref(json);
    json_decref(parsed);
    flow_units_free(self);
    flow_units_free(back);
}

#define ONE(text) "{\"columns\": [{\"shift\": 0, \"scale\": 1}, {" text "}]}"
#define LOGIT(text) ONE("\"shift\": 0, \"scale\": 1, \"logit\": " text)

Test(units, json_refusals)
{
    static const struct {
        const char *json, *what;
    } cases[] = {
        {"[]", "one key, the list 'columns'"},
        {"{}", "one key, the list 'columns'"},
        {"{\"columns\": {}}", "one key, the list 'columns'"},
        {"{\"columns\": [], \"dim\": 0}", "one key, the list 'columns'"},
        {"{\"columns\": [1]}", "column 0 wants the numbers shift and scale"},
        {ONE("\"shift\": 0"), "column 1 wants the numbers shift and scale"},
        {ONE("\"scale\": 1"), "column 1 wants the numbers shift and scale"},
        {ONE("\"shift\": \"0\", \"scale\": 1"), "column 1 wants the numbers shift and scale"},
        {ONE("\"shift\": 0, \"scale\": null"), "column 1 wants the numbers shift and scale"},
        {ONE("\"shift\": 0, \"scale\": 1, \"Logit\": 1"), "column 1 wants the numbers"},
        {ONE("\"shift\": 0, \"scale\": 0"), "column 1: scale 0 is not positive"},
        {ONE("\"shift\": 0, \"scale\": -2.5"), "column 1: scale -2.5 is not positive"},
        {LOGIT("1"), "column 1: 'logit' wants the numbers lo, hi and alpha"},
        {LOGIT("{\"lo\": 0, \"hi\": 1}"), "column 1: 'logit' wants the numbers"},
        {LOGIT("{\"lo\": 0, \"hi\": 1, \"alpha\": \"0\"}"), "column 1: 'logit' wants"},
        {LOGIT("{\"lo\": 0, \"hi\": 1, \"alpha\": 0, \"x\": 0}"), "column 1: 'logit' wants"},
        {LOGIT("{\"lo\": 1, \"hi\": 1, \"alpha\": 0}"), "logit.lo 1 is not below logit.hi 1"},
        {LOGIT("{\"lo\": -1e308, \"hi\": 1e308, \"alpha\": 0}"), "is not below"},
        {LOGIT("{\"lo\": 0, \"hi\": 1, \"alpha\": 0.5}"), "logit.alpha 0.5 is not in [0, 0.5)"},
        {LOGIT("{\"lo\": 0, \"hi\": 1, \"alpha\": -0.1}"), "logit.alpha -0.1 is not in"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        flow_err err = FLOW_ERR_INIT;
        json_t *json = json_loads(cases[i].json, 0, NULL);
        cr_assert_not_null(json, "case %zu", i);
        cr_assert_null(flow_units_from_json(json, &err), "case %zu was accepted", i);
        cr_assert_eq(err.code, FLOW_EDATA);
        cr_assert(strstr(err.text, cases[i].what), "case %zu: '%s' lacks '%s'", i, err.text,
                  cases[i].what);
        json_decref(json);
    }
}

Test(units, no_columns)
{
    flow_err err = FLOW_ERR_INIT;
    flow_units *self = flow_units_create(0, &err);
    double logdet = 2.385;
    flow_units_to_flow(self, NULL, &logdet, NULL, 1);
    cr_assert_eq(logdet, 2.385);
    json_t *json = flow_units_to_json(self);
    flow_units *back = flow_units_from_json(json, &err);
    cr_assert_not_null(back, "%s", err.text);
    cr_assert_eq(back->dim, 0);
    json_decref(json);
    flow_units_free(back);
    flow_units_free(self);
}
