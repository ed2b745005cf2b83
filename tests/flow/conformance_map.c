/* Every registered layer kind on every backend: the map and its inverse, the log-determinant, and
 * that a row's result depends on that row alone. */
#include "tests/common/backends.h"
#include "tests/common/check.h"
#include "tests/common/dense.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int is_double(const flow_case *c)
{
    return flow_get_precision(c->flow) == FLOW_F64;
}

/* ---- round trip. f64: conditions of these maps are below 1e4, so 1e-10 leaves two digits. f32:
 * eps 6e-8 times a slope of a spline of up to 1e2. */

static void check_round_trip(flow_case *c)
{
    double tolerance = is_double(c) ? 1e-10 : 1e-4;
    double *back = malloc(c->n * (c->dim + 1) * sizeof *back), *logdet = back + c->n * c->dim;
    flow_pass_forward(c->pass, NULL, c->y, c->logdet, c->x, c->c, c->n);
    flow_pass_inverse(c->pass, NULL, back, logdet, c->y, c->c, c->n);
    check_close(back, c->x, c->n * c->dim, tolerance, tolerance, "inverse of forward, %s", c->name);
    for (size_t r = 0; r < c->n; r++)
        logdet[r] = -logdet[r];
    check_close(logdet, c->logdet, c->n, tolerance, tolerance, "logdets, %s", c->name);
    flow_pass_inverse(c->pass, NULL, back, c->logdet, c->x, c->c, c->n);
    flow_pass_forward(c->pass, NULL, c->y, logdet, back, c->c, c->n);
    check_close(c->y, c->x, c->n * c->dim, tolerance, tolerance, "forward of inverse, %s", c->name);
    free(back);
}

ParameterizedTestParameters(conformance_map, round_trip)
{
    return every_backend();
}

ParameterizedTest(size_t *b, conformance_map, round_trip)
{
    static const size_t rows[] = {1, 7, 16, 33};
    for (size_t i = 0; i < 4; i++)
        flow_case_each(flow_backend_at(*b), 17, rows[i], check_round_trip);
}

/* ---- numerical Jacobian: determinant and, for a score, the solved transpose */

/* y (n, D) and logdet (n) side by side. */
static void map_values(void *arg, double *out)
{
    flow_case *c = arg;
    flow_pass_forward(c->pass, NULL, out, out + c->n * c->dim, c->x, c->c, c->n);
}

/* jacobian (n, D, D): dy_i / dx_j; slope (n, D): dlogdet / dx_j; room (n, D + 1). */
static void numerical_jacobian(flow_case *c, double *jacobian, double *slope, double *room)
{
    size_t n = c->n, dim = c->dim;
    for (size_t j = 0; j < dim; j++) {
        moved m = {.values = map_values, .arg = c, .at = c->x + j, .n_at = n, .stride = dim};
        central_difference(room, &m, n * (dim + 1), 1.03e-6);
        for (size_t r = 0; r < n; r++) {
            for (size_t i = 0; i < dim; i++)
                jacobian[(r * dim + i) * dim + j] = room[r * dim + i];
            slope[r * dim + j] = room[n * dim + r];
        }
    }
}

/* score_y = J^-T (score_x - grad_x logdet), with the transpose of J solved densely. */
static void check_score_of_row(flow_case *c, size_t r, const double *jacobian, const double *slope,
                               const double *score_x, const double *score_y)
{
    size_t dim = c->dim;
    double *at = malloc((dim * dim + dim) * sizeof *at), *b = at + dim * dim;
    for (size_t i = 0; i < dim; i++) {
        b[i] = score_x[i] - slope[i];
        for (size_t j = 0; j < dim; j++)
            at[j * dim + i] = jacobian[i * dim + j];
    }
    double log_det = dense_solve(at, b, dim);
    /* differences are good to 1e-9, a solve with conditions of 1e3 to 1e-6 */
    check_close(&c->logdet[r], &log_det, 1, 1e-6, 1e-6, "logdet of row %zu, %s", r, c->name);
    double scale = 1 + largest_of(b, dim);
    check_close(score_y, b, dim, 0, 1e-5 * scale, "score of row %zu, %s", r, c->name);
    free(at);
}

