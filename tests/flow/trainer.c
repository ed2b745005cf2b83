/* The trainer on its own: steps against the optimiser's by hand, failures of work, what is kept at the end,
 * and a training that is saved at every step. */
#include "flow/trainer.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 2, BATCH = 90, STEPS = 12 };

/* y = x e^s + b; the gradient that each row gives is its row of `rows`. */
typedef struct task {
    flow *flow;
    flow_pool *pool;
    flow_trainer *trainer;
    flow_lanes cut;
    double rows[BATCH * DIM];
    size_t fails_at[2]; /* rows whose slices fail */
    int infinite;       /* the gradient is not finite */
} task;

static flow_trainer_options usual(void)
{
    return (flow_trainer_options){.lr = 0.02,
                                  .warmup = 3,
                                  .steps = STEPS,
                                  .schedule = FLOW_PLATEAU,
                                  .plateau_factor = 0.5,
                                  .plateau_patience = 1,
                                  .weight_decay = 0.01,
                                  .average = 0.9,
                                  .clip = 1.01,
                                  .best = 1,
                                  .scratch = 4,
                                  .lr_name = "the.lr"};
}

static void open_task(task *self, size_t threads, const flow_trainer_options *options)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(DIM, 0, "noise_to_data", json_pack("{s:s}", "kind", "actnorm"));
    *self = (task){.fails_at = {SIZE_MAX, SIZE_MAX}};
    self->flow = flow_create(d, FLOW_F64, &err);
    json_decref(d);
    self->pool = flow_pool_create(threads, &err);
    self->cut = flow_lanes_cut(BATCH, 16);
    random_numbers(self->rows, BATCH * DIM, 0.9, 12);
    self->trainer = flow_trainer_create(self->flow, self->pool, &self->cut, 1, options, &err);
    cr_assert(self->trainer, "%s", err.text);
}

static void close_task(task *self)
{
    flow_trainer_free(self->trainer);
    flow_pool_free(self->pool);
    flow_free(self->flow);
}

static int work(void *arg, const flow_slice *slice, const flow_seat *seat, flow_gradient *lane,
                flow_err *err)
{
    task *t = arg;
    double *y = seat->scratch, *logdet = y + 2 * slice->n;
    const double *x = t->rows + slice->row * DIM;
    flow_pass_forward(seat->pass, NULL, y, logdet, x, NULL, slice->n);
    for (size_t i = 0; i < slice->n * DIM && t->infinite; i++)
        y[i] = INFINITY;
    flow_pass_backward(seat->pass, NULL, NULL, lane, y, NULL);
    for (size_t k = 0; k < 2; k++)
        if (t->fails_at[k] >= slice->row && t->fails_at[k] < slice->row + slice->n)
            return flow_fail(err, FLOW_EIO, "row %zu", t->fails_at[k]);
    return 0;
}

/* One step, and every third one is judged by a made-up loss. */
static int step(task *t, flow_err *err)
{
    int code = flow_trainer_accumulate(t->trainer, &t->cut, work, t, err);
    if (!code)
        code = flow_trainer_step(t->trainer, err);
    size_t n = flow_trainer_at(t->trainer)->step;
    if (!code && n % 3 == 0) {
        flow_trainer_swap_average(t->trainer);
        flow_trainer_judge(t->trainer, fabs((double)n - 5), fabs((double)n - 5));
        flow_trainer_swap_average(t->trainer);
    }
    return code;
}

/* The loss sum |y|^2 / 2 over y = x e^s: ds_i = sum y_i^2, db_i = sum y_i. The first step of Adam goes lr
 * against the sign of each, whatever the clipping, and takes lr * decay of nothing. */
Test(trainer, first_step_by_hand)
{
    task t;
    flow_trainer_options options = usual();
    open_task(&t, 2, &options);
    flow_err err = FLOW_ERR_INIT;
    double g[2 * DIM] = {0}, norm = 0, s[DIM], b[DIM];
    for (size_t i = 0; i < BATCH * DIM; i++) {
        g[i % DIM] += t.rows[i] * t.rows[i] / BATCH;
        g[DIM + i % DIM] += t.rows[i] / BATCH;
    }
    for (size_t i = 0; i < 2 * DIM; i++)
        norm += g[i] * g[i];
    norm = sqrt(norm);
    cr_assert_eq(step(&t, &err), 0, "%s", err.text);
    const flow_trainer_state *at = flow_trainer_at(t.trainer);
    check_close(&at->gradient_norm, &norm, 1, 1e-12, 0, "norm");
    check_close(&at->lr, &(double){0.02 / 3}, 1, 1e-14, 0, "learning rate");
    cr_assert(at->step == 1 && at->clipped == 0 && at->skipped == 0);
    flow_tensor_get(t.flow, s, 0);
    flow_tensor_get(t.flow, b, 1);
    for (size_t i = 0; i < DIM; i++) {
        double want[] = {-copysign(0.02 / 3, g[i]), -copysign(0.02 / 3, g[DIM + i])};
        check_close(&s[i], &want[0], 1, 1e-6, 0, "scale %zu", i);
        check_close(&b[i], &want[1], 1, 1e-6, 0, "shift %zu", i);
    }
    close_task(&t);
}

