/* tests/flow/low_tests.h -- the masked network in bytes, and in bf16, against plain loops over its steps; see kernel_tests.h, of the
 * compilation that rounds. */
#include "flow/layer/mlp_low.h"
#include "flow/layer/moments_low.h"

/* Inputs come in two bytes, with int16 all do. */
static int low_is_wide(const net_case *c, size_t buffer)
{
    return buffer == 0 || c->shape->low == FLOW_NETWORK_INT16;
}

static double low_levels(const net_case *c, size_t buffer)
{
    return low_is_wide(c, buffer) ? 65535 : 255;
}

/* What is behind the maps' parameters begins at 0. */
static void low_open(net_case *c, size_t number, const activation *f, flow_network network)
{
    size_t end = 0;
    net_case_open_for(c, number, f, 0, network);
    for (const mlp_step *s = c->net->steps; s < c->net->steps + c->net->n_steps; s++)
        end = s->map >= 0 ? s->offset + c->net->maps[s->map].n_params : end;
    memset(c->theta + end, 0, (c->base->n_params - end) * sizeof *c->theta);
}

/* A unit's numbers in theta: where its bytes begin, levels a unit, its mean. */
static const real *low_range(const net_case *c, size_t buffer, size_t which)
{
    size_t rows = flow_pad(c->net->buffers[buffer].rows);
    return c->theta + c->net->low->ranges[buffer] + which * rows;
}

static void each_net_of(flow_network network, void (*check)(net_case *c, size_t number))
{
    for (const activation *f = activation_kinds; f->apply; f++)
        for (size_t number = 0; number < N_NETS; number += UNLESS_SANITIZED(1, 5)) {
            net_case c;
            setenv("FLOW_ISA", byte_words[number % 2 && byte_word_runs(1)], 1);
            low_open(&c, number, f, network);
            if (network != FLOW_NETWORK_BF16)
                c.base->ops->forward(c.base, c.values, NULL, c.theta, NET_LD);
            check(&c, number);
            net_case_close(&c);
        }
}

static void each_low_net(void (*check)(net_case *c, size_t number))
{
    each_net_of(FLOW_NETWORK_INT8, check);
    each_net_of(FLOW_NETWORK_INT16, check);
}

/* ---- watching: a pass as it is; ranges are those of what went through, 0 among it */

static void check_same_as_unrounded(const net_case *c, size_t number)
{
    net_case plain;
    net_case_open_for(&plain, number, c->net->activation, 0, FLOW_NETWORK_AS_IS);
    plain.base->ops->forward(plain.base, plain.values, NULL, plain.theta, NET_LD);
    check_equal(net_outputs(c, c->values), net_outputs(&plain, plain.values), c->rows * NET_LD,
                "network that watches", number);
    net_case_close(&plain);
}

/* An eighth of the width further out, of two bytes one and a half; not an end that is 0. */
static void check_range(const net_case *c, size_t buffer, size_t row, const real *a)
{
    const double levels = low_levels(c, buffer);
    double least = 0, most = 0, sum = 0;
    for (size_t j = 0; j < NET_LD; j++) {
        least = fmin(least, (double)a[j]);
        most = fmax(most, (double)a[j]);
        sum += (double)a[j];
    }
    double out = (low_is_wide(c, buffer) ? 1.5 : 0.125) * (most - least), seen = most - least;
    least -= least < 0 ? out : 0;
    most += most > 0 ? out : 0;
    double want[] = {least, most > least ? levels / (most - least) : 0, sum / NET_LD};
    for (size_t which = 0; which < 3; which++)
        check_close(&(double){(double)low_range(c, buffer, which)[row]}, &want[which], 1, 8 * EPS,
                    which == 1 ? 0 : 8 * EPS * seen, "number %zu of unit %zu of buffer %zu", which,
                    row, buffer);
}

/* The network reads every buffer but those that only feed an activation or the outputs. */
static void check_watching(net_case *c, size_t number)
{
    size_t seen = 0;
    check_same_as_unrounded(c, number);
    c->base->ops->round(c->base, c->theta, NET_LD);
    for (size_t b = 0; b < c->net->n_buffers; b++) {
        const real *a = mlp_rows(c->net, c->values, b, 0, NET_LD);
        seen += c->net->low->ranges[b] > 0;
        for (size_t row = 0; c->net->low->ranges[b] && row < c->net->buffers[b].rows; row++)
            check_range(c, b, row, a + row * NET_LD);
    }
    cr_assert_eq(seen, c->net->n_maps, "network %zu", number);
}