static void check_jacobian(flow_case *c)
{
    size_t n = c->n, dim = c->dim, rows = n * dim;
    double *jacobian = malloc((rows * dim + 4 * rows + n) * sizeof *jacobian);
    double *slope = jacobian + rows * dim, *score = slope + rows, *room = score + rows;
    flow_case_run(c);
    flow_pass_score(c->pass, NULL, score, c->dy);
    numerical_jacobian(c, jacobian, slope, room);
    for (size_t r = 0; r < n; r++)
        check_score_of_row(c, r, jacobian + r * dim * dim, slope + r * dim, c->dy + r * dim,
                           score + r * dim);
    free(jacobian);
}

/* In double: differences say nothing in single precision, whose backends are held against these
 * (conformance_gradients.c). */
Test(conformance_map, jacobian_gives_logdet_and_score, .timeout = 300)
{
    size_t checked = 0;
    for (size_t b = 0; flow_backend_at(b); b++) {
        if (flow_backend_at(b)->precision != FLOW_F64)
            continue;
        flow_case_each(flow_backend_at(b), 17, 7, check_jacobian);
        checked++;
    }
    cr_assert_gt(checked, 0);
}

/* ---- autoregressive and unrolled: y_i does not see x_j of its own group or a later one, to the last bit, but
 * sees those of earlier groups; and rises with its own */

/* How many of the later groups' y notice when x_j moves in every row. */
static size_t count_followers(flow_case *c, size_t j, size_t groups, double *y, double *logdet)
{
    size_t followers = 0, dim = c->dim;
    double *kept = malloc(c->n * sizeof *kept);
    for (size_t r = 0; r < c->n; r++) {
        kept[r] = c->x[r * dim + j];
        c->x[r * dim + j] += 0.713;
    }
    flow_pass_forward(c->pass, NULL, y, logdet, c->x, c->c, c->n);
    for (size_t r = 0; r < c->n; r++) {
        c->x[r * dim + j] = kept[r];
        cr_assert(y[r * dim + j] > c->y[r * dim + j], "%s: y_%zu does not rise with x", c->name, j);
        for (size_t i = 0; i < dim; i++)
            if (i * groups / dim > j * groups / dim)
                followers += y[r * dim + i] != c->y[r * dim + i];
            else if (i != j)
                check_same(&y[r * dim + i], &c->y[r * dim + i], 1,
                           "y_%zu when x_%zu moves, row %zu, %s", i, j, r, c->name);
    }
    free(kept);
    return followers;
}

static size_t check_order(const flow_backend *backend, size_t example, size_t dim)
{
    flow_case c;
    flow_case_open(&c, backend, example, dim, 2, 16);
    double *y = malloc(c.n * (dim + 1) * sizeof *y);
    size_t followers = 0;
    flow_pass_forward(c.pass, NULL, c.y, c.logdet, c.x, c.c, c.n);
    for (size_t j = 0; j < dim; j++)
        followers += count_followers(&c, j, example_groups(example, dim), y, y + c.n * dim);
    free(y);
    flow_case_close(&c);
    return followers;
}

ParameterizedTestParameters(conformance_map, autoregressive_order)
{
    return every_backend();
}

/* A few units of relu may all be dead at one D, not at all of them. */
ParameterizedTest(size_t *b, conformance_map, autoregressive_order)
{
    for (size_t e = 0; e < example_count(); e++) {
        size_t followers = 0;
        if (example_groups(e, 17) == 0)
            continue;
        for (size_t dim = 1; dim <= 17; dim += dim < 5 ? 2 : 12)
            followers += check_order(flow_backend_at(*b), e, dim);
        cr_assert_eq(followers > 0, example_groups(e, 17) > 1, "example %zu: %zu followers", e,
                     followers);
    }
}

/* ---- flat: the log-determinant is the same for every x, and of every kind that says so there is one */

