/* Students of narrower networks, pruned from the teacher's. */
#define FLOW_BITS 64
#define FLOW_ISA generic
#include "flow/block.h"
#include "flow/kind.h"
#include "flow/layer/conditioned.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"
#include "tests/common/pruned.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D = PRUNED_DIM, C = PRUNED_CONTEXT, T = PRUNED_STEPS, N = 9 };

static const pcg_stream stream = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_BASE};

/* All of the teacher's units. */
static flow *unrolled(const flow *teacher)
{
    const flow_unrolling how = {.iterations = T, .width = 1};
    return flow_unroll(teacher, &how, flow_get_precision(teacher), NULL);
}

/* ---- which units are kept */

static void check_map(const pruned *p, const dense_net *narrow, const dense_net *wide, size_t m,
                      size_t units[][PRUNED_UNITS])
{
    size_t cols = narrow->maps[m].cols, wide_cols = wide->maps[m].cols;
    for (size_t r = 0; r < narrow->maps[m].rows; r++) {
        size_t row = units[wide->maps[m].to][r];
        double want = row == PRUNED_IDLE ? !wide->maps[m].adds : wide->maps[m].b[row];
        check_same(&narrow->maps[m].b[r], &want, 1, "%s: bias %zu of map %zu", p->name, r, m);
        for (size_t k = 0; k < cols; k++) {
            size_t col = units[wide->maps[m].from][k];
            want = row == PRUNED_IDLE || col == PRUNED_IDLE
                       ? 0
                       : wide->maps[m].w[row * wide_cols + col];
            check_same(&narrow->maps[m].w[r * cols + k], &want, 1, "%s: weight %zu, %zu of map %zu",
                       p->name, r, k, m);
        }
    }
}

static size_t n_idle;

/* Every step of the student is what was chosen of the teacher's network. */
static void check_choice(pruned *p)
{
    dense_net narrow, wide;
    size_t units[PRUNED_SETS][PRUNED_UNITS];
    dense_net_open(&wide, p->teacher, p->body, 0);
    for (size_t t = 0; t < T; t++) {
        dense_net_open(&narrow, p->student, p->body, t);
        for (size_t c = 0; c < wide.n_sets; c++) {
            dense_net_choose(units[c], &narrow, &wide, c);
            for (size_t v = 0; v < dense_net_units(&narrow, c); v++)
                n_idle += units[c][v] == PRUNED_IDLE;
        }
        for (size_t m = 0; m < wide.n_maps; m++)
            check_map(p, &narrow, &wide, m, units);
        dense_net_close(&narrow);
    }
    dense_net_close(&wide);
}

Test(unroll_narrow, keeps_the_most_important_units)
{
    n_idle = 0;
    pruned_each(check_choice);
    cr_assert_gt(n_idle, 0, "no unit was idle: nothing is known of them");
}

/* Four units of each degree whose importance is the same: the first two stay. */
Test(unroll_narrow, the_first_of_equal_units_stay)
{
    enum { H = 24 };
    static const pruned_body equal = {1, {H}, 0, 0, D, "free", "affine"};
    pruned p;
    dense_net net;
    pruned_open(&p, &equal, "silu", FLOW_F64, 0.5);
    dense_net_open(&net, p.teacher, &equal, 0);
    for (size_t u = 0; u < H; u++) {
        if (u % 4 == 0)
            continue;
        memcpy(net.maps[0].w + u * D, net.maps[0].w + (u - 1) * D, D * sizeof(double));
        net.maps[0].b[u] = net.maps[0].b[u - 1];
        for (size_t r = 0; r < net.maps[1].rows; r++)
            net.maps[1].w[r * H + u] = net.maps[1].w[r * H + u - 1] * (r % 4 == u % 4 ? -1 : 1);
    }
    dense_net_write(&net, p.teacher);
    pruned_renew(&p);
    check_choice(&p);
    dense_net_close(&net);
    pruned_close(&p);
}

/* ---- all of the units */

static void check_copy(pruned *p)
{
    size_t bytes = flow_params_bytes(p->teacher);
    if (p->width < 1)
        return;
    cr_assert_eq(flow_params_bytes(p->student), T * bytes);
    for (size_t t = 0; t < T; t++)
        cr_assert(memcmp((const char *)flow_params_const(p->student) + t * bytes,
                         flow_params_const(p->teacher), bytes) == 0,
                  "%s: step %zu", p->name, t);
}

Test(unroll_narrow, as_wide_is_a_copy_to_the_last_bit)
{
    pruned_each(check_copy);
}

/* ---- units that nothing reads go first, and then nothing is lost */

static void draw(const flow *f, double *x, double *logp, const double *c)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(flow_sample(f, pool, x, logp, c, stream, 3, N, &err), 0, "%s", err.text);
    flow_pool_free(pool);
}

static double tolerance_of(const pruned *p)
{
    return flow_get_precision(p->teacher) == FLOW_F64 ? 1e-9 : 2e-3;
}

