/* Kinds of columns at work on rows: grids, circles, weights. */
#include "teacher/kinds.h"
#include "teacher/fit.h"
#include "teacher/thin.h"
#include "teacher/weights.h"
#include "tests/common/check.h"
#include "tests/teacher/tables.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static data_kind kind_of(double lo, double hi, double step, double period)
{
    return (data_kind){.lo = lo, .hi = hi, .step = step, .period = period};
}

/* Counts, tenths in an interval, an angle. */
static file_table *mixed_table(size_t n)
{
    file_table *table = data_table(n, 3, NULL);
    for (size_t i = 0; i < n; i++) {
        table->values[3 * i] = (double)(i * i % 7);
        table->values[3 * i + 1] = (double)(i % 11) / 10;
        table->values[3 * i + 2] = (i % 2 ? 1 : -1) * (3.125 - (double)(i % 50) * 0.03);
    }
    return table;
}

Test(kinds, grids_come_back_exactly)
{
    enum { N = 400 };
    data_kind kinds[3] = {kind_of(0, INFINITY, 1, 0), kind_of(0, 1, 0.1, 0),
                          kind_of(-INFINITY, INFINITY, 0, 6.25)};
    data_options options = data_plain();
    options.standardize = true;
    options.kinds = kinds;
    file_table *table = mixed_table(N);
    double wanted[3 * N], back[3 * N];
    memcpy(wanted, table->values, sizeof wanted);
    data_set *set = data_made(table, &options);
    flow_units_to_user(set->units, back, NULL, data_x(&set->train), N);
    for (size_t i = 0; i < N; i++) {
        cr_assert(back[3 * i] <= wanted[3 * i] && back[3 * i] >= wanted[3 * i]);
        cr_assert(fabs(back[3 * i + 1] - wanted[3 * i + 1]) <= 0, "%.17g", back[3 * i + 1]);
        cr_assert_float_eq(back[3 * i + 2], wanted[3 * i + 2], 1e-12);
    }
    const flow_unit *angle = &set->units->column[2];
    cr_assert_eq(angle->start, -3.125, "the rows are on both sides of 0");
    double cut = angle->cut - 6.25 * floor(angle->cut / 6.25 + 0.5);
    cr_assert(fabs(cut) < 1.6, "cut at %g, rows are beyond 1.655", cut);
    cr_assert_eq(set->units->column[1].hi, 1.1, "the end of the last cell");
    data_set_free(set);
}

/* Of a flow with circles an angle is one of radians, standardized or not: the mean direction is 0, and half of the
 * rows are .49 away at least. */
Test(kinds, an_angle_is_in_radians)
{
    enum { N = 401 };
    for (int standardize = 0; standardize <= 1; standardize++) {
        data_options options = data_plain();
        options.kind.period = 24;
        options.standardize = standardize;
        file_table *table = data_table(N, 1, NULL);
        for (size_t i = 0; i < N; i++) /* half past 23 to half past 0 */
            table->values[i] = fmod(23.5 + (double)i / (N - 1), 24);
        data_set *set = data_made(table, &options);
        const flow_unit *unit = &set->units->column[0];
        const data_part all = data_set_all(set);
        size_t near = 0;
        cr_assert(flow_unit_is_angle(unit) && unit->stretch > 1);
        cr_assert_float_eq(cos(unit->shift * acos(-1) / 12), 1, 1e-9, "%g", unit->shift);
        for (size_t i = 0; i < N; i++)
            near += fabs(data_number(&all.x, i, 0)) < 0.49 * (1 - 1e-9);
        cr_assert(near == N / 2 || near == N / 2 - 1, "%zu rows", near);
        data_set_free(set);
    }
}

/* A support of one turn says in which one samples are; without it the rows do. */
Test(kinds, the_turn_of_a_circle_can_be_said)
{
    enum { N = 60 };
    for (int said = 0; said <= 1; said++) {
        data_options options = data_plain();
        options.kind = said ? kind_of(-90, 270, 0, 360) : kind_of(-INFINITY, INFINITY, 0, 360);
        file_table *table = data_table(N, 1, NULL);
        for (size_t i = 0; i < N; i++)
            table->values[i] = 6 * (double)i;
        data_set *set = data_made(table, &options);
        cr_assert_eq(set->units->column[0].start, said ? -90 : 0);
        cr_assert(flow_unit_is_angle(&set->units->column[0]));
        data_set_free(set);
    }
}

