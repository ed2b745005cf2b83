#include "tests/common/pruned.h"
#include "flow/unroll.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ten units of six degrees, of which nine are kept, leave one degree with more room than units. */
static const pruned_body bodies[] = {
    {1, {22}, 0, 0, PRUNED_DIM, "free", "affine"},
    {2, {23, 17}, 0, PRUNED_CONTEXT, PRUNED_DIM, "free", "spline"},
    {3, {20, 31, 9}, 0, 0, PRUNED_DIM, "free", "affine"},
    {1, {24}, 1, 0, PRUNED_DIM, "free", "spline"},
    {1, {19}, 3, PRUNED_CONTEXT, PRUNED_DIM, "free", "affine"},
    {1, {10}, 0, 0, PRUNED_DIM, "free", "affine"},
    {1, {10}, 2, 0, PRUNED_DIM, "free", "affine"},
    {2, {13, 12}, 0, 0, 2, "identity", "affine"},
    {1, {15}, 1, PRUNED_CONTEXT, 3, "free", "additive"},
    {2, {16, 15}, 0, PRUNED_CONTEXT, 2, "identity", "spline"},
};
enum { N_BODIES = sizeof bodies / sizeof *bodies };
static const double widths[] = {1, 0.9, 0.5, 0.3, 1e-3};
enum { N_WIDTHS = sizeof widths / sizeof *widths };

const pruned_body *pruned_body_at(size_t index)
{
    return &bodies[index];
}

static flow *teacher_of(const pruned_body *b, const char *activation, flow_precision precision)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *hidden = json_array();
    for (size_t i = 0; i < b->n; i++)
        json_array_append_new(hidden, json_integer((json_int_t)b->hidden[i]));
    json_t *layer = json_pack("{s:s, s:I, s:s, s:s, s:{s:s, s:o, s:I, s:s}}", "kind",
                              "autoregressive", "groups", (json_int_t)b->groups, "first", b->first,
                              "transformer", b->tau, "conditioner", "kind", "mlp", "hidden", hidden,
                              "residual", (json_int_t)b->residual, "activation", activation);
    json_t *d = describe_one(PRUNED_DIM, b->context, "data_to_noise", layer);
    flow *f = flow_create(d, precision, &err);
    cr_assert(f, "%s", err.text);
    randomise_parameters(f, 0.6, 17 + b->hidden[0]);
    json_decref(d);
    return f;
}

static flow *student_of(const flow *teacher, double width)
{
    flow_err err = FLOW_ERR_INIT;
    const flow_unrolling how = {.iterations = PRUNED_STEPS, .width = width};
    flow *f = flow_unroll(teacher, &how, flow_get_precision(teacher), &err);
    cr_assert(f, "%s", err.text);
    return f;
}

void pruned_open(pruned *p, const pruned_body *b, const char *activation, flow_precision precision,
                 double width)
{
    *p = (pruned){.body = b, .width = width, .teacher = teacher_of(b, activation, precision)};
    p->student = student_of(p->teacher, width);
    snprintf(p->name, sizeof p->name, "[%zu ...], residual %zu, %s, f%d, width %g", b->hidden[0],
             b->residual, activation, precision, width);
}

void pruned_renew(pruned *p)
{
    flow_free(p->student);
    p->student = student_of(p->teacher, p->width);
}

void pruned_close(pruned *p)
{
    flow_free(p->student);
    flow_free(p->teacher);
}

void pruned_each(void (*check)(pruned *p))
{
    static const char *const activations[] = {"silu", "tanh", "gelu", "elu"};
    for (size_t i = 0; i < N_BODIES * N_WIDTHS * 2; i++) {
        pruned p;
        pruned_open(&p, &bodies[i / N_WIDTHS / 2], activations[i / 2 % 4],
                    i % 2 ? FLOW_F32 : FLOW_F64, widths[i / 2 % N_WIDTHS]);
        check(&p);
        pruned_close(&p);
    }
}

/* ---- dense networks */

static void wire(dense_net *net, size_t m)
{
    size_t last = net->n_maps - 1, in_block = net->body->residual;
    net->maps[m].from = m == 0 ? 0 : !in_block ? m : m == last || m % 2 ? 1 : 1 + m / 2;
    net->maps[m].to = m == last ? net->n_sets - 1 : !in_block ? m + 1 : m % 2 ? 2 + m / 2 : 1;
    net->maps[m].adds = in_block && m > 0 && m % 2 == 0;
}