static size_t count_of(const dense_net *net, size_t set, size_t wanted)
{
    size_t count = 0;
    for (size_t u = 0; u < dense_net_units(net, set); u++)
        count += dense_net_degree(net, set, u) == wanted;
    return count;
}

/* All but the last units of each degree, as many as `narrow` keeps, are read by nothing any more. */
static void silence(dense_net *wide, const dense_net *narrow, size_t set)
{
    for (size_t u = dense_net_units(wide, set), kept = 0; u-- > 0; kept++) {
        size_t d = dense_net_degree(wide, set, u);
        if (u + 1 < dense_net_units(wide, set) && dense_net_degree(wide, set, u + 1) != d)
            kept = 0;
        if (kept < count_of(narrow, set, d))
            continue;
        for (size_t m = 0; m < wide->n_maps; m++)
            for (size_t r = 0; wide->maps[m].from == set && r < wide->maps[m].rows; r++)
                wide->maps[m].w[r * wide->maps[m].cols + u] = 0;
    }
}

static void check_nothing_lost(pruned *p)
{
    double x[2][N * D], logp[2][N], c[N * C], tolerance = tolerance_of(p);
    dense_net wide, narrow;
    dense_net_open(&wide, p->teacher, p->body, 0);
    dense_net_open(&narrow, p->student, p->body, 0);
    for (size_t set = 1; set < wide.n_sets - 1; set++)
        silence(&wide, &narrow, set);
    dense_net_write(&wide, p->teacher);
    pruned_renew(p);
    check_choice(p);
    flow *whole = unrolled(p->teacher);
    random_numbers(c, N * C, 0.8, 4);
    draw(p->student, x[0], logp[0], p->body->context ? c : NULL);
    draw(whole, x[1], logp[1], p->body->context ? c : NULL);
    check_close(x[0], x[1], N * D, tolerance, tolerance, "%s: samples", p->name);
    check_close(logp[0], logp[1], N, tolerance, tolerance, "%s: log q", p->name);
    dense_net_close(&wide);
    dense_net_close(&narrow);
    flow_free(whole);
}

Test(unroll_narrow, what_nothing_reads_is_no_loss)
{
    pruned_each(check_nothing_lost);
}

/* ---- masks and densities */

typedef struct seen {
    flow_pass *pass;
    double x[N * D], c[N * C], values[N * (D + 1)];
} seen;

/* y (n, D) and logdet (n). */
static void map_values(void *arg, double *out)
{
    seen *s = arg;
    flow_pass_forward(s->pass, NULL, out, out + N * D, s->x, s->c, N);
}

static size_t group(const pruned_body *b, size_t i)
{
    return i * b->groups / D;
}

/* y_i sees x_i and x_j of earlier groups, and no other to the last bit; what that gives is log q. */
static void check_masks(pruned *p)
{
    seen s = {.pass = flow_pass_create(p->student, N, 0, NULL)};
    double now[N * (D + 1)], logdet[N] = {0};
    random_numbers(s.x, N * D, 1.2, 3);
    random_numbers(s.c, N * C, 0.8, 4);
    for (size_t j = 0; j < D; j++) {
        const moved m = {.values = map_values, .arg = &s, .at = s.x + j, .n_at = N, .stride = D};
        central_difference(s.values, &m, N * (D + 1), 1.03e-6);
        for (size_t i = 0; i < N * D; i++)
            cr_assert(i % D == j || group(p->body, j) < group(p->body, i % D) || s.values[i] == 0,
                      "%s: y%zu sees x%zu", p->name, i % D, j);
        for (size_t r = 0; r < N; r++)
            logdet[r] += log(fabs(s.values[r * D + j]));
    }
    map_values(&s, now);
    if (flow_get_precision(p->student) == FLOW_F64)
        check_close(now + N * D, logdet, N, 1e-6, 1e-6, "%s: log-determinant", p->name);
    flow_pass_free(s.pass);
}

Test(unroll_narrow, masks_are_kept)
{
    pruned_each(check_masks);
}

static void check_density(pruned *p)
{
    double x[N * D], logp[N], back[N], c[N * C], tolerance = tolerance_of(p);
    const double *context = p->body->context ? c : NULL;
    flow_pool *pool = flow_pool_create(1, NULL);
    random_numbers(c, N * C, 0.8, 4);
    draw(p->student, x, logp, context);
    cr_assert_eq(flow_log_prob(p->student, pool, back, NULL, x, context, N, NULL), 0);
    check_close(back, logp, N, tolerance, tolerance, "%s: log q of its samples", p->name);
    flow_pool_free(pool);
}

Test(unroll_narrow, gives_the_density_of_its_samples)
{
    pruned_each(check_density);
}

/* ---- idle units can be trained: whatever reads one has a gradient */

