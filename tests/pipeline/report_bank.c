/* What a report shows is what its header says: rows, streams, contexts, weights. */
#include "pipeline/report/bank.h"

#include "student/sides.h"
#include "teacher/streams.h"
#include "teacher/target.h"
#include "tests/common/examples.h"
#include "tests/common/spec.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { D = 2, MOST_CONTEXT = 1, SEED = 11 };

typedef struct example {
    file_table *table;
    data_set *data;
    flow_model teacher, student;
    flow_pool *pool;
} example;

/* n rows of normals; the first of 1 + n_context columns moves the others. */
static void open_data(example *e, size_t n, size_t n_context)
{
    flow_err err = FLOW_ERR_INIT;
    const char *const context[] = {"2"};
    data_options options = data_options_default();
    options.context = context;
    options.n_context = n_context;
    size_t cols = D + n_context;
    cr_assert_not_null(e->table = file_table_create(n, cols, &err));
    pcg_normals(e->table->values,
                (pcg_stream){.seed = SEED, .stage = PCG_TEST, .purpose = PCG_GENERATE}, 0, n, cols);
    for (size_t i = 0; i < n; i++)
        e->table->values[i * cols + 1] += 3 * e->table->values[i * cols + cols - 1] + 40;
    e->data = data_set_create(e->table, "example", &options, &err);
    cr_assert_not_null(e->data, "%s", err.text);
}

static flow_model open_model(const example *e, flow_direction direction, uint64_t seed)
{
    flow_err err = FLOW_ERR_INIT;
    const size_t hidden[] = {8};
    flow_spec spec = {.dim = D,
                      .context = e->data->n_context,
                      .direction = direction,
                      .layers = 1,
                      .hidden = hidden,
                      .n_hidden = 1,
                      .activation = "tanh",
                      .transformer = "affine",
                      .scale_bound = 2};
    flow_model model = {.flow = flow_spec_create(&spec, FLOW_F64, &err),
                        .units = e->data->units,
                        .context_units = e->data->context_units};
    cr_assert_not_null(model.flow, "%s", err.text);
    randomise_parameters(model.flow, 0.7, seed);
    return model;
}

static void open_example(example *e, size_t n, size_t n_context)
{
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    open_data(e, n, n_context);
    e->teacher = open_model(e, FLOW_DATA_TO_NOISE, 1);
    e->student = open_model(e, FLOW_NOISE_TO_DATA, 2);
    cr_assert_not_null(e->pool = flow_pool_create(1, &err));
}

static void close_example(example *e)
{
    flow_free(e->teacher.flow);
    flow_free(e->student.flow);
    flow_pool_free(e->pool);
    data_set_free(e->data);
    file_table_free(e->table);
    temp_close();
}

static void open_bank(bank *out, const example *e, flow_pool *pool)
{
    flow_err err = FLOW_ERR_INIT;
    distill_contexts contexts = {e->data->train.context, e->data->train.n};
    target *exact = target_from_flow(e->teacher.flow, &err);
    cr_assert_not_null(exact, "%s", err.text);
    bank_source from = {.data = e->data,
                        .teacher = &e->teacher,
                        .student = &e->student,
                        .exact = exact,
                        .exact_is_flow = true,
                        .contexts = &contexts,
                        .names = (const char *const *)e->data->names,
                        .samples = 300,
                        .pool = pool,
                        .seed = SEED};
    cr_assert_eq(bank_open(out, &from, &err), 0, "%s", err.text);
    target_free(exact);
}

/* The rows that are expected when `shown` rows of the table are shown, made from the table itself. */
static void check_rows(const example *e, const bank *b, size_t shown)
{
    flow_err err = FLOW_ERR_INIT;
    size_t cols = e->table->cols, c = cols - D;
    double *context = malloc((shown * c + 1) * sizeof *context),
           *sample = malloc(shown * D * sizeof *sample);
    cr_assert_eq(b->data.n, shown);
    for (size_t i = 0; i < shown; i++) {
        const double *row = e->table->values + i * e->table->rows / shown * cols;
        for (size_t j = 0; j < D; j++)
            cr_assert_float_eq(b->data.x[i * D + j], row[j], 1e-4, "row %zu", i);
        memcpy(context + i * c, row + D, c * sizeof *context);
    }
    const flow_model *models[] = {&e->teacher, &e->student};
    const bank_rows *got[] = {&b->teacher, &b->student};
    const uint32_t purpose[] = {PCG_TARGET, PCG_BASE};
    for (int k = 0; k < 2; k++) {
        pcg_stream stream = {.seed = SEED, .stage = STREAM_EXPORT, .purpose = purpose[k]};
        cr_assert_eq(got[k]->n, shown);
        flow_model_sample(models[k], e->pool, sample, NULL, c ? context : NULL, stream, 0, shown,
                          &err);
        for (size_t i = 0; i < shown * D; i++)
            cr_assert_float_eq(got[k]->x[i], sample[i], 1e-3, "side %d, number %zu", k, i);
    }
    free(context);
    free(sample);
}

static void check_shown(size_t rows, size_t n_context, size_t shown)
{
    example e;
    bank b;
    open_example(&e, rows, n_context);
    open_bank(&b, &e, e.pool);
    check_rows(&e, &b, shown);
    bank_release(&b);
    close_example(&e);
}

Test(report_bank, all_rows_and_the_documented_streams)
{
    check_shown(1500, 0, 1500);
}

Test(report_bank, samples_have_the_contexts_of_the_rows)
{
    check_shown(1500, 1, 1500);
}

Test(report_bank, many_rows_are_thinned_evenly)
{
    check_shown(BANK_ROWS + 7001, 0, BANK_ROWS);
}

/* Weights are those of both densities at both sides' rows, and what is missed is where they are large. */
Test(report_bank, weights_and_what_is_missed)
{
    example e;
    bank b;
    size_t missed = 0;
    open_example(&e, 1500, 0);
    open_bank(&b, &e, e.pool);
    cr_assert(b.own.n == 300 && b.theirs.n == 300, "%zu and %zu", b.own.n, b.theirs.n);
    for (size_t r = 0; r < b.theirs.n; r++)
        missed += b.theirs.at[r] > student_uncovered_nats[0];
    cr_expect_eq(b.missed.n, missed);
    cr_expect_gt(missed, 0, "two flows of nothing in common");
    cr_expect_null(b.weighed.x, "there are data");
    bank_release(&b);
    close_example(&e);
}

Test(report_bank, same_numbers_for_any_number_of_threads)
{
    flow_err err = FLOW_ERR_INIT;
    example e;
    bank one, many;
    open_example(&e, 1500, 1);
    flow_pool *three = flow_pool_create(3, &err);
    open_bank(&one, &e, e.pool);
    open_bank(&many, &e, three);
    cr_assert_eq(memcmp(one.student.x, many.student.x, one.student.n * D * sizeof(double)), 0);
    cr_assert_eq(memcmp(one.teacher.x, many.teacher.x, one.teacher.n * D * sizeof(double)), 0);
    cr_assert_eq(memcmp(one.own.at, many.own.at, one.own.n * sizeof(double)), 0);
    cr_assert_eq(memcmp(one.theirs.at, many.theirs.at, one.theirs.n * sizeof(double)), 0);
    bank_release(&one);
    bank_release(&many);
    flow_pool_free(three);
    close_example(&e);
}
