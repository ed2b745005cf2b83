/* How a fit ends early, what its options do, and the likelihood of a part. */
#include "tests/teacher/fitting.h"

/* ---- how it ends early */

Test(fit_ends, stopped_by_its_watcher)
{
    gaussian g;
    rows r;
    history h = {.stop_after = 3};
    teacher_fit_state state;
    gaussian_init(&g, 3, lower3, mean3);
    rows_init(&r, &g, 700, 300, 0);
    teacher_fit_options options = usual();
    flow *f = maf(&g, "affine", 9);
    cr_assert_eq(fit(f, &state, &r, &options, &h, 2), FLOW_ESTOPPED);
    cr_assert(h.n == 3 && state.epoch == 3 && state.epochs == 12);
    check_same(&(double){-log_likelihood(f, &r.set.valid)}, &state.best_loss, 1,
               "loss of what is kept");
    flow_free(f);
    rows_release(&r);
}

static size_t steps_seen, steps_allowed;

static int stop(void)
{
    return ++steps_seen == steps_allowed;
}

/* Asked after every step. In the middle of the third epoch the best of two is kept; in the first
 * there is none yet, and the weights are as far as they got. */
Test(fit_ends, stopped_within_an_epoch)
{
    const size_t allowed[] = {3, 2 * 7 + 4};
    for (size_t k = 0; k < 2; k++) {
        gaussian g;
        rows r;
        history h = {.n = 0};
        teacher_fit_state state;
        gaussian_init(&g, 3, lower3, mean3);
        rows_init(&r, &g, 700, 300, 0);
        teacher_fit_options options = usual();
        options.batch = 100;
        options.stop = stop;
        steps_seen = 0;
        steps_allowed = allowed[k];
        flow *f = maf(&g, "affine", 9);
        cr_assert_eq(fit(f, &state, &r, &options, &h, 2), FLOW_ESTOPPED);
        cr_assert(steps_seen == allowed[k] && state.step == allowed[k] && h.n == 2 * k);
        double loss = -log_likelihood(f, &r.set.valid);
        cr_assert(isfinite(loss));
        if (k > 0)
            check_same(&loss, &state.best_loss, 1, "loss of what is kept");
        flow_free(f);
        rows_release(&r);
    }
}

/* Learning rates that destroy the weights: the fit says so, or, where some epoch was still good,
 * returns that one. Never silence with weights that are not finite. */
static void check_destroyed(double lr, size_t epochs, size_t patience, size_t valid)
{
    gaussian g;
    rows r;
    teacher_fit_state state;
    gaussian_init(&g, 3, lower3, mean3);
    rows_init(&r, &g, 700, valid, 300);
    teacher_fit_options options = usual();
    options.lr = lr;
    options.warmup = 0;
    options.epochs = epochs;
    options.patience = patience;
    options.batch = 100;
    flow *f = maf(&g, "affine", 9);
    int code = fit(f, &state, &r, &options, NULL, 1);
    double loss = -log_likelihood(f, &r.set.test);
    cr_assert(!isnan(lr) || code == FLOW_EDIVERGED, "no lr is no training: code %d", code);
    cr_assert(code == FLOW_EDIVERGED || (code == 0 && isfinite(loss)),
              "lr %g, %zu epochs, patience %zu: code %d, loss %g", lr, epochs, patience, code,
              loss);
    cr_assert(code == 0 || state.skipped >= 1, "lr %g: no step was skipped", lr);
    flow_free(f);
    rows_release(&r);
}

Test(fit_ends, absurd_learning_rates)
{
    check_destroyed(NAN, 40, 0, 300);
    check_destroyed(1e30, 40, 0, 300);
    check_destroyed(1e5, 40, 0, 300);
    check_destroyed(NAN, 40, 0, 0);
}

/* The same when the steps, or the patience, run out before FLOW_MAX_SKIPPED are skipped in a row. */
Test(fit_ends, absurd_learning_rates_in_few_steps)
{
    check_destroyed(NAN, 2, 0, 300);
    check_destroyed(1e30, 2, 0, 300);
    check_destroyed(NAN, 40, 3, 300);
    check_destroyed(NAN, 2, 0, 0);
}

