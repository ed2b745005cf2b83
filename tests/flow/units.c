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
    self->column[1] = (flow_unit){.support = FLOW_BETWEEN,
                                  .lo = -3.5,
                                  .hi = 14.25,
                                  .alpha = 1e-3,
                                  .shift = 0.7,
                                  .scale = 0.31};
    self->column[2] =
        (flow_unit){.support = FLOW_BETWEEN, .lo = 0, .hi = 1, .shift = -0.4, .scale = 1.9};
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
    cr_assert(x[1] <= 14.25 && x[1] >= 14.25, "what alpha leaves beyond hi is hi: %.17g", x[1]);
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

static void json_keeps(flow_units *self)
{
    flow_err err = FLOW_ERR_INIT;
    self->column[0].shift = 0.1 + 0.2;
    json_t *json = flow_units_to_json(self);
    cr_assert_not_null(json);
    char *text = json_dumps(json, 0);
    json_t *parsed = json_loads(text, 0, NULL);
    flow_units *back = flow_units_from_json(parsed, &err);
    cr_assert_not_null(back, "%s: %s", err.text, text);
    cr_assert_eq(back->dim, self->dim);
    for (size_t i = 0; i < self->dim; i++) {
        const flow_unit *a = &self->column[i], *b = &back->column[i];
        cr_assert(a->support == b->support && a->lo == b->lo && a->hi == b->hi &&
                      a->alpha == b->alpha && a->shift == b->shift && a->scale == b->scale &&
                      a->step == b->step && a->period == b->period && a->cut == b->cut &&
                      a->start == b->start && a->edge == b->edge && a->soft == b->soft,
                  "column %zu of %s", i, text);
    }
    free(text);
    json_decref(json);
    json_decref(parsed);
    flow_units_free(self);
    flow_units_free(back);
}

/* ---- half lines, grids, circles */

enum { KINDS = 8 };
enum { ABOVE, BELOW, COUNT, TENTH, CIRCLE, HOUR, SOFT, UNDER };

/* Above 20, below -3, a count, tenths from 0 to 1, an angle and an hour; halves above 4 and what is below 1, both on a line
 * far from there. */
static flow_units *make_kinds(void)
{
    flow_units *self = flow_units_create(KINDS, NULL);
    cr_assert_not_null(self);
    self->column[ABOVE] =
        (flow_unit){.support = FLOW_ABOVE, .lo = 20, .shift = 0.7, .scale = 2.385};
    self->column[BELOW] =
        (flow_unit){.support = FLOW_BELOW, .hi = -3, .shift = -0.713, .scale = 0.31};
    self->column[COUNT] =
        (flow_unit){.support = FLOW_ABOVE, .lo = 0, .step = 1, .shift = 1.1, .scale = 0.8};
    self->column[TENTH] = (flow_unit){
        .support = FLOW_BETWEEN, .lo = 0, .hi = 1.1, .step = 0.1, .shift = 0.2, .scale = 1.9};
    self->column[CIRCLE] = (flow_unit){
        .period = 6.25, .wrapped = true, .cut = 1.5, .start = -3.125, .shift = 4, .scale = 1.7};
    self->column[HOUR] = (flow_unit){.period = 24, .step = 1, .cut = 3.5, .start = 0};
    flow_unit_set_angle(&self->column[HOUR], 15);
    self->column[HOUR].stretch = 1.7;
    self->column[SOFT] = (flow_unit){
        .support = FLOW_ABOVE, .lo = 4, .soft = 2.385, .step = 0.5, .shift = 1.3, .scale = 0.6};
    self->column[UNDER] =
        (flow_unit){.support = FLOW_BELOW, .hi = 1, .soft = 0.713, .shift = -2, .scale = 1.7};
    return self;
}

