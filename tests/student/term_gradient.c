/* The gradient that each term writes, against central differences of what it claims to be the gradient of,
 * in random directions of all weights: signs and sizes. The rows and their noise stay the same, so there is
 * no statistical error.
 *
 *   reverse, total   d/dw sum(log q(x) - beta log p(x)), x = f(z; w)
 *   reverse, path    that, less d/dw sum log q(x; w) at fixed x
 *   log_variance     d/dw sum a log q(x; w) at fixed x, a = log q - beta log p less the others' mean, at most
 *                    1 either way, which the test reckons anew
 *   forward          d/dw sum(-log q(x; w)), x the target's draws
 *   two_sided        1 - v times that of reverse, path, and d/dw sum v (m - c) log q(x; w) at fixed x, c and m from a
 *                    batch before, which the test reckons anew
 *   uncovered        d/dw sum(-a log q(x; w)) at a few of the batch's rows, a from how short of density each is */
#include "student/objective.h"
#include "student/term_kl.h"
#include "tests/common/check.h"
#include "tests/common/distilling.h"
#include "tests/common/examples.h"
#include "tests/common/gaussian.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 37, DIM = 3, FIRST = 400 };

typedef struct bench {
    gaussian g;
    flow *student, *direction; /* of one shape; weights to be moved, and whereto */
    flow_pass *pass;
    flow_gradient lane;
    void *work;
    double blocks[4][ROWS * DIM], rows[3][ROWS];
    term_sums sums;
    double fixed_x[ROWS * DIM];
    double pull[ROWS]; /* a */
    double path;       /* share of the path gradient in two_sided */
} bench;

/* The optimum is elsewhere, and no weight is zero. */
static void open_bench(bench *b, int context, flow_direction parallel)
{
    memset(b, 0, sizeof *b);
    gaussian_init(&b->g, DIM, lower3, mean3);
    b->g.base.context = (size_t)context;
    b->g.gain = 0.8;
    b->student = student_affine(&b->g.base, parallel, FLOW_F64);
    b->direction = student_affine(&b->g.base, parallel, FLOW_F64);
    randomise_parameters(b->student, 0.4, 3);
    b->pass = flow_pass_create(b->student, ROWS, FLOW_PASS_TRAIN, NULL);
    b->lane.block = aligned_alloc(64, (flow_params_bytes(b->student) + 63) / 64 * 64);
    b->work = b->g.base.ops->work_create(&b->g.base, ROWS, NULL);
}

static void close_bench(bench *b)
{
    b->g.base.ops->work_free(&b->g.base, b->work);
    flow_pass_free(b->pass);
    free(b->lane.block);
    flow_free(b->student);
    flow_free(b->direction);
}

/* Fills the lane; returns the term's own loss. */
static double run_term(bench *b, const objective_term *term, double weight)
{
    static double context[ROWS];
    random_numbers(context, ROWS, 0.9, 6);
    term_shard s = {.student = b->student,
                    .target = &b->g.base,
                    .work = b->work,
                    .seed = 21,
                    .first = FIRST,
                    .n = ROWS,
                    .weight = weight,
                    .pass = b->pass,
                    .lane = &b->lane,
                    .x = b->blocks[0],
                    .z = b->blocks[1],
                    .grad = b->blocks[2],
                    .score = b->blocks[3],
                    .context = context,
                    .logp = b->rows[0],
                    .logq = b->rows[1],
                    .dlogq = b->rows[2],
                    .sums = &b->sums};
    flow_err err = FLOW_ERR_INIT;
    b->sums = (term_sums){0};
    b->lane.filled = 0;
    cr_assert_eq(term->ops->shard(term, &s, &err), 0, "%s", err.text);
    return b->sums.loss;
}

/* sum a log q of the rows where they were, by the student as it is now; a NULL: 1. */
static double log_q_of_fixed(bench *b, const double *a)
{
    static double context[ROWS], z[ROWS * DIM], logq[ROWS];
    double sum = 0;
    random_numbers(context, ROWS, 0.9, 6);
    flow_pass_log_prob(b->pass, NULL, logq, z, b->fixed_x, context, ROWS);
    for (size_t r = 0; r < ROWS; r++)
        sum += (a ? a[r] : 1) * logq[r];
    return sum;
}

static void move(bench *b, double step)
{
    for (size_t i = 0; i < flow_n_tensors(b->student); i++) {
        flow_tensor_info info;
        double w[4096], d[4096];
        flow_tensor(b->student, &info, i);
        size_t n = info.rows * (info.cols ? info.cols : 1);
        cr_assert_leq(n, 4096);
        flow_tensor_get(b->student, w, i);
        flow_tensor_get(b->direction, d, i);
        for (size_t k = 0; k < n; k++)
            w[k] += step * d[k];
        cr_assert_eq(flow_tensor_set(b->student, w, i, NULL), 0);
    }
}