Test(fit_ends, nothing_to_fit)
{
    gaussian g;
    rows r;
    teacher_fit_state state;
    gaussian_init(&g, 3, lower3, mean3);
    rows_init(&r, &g, 0, 20, 0);
    teacher_fit_options options = usual();
    flow *f = maf(&g, "affine", 9);
    cr_assert_eq(fit(f, &state, &r, &options, NULL, 1), FLOW_EDATA);
    flow_free(f);
    rows_release(&r);
}

/* ---- options */

/* A batch that is larger than the data is the data; one row is a batch, too. */
Test(fit_ends, few_rows)
{
    gaussian g;
    teacher_fit_state state;
    gaussian_init(&g, 3, lower3, mean3);
    for (size_t n = 1; n <= 3; n++) {
        rows r;
        rows_init(&r, &g, n, 2, 0);
        teacher_fit_options options = usual();
        options.epochs = 4;
        flow *f = maf(&g, "affine", 9);
        cr_assert_eq(fit(f, &state, &r, &options, NULL, 2), 0);
        cr_assert(state.step == 4 && state.rows_left_out == 0);
        cr_assert(isfinite(state.train_loss) && isfinite(state.valid_loss));
        flow_free(f);
        rows_release(&r);
    }
}

/* The learning rate is the schedule's times the plateau's, which follows the validation losses. */
Test(fit_ends, learning_rates)
{
    gaussian g;
    rows r;
    history h = {.n = 0};
    teacher_fit_state state;
    flow_plateau plateau;
    gaussian_init(&g, 3, lower3, mean3);
    rows_init(&r, &g, 100, 50, 0);
    teacher_fit_options options = usual();
    options.batch = 25;
    options.epochs = 60;
    options.lr = 0.02;
    options.warmup = 6;
    options.schedule = FLOW_PLATEAU;
    options.plateau_factor = 0.37;
    options.plateau_patience = 1;
    flow *f = maf(&g, "affine", 30);
    cr_assert_eq(fit(f, &state, &r, &options, &h, 1), 0);
    flow_plateau_init(&plateau, 0.37, 1);
    double rate = 1;
    for (size_t e = 0; e < h.n; e++) {
        double warm = fmin(1, 4 * (double)(e + 1) / 6), want = 0.02 * rate * warm;
        check_close(&h.states[e].lr, &want, 1, 1e-12, 0, "learning rate of epoch %zu", e + 1);
        rate = flow_plateau_update(&plateau, h.states[e].valid_loss);
    }
    cr_assert_lt(rate, 0.5, "the rate never fell");
    flow_free(f);
    rows_release(&r);
}

Test(fit_ends, clipping_is_counted)
{
    gaussian g;
    rows r;
    teacher_fit_state state;
    gaussian_init(&g, 3, lower3, mean3);
    rows_init(&r, &g, 200, 50, 0);
    teacher_fit_options options = usual();
    options.batch = 50;
    options.epochs = 6; /* 24 steps; the median is there after 16 */
    const double clips[] = {1e-6, 0, 1e9};
    const size_t want[] = {8, 0, 0};
    for (size_t k = 0; k < 3; k++) {
        options.clip = clips[k];
        flow *f = maf(&g, "affine", 9);
        cr_assert_eq(fit(f, &state, &r, &options, NULL, 1), 0);
        cr_assert_eq(state.clipped, want[k], "clip %g: %zu", clips[k], state.clipped);
        cr_assert(state.gradient_norm > 1e-6 && state.skipped == 0);
        flow_free(f);
    }
    rows_release(&r);
}

/* With a learning rate of 0 the loss of an epoch is that of the rows it took: two of three, other
 * ones in other epochs (all the same: 3^-19). */
