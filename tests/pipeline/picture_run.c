/* The picture of a run shows what its header says: rows, streams, contexts. */
#include "pipeline/report/picture_run.h"

#include "pipeline/report/picture.h"
#include "pipeline/report/picture_pairs.h"
#include "teacher/streams.h"
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

static char *picture_bytes(const example *e, flow_pool *pool, size_t *len)
{
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(picture_of_run(temp_path("run.png"), e->data, &e->teacher, &e->student, NULL,
                                "KL .01", pool, SEED, &err),
                 0, "%s", err.text);
    return temp_slurp(temp_path("run.png"), len);
}

/* The file that is expected when `shown` rows of the table are shown, made from the table itself.
 */
static char *expected_bytes(const example *e, size_t shown, size_t *len)
{
    flow_err err = FLOW_ERR_INIT;
    size_t cols = e->table->cols, c = cols - D;
    double *x = malloc(3 * shown * D * sizeof *x), *context = malloc((shown * c + 1) * sizeof *x);
    double *teacher = x + shown * D, *student = teacher + shown * D;
    for (size_t i = 0; i < shown; i++) {
        const double *row = e->table->values + i * e->table->rows / shown * cols;
        memcpy(x + i * D, row, D * sizeof *x);
        memcpy(context + i * c, row + D, c * sizeof *x);
    }
    pcg_stream stream = {.seed = SEED, .stage = STREAM_EXPORT, .purpose = PCG_TARGET};
    flow_model_sample(&e->teacher, e->pool, teacher, NULL, c ? context : NULL, stream, 0, shown,
                      &err);
    stream.purpose = PCG_BASE;
    flow_model_sample(&e->student, e->pool, student, NULL, c ? context : NULL, stream, 0, shown,
                      &err);
    picture p = {.dim = D,
                 .names = (const char *const *)e->data->names,
                 .sources = {{"data", x, shown, NULL},
                             {"teacher", teacher, shown, NULL},
                             {"student", student, shown, "KL .01"}},
                 .n_sources = 3,
                 .pairs = {{0, 1}},
                 .n_pairs = 1};
    cr_assert_eq(picture_write(temp_path("expected.png"), &p, &err), 0, "%s", err.text);
    free(x);
    free(context);
    return temp_slurp(temp_path("expected.png"), len);
}

/* Standardising and back moves a row by rounding, so a row that lies on the border of two cells
 * could move: with this seed, none does. */
static void check_shown(size_t rows, size_t n_context, size_t shown)
{
    example e;
    size_t got_len, want_len;
    open_example(&e, rows, n_context);
    char *got = picture_bytes(&e, e.pool, &got_len), *want = expected_bytes(&e, shown, &want_len);
    cr_assert(got_len == want_len && memcmp(got, want, got_len) == 0, "%zu rows", rows);
    free(got);
    free(want);
    close_example(&e);
}

Test(picture_run, all_rows_and_the_documented_streams)
{
    check_shown(1500, 0, 1500);
}

Test(picture_run, samples_have_the_contexts_of_the_rows)
{
    check_shown(1500, 1, 1500);
}

Test(picture_run, many_rows_are_thinned_evenly)
{
    check_shown(PICTURE_RUN_ROWS + 7001, 0, PICTURE_RUN_ROWS);
}

Test(picture_run, same_bytes_for_any_number_of_threads)
{
    flow_err err = FLOW_ERR_INIT;
    example e;
    size_t len[2];
    open_example(&e, 1500, 1);
    flow_pool *three = flow_pool_create(3, &err);
    char *one = picture_bytes(&e, e.pool, &len[0]), *many = picture_bytes(&e, three, &len[1]);
    cr_assert(len[0] == len[1] && memcmp(one, many, len[0]) == 0);
    free(one);
    free(many);
    flow_pool_free(three);
    close_example(&e);
}

Test(picture_run, an_error_names_the_file)
{
    flow_err err = FLOW_ERR_INIT;
    example e;
    open_example(&e, 50, 0);
    int code = picture_of_run(temp_path("none/run.png"), e.data, &e.teacher, &e.student, NULL, NULL,
                              e.pool, SEED, &err);
    cr_assert_eq(code, FLOW_ECREATE);
    cr_assert(strstr(err.text, "none/run.png"), "%s", err.text);
    close_example(&e);
}