/* gradient . direction */
static double along(bench *b)
{
    double sum = 0;
    flow *gradient = flow_convert(b->student, FLOW_F64, NULL);
    memcpy(flow_params(gradient), b->lane.block, flow_params_bytes(gradient));
    for (size_t i = 0; i < flow_n_tensors(gradient); i++) {
        flow_tensor_info info;
        double g[4096], d[4096];
        flow_tensor(gradient, &info, i);
        flow_tensor_get(gradient, g, i);
        flow_tensor_get(b->direction, d, i);
        for (size_t k = 0; k < info.rows * (info.cols ? info.cols : 1); k++)
            sum += g[k] * d[k];
    }
    flow_free(gradient);
    return sum;
}

typedef struct claim {
    bench *bench;
    const objective_term *term;
    double beta; /* of the reverse term */
    int path, log_variance, forward, two_sided;
} claim;

/* Returns how many rows are held back. */
static size_t fix_pull(bench *b, double beta)
{
    size_t held = 0;
    for (size_t r = 0; r < ROWS; r++) {
        double others = 0;
        for (size_t k = 0; k < ROWS; k++)
            others += k == r ? 0 : (b->rows[1][k] - beta * b->rows[0][k]) / (ROWS - 1);
        double a = b->rows[1][r] - beta * b->rows[0][r] - others;
        b->pull[r] = fmax(-1, fmin(1, a));
        held += fabs(a) > 1;
    }
    return held;
}

/* What the term's gradient is the derivative of. */
static double value(const claim *c)
{
    bench *b = c->bench;
    if (c->forward)
        return -log_q_of_fixed(b, NULL);
    if (c->log_variance)
        return log_q_of_fixed(b, b->pull);
    run_term(b, c->term, 1);
    double sum = 0;
    for (size_t r = 0; r < ROWS; r++)
        sum += b->rows[1][r] - c->beta * b->rows[0][r];
    if (c->two_sided)
        return b->path * (sum - log_q_of_fixed(b, NULL)) + log_q_of_fixed(b, b->pull);
    return sum - (c->path ? log_q_of_fixed(b, NULL) : 0);
}

static double derivative(const claim *c, double step)
{
    move(c->bench, step);
    double above = value(c);
    move(c->bench, -2 * step);
    double below = value(c);
    move(c->bench, step);
    return (above - below) / (2 * step);
}

typedef objective_term *maker(const distill_options *options, size_t most_rows, flow_err *err);

static void check_term(maker *make, const distill_options *o, int context, double beta,
                       flow_direction parallel)
{
    enum { DIRECTIONS = 6 };
    const double weight = 0.7;
    bench b;
    flow_err err = FLOW_ERR_INIT;
    open_bench(&b, context, parallel);
    objective_term *term = make(o, ROWS, &err);
    cr_assert_eq(term_check(term, &b.g.base, b.student, &err), 0, "%s", err.text);
    claim c = {.bench = &b,
               .term = term,
               .beta = beta,
               .path = o->gradient == DISTILL_PATH,
               .log_variance = o->gradient == DISTILL_LOG_VARIANCE,
               .forward = term->ops == &term_forward_kl};
    for (uint64_t k = 0; k < DIRECTIONS; k++) {
        randomise_parameters(b.direction, 1, 100 + k);
        run_term(&b, term, weight);
        memcpy(b.fixed_x, b.blocks[0], sizeof b.fixed_x);
        size_t held = fix_pull(&b, beta);
        cr_assert(held > 0 && held < ROWS, "%zu rows are held back", held);
        double got = along(&b), want = weight * derivative(&c, 1e-5);
        cr_assert(fabs(want) > 0.01, "%s, direction %d says nothing: %g", term->ops->name, (int)k,
                  want);
        check_close(&got, &want, 1, 1e-6, 1e-6,
                    "%s, estimator %d, beta %g, context %d, direction %d", term->ops->name,
                    (int)o->gradient, beta, context, (int)k);
    }
    term->ops->free(term);
    close_bench(&b);
}

Test(term_gradient, reverse_kl)
{
    for (int e = DISTILL_TOTAL; e <= DISTILL_LOG_VARIANCE; e++)
        for (int context = 0; context <= 1; context++)
            for (double beta = 0.3; beta <= 1; beta += 0.7) {
                distill_options o = distilling_options();
                o.gradient = (distill_gradient)e;
                o.temper = beta;
                check_term(term_reverse_kl_create, &o, context, beta, FLOW_NOISE_TO_DATA);
            }
}

