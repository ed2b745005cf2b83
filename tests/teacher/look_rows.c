/* Which share of the test rows are training rows, as a look at the table counts it for the verdict; values that stand
 * for missing ones; and an angle that is given. */
#include "teacher/look.h"

#include "flow/pcg.h"
#include "tests/teacher/tables.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { ROWS = 4000, TEST_FROM = ROWS - ROWS / 10 };

static const pcg_stream stream = {.seed = 21, .stage = PCG_TEST, .purpose = PCG_BASE};

static file_table *normals(void)
{
    file_table *table = data_table(ROWS, 2, NULL);
    pcg_normals(table->values, stream, 0, ROWS, 2);
    return table;
}

static double share_of(file_table *table)
{
    flow_err err = FLOW_ERR_INIT;
    data_options options = data_options_default();
    data_look *look = data_look_create(table, "t", &options, &err);
    cr_assert_not_null(look, "%s", err.text);
    double share = look->rows.tested;
    data_look_free(look);
    file_table_free(table);
    return share;
}

/* Half of the test rows, and no validation row, are training rows. */
Test(look_rows, test_rows_that_are_training_rows_are_counted)
{
    file_table *table = normals();
    for (size_t i = 0; i < ROWS / 20; i++)
        memcpy(table->values + 2 * (TEST_FROM + i), table->values + 2 * (3 * i),
               2 * sizeof(double));
    double share = share_of(table);
    cr_expect_float_eq(share, 0.5, 1e-12);
}

Test(look_rows, half_a_row_is_no_repeat)
{
    file_table *table = normals();
    for (size_t i = 0; i < ROWS / 20; i++)
        table->values[2 * (TEST_FROM + i)] = table->values[2 * i];
    double share = share_of(table);
    cr_expect_eq(share, 0);
}

/* Nor is a test row that is a validation row alone. */
Test(look_rows, validation_rows_are_not_training_rows)
{
    file_table *table = normals();
    for (size_t i = 0; i < 100; i++)
        memcpy(table->values + 2 * (TEST_FROM + i), table->values + 2 * (TEST_FROM - 200 + i),
               2 * sizeof(double));
    double share = share_of(table);
    cr_expect_eq(share, 0);
}

Test(look_rows, columns_of_few_values_repeat_by_themselves)
{
    file_table *table = normals();
    for (size_t i = 0; i < 2 * ROWS; i++)
        table->values[i] = floor(10 * table->values[i]);
    double share = share_of(table);
    cr_expect(isnan(share));
}

/* Numbers of single precision in one column meet by chance, and are on no grid. */
Test(look_rows, so_does_one_column)
{
    file_table *table = data_table(ROWS, 1, NULL);
    pcg_normals(table->values, stream, 0, ROWS, 1);
    table->values[ROWS - 1] = table->values[0];
    double share = share_of(table);
    cr_expect(isnan(share));
}

/* ---- a value that stands for a missing one */

static const look_finding *code_in(const data_look *look)
{
    const look_finding *found = NULL;
    for (size_t i = 0; i < look->n_findings; i++)
        if (strcmp(look->findings[i].kind, "code") == 0)
            found = &look->findings[i];
    return found;
}

/* From -999 to what is not far, and from many rows to few. */
Test(look_rows, a_code_among_numbers)
{
    static const struct {
        double code;
        size_t every;
        bool found;
    } cases[] = {{-999, 50, true}, {9999, 500, true}, {-7, 50, false}, {-999, 2000, false}};
    data_options options = data_options_default();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        flow_err err = FLOW_ERR_INIT;
        file_table *table = normals();
        for (size_t i = 7; i < ROWS; i += cases[k].every)
            table->values[2 * i + 1] = cases[k].code;
        data_look *look = data_look_create(table, "t", &options, &err);
        cr_assert_not_null(look, "%s", err.text);
        const look_finding *f = code_in(look);
        cr_expect_eq(f != NULL, cases[k].found, "case %zu", k);
        if (f)
            cr_expect(f->level == LOOK_WARNING && f->col == 1 && strstr(f->text, "is exactly"));
        data_look_free(look);
        file_table_free(table);
    }
}

/* What is given has no kinds: an angle among it is told of, in other words than one that is modelled. */
Test(look_rows, an_angle_that_is_given)
{
    flow_err err = FLOW_ERR_INIT;
    data_options options = data_options_default();
    file_table *table = data_table(ROWS, 2, NULL);
    const char *given[] = {"1"};
    pcg_uniforms(table->values, stream, 0, ROWS, 2);
    for (size_t i = 0; i < ROWS; i++)
        table->values[2 * i + 1] *= 6.283185307179586;
    options.context = given;
    options.n_context = 1;
    data_look *look = data_look_create(table, "t", &options, &err);
    cr_assert_not_null(look, "%s", err.text);
    size_t told = 0;
    for (size_t i = 0; i < look->n_findings; i++) {
        const look_finding *f = &look->findings[i];
        cr_expect_str_neq(f->kind, "angle");
        if (strcmp(f->kind, "given_angle") != 0)
            continue;
        told++;
        cr_expect(f->level == LOOK_WARNING && f->col == 1 &&
                  strstr(f->remedy, "its cosine and its sine"));
    }
    cr_expect_eq(told, 1);
    data_look_free(look);
    file_table_free(table);
}

/* ---- the split */

/* What a config to begin with is told: rows that follow one another are alike, or are not. */
Test(look_rows, a_table_that_drifts)
{
    for (int drifts = 0; drifts < 2; drifts++) {
        flow_err err = FLOW_ERR_INIT;
        data_options options = data_options_default();
        file_table *table = normals();
        for (size_t i = 0; i < ROWS; i++)
            table->values[2 * i] += drifts * 0.0005 * (double)i;
        data_look *look = data_look_create(table, "t", &options, &err);
        cr_assert_not_null(look, "%s", err.text);
        cr_expect_eq(look->drifts, drifts);
        data_look_free(look);
        file_table_free(table);
    }
}
