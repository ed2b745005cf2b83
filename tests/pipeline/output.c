/* Samples as files: formats, columns, blocks, and rows that do not depend on how many there are. */
#include "pipeline/stages/output.h"

#include "files/csv.h"
#include "files/read.h"
#include "tests/common/examples.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 40000 }; /* rows: more than two blocks of output.c */

static flow_err err;
static flow_model model;
static output_request request;

static void set_up(void)
{
    err = (flow_err)FLOW_ERR_INIT;
    json_t *d = describe_one(2, 0, "noise_to_data", json_pack("{s:s}", "kind", "actnorm"));
    model = (flow_model){.flow = flow_create(d, FLOW_F32, &err),
                         .units = flow_units_create(2, &err),
                         .names = json_pack("[s, s]", "left", "right"),
                         .role = "student"};
    cr_assert(model.flow && model.units, "%s", err.text);
    randomise_parameters(model.flow, 0.5, 3);
    json_decref(d);
    request = (output_request){
        .model = &model,
        .temperature = 1,
        .pool = flow_pool_create(1, &err),
        .derived = derived_open(&model, NULL, &(derived_options){.what = DERIVED_NONE}, &err),
        .stream = {.seed = 4, .stage = PCG_TEST, .purpose = PCG_BASE},
        .n = 11};
    temp_open();
}

static void tear_down(void)
{
    flow_pool_free(request.pool);
    derived_free(request.derived);
    flow_free(model.flow);
    flow_units_free(model.units);
    json_decref(model.names);
    temp_close();
}

/* The table that the request gives. */
static file_table *written(const char *name, table_format format)
{
    request.path = temp_path(name);
    request.form.format = format;
    cr_assert_eq(output_samples(&request, &err), 0, "%s", err.text);
    file_table *out = file_read(request.path, FILE_HEADER_AUTO, &err);
    cr_assert(out, "%s", err.text);
    return out;
}

Test(output, the_format_is_that_of_the_ending)
{
    cr_expect_eq(output_format_of("a/x.npy"), TABLE_NPY);
    cr_expect_eq(output_format_of("x.csv"), TABLE_CSV);
    cr_expect_eq(output_format_of("npy"), TABLE_CSV);
    cr_expect_eq(output_format_of(".npy"), TABLE_CSV); /* a hidden file without an ending */
    cr_expect_eq(output_format_of("x.npy.txt"), TABLE_CSV);
    cr_expect_eq(output_format_of(NULL), TABLE_CSV);
}

Test(output, samples_that_overflow_are_an_error_and_no_file)
{
    set_up();
    request.temperature = 1e200;
    request.path = temp_path("x.npy");
    request.form.format = TABLE_NPY;
    request.first = 70;
    cr_expect_eq(output_samples(&request, &err), FLOW_EDIVERGED);
    cr_expect(strncmp(err.text, "sample 70: column 'left' is ", 28) == 0, "%s", err.text);
    cr_expect(access(request.path, F_OK) != 0);
    tear_down();
}

Test(output, both_formats_hold_the_same_numbers)
{
    set_up();
    request.logp = true;
    file_table *npy = written("x.npy", TABLE_NPY), *csv = written("x.csv", TABLE_CSV);
    cr_assert(npy->rows == 11 && npy->cols == 3 && csv->rows == 11 && csv->cols == 3);
    cr_expect_arr_eq(npy->values, csv->values, 33 * sizeof(double));
    static const char *const names[] = {"left", "right", "log_q"};
    for (int i = 0; i < 3; i++)
        cr_expect_str_eq(csv->names[i], names[i]);
    file_table_free(npy);
    file_table_free(csv);
    tear_down();
}

Test(output, log_q_is_that_of_the_row)
{
    double logp[11];
    set_up();
    request.logp = true;
    file_table *with = written("x.npy", TABLE_NPY);
    request.logp = false;
    file_table *without = written("x.npy", TABLE_NPY);
    cr_assert_eq(without->cols, 2);
    cr_assert_eq(flow_model_log_prob(&model, request.pool, logp, without->values, NULL, 11, &err),
                 0);
    for (size_t r = 0; r < 11; r++) {
        cr_expect_arr_eq(with->values + 3 * r, without->values + 2 * r, 2 * sizeof(double));
        cr_expect_float_eq(with->values[3 * r + 2], logp[r], 1e-5);
    }
    file_table_free(with);
    file_table_free(without);
    tear_down();
}

Test(output, blocks_and_first_rows_do_not_show)
{
    set_up();
    request.n = MANY;
    file_table *all = written("x.npy", TABLE_NPY);
    request.first = 16380;
    request.n = 1000;
    file_table *some = written("y.npy", TABLE_NPY);
    cr_expect_eq(all->rows, MANY);
    cr_expect_arr_eq(some->values, all->values + 2 * request.first, 2000 * sizeof(double));
    for (size_t r = 1; r < MANY; r++)
        cr_assert_neq(all->values[2 * r], all->values[2 * r - 2], "row %zu is there twice", r);
    file_table_free(all);
    file_table_free(some);
    tear_down();
}

Test(output, no_rows_are_an_empty_table)
{
    set_up();
    request.n = 0;
    file_table *none = written("x.npy", TABLE_NPY);
    cr_expect(none->rows == 0 && none->cols == 2);
    file_table_free(none);
    tear_down();
}

Test(output, what_cannot_be_written_leaves_nothing)
{
    set_up();
    request.n = MANY;
    request.form.format = TABLE_NPY;
    request.path = temp_path("none/x.npy");
    cr_expect_eq(output_samples(&request, &err), FLOW_ECREATE);
    request.path = temp_path("x.npy");
    temp_disk_full(1);
    cr_expect_eq(output_samples(&request, &err), FLOW_EIO);
    temp_disk_full(0);
    cr_expect_eq(temp_count(), 0);
    tear_down();
}
