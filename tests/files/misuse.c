/* What a program outside can get wrong, through functions that return a code: FLOW_EUSAGE, and no abort. */
#include "files/csv.h"
#include "files/model.h"
#include "files/npy.h"
#include "files/safetensors.h"
#include "tests/common/examples.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <string.h>

static flow_err err;

static void expect_usage(const char *says)
{
    cr_expect_eq(err.code, FLOW_EUSAGE, "%s", err.text);
    cr_expect(strstr(err.text, says), "'%s' lacks '%s'", err.text, says);
    err = (flow_err)FLOW_ERR_INIT;
}

Test(misuse, tables_without_columns)
{
    temp_open();
    cr_expect_null(file_table_create(3, 0, &err));
    expect_usage("columns");
    cr_expect_null(file_csv_open(temp_path("x.csv"), 0, NULL, &err));
    expect_usage("columns");
    cr_expect_eq(temp_count(), 0);
    temp_close();
}

Test(misuse, more_rows_than_were_announced)
{
    const double values[6] = {0};
    temp_open();
    file_npy_writer *out = file_npy_open(temp_path("x.npy"), 2, 2, FLOW_F64, &err);
    cr_assert_not_null(out);
    cr_expect_eq(file_npy_append(out, values, 3, &err), FLOW_EUSAGE);
    expect_usage("its 2 rows");
    file_npy_discard(out);
    cr_expect_eq(temp_count(), 0);
    temp_close();
}

Test(misuse, a_tensor_of_too_many_dimensions)
{
    const size_t dims[FILE_TENSORS_MAX_RANK + 1] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    const double one = 1;
    file_tensors *out = file_tensors_create(&err);
    cr_expect_eq(file_tensors_add(out, "t", FLOW_F64, dims, FILE_TENSORS_MAX_RANK + 1, &one, &err),
                 FLOW_EUSAGE);
    expect_usage("dimensions");
    cr_expect_eq(file_tensors_count(out), 0);
    file_tensors_free(out);
}

Test(misuse, a_conditional_flow_without_a_context)
{
    double x[4], logp[2];
    pcg_stream stream = {.seed = 1, .stage = PCG_TEST, .purpose = PCG_BASE};
    json_t *d = describe_one(2, 1, "noise_to_data", json_pack("{s:s}", "kind", "actnorm"));
    flow *f = flow_create(d, FLOW_F64, &err);
    flow_pool *pool = flow_pool_create(1, &err);
    cr_assert(f && pool, "%s", err.text);
    cr_expect_eq(flow_sample(f, pool, x, logp, NULL, stream, 0, 2, &err), FLOW_EUSAGE);
    expect_usage("1 columns of context");
    cr_expect_eq(flow_sample(f, pool, x, logp, NULL, stream, 0, 0, &err), FLOW_OK);
    flow_model model = {.flow = f,
                        .units = flow_units_create(2, &err),
                        .context_units = flow_units_create(1, &err)};
    cr_expect_eq(flow_model_log_prob(&model, pool, logp, x, NULL, 2, &err), FLOW_EUSAGE);
    expect_usage("1 columns of context");
    flow_units_free(model.units);
    flow_units_free(model.context_units);
    flow_pool_free(pool);
    flow_free(f);
    json_decref(d);
}

Test(misuse, passes_of_no_rows_or_too_many)
{
    json_t *d = describe_one(2, 0, "noise_to_data", json_pack("{s:s}", "kind", "actnorm"));
    flow *f = flow_create(d, FLOW_F64, &err);
    cr_expect_null(flow_pass_create(f, 0, 0, &err));
    expect_usage("1 to 128");
    cr_expect_null(flow_pass_create(f, FLOW_SHARD + 1, FLOW_PASS_TRAIN, &err));
    expect_usage("1 to 128");
    flow_free(f);
    json_decref(d);
}
