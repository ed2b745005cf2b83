/* Rows in use and their places; a pass over them; columns one after another. */
#include "teacher/plan.h"

#include "teacher/walk.h"
#include "tests/teacher/tables.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 70000, COLS = 9 }; /* more numbers than a walk holds at once */

/* A table of which some rows are not finite, in columns that are used. */
typedef struct example {
    file_table *table;
    file_stream *rows;
    data_plan plan;
} example;

static bool is_bad(size_t row)
{
    return row % 1000 == 7 || row == ROWS - 1;
}

static example open_example(data_split split, bool bad)
{
    flow_err err = FLOW_ERR_INIT;
    example e = {.table = data_table(ROWS, COLS, NULL)};
    data_options options = data_options_default();
    options.split = split;
    options.nonfinite = DATA_NONFINITE_DROP;
    options.seed = 3;
    for (size_t row = 0; row < ROWS && bad; row++)
        if (is_bad(row))
            e.table->values[row * COLS + row % COLS] = NAN;
    cr_assert_not_null(e.rows = file_stream_of_table(e.table, &err));
    cr_assert_eq(data_plan_init(&e.plan, e.rows, "x", &options, &err), 0, "%s", err.text);
    return e;
}

static void close_example(example *e)
{
    data_plan_release(&e->plan);
    file_stream_free(e->rows);
    file_table_free(e->table);
}

/* Each row in use once, in the order of the table, with what it holds; places are taken once. */
static void check_pass(example *e, bool bad)
{
    flow_err err = FLOW_ERR_INIT;
    size_t n = data_plan_n(&e->plan), used = 0, last = 0;
    size_t *row_in = calloc(n, sizeof *row_in);
    data_pass at;
    for (data_pass_begin(&at, e->rows, &e->plan); data_pass_next(&at, &err);)
        for (size_t i = 0; i < at.n; i++, used++) {
            cr_assert(used == 0 || at.number[i] > last);
            last = at.number[i];
            cr_assert(!bad || !is_bad(last));
            cr_assert_eq(at.row[i], e->table->values + last * COLS);
            cr_assert_lt(at.place[i], n);
            cr_assert_eq(row_in[at.place[i]], 0);
            row_in[at.place[i]] = last + 1;
        }
    cr_assert_eq(at.code, 0);
    cr_assert_eq(used, n);
    for (size_t place = 0; place < n; place += 4999)
        cr_assert_eq(data_plan_row(&e->plan, place), row_in[place] - 1);
    cr_assert_eq(data_plan_row(&e->plan, n - 1), row_in[n - 1] - 1);
    free(row_in);
}

Test(plan, a_pass_meets_each_row_in_use_once)
{
    for (int i = 0; i < 4; i++) {
        example e = open_example(i % 2 ? DATA_SPLIT_SEED : DATA_SPLIT_POSITION, i >= 2);
        cr_assert_eq(e.plan.dropped, i >= 2 ? 71 : 0);
        cr_assert_eq(data_plan_n(&e.plan), ROWS - e.plan.dropped);
        cr_assert_eq(!e.plan.place, i % 2 == 0);
        check_pass(&e, i >= 2);
        check_pass(&e, i >= 2);
        close_example(&e);
    }
}

/* ---- columns */

typedef struct visits {
    const data_plan *plan;
    const size_t *row_in; /* (n) rows of the table, by place */
    size_t count, stop;   /* visits so far; the one that fails */
} visits;

static int take(void *arg, double *to, const data_pass *at, size_t first, size_t k, flow_err *err)
{
    (void)arg;
    (void)err;
    data_pass_take(to, at, at->plan->data + first, k);
    return FLOW_OK;
}

static int visit(void *arg, double *x, size_t column, flow_err *err)
{
    visits *self = arg;
    cr_assert_eq(column, self->count);
    if (self->count++ == self->stop)
        return flow_fail(err, FLOW_EDATA, "stop");
    for (size_t i = 0; i < data_plan_n(self->plan); i++) {
        cr_assert_eq(x[i], data_value_at(self->row_in[i], column), "place %zu", i);
        x[i] = 0; /* it is the visitor's */
    }
    return FLOW_OK;
}

static size_t *rows_by_place(example *e)
{
    size_t *out = calloc(data_plan_n(&e->plan), sizeof *out);
    data_pass at;
    for (data_pass_begin(&at, e->rows, &e->plan); data_pass_next(&at, NULL);)
        for (size_t i = 0; i < at.n; i++)
            out[at.place[i]] = at.number[i];
    return out;
}

Test(plan, a_walk_visits_columns_in_their_order)
{
    flow_err err = FLOW_ERR_INIT;
    for (int i = 0; i < 2; i++) {
        example e = open_example(i ? DATA_SPLIT_SEED : DATA_SPLIT_POSITION, true);
        size_t *row_in = rows_by_place(&e);
        visits v = {&e.plan, row_in, 0, SIZE_MAX};
        const data_walk walk = {COLS, take, visit, &v};
        cr_assert_eq(data_walk_run(&walk, e.rows, &e.plan, &err), 0);
        cr_assert_eq(v.count, COLS);
        v = (visits){&e.plan, row_in, 0, 5};
        cr_assert_eq(data_walk_run(&walk, e.rows, &e.plan, &err), FLOW_EDATA);
        cr_assert_eq(v.count, 6, "it goes on after a failure");
        free(row_in);
        close_example(&e);
    }
}