KERNEL_TEST(low, ranges_are_those_of_what_was_seen)
{
    each_low_net(check_watching);
}

/* ---- rounded: every step in whole numbers, one row at a time */

typedef struct low_row {
    real a[16][MAX_UNITS]; /* of every buffer */
} low_row;

static int naive_level(const net_case *c, size_t buffer, size_t k, real a)
{
    real t = (a - low_range(c, buffer, 0)[k]) * low_range(c, buffer, 1)[k];
    double levels = low_levels(c, buffer);
    return (int)rint(fmin(fmax((double)t, 0), levels));
}

/* By how much unit i is expected to be higher for one that unit j < i is, in levels. */
static double low_predicted(const net_case *c, size_t buffer, size_t i, size_t j)
{
    const void *at = c->theta + c->net->low->moments[buffer];
    return ((const double *)at)[i * c->net->buffers[buffer].rows + j];
}

/* Whole weights of row m of a map; the number that they are multiples of, and what is added. */
static void naive_low_weights(const net_case *c, const mlp_step *step, size_t m, int *w,
                              real *scale, real *bias)
{
    const size_t k = (size_t)step->map, cols = c->net->maps[k].cols, n = c->net->maps[k].limit[m];
    const real *lo = low_range(c, step->src, 0), *inverse = low_range(c, step->src, 1);
    const real *mean = low_range(c, step->src, 2);
    double most = 0, before = 0, after = 0, left[MAX_UNITS];
    for (size_t i = 0; i < n; i++)
        most =
            fmax(most, inverse[i] > 0 ? fabs(c->weights[k][m * cols + i] / (double)inverse[i]) : 0);
    *scale = (real)(most / 127);
    for (size_t i = 0; i < n; i++)
        left[i] = inverse[i] > 0 && *scale > 0
                      ? c->weights[k][m * cols + i] * (1 / (double)inverse[i]) / (double)*scale
                      : 0;
    for (size_t i = n; i-- > 0;) {
        double weight = c->weights[k][m * cols + i];
        w[i] = (int)fmax(-127, fmin(127, rint(left[i])));
        for (size_t j = 0; j<i && * scale> 0; j++)
            left[j] += (left[i] - w[i]) * low_predicted(c, step->src, i, j);
        before += weight * (double)mean[i];
        after += w[i] * ((double)mean[i] - (double)lo[i]) * (double)inverse[i];
    }
    *bias = (real)(c->biases[k][m] + (before - (double)*scale * after));
}

static void naive_low_map(const net_case *c, const mlp_step *step, low_row *row)
{
    const stair *map = &c->net->maps[step->map];
    for (size_t m = 0; m < map->rows; m++) {
        int w[MAX_UNITS];
        int64_t low = 0, high = 0;
        real scale, bias;
        naive_low_weights(c, step, m, w, &scale, &bias);
        for (size_t k = 0; k < map->limit[m]; k++) {
            int level = naive_level(c, step->src, k, row->a[step->src][k]);
            low += w[k] * (level % 256);
            high += w[k] * (level / 256);
        }
        real y = (real)low * scale + bias;
        y = step->add == SIZE_MAX ? y : y + row->a[step->add][m];
        row->a[step->dst][m] = low_is_wide(c, step->src) ? (real)high * (256 * scale) + y : y;
    }
}

/* The nearest number of 8 significant bits, ties to even. */
static real naive_bf16(real x)
{
    int e;
    double m = frexp((double)x, &e);
    return (real)ldexp(rint(m * 256), e - 8);
}

/* A chain of sums from the bias on; of the first map what it is without rounding. */
static void naive_bf16_map(const net_case *c, const mlp_step *step, low_row *row)
{
    const stair *map = &c->net->maps[step->map];
    for (size_t m = 0; m < map->rows; m++) {
        real sum = (real)c->biases[step->map][m];
        for (size_t k = 0; k < map->limit[m]; k++) {
            real w = (real)c->weights[step->map][m * map->cols + k], x = row->a[step->src][k];
            sum += step->src == 0 ? w * x : naive_bf16(w) * naive_bf16(x);
        }
        row->a[step->dst][m] = step->add == SIZE_MAX ? sum : sum + row->a[step->add][m];
    }
}