Test(units, half_lines_and_circles_there_and_back)
{
    static const double x[2][KINDS] = {{20.125, -3.0625, 3.5, 0.35, 3.0, 7.25, 7.75, 0.9},
                                       {1e6, -1e6, 0.01, 1.05, -3.125, 23.5, 4.01, -700}};
    flow_units *self = make_kinds();
    for (size_t i = 0; i < 2; i++) {
        double u[KINDS], back[KINDS], there = 0.25, again = -0.5, want = log(0.1 * 0.5); /* steps */
        flow_units_to_flow(self, u, &there, x[i], 1);
        for (size_t col = 0; col < KINDS; col++) {
            double h = 1e-6 * (1 + fabs(x[i][col])), moved[KINDS], up[KINDS], down[KINDS];
            h = col == COUNT || col == SOFT ? 1e-8 : h;
            memcpy(moved, x[i], sizeof moved);
            moved[col] = x[i][col] + h;
            flow_units_to_flow(self, up, NULL, moved, 1);
            moved[col] = x[i][col] - h;
            flow_units_to_flow(self, down, NULL, moved, 1);
            want += log((up[col] - down[col]) / (2 * h));
        }
        cr_assert_float_eq(there - 0.25, want, 1e-5, "row %zu: %g, not %g", i, there, want);
        flow_units_to_user(self, back, &again, u, 1);
        cr_assert_float_eq(again + 0.5, 0.25 - there, 1e-7, "row %zu: %g and %g", i, again, there);
        for (size_t col = 0; col < KINDS; col++) {
            double whole = col == TENTH  ? floor(x[i][col] * 10) / 10
                           : col == SOFT ? floor(x[i][col] * 2) / 2
                                         : floor(x[i][col]);
            double wanted = self->column[col].step > 0 ? whole : x[i][col];
            cr_assert_float_eq(back[col], wanted, 1e-12 * (1 + fabs(wanted)), "%zu: %.17g", col,
                               back[col]);
        }
    }
    flow_units_free(self);
}

Test(units, a_value_on_an_end_counts_as_inside)
{
    flow_units *self = make_kinds();
    double x[KINDS] = {20, -3, 0, 0, 0, 0, 4.25, 1},
           near[KINDS] = {20.25, -3.5, 0, 0, 0, 0, 4.25, 0.875};
    double u[KINDS], v[KINDS], logdet = 0, there = 0;
    cr_assert_eq(flow_units_first_outside(self, x), ABOVE);
    self->column[ABOVE].edge = 0.25;
    self->column[BELOW].edge = 0.5;
    self->column[UNDER].edge = 0.125;
    x[SOFT] = 4.5; /* a value of its grid */
    cr_assert_eq(flow_units_first_outside(self, x), KINDS);
    x[SOFT] = 4.25;
    x[COUNT] = near[COUNT] = x[TENTH] = near[TENTH] = 0.5;
    flow_units_to_flow(self, u, &logdet, x, 1);
    flow_units_to_flow(self, v, &there, near, 1);
    for (size_t col = 0; col < KINDS; col++)
        cr_assert_float_eq(u[col], v[col], 1e-15);
    cr_assert_float_eq(logdet, there, 1e-15);
    json_keeps(self);
}

/* Near its end a softplus is the logarithm of d / soft, far from it a straight line; known where d = soft. */
Test(units, softplus_is_a_logarithm_below_and_a_line_above)
{
    flow_units *self = flow_units_create(1, NULL);
    self->column[0] = (flow_unit){.support = FLOW_ABOVE, .lo = -3, .soft = 2, .scale = 1};
    static const double d[] = {2e-9, 2, 2e3, 2e9},
                        want[] = {-20.72326583694641, 0.541324854612918, 1e3, 1e9};
    for (size_t i = 0; i < 4; i++) {
        double x = -3 + d[i], u, back, there = 0, again = 0,
               slope = -log(2) - log(-expm1(-d[i] / 2));
        flow_units_to_flow(self, &u, &there, &x, 1);
        cr_expect_float_eq(u, want[i], 1e-6 * (i == 0) + 1e-14 * fabs(want[i]), "%zu: %.17g", i, u);
        cr_expect_float_eq(there, slope, 1e-6 * (i == 0) + 1e-14, "%zu: %.17g", i, there);
        flow_units_to_user(self, &back, &again, &u, 1);
        cr_expect_float_eq(back, x, 1e-15 * (3 + fabs(x)), "%zu: %.17g", i, back);
        cr_expect_float_eq(again, -there, 1e-14 * fabs(there), "%zu: %.17g", i, again);
    }
    flow_units_free(self);
}

