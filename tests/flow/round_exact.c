/* What a flow in low precision keeps exactly: its map is triangular and has an inverse, its density is that of the map and
 * integrates to one, and broken rows are seen; and how near it is to the flow that it was made from. */
#include "tests/common/backends.h"
#include "tests/common/check.h"
#include "tests/common/rounded.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 33 };

/* Room for what a pass of the layers alone gives, and such a pass. */
typedef struct bare_pass {
    rounded_case c;
    flow_pass *pass;
    double *x, *y, *logdet, *back; /* (N, D), (N, D), (N), (N) */
} bare_pass;

static void bare_open(bare_pass *b, size_t example, size_t dim, size_t context,
                      flow_network network)
{
    rounded_case_open(&b->c, example, dim, context, FLOW_DATA_TO_NOISE, N, network, NULL);
    b->pass = flow_pass_create(b->c.rounded, N, 0, NULL);
    b->x = malloc(2 * N * (dim + 1) * sizeof *b->x);
    b->y = b->x + N * dim;
    b->logdet = b->y + N * dim;
    b->back = b->logdet + N;
}

static void bare_close(bare_pass *b)
{
    free(b->x);
    flow_pass_free(b->pass);
    rounded_case_close(&b->c);
}

static void forward(const bare_pass *b, double *y, double *logdet, const double *x)
{
    flow_pass_forward(b->pass, NULL, y, logdet, x, b->c.c, N);
}

/* x = inverse of z, log-determinant with the sign of forward. */
static void inverse(const bare_pass *b, double *x, double *logdet, const double *z)
{
    flow_pass_inverse(b->pass, NULL, x, logdet, z, b->c.c, N);
    for (size_t r = 0; r < N; r++)
        logdet[r] = 0 - logdet[r];
}

static void each_example(size_t max_dim, void (*check)(bare_pass *b, size_t example))
{
    static const size_t dims[] = {2, 5, 17};
    for (size_t e = 0; e < example_count(); e += UNLESS_SANITIZED(1, 7))
        for (size_t k = 0; k < ROUNDED_NETWORKS; k++) {
            if (!rounded_takes(k, e))
                continue;
            size_t dim = dims[e % UNLESS_SANITIZED(3, 2)];
            bare_pass b;
            bare_open(&b, e, dim < max_dim ? dim : max_dim, e / 3 % 2 * 2, rounded_networks[k]);
            check(&b, e);
            bare_close(&b);
        }
}

/* ---- the incremental inverse computes the very numbers of full passes, which sees the same inputs (conformance_map.c
 * says why an affine map shows it) */

static void check_incremental(bare_pass *b, size_t example)
{
    char tau[32];
    example_transformer(example, tau);
    if (strcmp(tau, "affine") != 0)
        return;
    inverse(b, b->x, b->back, b->c.z);
    forward(b, b->y, b->logdet, b->x);
    check_same(b->back, b->logdet, N, "incremental against full, %s", b->c.name);
}

Test(round_exact, incremental_inverse_has_the_bits_of_full_passes)
{
    each_example(17, check_incremental);
}

/* ---- round trips. Of one layer, from the inverse on: the network sees the same numbers on both ways, so nothing but the
 * transformers' arithmetic is between (conformance_map.c: 1e-4). The other way round, and through several layers,
 * the inverse sees numbers that are off by roundings, and a few of them fall into another byte. */

static int is_one_network(size_t example)
{
    return example_groups(example, 5) > 0;
}

static size_t count_apart(const double *a, const double *b, size_t n, double tolerance)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += !(fabs(a[i] - b[i]) <= tolerance * (1 + fabs(b[i])));
    return count;
}

static void check_there_and_back(bare_pass *b, size_t example)
{
    const size_t n = N * b->c.dim;
    if (!is_one_network(example))
        return;
    inverse(b, b->x, b->back, b->c.z);
    forward(b, b->y, b->logdet, b->x);
    check_close(b->y, b->c.z, n, 1e-4, 1e-4, "forward of inverse, %s", b->c.name);
    check_close(b->back, b->logdet, N, 1e-4, 1e-4, "log-determinants, %s", b->c.name);
}

Test(round_exact, forward_of_inverse_is_where_one_was)
{
    each_example(17, check_there_and_back);
}

static size_t rows_seen, rows_apart;

static void count_crossed(bare_pass *b, size_t example)
{
    (void)example;
    forward(b, b->y, b->logdet, b->c.z);
    inverse(b, b->x, b->back, b->y);
    rows_seen += N;
    rows_apart += count_apart(b->back, b->logdet, N, 1e-4);
    cr_assert_eq(count_apart(b->back, b->logdet, N, 0.01), 0, "%s", b->c.name);
}

/* One of 7755 as it is, the same on every processor. */
Test(round_exact, few_rows_cross_a_boundary)
{
    each_example(17, count_crossed);
    cr_assert_leq(rows_apart, rows_seen / 1000, "%zu of %zu", rows_apart, rows_seen);
    cr_assert_gt(rows_seen, 1000);
}

/* ---- y_i does not see x_j of its own group or a later one, to the last bit, and rises with its own */

