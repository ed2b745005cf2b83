/* A student whose networks are rounded is measured by what it ships: its own samples and log q, and its own densities at the
 * rows of others. */
#include "flow/round.h"
#include "student/against_chain.h"
#include "student/validate.h"
#include "tests/common/examples.h"
#include "tests/common/target_of.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { D = 3, N = 400 };

static const char layers[] =
    "[{\"kind\": \"autoregressive\", \"transformer\": \"affine\", \"conditioner\": {\"kind\": "
    "\"mlp\", \"hidden\": [24, 24]}}, {\"kind\": \"permutation\", \"order\": [2, 0, 1]}, "
    "{\"kind\": \"autoregressive\", \"transformer\": \"affine\", \"conditioner\": {\"kind\": "
    "\"mlp\", \"hidden\": [24, 24]}}]";

typedef struct given {
    flow_pool *pool;
    flow *trained, *rounded;
    target *from;
    student_sides sides;
    flow_err err;
} given;

static void begin(given *g)
{
    *g = (given){.err = FLOW_ERR_INIT, .pool = flow_pool_create(2, NULL)};
    json_t *d = describe_one(D, 0, "noise_to_data", json_loads(layers, 0, NULL));
    g->trained = flow_create(d, FLOW_F32, &g->err);
    cr_assert(g->trained, "%s", g->err.text);
    randomise_parameters(g->trained, 1, 3);
    g->rounded = flow_round(g->trained, FLOW_NETWORK_INT8, &g->err);
    cr_assert(g->rounded, "%s", g->err.text);
    g->from = target_of("{\"kind\": \"gaussian\", \"dim\": 3}");
    json_decref(d);
    cr_assert_eq(student_sides_init(&g->sides, g->from, g->pool, NULL, N, 7, &g->err), 0);
}

static void end(given *g)
{
    student_sides_release(&g->sides);
    target_free(g->from);
    flow_free(g->trained);
    flow_free(g->rounded);
    flow_pool_free(g->pool);
}

Test(rounded, both_sides_are_its_own)
{
    given g;
    double x[N * D], own[N], theirs[N], trained[N];
    begin(&g);
    cr_assert_eq(student_sides_meet(&g.sides, g.rounded, &g.err), 0, "%s", g.err.text);
    flow_sample(g.rounded, g.pool, x, own, NULL, student_sides_stream(&g.sides, PCG_BASE), 0, N,
                &g.err);
    cr_expect_arr_eq(g.sides.own.x, x, sizeof x);
    cr_expect_arr_eq(g.sides.own.log_q, own, sizeof own);
    flow_log_prob(g.rounded, g.pool, theirs, NULL, g.sides.theirs.x, NULL, N, &g.err);
    flow_log_prob(g.trained, g.pool, trained, NULL, g.sides.theirs.x, NULL, N, &g.err);
    cr_expect_arr_eq(g.sides.theirs.log_q, theirs, sizeof theirs);
    double apart = 0;
    for (size_t r = 0; r < N; r++)
        apart = fmax(apart, fabs(theirs[r] - trained[r]));
    cr_expect(apart > 1e-3, "the two cannot be told apart: %g", apart);
    end(&g);
}

Test(rounded, what_it_was_rounded_from_is_timed_beside_it)
{
    given g;
    student_validation v;
    begin(&g);
    student_validate_options options = {.samples = N, .seed = 5, .as_trained = g.trained};
    cr_assert_eq(student_validate(&v, g.rounded, g.from, NULL, g.pool, NULL, &options, &g.err), 0,
                 "%s", g.err.text);
    cr_expect(v.speed.student.rows_per_s > 0 && v.speed.as_trained.rows_per_s > 0 &&
              v.speed.as_trained.row_seconds > 0);
    cr_expect(v.roundtrip > 0 && v.roundtrip < 0.1, "%g", v.roundtrip);
    student_validation_release(&v);
    options.as_trained = NULL;
    cr_assert_eq(student_validate(&v, g.trained, g.from, NULL, g.pool, NULL, &options, &g.err), 0);
    cr_expect(isnan(v.speed.as_trained.rows_per_s) && isnan(v.speed.as_trained.row_seconds));
    student_validation_release(&v);
    end(&g);
}

/* Chains are led by the slopes that it was rounded from, and what they find is weighed by its own density. */
Test(rounded, is_hunted_for_by_its_own_density)
{
    given g;
    student_against_chain c;
    double log_q[STUDENT_CHAIN_KEPT], log_p[STUDENT_CHAIN_KEPT], sum = 0;
    student_chain_rows kept = {.x = NULL};
    begin(&g);
    cr_assert_eq(student_sides_meet(&g.sides, g.rounded, &g.err), 0);
    const student_chain_question q = {
        .student = g.rounded, .rows = 1024, .chains = 64, .effort = 0.1, .kept = &kept};
    cr_assert_eq(student_against_chain_measure(&c, &g.sides, &q, &g.err), 0, "%s", g.err.text);
    cr_assert(kept.n == c.rows);
    flow_log_prob(g.rounded, g.pool, log_q, NULL, kept.x, NULL, kept.n, &g.err);
    target_log_density(g.from, g.pool, log_p, NULL, NULL, kept.x, NULL, kept.n, &g.err);
    for (size_t r = 0; r < kept.n; r++)
        sum += (log_p[r] - log_q[r]) / (double)kept.n;
    cr_expect(fabs(c.eubo.value - sum) < 1e-9 * (1 + fabs(sum)), "%g for %g", c.eubo.value, sum);
    cr_expect(c.hunt.mass.value >= 0, "%g", c.hunt.mass.value);
    free(kept.x);
    end(&g);
}