Test(term_gradient, forward_kl)
{
    for (int context = 0; context <= 1; context++)
        for (int wide = 0; wide <= 1; wide++) {
            distill_options o = distilling_options();
            o.forward = o.forward_end = 1;
            o.widen = 0.4 * wide;
            o.widen_by = 1.8;
            check_term(term_forward_kl_create, &o, context, 1, FLOW_NOISE_TO_DATA);
        }
}

/* ---- both directions on one batch */

enum { WIDE_BY = 2 };
static const double WEIGHED = 0.3, WIDE = 0.4, CAP = 1.5;

/* r / q at the noise z (DIM) of a row, which is wide or not: 1 where none is. */
static double mixture_over_q(const double *z, double wide)
{
    double square = 0;
    for (size_t i = 0; i < DIM; i++)
        square += z[i] * z[i];
    double far = 0.5 * square * (1 - 1.0 / (WIDE_BY * WIDE_BY));
    return 1 - wide + wide * exp(far) / pow(WIDE_BY, DIM);
}

/* sum over the last batch of p / r, without power or cap, or of c q / r; beta is that of the batch. */
static double mean_over_q(const bench *b, double beta, double wide, double log_z, double alpha)
{
    double sum = 0;
    for (size_t r = 0; r < ROWS; r++) {
        double w = exp(beta * b->rows[0][r] - b->rows[1][r] - log_z);
        double c = alpha > 0 ? pow(fmin(w, CAP), alpha) : w;
        sum += c / mixture_over_q(b->blocks[1] + r * DIM, wide) / ROWS;
    }
    return sum;
}

/* sum(log q - log p) of the rows of the last batch that are not wide. */
static double loss_of_q(const bench *b, double wide)
{
    const target_rows rows = {.widen = wide, .widen_by = WIDE_BY};
    double sum = 0;
    for (size_t r = 0; r < ROWS; r++)
        sum += target_is_wide(&rows, FIRST + r) ? 0 : b->rows[1][r] - b->rows[0][r];
    return sum;
}

/* v (m - c) of the rows of the last batch. */
static void fix_two_sided(bench *b, double beta, double log_z, double mean, double alpha)
{
    size_t held = 0;
    for (size_t r = 0; r < ROWS; r++) {
        double w = exp(beta * b->rows[0][r] - b->rows[1][r] - log_z);
        b->pull[r] = WEIGHED * (mean - pow(fmin(w, CAP), alpha));
        held += w > CAP;
    }
    cr_assert(held > 0 && held < ROWS, "%zu rows are held", held);
}

/* Ends a step of the batch that was drawn last; returns beta from then on. */
static double end_step(objective_term *term)
{
    const flow_lanes cut = flow_lanes_cut(ROWS, 0);
    const term_step at = {.step = 1, .steps = 100, .cut = &cut, .kl = NAN};
    distill_state state = {.beta = NAN};
    term->ops->after_step(term, &at);
    term->ops->report(term, &state);
    return state.beta;
}

static void check_two_sided(double alpha, double wide, double temper, int context)
{
    const double weight = 0.7;
    objective_terms terms;
    bench b;
    flow_err err = FLOW_ERR_INIT;
    open_bench(&b, context, FLOW_NOISE_TO_DATA);
    b.path = 1 - WEIGHED;
    distill_options o = distilling_options();
    o.temper = temper;
    json_t *said =
        json_pack("{s:s, s:f, s:f, s:f, s:f, s:f}", "kind", "two_sided", "alpha", alpha, "weighed",
                  WEIGHED, "cap", CAP, "widen", wide, "widen_by", (double)WIDE_BY);
    o.objective = said;
    cr_assert_eq(objective_make_terms(&terms, &o, ROWS, &err), 0, "%s", err.text);
    claim c = {.bench = &b, .term = terms.at[0], .path = 1, .two_sided = 1};
    double loss = run_term(&b, c.term, weight);
    check_close(&loss, &(double){loss_of_q(&b, wide)}, 1, 1e-9, 1e-9, "loss, wide %g", wide);
    double log_z = log(mean_over_q(&b, temper, wide, 0, 0));
    double mean = mean_over_q(&b, temper, wide, log_z, alpha);
    c.beta = end_step(terms.at[0]);
    for (uint64_t k = 0; k < 3; k++) {
        randomise_parameters(b.direction, 1, 200 + k);
        run_term(&b, c.term, weight);
        memcpy(b.fixed_x, b.blocks[0], sizeof b.fixed_x);
        fix_two_sided(&b, c.beta, log_z, mean, alpha);
        double got = along(&b), want = weight * derivative(&c, 1e-5);
        cr_assert(fabs(want) > 0.01, "direction %d says nothing: %g", (int)k, want);
        check_close(&got, &want, 1, 1e-6, 1e-6, "alpha %g, wide %g, beta %g, direction %d", alpha,
                    wide, c.beta, (int)k);
    }
    objective_free_terms(&terms);
    json_decref(said);
    close_bench(&b);
}