static void check_flat(flow_case *c)
{
    flow_pass_forward(c->pass, NULL, c->y, c->logdet, c->x, c->c, c->n);
    for (size_t r = 1; r < c->n && !c->flow->stack.curved; r++)
        check_same(&c->logdet[r], &c->logdet[0], 1, "logdet of a flat layer, row %zu, %s", r,
                   c->name);
}

Test(conformance_map, flat_layers_are)
{
    flow_case_each(first_f64_backend(), 5, 7, check_flat);
}

/* ---- a row's result has the same bits wherever the row stands and whoever its neighbours are */

/* All that is computed row by row: y, dx, score, inverse (n, D) and two logdets (n). */
typedef struct row_results {
    double *y, *dx, *score, *back, *logdet, *back_logdet, *block;
} row_results;

static row_results results_new(const flow_case *c)
{
    size_t rows = c->n * c->dim;
    double *block = malloc((4 * rows + 2 * c->n) * sizeof *block);
    return (row_results){.y = block,
                         .dx = block + rows,
                         .score = block + 2 * rows,
                         .back = block + 3 * rows,
                         .logdet = block + 4 * rows,
                         .back_logdet = block + 4 * rows + c->n,
                         .block = block};
}

/* The results of the n rows from row `from` of the case on. */
static void run_rows(const flow_case *c, row_results *out, size_t from, size_t n)
{
    size_t at = from * c->dim;
    const double *x = c->x + at, *context = c->c + from * c->context;
    flow_pass_inverse(c->pass, NULL, out->back, out->back_logdet, x, context, n);
    flow_pass_forward(c->pass, NULL, out->y, out->logdet, x, context, n);
    flow_pass_score(c->pass, NULL, out->score, c->dy + at);
    flow_pass_backward(c->pass, NULL, out->dx, NULL, c->dy + at, c->dlogdet + from);
}

static void check_same_row(const flow_case *c, const row_results *got, size_t row,
                           const row_results *want, size_t at, const char *what)
{
    size_t dim = c->dim;
    const double *g[] = {got->y, got->dx, got->score, got->back};
    const double *w[] = {want->y, want->dx, want->score, want->back};
    const char *const names[] = {"y", "dx", "score", "inverse"};
    for (size_t k = 0; k < 4; k++)
        check_same(g[k] + row * dim, w[k] + at * dim, dim, "%s of row %zu, %s, %s", names[k], at,
                   what, c->name);
    check_same(got->logdet + row, want->logdet + at, 1, "logdet of row %zu, %s, %s", at, what,
               c->name);
    check_same(got->back_logdet + row, want->back_logdet + at, 1,
               "logdet of the inverse, row %zu, %s, %s", at, what, c->name);
}

/* Alone in a pass that keeps nothing for gradients a row takes kernels of its own, for ld = 1; a pass
 * that had many rows before shows that nothing of them is left. */
static void check_single_rows(const flow_case *c, const row_results *all)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pass *pass = flow_pass_create(c->flow, c->n, 0, &err);
    row_results got = results_new(c);
    cr_assert(pass, "%s", err.text);
    for (size_t r = 0; r < c->n; r += 4) {
        const double *x = c->x + r * c->dim, *context = c->c + r * c->context;
        flow_pass_forward(pass, NULL, got.y, got.logdet, c->x, c->c, c->n);
        flow_pass_forward(pass, NULL, got.y, got.logdet, x, context, 1);
        flow_pass_inverse(pass, NULL, got.back, got.back_logdet, x, context, 1);
        check_same(got.y, all->y + r * c->dim, c->dim, "row %zu alone, %s", r, c->name);
        check_same(got.back, all->back + r * c->dim, c->dim, "inverse of row %zu alone, %s", r,
                   c->name);
        check_same(got.logdet, all->logdet + r, 1, "logdet of row %zu alone, %s", r, c->name);
        check_same(got.back_logdet, all->back_logdet + r, 1,
                   "logdet of the inverse of row %zu alone, %s", r, c->name);
    }
    free(got.block);
    flow_pass_free(pass);
}