/* ---- as JSON */

static void same_trip(const data_kind *kind)
{
    flow_err err = FLOW_ERR_INIT;
    data_kind back;
    json_t *json = data_kind_to_json(kind);
    cr_assert_eq(data_kind_from_json(&back, json, &err), 0, "%s", err.text);
    cr_assert(back.lo == kind->lo && back.hi == kind->hi && back.step == kind->step);
    cr_assert(back.period == kind->period && back.alpha == kind->alpha);
    cr_assert_eq(back.link, kind->link);
    json_decref(json);
}

Test(kinds, survive_json)
{
    const data_kind kinds[] = {data_kind_plain,
                               kind_of(0, INFINITY, 0.1, 0),
                               kind_of(-INFINITY, 1. / 3, 0, 0),
                               kind_of(-180, 180, 0, 360),
                               {.lo = 0.1, .hi = 0.2, .alpha = 1e-6},
                               {.lo = 20, .hi = INFINITY, .link = DATA_LINK_SOFTPLUS},
                               {.lo = -INFINITY, .hi = 0, .link = DATA_LINK_LOG}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        same_trip(&kinds[i]);
}

/* Angles that are everywhere: cut at a place of each row's own, within an eighth of a period of the cut. */
Test(kinds, a_full_circle_ends_in_ramps)
{
    enum { N = 4000 };
    data_options options = data_plain();
    options.kind.period = 2;
    options.wrap = true;
    file_table *table = data_table(N, 1, NULL);
    for (size_t i = 0; i < N; i++)
        table->values[i] = 2 * ((double)i + 0.5) / N;
    data_set *set = data_made(table, &options);
    const flow_unit *unit = &set->units->column[0];
    size_t early = 0, late = 0;
    for (size_t i = 0; i < N; i++) {
        double at = data_x(&set->train)[i] - unit->cut;
        cr_assert(at >= -0.25 && at < 2.25, "%g", at);
        early += at < 0;
        late += at >= 2;
    }
    /* a ramp over [-.25, .25] has 1/32 of the circle before its middle: 125 rows of 4000, +- 11 */
    cr_assert(early > 80 && early < 170 && late > 80 && late < 170, "%zu, %zu", early, late);
    data_set_free(set);
}

Test(kinds, refuses_values_off_the_grid)
{
    data_kind kinds[3] = {kind_of(0, INFINITY, 1, 0), data_kind_plain, data_kind_plain};
    data_options options = data_plain();
    options.kinds = kinds;
    file_table *table = mixed_table(40);
    table->values[3 * 7] = 2.5;
    data_refuse(
        table, &options, FLOW_EDATA,
        "x.npy: row 7, column 0 (counted from 0): 2.5 is not at least 0, in steps of 1 from 0");
    table = mixed_table(40);
    table->values[3 * 8] = -1;
    data_refuse(
        table, &options, FLOW_EDATA,
        "x.npy: row 8, column 0 (counted from 0): -1 is not at least 0, in steps of 1 from 0");
}

/* ---- weights */

static const char *const names[] = {"x", "w"};

static file_table *weighed_table(size_t n)
{
    file_table *table = data_table(n, 2, names);
    for (size_t i = 0; i < n; i++)
        table->values[2 * i + 1] = (double)(1 + i % 4);
    return table;
}

Test(kinds, weights_are_no_column_and_have_mean_1)
{
    data_options options = data_options_default();
    options.weights = "w";
    data_set *set = data_made(weighed_table(100), &options);
    double sum = 0;
    cr_assert_eq(set->dim, 1);
    for (size_t i = 0; i < set->train.n; i++)
        sum += data_number(&set->train.weight, i, 0);
    cr_assert_float_eq(sum, 80, 1e-12);
    cr_assert_float_eq(data_number(&set->test.weight, 1, 0) / data_number(&set->test.weight, 0, 0),
                       4. / 3, 1e-12, "rows 90, 91");
    cr_assert_float_eq(data_weights_worth(&set->train.weight, 80), 80 * 6.25 / 7.5, 1e-9);
    data_set_free(set);
}

Test(kinds, refuses_weights)
{
    data_options options = data_options_default();
    options.weights = "w";
    file_table *table = weighed_table(100);
    table->values[2 * 31 + 1] = -0.5;
    data_refuse(table, &options, FLOW_EDATA,
                "x.npy: row 31, column 1 'w' (counted from 0): a weight of -0.5; weights are >= 0");
    table = weighed_table(100);
    table->values[2 * 31 + 1] = (double)INFINITY;
    data_refuse(table, &options, FLOW_EDATA,
                "x.npy: 1 of 100 rows are not finite; first: row 31, column 1 'w' (counted from 0) "
                "is inf; data.nonfinite: drop leaves such rows out");
    table = weighed_table(100);
    for (size_t i = 0; i < 80; i++)
        table->values[2 * i + 1] = 0;
    data_refuse(
        table, &options, FLOW_EDATA,
        "x.npy: the weights of the 80 training rows, column 1 'w' (counted from 0), sum to 0");
    table = weighed_table(100);
    for (size_t i = 90; i < 100; i++)
        table->values[2 * i + 1] = 0;
    data_refuse(table, &options, FLOW_EDATA,
                "x.npy: the weights of the 10 test rows, column 1 'w' (counted from 0), are all 0");
}

Test(kinds, weighted_mean_and_its_error)
{
    static const double v[] = {1, 2.385, -0.713, 4, 4}, w[] = {2, 2, 2, 2, 2};
    static const double twice[] = {1, 2, 0.5, 3, 1.5};
    const data_numbers none = {.at = NULL}, alike = data_numbers_of(w, 1),
                       weight = data_numbers_of(twice, 1);
    double mean, se, mean2, se2;
    data_weighted_mean(&mean, &se, v, &none, 5);
    data_weighted_mean(&mean2, &se2, v, &alike, 5);
    cr_assert_float_eq(mean, mean2, 1e-15);
    cr_assert_float_eq(se, se2, 1e-15);
    data_weighted_mean(&mean, &se, v, &weight, 5);
    cr_assert_float_eq(mean, (1 + 4.77 - 0.3565 + 12 + 6) / 8, 1e-12);
    double squares = 0;
    for (size_t i = 0; i < 5; i++)
        squares += pow(twice[i] * (v[i] - mean), 2);
    cr_assert_float_eq(se, sqrt(squares * 5 / 4) / 8, 1e-12);
}

/* Weights 1 to 4: a row is kept with probability weight / 4. */
Test(kinds, rows_of_equal_weight)
{
    enum { N = 4000 };
    static double x[N], weight[N];
    size_t kept[4] = {0};
    for (size_t i = 0; i < N; i++) {
        x[i] = (double)(i % 4);
        weight[i] = 0.3 * (double)(1 + i % 4);
    }
    data_part part = {.x = data_numbers_of(x, 1), .weight = data_numbers_of(weight, 1), .n = N},
              rows;
    pcg_stream stream = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_THIN};
    cr_assert_eq(data_thin(&rows, &part, stream, NULL), 0);
    for (size_t i = 0; i < rows.n; i++)
        kept[(size_t)data_number(&rows.x, i, 0)]++;
    for (size_t k = 0; k < 4; k++) /* five standard errors of at most 16 */
        cr_assert_float_eq((double)kept[k], 250. * (double)(k + 1), 80, "%zu: %zu", k, kept[k]);
    cr_assert_eq(kept[3], 1000, "the heaviest are all there");
    data_thin_release(&rows);
    part.weight.at = NULL;
    cr_assert(data_thin(&rows, &part, stream, NULL) == 0 && rows.x.at == x && !rows.x.pick &&
              rows.n == N);
    data_thin_release(&rows);
}