/* Distances of 1e-300 and 1e300 have numbers, and the way back ends where single precision does. */
Test(units, softplus_of_extremes)
{
    flow_units *self = flow_units_create(1, NULL);
    self->column[0] = (flow_unit){.support = FLOW_BELOW, .hi = 0, .soft = 1e30, .scale = 1};
    for (double d = 1e-300; d < 1e301; d *= 1e30) {
        double x = -d, u, back, there = 0, again = 0;
        flow_units_to_flow(self, &u, &there, &x, 1);
        flow_units_to_user(self, &back, &again, &u, 1);
        cr_expect(isfinite(u) && isfinite(there) && isfinite(again), "%g: %g %g %g", d, u, there,
                  again);
        cr_expect(back < 0 && isfinite((float)back), "%g: %g", d, back);
        if (d > 1e-37 && d < 1e38)
            cr_expect_float_eq(back, x, 1e-12 * d, "%.17g and %.17g", back, x);
    }
    flow_units_free(self);
}

/* Whatever noise becomes of it, also in single precision. */
Test(units, samples_are_of_their_kind)
{
    static const double noise[] = {0,   1e-3, -1,  1,    7.5,   -7.5,   40,     -40,
                                   1e3, -1e3, 1e9, -1e9, 1e300, -1e300, 1e-300, 2.385};
    flow_units *self = make_kinds();
    for (size_t i = 0; i < sizeof noise / sizeof *noise; i++) {
        double u[KINDS], x[KINDS];
        for (size_t col = 0; col < KINDS; col++)
            u[col] = noise[i];
        flow_units_to_user(self, x, NULL, u, 1);
        float f[KINDS];
        for (size_t col = 0; col < KINDS; col++)
            f[col] = (float)x[col];
        cr_assert(x[ABOVE] >= 20 && isfinite(f[ABOVE]), "%g", x[ABOVE]);
        cr_assert(x[BELOW] <= -3 && isfinite(f[BELOW]), "%g", x[BELOW]);
        cr_assert(x[COUNT] >= 0 && floor(x[COUNT]) >= x[COUNT], "%g", x[COUNT]);
        cr_assert(x[TENTH] >= 0 && x[TENTH] <= 1 && f[TENTH] <= 1, "%.17g", x[TENTH]);
        double tenths = nearbyint(10 * x[TENTH]) / 10; /* 0.3 and not 3 * 0.1 */
        cr_assert(memcmp(&tenths, &x[TENTH], sizeof tenths) == 0, "%.17g", x[TENTH]);
        cr_assert(x[CIRCLE] >= -3.125 && x[CIRCLE] < 3.125, "%.17g", x[CIRCLE]);
        cr_assert(x[HOUR] >= 0 && x[HOUR] < 24 && floor(x[HOUR]) >= x[HOUR], "%g", x[HOUR]);
        cr_assert(x[SOFT] >= 4 && floor(2 * x[SOFT]) >= 2 * x[SOFT], "%g", x[SOFT]);
        cr_assert(x[UNDER] <= 1 && isfinite(f[UNDER]), "%g", x[UNDER]);
    }
    self->column[ABOVE].lo = 0;
    double u[KINDS] = {-1e9, 0, 0, 0, 0, 0, 0, 1e9}, x[KINDS];
    flow_units_to_user(self, x, NULL, u, 1);
    cr_assert((float)x[ABOVE] > 0, "above 0 stays above 0 in single precision");
    u[TENTH] = (double)NAN;
    u[COUNT] = (double)NAN;
    flow_units_to_user(self, x, NULL, u, 1);
    cr_assert(isnan(x[TENTH]) && isnan(x[COUNT]), "what is no number stays none");
    flow_units_free(self);
}