static void check_rows(flow_case *c)
{
    static const struct {
        size_t from, n;
    } parts[] = {{0, 1}, {0, 7}, {0, 16}, {5, 9}, {20, 13}, {32, 1}};
    row_results all = results_new(c), part = results_new(c);
    run_rows(c, &all, 0, c->n);
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
        run_rows(c, &part, parts[p].from, parts[p].n);
        for (size_t r = 0; r < parts[p].n; r++)
            check_same_row(c, &part, r, &all, parts[p].from + r, "in a part");
    }
    check_single_rows(c, &all);
    free(all.block);
    free(part.block);
}

ParameterizedTestParameters(conformance_map, rows_are_independent)
{
    return every_backend();
}

ParameterizedTest(size_t *b, conformance_map, rows_are_independent)
{
    flow_case_each(flow_backend_at(*b), 17, 33, check_rows);
}

/* ---- broken rows stay alone, and are seen to be broken; the pass forgets them */

static void check_broken_rows(flow_case *c)
{
    const double broken[] = {NAN, INFINITY, -INFINITY};
    size_t bad[] = {2, 5, 6};
    row_results clean = results_new(c), got = results_new(c);
    double kept[3];
    run_rows(c, &clean, 0, c->n);
    for (size_t k = 0; k < 3; k++) {
        double *x = &c->x[bad[k] * c->dim + k % c->dim];
        kept[k] = *x;
        *x = broken[k];
    }
    run_rows(c, &got, 0, c->n);
    for (size_t r = 0, k = 0; r < c->n; r++) {
        if (k < 3 && r == bad[k]) {
            double sum = got.logdet[r], back = got.back_logdet[r];
            for (size_t i = r * c->dim; i < (r + 1) * c->dim; i++) {
                sum += got.y[i];
                back += got.back[i];
            }
            cr_assert(!isfinite(sum), "%s: row %zu lost its %g", c->name, r, broken[k]);
            cr_assert(!isfinite(back), "%s: row %zu lost its %g in the inverse", c->name, r,
                      broken[k]);
            c->x[r * c->dim + k % c->dim] = kept[k];
            k++;
        } else {
            check_same_row(c, &got, r, &clean, r, "beside a broken row");
        }
    }
    run_rows(c, &got, 0, c->n);
    for (size_t r = 0; r < c->n; r++)
        check_same_row(c, &got, r, &clean, r, "after a broken row in its place");
    free(clean.block);
    free(got.block);
}

ParameterizedTestParameters(conformance_map, broken_rows_stay_alone)
{
    return every_backend();
}

ParameterizedTest(size_t *b, conformance_map, broken_rows_stay_alone)
{
    flow_case_each(flow_backend_at(*b), 17, 9, check_broken_rows);
}

/* ---- the incremental inverse computes the very numbers that a full pass computes: an affine map
 * adds the log-scales of all dimensions to the log-determinant, in the same order with the other
 * sign, so the two log-determinants agree to the last bit only if every number of every step did */

static void check_incremental(flow_case *c)
{
    double *back = malloc(c->n * (c->dim + 1) * sizeof *back), *logdet = back + c->n * c->dim;
    flow_pass_inverse(c->pass, NULL, back, logdet, c->x, c->c, c->n);
    flow_pass_forward(c->pass, NULL, c->y, c->logdet, back, c->c, c->n);
    for (size_t r = 0; r < c->n; r++)
        logdet[r] = 0 - logdet[r];
    check_same(logdet, c->logdet, c->n, "incremental against full, %s", c->name);
    free(back);
}

ParameterizedTestParameters(conformance_map, incremental_inverse_has_the_bits_of_full_passes)
{
    return every_backend();
}

ParameterizedTest(size_t *b, conformance_map, incremental_inverse_has_the_bits_of_full_passes)
{
    size_t checked = 0;
    for (size_t e = 0; e < example_count(); e++) {
        char tau[32];
        example_transformer(e, tau);
        for (size_t dim = 2; dim <= 17 && strcmp(tau, "affine") == 0; dim += 5, checked++) {
            flow_case c;
            flow_case_open(&c, flow_backend_at(*b), e, dim, e % 3, 33);
            check_incremental(&c);
            flow_case_close(&c);
        }
    }
    cr_assert_geq(checked, 100);
}