static void low_activation(const net_case *c, real *h, const real *a)
{
    const activation *f = c->net->activation;
    if (f->rough && mlp_low_in_bytes(c->net))
        f->rough(h, a, 1);
    else
        f->apply(h, NULL, a, 1);
}

static void naive_low_network(const net_case *c, low_row *row)
{
    void (*const map)(const net_case *c, const mlp_step *step, low_row *row) =
        mlp_low_in_bytes(c->net) ? naive_low_map : naive_bf16_map;
    for (const mlp_step *s = c->net->steps; s < c->net->steps + c->net->n_steps; s++)
        if (s->map >= 0)
            map(c, s, row);
        else
            for (size_t m = 0; m < c->net->buffers[s->dst].rows; m++)
                low_activation(c, &row->a[s->dst][m], &row->a[s->src][m]);
}

/* The outputs of `got` (rows, ld), whose inputs are in `values`, from sample j on every fifth. */
static void check_low_outputs(const net_case *c, size_t number, const real *values, const real *got,
                              size_t ld, const char *how)
{
    for (size_t j = 0; j < ld; j += 5) {
        low_row row;
        for (size_t k = 0; k < c->net->buffers[0].rows; k++)
            row.a[0][k] = values[k * ld + j];
        naive_low_network(c, &row);
        for (size_t m = 0; m < c->rows; m++)
            cr_assert(got[m * ld + j] == row.a[c->net->n_buffers - 1][m],
                      "network %zu %s with %s, sample %zu, output %zu: %a, want %a", number, how,
                      c->net->activation->kind.name, j, m, (double)got[m * ld + j],
                      (double)row.a[c->net->n_buffers - 1][m]);
    }
}

/* Some inputs are far beyond what was seen. */
static void round_and_move(net_case *c, size_t number)
{
    c->base->ops->round(c->base, c->theta, NET_LD);
    fill(c->values, c->net->buffers[0].rows * NET_LD, 3.1, number + 1);
    c->values[3] = 1e30f;
    c->values[4] = -1e30f;
}

static void check_low_network(net_case *c, size_t number)
{
    round_and_move(c, number);
    c->base->ops->forward(c->base, c->values, NULL, c->theta, NET_LD);
    check_low_outputs(c, number, c->values, net_outputs(c, c->values), NET_LD, "at once");
    real *one = reals_new(c->base->value_rows), *out = one + c->base->output_row;
    for (size_t j = 0; j < NET_LD; j += 7) {
        for (size_t k = 0; k < c->net->buffers[0].rows; k++)
            one[k] = c->values[k * NET_LD + j];
        c->base->ops->forward(c->base, one, NULL, c->theta, 1);
        check_low_outputs(c, number, one, out, 1, "by itself");
    }
    free(one);
}

KERNEL_TEST(low, networks_compute_with_whole_numbers)
{
    each_low_net(check_low_network);
}

static void check_low_pieces(net_case *c, size_t number)
{
    round_and_move(c, number);
    check_pieces(c, number);
}

KERNEL_TEST(low, networks_compute_in_bf16)
{
    each_net_of(FLOW_NETWORK_BF16, check_low_network);
}

KERNEL_TEST(low, pieces_have_the_same_bits)
{
    each_low_net(check_low_pieces);
    each_net_of(FLOW_NETWORK_BF16, check_low_pieces);
}

/* ---- what is not finite is seen by the outputs of later groups, and by nothing else */

/* got (rows, NET_LD) where an input of a group in sample 5 is not finite, want where all are. */
static void check_spoilt_outputs(const net_case *c, size_t number, const real *got,
                                 const real *want, size_t group, const char *how)
{
    for (size_t i = 0; i < c->rows * NET_LD; i++) {
        size_t bare = c->shape->dim - c->rows / c->shape->outputs;
        size_t dim = i / NET_LD / c->shape->outputs + bare;
        int sees = i % NET_LD == 5 && naive_group(c, dim) > group;
        cr_assert(sees ? isnan((double)got[i]) : got[i] == want[i],
                  "network %zu %s, output %zu of sample %zu, an input of group %zu: %g", number,
                  how, i / NET_LD, i % NET_LD, group, (double)got[i]);
    }
}

