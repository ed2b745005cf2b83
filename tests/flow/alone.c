/* Layers taken out of a flow, and put back. */
#include "flow/alone.h"
#include "flow/circles.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { D = 3, C = 2, ROWS = 5 };

static flow *three_layers(void)
{
    static const size_t hidden[] = {8};
    flow_spec spec = {.dim = D,
                      .context = C,
                      .direction = FLOW_NOISE_TO_DATA,
                      .layers = 2,
                      .hidden = hidden,
                      .n_hidden = 1,
                      .activation = "tanh",
                      .transformer = "affine",
                      .scale_bound = 2,
                      .permute = FLOW_REVERSE,
                      .lu = 1};
    return random_flow(flow_backend_find(FLOW_F64, NULL), &spec, 0.6);
}

/* x = forward(x), log-determinants added up. */
static void run(const flow *f, double *x, double *logdet, const double *context)
{
    flow_err err = FLOW_ERR_INIT;
    double y[ROWS * D], ld[ROWS];
    flow_pass *pass = flow_pass_create(f, ROWS, 0, &err);
    cr_assert(pass, "%s", err.text);
    flow_pass_forward(pass, NULL, y, ld, x, context, ROWS);
    memcpy(x, y, sizeof y);
    for (size_t r = 0; r < ROWS; r++)
        logdet[r] += ld[r];
    flow_pass_free(pass);
}

/* The same layers, columns 0 and 2 of the data on circles. */
static flow *on_circles(void)
{
    static const unsigned char circle[D] = {1, 0, 1};
    flow *plain = three_layers();
    json_t *description = flow_describe(plain);
    cr_assert_eq(flow_circles_put(description, circle, NULL), 0);
    flow *out = flow_create(description, FLOW_F64, NULL);
    cr_assert(out && flow_circles(out));
    randomise_parameters(out, 0.6, 9);
    json_decref(description);
    flow_free(plain);
    return out;
}

static void check_one_after_the_other(flow *whole)
{
    double want[ROWS * D], x[ROWS * D], context[ROWS * C], want_ld[ROWS] = {0}, ld[ROWS] = {0};
    random_numbers(x, ROWS * D, 1, 4);
    random_numbers(context, ROWS * C, 1, 5);
    memcpy(want, x, sizeof x);
    run(whole, want, want_ld, context);
    cr_assert_geq(flow_n_layers(whole), 4);
    for (size_t l = 0; l < flow_n_layers(whole); l++) {
        flow *one = flow_alone(whole, l, NULL);
        cr_assert(one && flow_n_layers(one) == 1);
        cr_assert(flow_context(one) == C && flow_get_direction(one) == FLOW_NOISE_TO_DATA);
        run(one, x, ld, context);
        flow_free(one);
    }
    for (size_t i = 0; i < ROWS * D; i++)
        cr_assert(fabs(x[i] - want[i]) <= 1e-14 * (1 + fabs(want[i])));
    for (size_t r = 0; r < ROWS; r++)
        cr_assert(fabs(ld[r] - want_ld[r]) <= 1e-13);
    flow_free(whole);
}

Test(alone, one_after_the_other_they_are_the_flow)
{
    check_one_after_the_other(three_layers());
    check_one_after_the_other(on_circles());
}

/* What is put back is that layer's, and no other's. */
Test(alone, back_where_it_was)
{
    flow *whole = three_layers(), *other = three_layers();
    randomise_parameters(other, 0.6, 77);
    size_t bytes = flow_params_bytes(whole);
    for (size_t l = 0; l < flow_n_layers(whole); l++) {
        flow *one = flow_alone(other, l, NULL), *now;
        flow_alone_back(whole, l, one);
        now = flow_alone(whole, l, NULL);
        cr_assert(memcmp(flow_params(now), flow_params(one), flow_params_bytes(one)) == 0);
        cr_assert_eq(memcmp(flow_params(whole), flow_params(other), bytes) == 0,
                     l + 1 == flow_n_layers(whole));
        flow_free(one);
        flow_free(now);
    }
    flow_free(whole);
    flow_free(other);
}