Test(units, outside_of_kinds)
{
    static const struct {
        double row[KINDS];
        size_t want;
        const char *wants;
    } cases[] = {
        {{20.1, -3.1, 0, 0, 700, -25, 4.5, 0}, KINDS, NULL},
        {{20.1, -3.1, 1e6, 1, 0, 0, 4.5, 0}, KINDS, NULL},
        {{20, -3.1, 0, 0, 0, 0, 4.5, 0}, ABOVE, "above 20"},
        {{21, -3, 0, 0, 0, 0, 4.5, 0}, BELOW, "below -3"},
        {{21, -4, -1, 0, 0, 0, 4.5, 0}, COUNT, "at least 0, in steps of 1 from 0"},
        {{21, -4, 2.5, 0, 0, 0, 4.5, 0}, COUNT, "at least 0, in steps of 1 from 0"},
        {{21, -4, 2, 1.1, 0, 0, 4.5, 0}, TENTH, "between 0 and 1, in steps of 0.1 from 0"},
        {{21, -4, 2, 0.55, 0, 0, 4.5, 0}, TENTH, "between 0 and 1, in steps of 0.1 from 0"},
        {{21, -4, 2, 0.30000000000000004, 0, 0, 4.5, 0}, KINDS, NULL},
        {{21, -4, 2, 0.3, 0, 7.5, 4.5, 0}, HOUR, "a number, in steps of 1 from 0"},
        {{21, -4, 2, 0.3, 0, 7, 4.25, 0}, SOFT, "at least 4, in steps of 0.5 from 4"},
        {{21, -4, 2, 0.3, 0, 7, 5, 1}, UNDER, "below 1"},
    };
    flow_units *self = make_kinds();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t col = flow_units_first_outside(self, cases[i].row);
        char text[FLOW_UNIT_TEXT];
        cr_assert_eq(col, cases[i].want, "case %zu: column %zu", i, col);
        if (col < KINDS)
            cr_assert_str_eq(flow_unit_wants(text, &self->column[col]), cases[i].wants);
    }
    flow_units_free(self);
}

/* ---- JSON */

Test(units, json_keeps_bits)
{
    json_keeps(make());
    json_keeps(make_kinds());
}

#define ONE(text) "{\"columns\": [{\"shift\": 0, \"scale\": 1}, {" text "}]}"
#define MAP(text) ONE("\"shift\": 0, \"scale\": 1, " text)
#define LOGIT(text) MAP("\"logit\": " text)
#define CIRCLE1                                                                                    \
    "{\"shift\": 0, \"scale\": 1, \"circle\": {\"period\": 1, \"cut\": 0, \"start\": 0}}"
#define CIRCLE3 CIRCLE1 "," CIRCLE1 "," CIRCLE1

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
        {MAP("\"above\": \"0\""), "column 1: 'above' wants a number"},
        {MAP("\"above\": 0, \"below\": 1"), "above, below, circle and angle exclude each other"},
        {MAP("\"softplus\": 1"), "softplus 1 is not positive, or not of above or below"},
        {MAP("\"above\": 0, \"softplus\": 0"), "softplus 0 is not positive"},
        {MAP("\"above\": 0, \"softplus\": null"), "column 1: 'softplus' wants a number"},
        {MAP("\"edge\": -1"), "column 1: edge -1 is negative"},
        {MAP("\"step\": 0"), "column 1: step 0 is not positive"},
        {MAP("\"circle\": {\"period\": 0, \"cut\": 0, \"start\": 0}"), "circle.period 0 is not"},
        {MAP("\"stretch\": 2"), "stretch 2 is not positive, or not of an angle"},
        {MAP("\"angle\": {\"period\": 0, \"cut\": 0, \"start\": 0}"), "angle.period 0 is not"},
        {MAP("\"angle\": {\"period\": 6.28, \"cut\": 0, \"start\": 0}"),
         "scale 1 is not that of an angle of period 6.28"},
        {MAP("\"angle\": {\"period\": 1, \"cut\": 0, \"start\": 0}, \"circle\": {\"period\": 1, "
             "\"cut\": 0, \"start\": 0}"),
         "exclude each other"},
        {MAP("\"circle\": {\"period\": 1}"),
         "column 1: 'circle' wants the numbers period, cut and"},
        {"{\"columns\": [" CIRCLE3 "," CIRCLE3 "," CIRCLE1 "]}",
         "7 columns are wrapped round circles, 6 at most"},
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
