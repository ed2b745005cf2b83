#include "tests/teacher/energies.h"

#include "tests/common/examples.h"
#include "tests/common/plugins.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POSTERIOR(MODEL, DATA)                                                                     \
    "{\"kind\": \"posterior\", \"model\": \"" MODEL                                                \
    "\", \"data\": \"configs/data/posteriordb/" DATA ".csv\"}"

static const char *const others[] = {
    "{\"kind\": \"rezende\", \"potential\": 1}",
    "{\"kind\": \"rezende\", \"potential\": 2}",
    "{\"kind\": \"rezende\", \"potential\": 3}",
    "{\"kind\": \"gaussian\", \"dim\": 5, \"correlation\": 0.8}",
    "{\"kind\": \"gaussian\", \"dim\": 18, \"condition\": 30, \"seed\": 4}",
    "{\"kind\": \"gaussian\", \"dim\": 3, \"correlation\": -0.5, \"mean\": [1, -2.5, 0.3]}",
    "{\"kind\": \"gaussians\", \"means\": [[1, 2], [0.5, 2.6], [-1.3, 0.1]], \"weights\": [1, 3, "
    "2]}",
    "{\"kind\": \"gaussians\", \"means\": [[-4.4], [4.4]], \"weights\": [3, 1], \"sd\": 0.9}",
    "{\"kind\": \"grid\", \"side\": 5}",
    "{\"kind\": \"many_well\", \"dim\": 2}",
    "{\"kind\": \"many_well\"}",
    "{\"kind\": \"funnel\", \"dim\": 2, \"sigma_v\": 0.6}",
    "{\"kind\": \"student_t\", \"dim\": 1, \"dof\": 0.8}",
    "{\"kind\": \"student_t\", \"dim\": 4, \"dof\": 40}",
    "{\"kind\": \"phi4\"}",
    "{\"kind\": \"phi4\", \"side\": 2}",
    "{\"kind\": \"double_well\"}",
    "{\"kind\": \"double_well\", \"coordinates\": \"jacobi\"}",
    "{\"kind\": \"double_well\", \"coordinates\": \"cartesian\"}",
    "{\"kind\": \"posterior\", \"model\": \"eight_schools_noncentered\"}",
    POSTERIOR("kidscore_momiq", "kidiq"),
    POSTERIOR("logearn_interaction", "earnings"),
    POSTERIOR("nes", "nes1980"),
    POSTERIOR("blr", "sblrc"),
    POSTERIOR("arK", "arK"),
    POSTERIOR("garch11", "garch"),
    POSTERIOR("low_dim_gauss_mix", "low_dim_gauss_mix"),
};

/* A plug-in: where it is depends on the build. */
static const char *example_plugin(void)
{
    static char text[PLUGIN_TEXT];
    return plugin_text(text, "plugin/banana.so", "\"options\": \"bend=0.3\"");
}

/* Of kinds that need no file. */
const char *energy_text(size_t i)
{
    size_t more = sizeof others / sizeof *others;
    for (const target_kind *const *kind = target_kinds; *kind; kind++)
        if ((*kind)->example && i-- == 0)
            return (*kind)->example;
    return i < more ? others[i] : i == more ? example_plugin() : NULL;
}

static target *make(const char *text, flow_err *err)
{
    json_t *description = json_loads(text, 0, NULL);
    cr_assert(description, "no JSON: %s", text);
    *err = (flow_err)FLOW_ERR_INIT;
    target *t = target_create(description, err);
    json_decref(description);
    return t;
}

target *energy_create(const char *text)
{
    flow_err err;
    target *t = make(text, &err);
    cr_assert(t, "%s: %s", text, err.text);
    return t;
}

target *energy_of_plugin(const char *file, const char *more, flow_err *err)
{
    char text[PLUGIN_TEXT];
    return make(plugin_text(text, file, more), err);
}

void energy_refuse(const char *text, const char *want)
{
    flow_err err;
    cr_assert(!make(text, &err), "%s was accepted", text);
    cr_assert_eq(err.code, FLOW_ECONFIG, "%s: %d: %s", text, err.code, err.text);
    cr_assert(strstr(err.text, want), "%s: '%s' is not in '%s'", text, want, err.text);
}

double *energy_points(const target *t, size_t n, double width, uint64_t seed)
{
    if (t->ops->sample)
        return energy_draws(t, NULL, n, seed);
    return random_numbers_new(n * t->dim, width, seed);
}

double *energy_draws(const target *t, double *logp, size_t n, uint64_t seed)
{
    const pcg_stream stream = {.seed = seed, .stage = PCG_TEST, .purpose = PCG_TARGET};
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, &err);
    double *x = malloc(n * (t->dim + 1) * sizeof *x);
    int code =
        target_sample(t, pool, x, logp ? logp : x + n * t->dim, NULL, NULL, stream, 0, n, &err);
    cr_assert_eq(code, 0, "%s: %s", t->ops->name, err.text);
    flow_pool_free(pool);
    return x;
}

energy_mean energy_mean_of(const double *values, size_t n)
{
    double mean = 0, square = 0, count = (double)n;
    for (size_t i = 0; i < n; i++)
        mean += values[i] / count;
    for (size_t i = 0; i < n; i++)
        square += (values[i] - mean) * (values[i] - mean) / count;
    return (energy_mean){mean, sqrt(square / count)};
}

size_t energy_mode(const target *t, size_t partition, const double *x)
{
    size_t *modes = calloc(t->modes->partitions, sizeof *modes);
    t->modes->modes_of(t->modes->arg, modes, x);
    size_t out = modes[partition];
    free(modes);
    return out;
}
