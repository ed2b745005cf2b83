/* A fit that is saved at every step and loaded by another: on to the same bits. */
#include "teacher/fit.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"
#include "tests/common/spec.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TRAIN = 70, VALID = 30, DIM = 2 };
static double rows[(TRAIN + VALID) * DIM], contexts[TRAIN + VALID];

static data_part part_of(size_t first, size_t n)
{
    return (data_part){.x = data_numbers_of(rows + first * DIM, DIM),
                       .context = data_numbers_of(contexts + first, 1),
                       .n = n};
}

static data_set small_set(void)
{
    random_numbers(rows, (TRAIN + VALID) * DIM, 1.3, 3);
    random_numbers(contexts, TRAIN + VALID, 0.7, 4);
    return (data_set){
        .dim = DIM, .n_context = 1, .train = part_of(0, TRAIN), .valid = part_of(TRAIN, VALID)};
}

/* Three batches of 20 an epoch, 10 rows left out; a plateau that falls and patience that ends it. */
static teacher_fit_options usual(void)
{
    return (teacher_fit_options){.batch = 20,
                                 .epochs = 6,
                                 .lr = 0.05,
                                 .warmup = 4,
                                 .schedule = FLOW_PLATEAU,
                                 .plateau_factor = 0.5,
                                 .plateau_patience = 0,
                                 .weight_decay = 0.01,
                                 .clip = 0.7,
                                 .average = 0.8,
                                 .seed = 5};
}

typedef struct fitted {
    flow *flow;
    flow_pool *pool;
    data_set set;
    teacher_fitting *fit;
} fitted;

static void open_fit(fitted *self, size_t threads, const teacher_fit_options *options)
{
    static const size_t hidden[] = {7};
    flow_err err = FLOW_ERR_INIT;
    flow_spec spec = {.dim = DIM,
                      .context = 1,
                      .layers = 2,
                      .hidden = hidden,
                      .n_hidden = 1,
                      .activation = "tanh",
                      .transformer = "affine",
                      .scale_bound = 3,
                      .actnorm = 1};
    self->flow = flow_spec_create(&spec, FLOW_F32, &err);
    self->pool = flow_pool_create(threads, &err);
    self->set = small_set();
    self->fit = teacher_fitting_create(self->flow, self->pool, &self->set, options, &err);
    cr_assert(self->fit, "%s", err.text);
}

static void close_fit(fitted *self)
{
    teacher_fitting_free(self->fit);
    flow_pool_free(self->pool);
    flow_free(self->flow);
}

static void step(fitted *self)
{
    flow_err err = FLOW_ERR_INIT;
    int epoch_over;
    cr_assert_eq(teacher_fitting_step(self->fit, &epoch_over, &err), 0, "%s", err.text);
}

static void finish(fitted *self)
{
    flow_err err = FLOW_ERR_INIT;
    while (!teacher_fitting_over(self->fit))
        step(self);
    cr_assert_eq(teacher_fitting_finish(self->fit, &err), 0, "%s", err.text);
}

static void check_same_end(const fitted *got, const fitted *want, size_t k)
{
    const teacher_fit_state *a = teacher_fitting_at(got->fit), *b = teacher_fitting_at(want->fit);
    cr_assert(
        memcmp(flow_params(got->flow), flow_params(want->flow), flow_params_bytes(want->flow)) == 0,
        "weights, saved at step %zu", k);
    cr_assert(memcmp(a, b, sizeof *a) == 0, "state, saved at step %zu", k);
}

static void check_resumed(const teacher_fit_options *options)
{
    fitted whole;
    flow_err err = FLOW_ERR_INIT;
    open_fit(&whole, 1, options);
    finish(&whole);
    size_t steps = teacher_fitting_at(whole.fit)->step;
    cr_assert_geq(steps, 6, "%zu steps", steps);
    for (size_t k = 0; k <= steps; k++) {
        fitted first, second;
        void *block;
        size_t size;
        open_fit(&first, 2, options);
        open_fit(&second, 1 + k % 3, options);
        for (size_t i = 0; i < k; i++)
            step(&first);
        for (size_t i = 0; i < 4 && k % 2; i++) /* one that has gone elsewhere */
            step(&second);
        cr_assert_eq(teacher_fitting_save(first.fit, &block, &size, &err), 0, "%s", err.text);
        cr_assert_eq(teacher_fitting_load(second.fit, block, size, &err), 0, "%s", err.text);
        finish(&second);
        check_same_end(&second, &whole, k);
        free(block);
        close_fit(&first);
        close_fit(&second);
    }
    close_fit(&whole);
}

Test(fit_resumed, same_bits_from_every_step)
{
    teacher_fit_options options = usual();
    check_resumed(&options);
    options.schedule = FLOW_COSINE;
    options.average = 0;
    options.patience = 1;
    check_resumed(&options);
}

/* The simple call is the steps in a row. */
Test(fit_resumed, one_go_is_step_by_step)
{
    teacher_fit_options options = usual();
    fitted a, b;
    teacher_fit_state state;
    open_fit(&a, 1, &options);
    open_fit(&b, 2, &options);
    finish(&a);
    cr_assert_eq(teacher_fit(b.flow, &state, b.pool, &b.set, &options, NULL, NULL, NULL), 0);
    cr_assert(memcmp(flow_params(a.flow), flow_params(b.flow), flow_params_bytes(a.flow)) == 0);
    cr_assert(memcmp(&state, teacher_fitting_at(a.fit), sizeof state) == 0);
    close_fit(&a);
    close_fit(&b);
}

/* Blocks of other fits, and damaged ones. */
Test(fit_resumed, other_blocks_are_refused)
{
    teacher_fit_options options = usual(), other = usual();
    fitted a, b;
    void *block;
    size_t size;
    flow_err err = FLOW_ERR_INIT;
    open_fit(&a, 1, &options);
    step(&a);
    cr_assert_eq(teacher_fitting_save(a.fit, &block, &size, &err), 0);
    other.seed++;
    open_fit(&b, 1, &other);
    cr_assert_eq(teacher_fitting_load(b.fit, block, size, &err), FLOW_EDATA);
    cr_assert(strstr(err.text, "seed"), "%s", err.text);
    close_fit(&b);
    other = options;
    other.average = 0; /* has fewer bytes to keep */
    open_fit(&b, 1, &other);
    cr_assert_eq(teacher_fitting_load(b.fit, block, size, &err), FLOW_EDATA);
    close_fit(&b);
    open_fit(&b, 1, &options);
    cr_assert_eq(teacher_fitting_load(b.fit, block, size - 1, &err), FLOW_EDATA);
    ((unsigned char *)block)[size / 2] ^= 4;
    cr_assert_eq(teacher_fitting_load(b.fit, block, size, &err), FLOW_EDATA);
    close_fit(&b);
    close_fit(&a);
    free(block);
}
