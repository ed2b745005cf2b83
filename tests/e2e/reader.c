/* tests/e2e/reader.c -- model files of every kind that is registered, and what the tool makes of noise with them.
 *
 *   reader DIR     DIR/NUMBER.safetensors, of all examples of layers (tests/common/examples.h) and of bases (bases.h), with
 *                  columns of all units; and DIR/NUMBER.txt, for each of a few rows z, context, x, log q, 17 digits */
#include "files/model_pass.h"
#include "tests/common/backends.h"
#include "tests/common/bases.h"
#include "tests/common/examples.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 9, MOST = 8, TURNS = 2 };

static const flow_unit units_of_all_kinds[] = {
    {.scale = 1.7, .shift = 0.3},
    {.support = FLOW_ABOVE, .lo = -1, .shift = 0.2, .scale = 0.6},
    {.support = FLOW_BETWEEN, .lo = -2, .hi = 3, .alpha = 1e-3, .scale = 0.8},
    {.support = FLOW_BELOW, .hi = 4, .shift = -0.1, .scale = 0.5},
    {.support = FLOW_ABOVE, .lo = 2, .soft = 0.7, .edge = 0.01, .shift = 0.1, .scale = 0.9},
    {.support = FLOW_BELOW, .hi = -1, .soft = 1.3, .scale = 0.7},
    {.period = 3, .wrapped = true, .cut = -1, .start = 0.5, .shift = 0.4, .scale = 0.5},
    {.step = 0.5, .scale = 1.4},
    {.support = FLOW_ABOVE, .lo = 1, .step = 1, .scale = 1.1},
    {.support = FLOW_BETWEEN, .lo = 0, .hi = 6, .step = 1, .scale = 1.1},
    {.support = FLOW_BELOW, .hi = 3, .step = 0.25, .scale = 1.3},
};
enum {
    N_UNITS = sizeof units_of_all_kinds / sizeof *units_of_all_kinds,
    FIRST_GRID = 7 /* and all behind it */
};

static int stop(const flow_err *err)
{
    fprintf(stderr, "reader: %s\n", err->text);
    exit(1);
}

static flow_units *make_units(size_t dim, size_t number, const unsigned char *circles, size_t most)
{
    flow_units *out = flow_units_create(dim, NULL);
    for (size_t i = 0; i < dim; i++) {
        out->column[i] = units_of_all_kinds[(number + i) % most];
        if (circles && circles[i]) {
            out->column[i] = (flow_unit){.period = 3, .start = -1, .stretch = i % 2 ? 1.5 : 0};
            flow_unit_set_angle(&out->column[i], 0.385);
        }
    }
    return out;
}

static json_t *make_names(size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(out, json_sprintf("x%zu", i));
    return out;
}

static void print(FILE *to, const double *row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fprintf(to, "%.17g ", row[i]);
}

/* Noise inside of every base of the examples that has an end, and of circles. */
static void write_rows(const flow_model *m, FILE *to)
{
    static double z[ROWS * MOST], x[ROWS * MOST], c[ROWS * MOST], logq[ROWS];
    flow_err err = FLOW_ERR_INIT;
    size_t dim = flow_dim(m->flow), context = flow_context(m->flow);
    flow_model_pass *pass = flow_model_pass_create(m, ROWS, &err);
    if (!pass || flow_model_can_sample(m, true, &err))
        stop(&err);
    flow_noise(m->flow, NULL, z, (pcg_stream){.stage = PCG_TEST, .purpose = PCG_BASE}, 0, ROWS);
    random_numbers(c, ROWS * context, 1, 5);
    flow_model_pass_transport(pass, x, logq, z, c, ROWS);
    for (size_t r = 0; r < ROWS; r++) {
        print(to, z + r * dim, dim);
        print(to, c + r * context, context);
        print(to, x + r * dim, dim);
        fprintf(to, "%.17g\n", logq[r]);
    }
    flow_model_pass_free(pass);
}

/* Takes the flow over. Every eighth has grids. */
static void write_model(const char *dir, size_t number, flow *f)
{
    char path[4096];
    flow_err err = FLOW_ERR_INIT;
    size_t dim = flow_dim(f), context = flow_context(f);
    flow_model m = {.flow = f,
                    .units = make_units(dim, number / 8, flow_circles(f),
                                        number % 8 == 3 ? N_UNITS : FIRST_GRID),
                    .names = make_names(dim),
                    .context_units = context ? make_units(context, 0, NULL, 1) : NULL,
                    .context_names = context ? make_names(context) : NULL,
                    .role = "student"};
    snprintf(path, sizeof path, "%s/%04zu.safetensors", dir, number);
    if (flow_model_write(&m, path, &err))
        stop(&err);
    snprintf(path, sizeof path, "%s/%04zu.txt", dir, number);
    FILE *to = fopen(path, "w");
    if (!to)
        exit(1);
    write_rows(&m, to);
    fclose(to);
    flow_free(f);
    flow_units_free(m.units);
    flow_units_free(m.context_units);
    json_decref(m.names);
    json_decref(m.context_names);
}

static flow *make_layer(size_t example, size_t turn)
{
    static const size_t dims[] = {1, 2, 3, 5};
    flow_err err = FLOW_ERR_INIT;
    size_t dim = dims[(example + turn) % 4], context = (example / 4 + turn) % 2 * 2;
    json_t *d = describe_one(dim, context, turn ? "noise_to_data" : "data_to_noise",
                             example_layer(example, dim));
    flow *f = flow_create(d, (example + turn) % 5 ? FLOW_F64 : FLOW_F32, &err);
    if (!f)
        stop(&err);
    randomise_parameters(f, 0.5, example);
    json_decref(d);
    return f;
}

int main(int argc, char **argv)
{
    size_t number = 0;
    if (argc != 2 || example_missing() || base_missing())
        return 2;
    for (size_t e = 0; e < example_count(); e++)
        for (size_t turn = 0; turn < TURNS; turn++)
            write_model(argv[1], number++, make_layer(e, turn));
    for (size_t b = 0; b < base_count(); b++)
        for (size_t turn = 0; turn < TURNS; turn++)
            write_model(argv[1], number++,
                        flow_on_base(first_f64_backend(), b, 2 + turn, 2,
                                     turn ? FLOW_NOISE_TO_DATA : FLOW_DATA_TO_NOISE));
    return 0;
}