/* The gradient of the mean of log-determinants and sums takes the place of the parameters. */
static void be_gradient(flow *f)
{
    double *x = random_numbers_new(N * D, 1.2, 3), *dy = random_numbers_new(N * D, 0.7, 4);
    double y[N * D], dx[N * D], logdet[N], dlogdet[N];
    flow_gradient g = {.block = flow_block_new(flow_params_bytes(f))};
    flow_pass *pass = flow_pass_create(f, N, FLOW_PASS_TRAIN, NULL);
    for (size_t r = 0; r < N; r++)
        dlogdet[r] = 0.3;
    flow_pass_forward(pass, NULL, y, logdet, x, NULL, N);
    flow_pass_backward(pass, NULL, dx, &g, dy, dlogdet);
    memcpy(flow_params(f), g.block, flow_params_bytes(f));
    flow_pass_free(pass);
    free(g.block), free(x), free(dy);
}

/* Of the last step: earlier ones have parts that no result depends on. */
static void check_idle(const pruned_body *b, const char *activation)
{
    pruned p;
    dense_net wide, gradient;
    size_t units[PRUNED_UNITS];
    pruned_open(&p, b, activation, FLOW_F64, 0.9);
    be_gradient(p.student);
    dense_net_open(&wide, p.teacher, b, 0);
    dense_net_open(&gradient, p.student, b, T - 1);
    n_idle = 0;
    for (size_t m = 1; m < wide.n_maps; m++) {
        size_t rows = gradient.maps[m].rows, cols = gradient.maps[m].cols;
        dense_net_choose(units, &gradient, &wide, wide.maps[m].from);
        for (size_t k = 0; k < cols; k++) {
            double sum = 0;
            for (size_t r = 0; r < rows; r++)
                sum += fabs(gradient.maps[m].w[r * cols + k]);
            n_idle += units[k] == PRUNED_IDLE;
            cr_assert(units[k] != PRUNED_IDLE || sum > 0, "%s: unit %zu that map %zu reads is dead",
                      p.name, k, m);
        }
    }
    cr_assert_gt(n_idle, 0);
    dense_net_close(&wide);
    dense_net_close(&gradient);
    pruned_close(&p);
}

Test(unroll_narrow, idle_units_can_be_trained)
{
    const flow_kind *f;
    for (size_t i = 0; (f = flow_activations.at(i)); i++) {
        check_idle(pruned_body_at(PRUNED_PLAIN_ODD), f->name);
        check_idle(pruned_body_at(PRUNED_ODD), f->name);
    }
}

/* ---- descriptions */

static void check_hidden(const pruned_body *b, double width, const size_t *want)
{
    pruned p;
    pruned_open(&p, b, "silu", FLOW_F64, width);
    json_t *d = flow_describe(p.student), *layer = json_array_get(json_object_get(d, "layers"), 0);
    json_t *hidden = json_object_get(json_object_get(layer, "conditioner"), "hidden");
    for (size_t i = 0; i < b->n; i++)
        cr_assert_eq((size_t)json_integer_value(json_array_get(hidden, i)), want[i], "%s", p.name);
    json_decref(d);
    pruned_close(&p);
}

Test(unroll_narrow, widths_are_rounded)
{
    check_hidden(pruned_body_at(1), 1, (const size_t[]){23, 17});
    check_hidden(pruned_body_at(1), 0.99, (const size_t[]){23, 17});
    check_hidden(pruned_body_at(1), 0.5, (const size_t[]){12, 9});
    check_hidden(pruned_body_at(2), 0.13, (const size_t[]){3, 4, 1});
    check_hidden(pruned_body_at(2), 1e-9, (const size_t[]){1, 1, 1});
    check_hidden(pruned_body_at(4), 0.3, (const size_t[]){6});
}

/* A layer of either kind begins like that. */
static conditioner *net_of(const flow *f)
{
    return ((conditioned_layer *)(void *)f->stack.layers[0])->maps.net;
}

Test(unroll_narrow, a_conditioner_need_not_know_how)
{
    flow_err err = FLOW_ERR_INIT;
    pruned p;
    pruned_open(&p, pruned_body_at(0), "silu", FLOW_F64, 1);
    flow *copy = unrolled(p.teacher);
    const conditioner_ops *known = net_of(copy)->ops;
    conditioner_ops plain = *known;
    plain.narrow = NULL;
    plain.narrow_params = NULL;
    net_of(p.teacher)->ops = net_of(copy)->ops = &plain;
    const flow_unrolling narrow = {.iterations = T, .width = 0.5};
    cr_assert_null(flow_unroll(p.teacher, &narrow, FLOW_F64, &err));
    cr_assert(err.code == FLOW_ECONFIG && strstr(err.text, "layer 0: mlp cannot be made narrower"),
              "%s", err.text);
    const flow_unrolling whole = {.iterations = T, .width = 1};
    json_t *d = flow_unroll_describe(p.teacher, &whole, &err), *want = flow_describe(copy);
    cr_assert(json_equal(d, want));
    memset(copy->params, 0, flow_params_bytes(copy));
    cr_assert_eq(copy->backend->unroll_params(&copy->stack, copy->params, &p.teacher->stack,
                                              p.teacher->params, &err),
                 0);
    cr_assert(memcmp(copy->params, p.student->params, flow_params_bytes(copy)) == 0);
    net_of(p.teacher)->ops = net_of(copy)->ops = known;
    json_decref(d);
    json_decref(want);
    flow_free(copy);
    pruned_close(&p);
}