static void check_spoilt_input(net_case *c, size_t number, size_t k, const real *want)
{
    const size_t context = c->shape->context;
    size_t group = k < context ? 0 : naive_group(c, k - context);
    real *at = &c->values[k * NET_LD + 5], kept = *at;
    *at = (real)(k % 2 ? NAN : INFINITY);
    c->base->ops->forward(c->base, c->values, NULL, c->theta, NET_LD);
    check_spoilt_outputs(c, number, net_outputs(c, c->values), want, group, "at once");
    real *values = values_by_pieces(c);
    check_spoilt_outputs(c, number, net_outputs(c, values), want, group, "piece by piece");
    free(values);
    *at = kept;
}

static void check_spoilt(net_case *c, size_t number)
{
    real *want = reals_new(c->rows * NET_LD);
    round_and_move(c, number);
    c->base->ops->forward(c->base, c->values, NULL, c->theta, NET_LD);
    memcpy(want, net_outputs(c, c->values), c->rows * NET_LD * sizeof *want);
    for (size_t k = 0; k < c->net->buffers[0].rows; k += 1 + k / 3)
        check_spoilt_input(c, number, k, want);
    free(want);
}

KERNEL_TEST(low, what_is_not_finite_is_seen)
{
    each_low_net(check_spoilt);
}

/* ---- what is rounded afterwards may be as rough as 1e-5 */

KERNEL_TEST(low, rough_activations_are_near)
{
    for (const activation *f = activation_kinds; f->apply; f++)
        for (real x = -200; f->rough && x <= 200; x += (real)0.0137) {
            real want, got, nan, in = (real)NAN;
            f->apply(&want, NULL, &x, 1);
            f->rough(&got, &x, 1);
            f->rough(&nan, &in, 1);
            double scale = fmax(1, fabs((double)want));
            cr_assert(fabs((double)got - (double)want) < 1e-5 * scale, "%s at %g: %g, not %g",
                      f->kind.name, (double)x, (double)got, (double)want);
            cr_assert(isnan((double)nan), "%s of NaN is %g", f->kind.name, (double)nan);
        }
}

/* ---- how units go together: the normal equations, and what they are good for */

enum { TOGETHER = 12, TOGETHER_ROWS = 96 };

/* Units that are sums of three numbers each row has, and a little of their own. */
static real *units_together(void)
{
    real *a = reals_new(TOGETHER * TOGETHER_ROWS);
    pcg rng = pcg_at((pcg_stream){.seed = 5, .stage = PCG_TEST, .purpose = PCG_BASE}, 0, 1 << 12);
    double weight[TOGETHER][3];
    for (size_t i = 0; i < TOGETHER; i++)
        for (size_t k = 0; k < 3; k++)
            weight[i][k] = 2 * pcg_uniform(&rng) - 1;
    for (size_t r = 0; r < TOGETHER_ROWS; r++) {
        const double x[3] = {pcg_uniform(&rng), pcg_uniform(&rng), pcg_uniform(&rng)};
        for (size_t i = 0; i < TOGETHER; i++)
            a[i * TOGETHER_ROWS + r] = (real)(1 + weight[i][0] * x[0] + weight[i][1] * x[1] +
                                              weight[i][2] * x[2] + 0.01 * pcg_uniform(&rng));
    }
    return a;
}

typedef struct together {
    real *a, mean[TOGETHER], inverse[TOGETHER];
    double predict[TOGETHER * TOGETHER];
} together;

static together together_open(double own)
{
    together t = {.a = units_together()};
    for (size_t i = 0; i < TOGETHER; i++) {
        double sum = 0;
        for (size_t r = 0; r < TOGETHER_ROWS; r++)
            sum += (double)t.a[i * TOGETHER_ROWS + r];
        t.mean[i] = (real)(sum / TOGETHER_ROWS);
        t.inverse[i] = i == 4 ? 0 : 32;
    }
    for (size_t row = 0; row < TOGETHER; row += 3) /* a few at a time */
        moments_low_add(t.predict, t.a, TOGETHER, row, row + 3, TOGETHER_ROWS);
    moments_low_predict(t.predict, t.mean, t.inverse, TOGETHER, TOGETHER_ROWS, own);
    return t;
}

