/* Rows for pieces that few rows of a pilot fell into. */
#include "student/fill.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 20, MANY = 150, FEW = 3, ROWS = MANY + FEW };

static target *two_gaussians(void)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *said = json_loads("{\"kind\": \"gaussians\", \"dim\": 20, \"components\": 2}", 0, NULL);
    target *out = target_create(said, &err);
    cr_assert(out, "%s", err.text);
    json_decref(said);
    return out;
}

static size_t mode_of(const target *t, const double *x)
{
    size_t out;
    t->modes->modes_of(t->modes->arg, &out, x);
    return out;
}

/* x and u are the same: shift 0, scale 1. */
static void take_rows(student_pilot *p, size_t n)
{
    *p = (student_pilot){.rows = {.n = n, .dim = DIM, .step = 0.3}};
    p->rows.x = malloc(n * DIM * sizeof *p->rows.x);
    p->rows.log_p = malloc(n * sizeof *p->rows.log_p);
    p->shift = calloc((n + 2) * DIM, sizeof *p->shift);
    p->scale = p->shift + DIM;
    p->u = p->shift + 2 * DIM;
    for (size_t i = 0; i < DIM; i++)
        p->scale[i] = 1;
}

/* FEW draws of one of the two, then MANY of the other. */
static void uneven_pilot(student_pilot *p, const target *t, flow_pool *pool)
{
    enum { DRAWS = 400 };
    static double x[DRAWS * DIM], log_p[DRAWS];
    size_t has[2] = {0, 0}, most[2] = {FEW, MANY};
    take_rows(p, ROWS);
    cr_assert_eq(
        target_sample(t, pool, x, log_p, NULL, NULL, (pcg_stream){3, PCG_TEST, 2}, 0, DRAWS, NULL),
        0);
    for (size_t r = 0; r < DRAWS; r++) {
        size_t k = mode_of(t, x + r * DIM);
        if (k > 1 || has[k] == most[k])
            continue;
        size_t to = has[k]++ + (k ? FEW : 0);
        memcpy(p->rows.x + to * DIM, x + r * DIM, DIM * sizeof *x);
        memcpy(p->u + to * DIM, x + r * DIM, DIM * sizeof *x);
        p->rows.log_p[to] = log_p[r];
    }
    cr_assert(has[0] == FEW && has[1] == MANY);
}

static void filled(student_pilot *p, const target *t, size_t known, size_t threads)
{
    pieces found;
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(threads, NULL);
    uneven_pilot(p, t, pool);
    cr_assert_eq(pieces_count(&found, t, pool, p->u, p->rows.log_p, known, &err), 0, "%s",
                 err.text);
    cr_assert(found.n == 2 && found.rows == known);
    cr_assert_eq(student_fill(p, t, pool, &found, 7, &err), 0, "%s", err.text);
    pieces_close(&found);
    flow_pool_free(pool);
}

static double square(const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < DIM; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* As many as there are columns; of the right piece, with their density, and no longer where they came from: two
 * draws are 2 D apart on the average. */
Test(fill, rows_of_their_own)
{
    target *t = two_gaussians();
    student_pilot p;
    filled(&p, t, ROWS, 1);
    cr_assert_eq(p.rows.n, MANY + DIM);
    cr_assert_eq(p.filled, DIM - FEW);
    cr_assert_gt(p.evaluations, 0);
    double apart = 0, log_p;
    flow_pool *pool = flow_pool_create(1, NULL);
    for (size_t r = ROWS; r < p.rows.n; r++) {
        const double *x = p.rows.x + r * DIM;
        cr_assert_eq(mode_of(t, x), 0, "row %zu", r);
        cr_assert_eq(target_log_density(t, pool, &log_p, NULL, NULL, x, NULL, 1, NULL), 0);
        cr_assert_float_eq(log_p, p.rows.log_p[r], 1e-12);
        cr_assert(memcmp(x, p.u + r * DIM, DIM * sizeof *x) == 0, "u is x here");
        apart += square(x, p.rows.x + (r - ROWS) % FEW * DIM) / (DIM - FEW);
    }
    cr_assert(apart > 1.4 * DIM && apart < 2.6 * DIM, "%g apart", apart);
    flow_pool_free(pool);
    student_pilot_close(&p);
    target_free(t);
}

/* Rows that were not looked at belong to the piece of the nearest that were. */
Test(fill, rows_beyond_those_that_were_looked_at)
{
    target *t = two_gaussians();
    student_pilot p;
    filled(&p, t, 40, 1);
    cr_assert_eq(p.filled, DIM - FEW, "%zu rows, as if the others were of no piece", p.filled);
    student_pilot_close(&p);
    target_free(t);
}

Test(fill, same_bits_for_any_threads)
{
    target *t = two_gaussians();
    student_pilot a, b;
    filled(&a, t, ROWS, 1);
    filled(&b, t, ROWS, 3);
    cr_assert(a.rows.n == b.rows.n && memcmp(a.u, b.u, a.rows.n * DIM * sizeof *a.u) == 0);
    student_pilot_close(&a);
    student_pilot_close(&b);
    target_free(t);
}