/* The first shard's word, for any number of threads; then the training can go on as if nothing had been. */
Test(trainer, failing_work)
{
    flow_trainer_options options = usual();
    task calm;
    flow_err err = FLOW_ERR_INIT;
    open_task(&calm, 1, &options);
    cr_assert_eq(step(&calm, &err), 0);
    for (size_t threads = 1; threads <= 4; threads++)
        for (size_t row = 0; row < 80; row += 29) {
            task t;
            char want[32];
            open_task(&t, threads, &options);
            t.fails_at[0] = BATCH - 1;
            t.fails_at[1] = row;
            snprintf(want, sizeof want, "row %zu", row);
            cr_assert_eq(step(&t, &err), FLOW_EIO);
            cr_assert_str_eq(err.text, want);
            cr_assert_eq(flow_trainer_at(t.trainer)->step, 0);
            t.fails_at[0] = t.fails_at[1] = SIZE_MAX;
            cr_assert_eq(step(&t, &err), 0);
            cr_assert(
                memcmp(flow_params(t.flow), flow_params(calm.flow), flow_params_bytes(t.flow)) == 0,
                "something was left in the lanes");
            close_task(&t);
        }
    close_task(&calm);
}

/* Steps that are not finite change nothing; the training gives up after FLOW_MAX_SKIPPED in a row. */
Test(trainer, gives_up)
{
    task t;
    flow_trainer_options options = usual();
    open_task(&t, 2, &options);
    flow_err err = FLOW_ERR_INIT;
    t.infinite = 1;
    for (size_t k = 1; k < FLOW_MAX_SKIPPED; k++)
        cr_assert_eq(step(&t, &err), 0, "step %zu: %s", k, err.text);
    t.infinite = 0;
    cr_assert_eq(step(&t, &err), 0);
    cr_assert_eq(flow_trainer_at(t.trainer)->skipped_in_a_row, 0);
    t.infinite = 1;
    for (size_t k = 1; k < FLOW_MAX_SKIPPED; k++)
        cr_assert_eq(step(&t, &err), 0, "step %zu: %s", k, err.text);
    cr_assert_eq(step(&t, &err), FLOW_EDIVERGED);
    cr_assert(strstr(err.text, "the.lr") && strstr(err.text, "step 20"), "%s", err.text);
    cr_assert(strstr(err.text, "now that of layers.0."), "%s", err.text);
    cr_assert_eq(flow_trainer_at(t.trainer)->skipped, 2 * FLOW_MAX_SKIPPED - 1);
    cr_assert(flow_trainer_finite(t.trainer));
    close_task(&t);
}

/* ---- saved at step k, loaded by a new trainer that has gone elsewhere, and on to the end: same bits */

static void *weights_at_the_end(task *t)
{
    flow_err err = FLOW_ERR_INIT;
    while (flow_trainer_at(t->trainer)->step < STEPS)
        cr_assert_eq(step(t, &err), 0, "%s", err.text);
    size_t bytes = flow_params_bytes(t->flow);
    char *all = malloc(2 * bytes);
    memcpy(all, flow_params(t->flow), bytes);
    flow_trainer_finish(t->trainer);
    memcpy(all + bytes, flow_params(t->flow), bytes);
    return all;
}

Test(trainer, saved_at_every_step)
{
    flow_trainer_options options = usual();
    task whole;
    flow_err err = FLOW_ERR_INIT;
    open_task(&whole, 1, &options);
    char *want = weights_at_the_end(&whole);
    size_t bytes = 2 * flow_params_bytes(whole.flow), size;
    for (size_t k = 0; k <= STEPS; k++) {
        task first, second;
        void *block;
        open_task(&first, 2, &options);
        open_task(&second, 3, &options);
        for (size_t i = 0; i < k; i++)
            step(&first, &err);
        for (size_t i = 0; i < 5; i++)
            step(&second, &err);
        cr_assert_eq(flow_trainer_save(first.trainer, &block, &size, &err), 0, "%s", err.text);
        cr_assert_eq(flow_trainer_load(second.trainer, block, size, &err), 0, "%s", err.text);
        char *got = weights_at_the_end(&second);
        cr_assert(memcmp(got, want, bytes) == 0, "saved at step %zu", k);
        cr_assert(memcmp(flow_trainer_at(second.trainer), flow_trainer_at(whole.trainer),
                         sizeof(flow_trainer_state)) == 0,
                  "state, saved at step %zu", k);
        free(got);
        free(block);
        close_task(&first);
        close_task(&second);
    }
    cr_assert(flow_trainer_load(whole.trainer, "distsnap", 8, &err) == FLOW_EDATA);
    free(want);
    close_task(&whole);
}