static double together_covariance(const together *t, size_t i, size_t j)
{
    double sum = 0;
    for (size_t r = 0; r < TOGETHER_ROWS; r++)
        sum += ((double)t->a[i * TOGETHER_ROWS + r] - (double)t->mean[i]) *
               ((double)t->a[j * TOGETHER_ROWS + r] - (double)t->mean[j]);
    return sum / TOGETHER_ROWS * (double)t->inverse[i] * (double)t->inverse[j];
}

KERNEL_TEST(low, moments_predict_by_least_squares)
{
    const double own = 0.7;
    together t = together_open(own);
    for (size_t k = 0; k < TOGETHER; k++)
        for (size_t i = 0; i < k; i++) {
            double sum = own * t.predict[k * TOGETHER + i], want = together_covariance(&t, k, i);
            for (size_t j = 0; j < k; j++)
                sum += together_covariance(&t, i, j) * t.predict[k * TOGETHER + j];
            cr_assert_float_eq(sum, want, 2e-3, "unit %zu, equation %zu: %g, not %g", k, i, sum,
                               want);
        }
    free(t.a);
}

/* The mean square of what rounding a row of weights does to its output. */
static double rounding_error(const together *t, const double *predict)
{
    enum { ROWS = 16 };
    const size_t limits[ROWS] = {3, 5, 6, 7, 8, 9, 10, 10, 11, 11, 12, 12, 12, 12, 12, 12};
    real lo[TOGETHER], theta[1024] = {0};
    double dense[ROWS * TOGETHER], scratch[TOGETHER], error = 0;
    stair s;
    pcg rng = pcg_at((pcg_stream){.seed = 6, .stage = PCG_TEST, .purpose = PCG_BASE}, 0, 1 << 10);
    cr_assert_eq(stair_create(&s, limits, ROWS, TOGETHER), 0);
    cr_assert(s.n_params <= sizeof theta / sizeof *theta);
    for (size_t i = 0; i < ROWS * TOGETHER; i++)
        dense[i] = 2 * pcg_uniform(&rng) - 1;
    for (size_t i = 0; i < TOGETHER; i++)
        lo[i] = -3;
    stair_set_weight(&s, theta, dense);
    setenv("FLOW_ISA", byte_words[0], 1);
    stair_int8 map = stair_int8_of(&s);
    real *block = reals_new(map.n_words), *y = reals_new(ROWS * TOGETHER_ROWS);
    word *q = aligned_alloc(64, int8_quads(TOGETHER) * TOGETHER_ROWS * sizeof *q);
    stair_int8_round(&map, block, theta, lo, t->inverse, t->mean, predict, scratch);
    for (size_t i = 0; i < TOGETHER; i++)
        for (size_t r = 0; r < TOGETHER_ROWS; r++)
            ((byte *)q)[int8_at(i, r, TOGETHER_ROWS)] =
                (byte)lrint(((double)t->a[i * TOGETHER_ROWS + r] + 3) * (double)t->inverse[i]);
    stair_int8_product(&map, y, block, q, NULL, 0, ROWS, TOGETHER_ROWS);
    for (size_t m = 0; m < ROWS; m++)
        for (size_t r = 0; r < TOGETHER_ROWS; r++) {
            double want = 0;
            for (size_t k = 0; k < limits[m];
                 k++) /* of the same bytes: weights alone are rounded */
                want += dense[m * TOGETHER + k] *
                        (k == 4 ? (double)t->mean[k]
                                : -3 + ((byte *)q)[int8_at(k, r, TOGETHER_ROWS)] / 32.0);
            error += pow((double)y[m * TOGETHER_ROWS + r] - want, 2) / (ROWS * TOGETHER_ROWS);
        }
    stair_release(&s);
    free(block);
    free(y);
    free(q);
    return error;
}

KERNEL_TEST(low, what_rounding_loses_is_made_good)
{
    together t = together_open(0.3);
    double nearest = rounding_error(&t, NULL), passed_on = rounding_error(&t, t.predict);
    cr_assert(passed_on < 0.5 * nearest, "%g, to the nearest %g", passed_on, nearest);
    free(t.a);
}