Test(fit_ends, rows_in_a_new_order_every_epoch)
{
    gaussian g;
    rows r;
    history h = {.n = 0};
    teacher_fit_state state;
    gaussian_init(&g, 3, lower3, mean3);
    rows_init(&r, &g, 3, 0, 0);
    teacher_fit_options options = usual();
    options.batch = 2;
    options.epochs = 20;
    options.lr = 0;
    flow *f = maf(&g, "affine", 9);
    cr_assert_eq(fit(f, &state, &r, &options, &h, 1), 0);
    size_t changes = 0;
    for (size_t e = 1; e < h.n; e++)
        changes += fabs(h.states[e].train_loss - h.states[e - 1].train_loss) > 1e-6;
    cr_assert(changes > 0 && state.rows_left_out == 1);
    flow_free(f);
    rows_release(&r);
}

/* The weights of a fit of so many epochs of one step each, and no validation rows. */
static flow *short_fit(const rows *r, const gaussian *g, size_t epochs, double lr, double average)
{
    teacher_fit_state state;
    teacher_fit_options options = usual();
    options.batch = r->set.train.n;
    options.epochs = epochs;
    options.warmup = 0;
    options.schedule = FLOW_CONSTANT;
    options.lr = lr;
    options.average = average;
    flow *f = maf(g, "affine", 9);
    cr_assert_eq(fit(f, &state, r, &options, NULL, 1), 0);
    return f;
}

/* What is kept with averaging is the mean of the start and of the weights after each step, as long
 * as there are few of them; and training goes on from the weights themselves. */
Test(fit_ends, averaged_weights_are_kept)
{
    gaussian g;
    rows r;
    gaussian_init(&g, 3, lower3, mean3);
    rows_init(&r, &g, 64, 0, 0);
    flow *start = short_fit(&r, &g, 1, 0, 0), *one = short_fit(&r, &g, 1, 0.03, 0);
    flow *two = short_fit(&r, &g, 2, 0.03, 0), *kept = short_fit(&r, &g, 2, 0.03, 0.99);
    const float *w0 = flow_params(start), *w1 = flow_params(one), *w2 = flow_params(two);
    const float *got = flow_params(kept);
    for (size_t i = 0; i < flow_n_params(kept); i++) {
        double want = ((double)w0[i] + (double)w1[i] + (double)w2[i]) / 3;
        check_close(&(double){(double)got[i]}, &want, 1, 1e-6, 1e-7, "weight %zu", i);
    }
    flow_free(start);
    flow_free(one);
    flow_free(two);
    flow_free(kept);
    rows_release(&r);
}

/* ---- log-likelihood of a part */

Test(fit_ends, log_likelihood_and_its_error)
{
    enum { N = 300 };
    gaussian g;
    rows r;
    gaussian_init(&g, 3, lower3, mean3);
    rows_init(&r, &g, 1, 0, N);
    flow *f = maf(&g, "affine", 9); /* parameters are zero, so it is the standard normal */
    flow_pool *pool = flow_pool_create(2, NULL);
    double logp[N], mean, se, want = 0, square = 0;
    flow_base_log_prob(f, NULL, logp, r.set.test.x.at, N);
    for (size_t i = 0; i < N; i++)
        want += logp[i] / N;
    for (size_t i = 0; i < N; i++)
        square += (logp[i] - want) * (logp[i] - want);
    cr_assert_eq(teacher_log_likelihood(f, pool, &mean, &se, &r.set.test, NULL), 0);
    check_close(&mean, &want, 1, 1e-6, 0, "mean");
    check_close(&se, &(double){sqrt(square / (N - 1) / N)}, 1, 1e-5, 0, "standard error");
    cr_assert_eq(teacher_log_likelihood(f, pool, &mean, &se, &r.set.train, NULL), 0);
    cr_assert(isfinite(mean) && isnan(se), "one row: %g, %g", mean, se);
    cr_assert_eq(teacher_log_likelihood(f, pool, &mean, &se, &r.set.valid, NULL), 0);
    cr_assert(isnan(mean) && isnan(se), "no rows: %g, %g", mean, se);
    flow_pool_free(pool);
    flow_free(f);
    rows_release(&r);
}