Test(term_gradient, two_sided)
{
    for (int k = 0; k < 16; k++)
        check_two_sided(k & 1 ? 2 : 1.3, k & 2 ? WIDE : 0, k & 4 ? 0.3 : 1, k & 8 ? 1 : 0);
}

/* ---- rows that are short of density */

enum { PICKED = (ROWS + 7) / 8 };

/* The third term of kl, at its first step. */
static objective_term *begin_uncovered(bench *b, objective_terms *terms, flow_pool *pool)
{
    flow_err err = FLOW_ERR_INIT;
    distill_options o = distilling_options();
    json_t *said = json_pack("{s:s, s:f}", "kind", "kl", "cover", 0.6);
    const term_scene scene = {b->student, pool, &b->g.base, NULL, 5};
    const flow_lanes cut = flow_lanes_cut(ROWS, 0);
    term_sums sums = {0};
    const term_step at = {.scene = &scene, .steps = 100, .cut = &cut, .kl = NAN, .sums = &sums};
    o.objective = said;
    cr_assert_eq(objective_make_terms(terms, &o, ROWS, &err), 0, "%s", err.text);
    objective_term *term = terms->at[2];
    cr_assert_eq(term_check(term, &b->g.base, b->student, &err), 0, "%s", err.text);
    cr_assert_float_eq(term->ops->weight(term, 0), 0.6, 1e-12);
    cr_assert_eq(term->ops->open(term, &scene, &err), 0, "%s", err.text);
    cr_assert_eq(term->ops->before_step(term, &at, &err), 0, "%s", err.text);
    cr_assert(sums.asked > ROWS);
    json_decref(said);
    return term;
}

/* Of the rows that the term has picked; every one of them wants more density. */
static void fix_uncovered(bench *b)
{
    double logp[PICKED];
    target_status status[PICKED];
    memset(b->pull, 0, sizeof b->pull);
    memcpy(b->fixed_x, b->blocks[0], PICKED * DIM * sizeof *b->fixed_x);
    cr_assert_eq(b->g.base.ops->log_density(&b->g.base, logp, NULL, status, b->fixed_x, NULL,
                                            PICKED, b->work, NULL),
                 0);
    for (size_t r = 0; r < PICKED; r++) {
        double l = logp[r] - b->rows[1][r];
        cr_assert_float_eq(b->rows[0][r], logp[r], 1e-9);
        cr_assert_gt(l, 1);
        b->pull[r] = -fmin(l - 0.5, 1) * ROWS / PICKED;
    }
}

Test(term_gradient, uncovered)
{
    const double weight = 0.7;
    objective_terms terms;
    bench b;
    open_bench(&b, 0, FLOW_NOISE_TO_DATA);
    flow_pool *pool = flow_pool_create(2, NULL);
    claim c = {.bench = &b, .term = begin_uncovered(&b, &terms, pool), .log_variance = 1};
    for (uint64_t k = 0; k < 3; k++) {
        randomise_parameters(b.direction, 1, 300 + k);
        run_term(&b, c.term, weight);
        fix_uncovered(&b);
        double got = along(&b), want = weight * derivative(&c, 1e-5);
        cr_assert(fabs(want) > 0.01, "direction %d says nothing: %g", (int)k, want);
        check_close(&got, &want, 1, 1e-6, 1e-6, "direction %d", (int)k);
    }
    objective_free_terms(&terms);
    flow_pool_free(pool);
    close_bench(&b);
}

/* A student that is its target has nothing to be mended. */
Test(term_gradient, nothing_is_uncovered)
{
    static const double unit[DIM * DIM] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, zero[DIM];
    objective_terms terms;
    bench b;
    open_bench(&b, 0, FLOW_NOISE_TO_DATA);
    gaussian_init(&b.g, DIM, unit, zero);
    memset(flow_params(b.student), 0, flow_params_bytes(b.student));
    flow_pool *pool = flow_pool_create(1, NULL);
    run_term(&b, begin_uncovered(&b, &terms, pool), 1);
    cr_assert_eq(b.lane.filled, 0);
    objective_free_terms(&terms);
    flow_pool_free(pool);
    close_bench(&b);
}

/* What stays where it is can be had of a flow that is parallel from data to noise. */
Test(term_gradient, the_other_way_round)
{
    for (int context = 0; context <= 1; context++) {
        distill_options o = distilling_options();
        o.gradient = DISTILL_LOG_VARIANCE;
        check_term(term_reverse_kl_create, &o, context, 1, FLOW_DATA_TO_NOISE);
        o.forward = o.forward_end = 1;
        check_term(term_forward_kl_create, &o, context, 1, FLOW_DATA_TO_NOISE);
    }
}