void dense_net_open(dense_net *net, const flow *f, const pruned_body *b, size_t step)
{
    size_t maps = b->residual ? 2 * b->residual + 2 : b->n + 1;
    *net =
        (dense_net){.body = b, .n_maps = maps, .n_sets = b->residual ? b->residual + 3 : b->n + 2};
    for (size_t m = 0; m < maps; m++) {
        flow_tensor_info info;
        size_t t = 2 * (step * maps + m);
        flow_tensor(f, &info, t);
        net->maps[m].rows = info.rows;
        net->maps[m].cols = info.cols;
        net->maps[m].w = malloc((info.rows * info.cols + 1) * sizeof(double));
        net->maps[m].b = malloc(info.rows * sizeof(double));
        flow_tensor_get(f, net->maps[m].w, t);
        flow_tensor_get(f, net->maps[m].b, t + 1);
        wire(net, m);
    }
}

void dense_net_close(dense_net *net)
{
    for (size_t m = 0; m < net->n_maps; m++) {
        free(net->maps[m].w);
        free(net->maps[m].b);
    }
}

void dense_net_write(const dense_net *net, flow *f)
{
    for (size_t m = 0; m < net->n_maps; m++) {
        set_tensor(f, 2 * m, net->maps[m].w);
        set_tensor(f, 2 * m + 1, net->maps[m].b);
    }
}

size_t dense_net_units(const dense_net *net, size_t set)
{
    for (size_t m = 0; m < net->n_maps; m++)
        if (net->maps[m].to == set)
            return net->maps[m].rows;
    return net->maps[0].cols;
}

static bool is_hidden(const dense_net *net, size_t set)
{
    return set > 0 && set < net->n_sets - 1;
}

size_t dense_net_degree(const dense_net *net, size_t set, size_t unit)
{
    size_t lowest = net->body->context ? 0 : 1, count = net->body->groups - lowest;
    return lowest + unit * count / dense_net_units(net, set);
}

/* ---- the choice */

static double importance(const dense_net *net, size_t set, size_t unit)
{
    double in = 0, out = 0;
    for (size_t m = 0; m < net->n_maps; m++) {
        size_t rows = net->maps[m].rows, cols = net->maps[m].cols;
        const double *w = net->maps[m].w, *b = net->maps[m].b;
        if (net->maps[m].to == set)
            in += b[unit] * b[unit];
        for (size_t k = 0; net->maps[m].to == set && k < cols; k++)
            in += w[unit * cols + k] * w[unit * cols + k];
        for (size_t r = 0; net->maps[m].from == set && r < rows; r++)
            out += w[r * cols + unit] * w[r * cols + unit];
    }
    return sqrt(in) * sqrt(out);
}

/* One more unit of that degree, the most important that is left, if there is one. */
static void take_best(const dense_net *net, bool *taken, size_t set, size_t wanted)
{
    size_t best = PRUNED_IDLE;
    for (size_t u = 0; u < dense_net_units(net, set); u++)
        if (!taken[u] && dense_net_degree(net, set, u) == wanted &&
            (best == PRUNED_IDLE || importance(net, set, u) > importance(net, set, best)))
            best = u;
    if (best != PRUNED_IDLE)
        taken[best] = true;
}

void dense_net_choose(size_t *units, const dense_net *narrow, const dense_net *wide, size_t set)
{
    bool taken[PRUNED_UNITS] = {false};
    size_t n = dense_net_units(narrow, set);
    for (size_t v = 0; v < n; v++)
        units[v] = is_hidden(wide, set) ? PRUNED_IDLE : v;
    for (size_t v = 0; is_hidden(wide, set) && v < n; v++)
        take_best(wide, taken, set, dense_net_degree(narrow, set, v));
    for (size_t u = 0; u < dense_net_units(wide, set); u++)
        for (size_t v = 0; taken[u] && v < n; v++)
            if (units[v] == PRUNED_IDLE &&
                dense_net_degree(narrow, set, v) == dense_net_degree(wide, set, u)) {
                units[v] = u;
                break;
            }
}