static size_t count_followers(bare_pass *b, size_t j, size_t groups, const double *want)
{
    size_t followers = 0, dim = b->c.dim;
    memcpy(b->x, b->c.z, N * dim * sizeof *b->x);
    for (size_t r = 0; r < N; r++)
        b->x[r * dim + j] += 0.713;
    forward(b, b->y, b->logdet, b->x);
    for (size_t r = 0; r < N; r++) {
        const double *y = b->y + r * dim, *before = want + r * dim;
        cr_assert(y[j] > before[j], "%s: y_%zu does not rise with x", b->c.name, j);
        for (size_t i = 0; i < dim; i++)
            if (i * groups / dim > j * groups / dim)
                followers += y[i] != before[i];
            else if (i != j)
                check_same(&y[i], &before[i], 1, "y_%zu when x_%zu moves, row %zu, %s", i, j, r,
                           b->c.name);
    }
    return followers;
}

static size_t with_groups, without_followers;

static void check_order(bare_pass *b, size_t example)
{
    size_t dim = b->c.dim, groups = example_groups(example, dim), followers = 0;
    if (!is_one_network(example))
        return;
    double *want = malloc(N * dim * sizeof *want);
    forward(b, want, b->logdet, b->c.z);
    for (size_t j = 0; j < dim; j++)
        followers += count_followers(b, j, groups, want);
    with_groups += groups > 1;
    without_followers += groups > 1 && followers == 0;
    cr_assert(groups > 1 || followers == 0, "%s: %zu followers", b->c.name, followers);
    free(want);
}

/* The units of a narrow network of relu may all be dead. */
Test(round_exact, order_of_coordinates)
{
    each_example(17, check_order);
    cr_assert_leq(without_followers, with_groups / 30, "%zu of %zu", without_followers,
                  with_groups);
}

/* ---- the density integrates to one: the trapezoidal rule, over a density with jumps where bytes change, whose errors are
 * of either sign */

static flow *plane(flow_direction direction, const char *tau, flow_network network)
{
    static const size_t hidden[] = {24, 24};
    const flow_spec spec = {.dim = 2,
                            .context = 1,
                            .direction = direction,
                            .layers = 3,
                            .hidden = hidden,
                            .n_hidden = 2,
                            .activation = "silu",
                            .transformer = tau,
                            .bins = 6,
                            .bound = 3,
                            .scale_bound = 1.5,
                            .permute = FLOW_REVERSE,
                            .lu = 1};
    flow *f = random_flow(flow_backend_find(FLOW_F32, NULL), &spec, 0.55);
    flow *out = rounded_new(f, network, NULL);
    flow_free(f);
    return out;
}

static double integral(const flow *f, size_t half, double step)
{
    size_t side = 2 * half + 1, n = side * side;
    double *x = malloc(n * 4 * sizeof *x), *context = x + 2 * n, *logp = context + n, sum = 0;
    for (size_t r = 0; r < n; r++) {
        x[2 * r] = step * ((double)(r % side) - (double)half);
        x[2 * r + 1] = step * ((double)(r / side) - (double)half);
        context[r] = 0.713;
    }
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(flow_log_prob(f, pool, logp, NULL, x, context, n, NULL), 0);
    for (size_t r = 0; r < n; r++)
        sum += exp(logp[r]) * step * step;
    flow_pool_free(pool);
    free(x);
    return sum;
}

Test(round_exact, densities_integrate_to_one)
{
    for (int d = 0; d < 4 * ROUNDED_NETWORKS; d++) {
        flow *f = plane(d % 2 ? FLOW_NOISE_TO_DATA : FLOW_DATA_TO_NOISE,
                        d % 4 < 2 ? "affine" : "spline", rounded_networks[d / 4]);
        double one = integral(f, UNLESS_SANITIZED(300, 60), UNLESS_SANITIZED(0.04, 0.2));
        check_close(&one, &(double){1}, 1, 0, UNLESS_SANITIZED(2e-3, 3e-2), "case %d", d);
        flow_free(f);
    }
}

/* ---- broken rows stay alone, and are seen to be broken; the pass forgets them */

static int is_broken(const bare_pass *b, const double *y, const double *logdet, size_t r)
{
    double sum = logdet[r];
    for (size_t i = 0; i < b->c.dim; i++)
        sum += y[r * b->c.dim + i];
    return !isfinite(sum);
}

/* y (N, D), logdet (N) of z as it is in the case now; a row `bad` is broken, and seen to be, N: none. */
static void check_all_but(const bare_pass *b, const double *want, size_t bad, int back)
{
    const size_t dim = b->c.dim;
    (back ? inverse : forward)(b, b->y, b->logdet, b->c.z);
    for (size_t r = 0; r < N; r++) {
        if (r == bad) {
            cr_assert(is_broken(b, b->y, b->logdet, r), "row %zu is lost, %s", r, b->c.name);
            continue;
        }
        check_same(b->y + r * dim, want + r * dim, dim, "row %zu beside %zu, %s", r, bad,
                   b->c.name);
        check_same(b->logdet + r, want + N * dim + r, 1, "logdet of row %zu, %s", r, b->c.name);
    }
}

/* kinds: 1 NaN, 3 infinities too. */
static void check_broken_at(bare_pass *b, const double *want, double *at, size_t bad, int back,
                            size_t kinds)
{
    const double broken[] = {NAN, INFINITY, -INFINITY}, kept = *at;
    for (size_t k = 0; k < kinds; k++) {
        *at = broken[k];
        check_all_but(b, want, bad, back);
    }
    *at = kept;
    check_all_but(b, want, N, back);
}

/* In bf16, as without rounding, a tanh makes an infinite context finite; bytes are told. */
static void check_broken(bare_pass *b, size_t example)
{
    const size_t dim = b->c.dim, bad = example % N, context = b->c.context;
    size_t kinds = flow_get_network(b->c.rounded) == FLOW_NETWORK_BF16 ? 1 : 3;
    double *want = malloc(N * (dim + 1) * sizeof *want);
    for (int back = 0; back < 2; back++) {
        (back ? inverse : forward)(b, want, want + N * dim, b->c.z);
        check_broken_at(b, want, &b->c.z[bad * dim + example % dim], bad, back, 3);
        if (context && is_one_network(example))
            check_broken_at(b, want, &b->c.c[bad * context + example % context], bad, back, kinds);
    }
    free(want);
}

Test(round_exact, broken_rows_are_seen_and_stay_alone)
{
    each_example(5, check_broken);
}

/* ---- near: KL of the rounded flow from the other one, over its samples */

static double divergence(const flow *f, const flow *rounded, size_t n)
{
    const pcg_stream stream = {.seed = 8, .stage = PCG_TEST, .purpose = PCG_BASE};
    size_t dim = flow_dim(f);
    double *x = malloc(n * (dim + 2) * sizeof *x), *logq = x + n * dim, *logp = logq + n, sum = 0;
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(flow_sample(rounded, pool, x, logq, NULL, stream, 0, n, NULL), 0);
    cr_assert_eq(flow_log_prob(f, pool, logp, NULL, x, NULL, n, NULL), 0);
    for (size_t r = 0; r < n; r++)
        sum += (logq[r] - logp[r]) / (double)n;
    flow_pool_free(pool);
    free(x);
    return sum;
}

/* Of a student whose steps have one network for all, and of one whose have their own. */
static double divergence_unrolled(bool tied, flow_network network)
{
    const flow_unrolling how = {.iterations = 3, .tied = tied, .width = 1};
    flow *teacher = random_teacher(6, 0, 0.4), *f = flow_unroll(teacher, &how, FLOW_F32, NULL);
    flow *rounded = rounded_new(f, network, NULL);
    double out = divergence(f, rounded, UNLESS_SANITIZED(2000, 500));
    flow_free(teacher), flow_free(f), flow_free(rounded);
    return out;
}

static double divergence_of(const char *activation, const char *tau, size_t residual,
                            flow_network network)
{
    static const size_t hidden[] = {64, 64};
    const flow_spec spec = {.dim = 8,
                            .direction = FLOW_NOISE_TO_DATA,
                            .layers = 4,
                            .hidden = hidden,
                            .n_hidden = residual ? 1 : 2,
                            .residual = residual,
                            .activation = activation,
                            .transformer = tau,
                            .bins = 8,
                            .bound = 4,
                            .scale_bound = 3,
                            .permute = FLOW_REVERSE};
    flow *f = random_flow(flow_backend_find(FLOW_F32, NULL), &spec, 0.35);
    flow *rounded = rounded_new(f, network, NULL);
    double out = divergence(f, rounded, UNLESS_SANITIZED(2000, 500));
    flow_free(f), flow_free(rounded);
    return out;
}

/* Of these weights .0006 in bytes at most and .00015 in bf16, where double precision and single are 1e-7 apart. */
Test(round_exact, near_the_flow_that_it_was_made_from)
{
    static const char *const activations[] = {"relu", "silu", "tanh", "gelu", "elu"};
    for (size_t i = 0; i < 5 * 2 * 2 * ROUNDED_NETWORKS; i += UNLESS_SANITIZED(1, 7)) {
        const char *f = activations[i % 5], *tau = i / 5 % 2 ? "spline" : "affine";
        flow_network network = rounded_networks[i / 20];
        double kl = divergence_of(f, tau, i / 10 % 2, network);
        cr_assert(fabs(kl) <
                      (network == FLOW_NETWORK_INT8 ? 0.002 : 0.0006) * UNLESS_SANITIZED(1, 4),
                  "%s, %s, %s: %g", flow_network_name(network), f, tau, kl);
    }
}

Test(round_exact, unrolled_students_are_near)
{
    for (size_t i = 0; i < 2 * ROUNDED_NETWORKS; i += UNLESS_SANITIZED(1, 3)) {
        double kl = divergence_unrolled(i % 2, rounded_networks[i / 2]);
        cr_assert(fabs(kl) < UNLESS_SANITIZED(1e-4, 1e-3), "%s, %zu: %g",
                  flow_network_name(rounded_networks[i / 2]), i % 2, kl);
    }
}
