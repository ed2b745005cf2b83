/* The posteriors against log-densities and gradients of the real Stan models (golden/: 16 points each of
 * posteriordb's models, Stan 2.32.2 through BridgeStan 2.7.0, propto = false, jacobian = true; two of them far
 * off) and against log Z by bridge sampling from its reference draws. */
#include "files/read.h"
#include "tests/common/check.h"
#include "tests/common/sanitized.h"
#include "tests/common/temp.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef GOLDEN
#define GOLDEN "tests/teacher/golden"
#endif

/* log Z, and the spread of its estimate over random halvings; NaN: not computed here. */
static const struct model {
    const char *name, *data;
    size_t dim;
    double log_z, sd;
} models[] = {
    {"eight_schools_centered", NULL, 10, -32.00446879595163, 0.0035},
    {"eight_schools_noncentered", NULL, 10, -32.00472439448357, 0.0026},
    {"kidscore_momiq", "kidiq", 3, -1882.356672916999, 0.0006},
    {"logearn_interaction", "earnings", 5, -1553.357808476232, 0.0014},
    {"nes", "nes1980", 10, -1425.1723915570592, 0.0031},
    {"blr", "sblrc", 6, -195.66060710014426, 0.0025},
    {"arK", "arK", 7, 57.89331338296575, 0.0020},
    {"garch11", "garch", 4, NAN, 0},
    {"low_dim_gauss_mix", "low_dim_gauss_mix", 5, NAN, 0},
};
enum { MODELS = sizeof models / sizeof *models };

static target *create(const struct model *m)
{
    char text[300], data[200] = "";
    if (m->data)
        snprintf(data, sizeof data, ", \"data\": \"configs/data/posteriordb/%s.csv\"", m->data);
    snprintf(text, sizeof text, "{\"kind\": \"posterior\", \"model\": \"%s\"%s}", m->name, data);
    return energy_create(text);
}

/* What the formula cancels counts: a gradient is as good as its largest element. */
static void check_row(const target *t, flow_pool *pool, const double *row, const char *name)
{
    size_t dim = t->dim;
    double logp, *grad = malloc(dim * sizeof *grad);
    const double *want = row + dim;
    cr_assert_eq(target_log_density(t, pool, &logp, grad, NULL, row, NULL, 1, NULL), 0);
    check_close(&logp, want, 1, 1e-11, 1e-11, "log p of %s", name);
    check_close(grad, want + 1, dim, 1e-9, 1e-11 * largest_of(want + 1, dim), "gradient of %s",
                name);
    free(grad);
}

Test(target_posterior, golden)
{
    flow_pool *pool = flow_pool_create(1, NULL);
    for (size_t k = 0; k < MODELS; k++) {
        char path[200];
        flow_err err = FLOW_ERR_INIT;
        target *t = create(&models[k]);
        snprintf(path, sizeof path, GOLDEN "/%s.csv", models[k].name);
        file_table *golden = file_read(path, FILE_HEADER_AUTO, &err);
        cr_assert(golden, "%s", err.text);
        cr_assert_eq(t->dim, models[k].dim);
        cr_assert(golden->rows >= 16 && golden->cols == 2 * t->dim + 1, "%s", path);
        for (size_t r = 0; r < golden->rows; r++)
            check_row(t, pool, golden->values + r * golden->cols, models[k].name);
        file_table_free(golden);
        target_free(t);
    }
    flow_pool_free(pool);
}

/* Within 4 of their spreads, and both forms of the schools alike: their log Z is that of the data. */
Test(target_posterior, log_z)
{
    double schools[2];
    for (size_t k = 0; k < MODELS; k++) {
        target *t = create(&models[k]);
        if (k < 2)
            schools[k] = t->log_z;
        if (isnan(models[k].log_z))
            cr_assert(isnan(t->log_z), "%s: %g", models[k].name, t->log_z);
        else
            check_close(&t->log_z, &models[k].log_z, 1, 0, 4 * models[k].sd, "log Z of %s",
                        models[k].name);
        target_free(t);
    }
    check_close(schools, schools + 1, 1, 0, 0, "log Z of the schools");
}

/* Of the sampler against posteriordb's 10,000 reference draws, whose effective number is 9,100 or more: means and
 * spreads of log p, of the first number and of the last. The ratio of spreads has a standard error of at most
 * sqrt((kurtosis - 1) / 4 N), where no kurtosis is above 9. At 5 standard errors, 42 of them: false alarm 2e-5. */
Test(target_posterior, reference_draws)
{
    enum { N = UNLESS_SANITIZED(20000, 4000), REFERENCE = 9100 };
    static const struct reference {
        double mean[3], sd[3];
    } references[] = {
        {{-53.32870, 6.1505, 0.808081}, {8.60356, 5.61586, 1.17431}},
        {{-46.86405, 0.290336, 0.808081}, {2.38775, 0.991858, 1.17431}},
        {{-1880.25970, 25.9165, 2.905}, {1.21761, 5.9686, 0.0340702}},
        {{-1541.28865, 8.39002, -0.125777}, {1.59034, 0.848591, 0.0207831}},
        {{-1416.37222, 1.67241, 0.60267}, {2.28622, 0.565738, 0.0268206}},
        {{-164.64849, 0.999647, 0.0387411}, {1.77737, 0.000982565, 0.0730716}},
        {{70.14702, -0.00071865, -1.89468}, {1.88625, 0.0107082, 0.0514821}},
    };
    double *values = malloc(3 * N * sizeof *values), n = N;
    for (size_t k = 0; k < sizeof references / sizeof *references; k++) {
        target *t = create(&models[k]);
        double *x = energy_draws(t, values, N, 61 + k), se = sqrt(1 / n + 1.0 / REFERENCE);
        for (size_t r = 0; r < N; r++) {
            values[N + r] = x[r * t->dim];
            values[2 * N + r] = x[(r + 1) * t->dim - 1];
        }
        for (size_t i = 0; i < 3; i++) {
            energy_mean m = energy_mean_of(values + i * N, N);
            double sd = m.se * sqrt(n), want = references[k].sd[i];
            cr_assert(fabs(m.value - references[k].mean[i]) < 5 * want * se,
                      "%s, %zu: mean %g, not %g", models[k].name, i, m.value,
                      references[k].mean[i]);
            cr_assert(fabs(sd / want - 1) < 5 * sqrt(2) * se, "%s, %zu: sd %g, not %g",
                      models[k].name, i, sd, want);
        }
        free(x);
        target_free(t);
    }
    free(values);
}

/* Given, it is taken as it is. */
Test(target_posterior, log_z_given)
{
    target *t = energy_create("{\"kind\": \"posterior\", \"model\": \"garch11\", \"log_z\": -451, "
                              "\"data\": \"configs/data/posteriordb/garch.csv\"}");
    cr_assert(t->log_z == -451 && t->log_z_se == 0);
    target_free(t);
    t = energy_create("{\"kind\": \"posterior\", \"model\": \"garch11\", \"log_z\": -451, "
                      "\"log_z_se\": 0.25, \"data\": \"configs/data/posteriordb/garch.csv\"}");
    cr_assert(t->log_z == -451 && t->log_z_se == 0.25);
    target_free(t);
}

/* An error of what is computed here would be read and ignored. */
Test(target_posterior, error_of_no_log_z)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *said = json_loads("{\"kind\": \"posterior\", \"log_z_se\": 0.1, "
                              "\"model\": \"eight_schools_centered\"}",
                              0, NULL);
    cr_assert(!target_create(said, &err) && err.code == FLOW_ECONFIG);
    cr_assert(strstr(err.text, "log_z_se") && strstr(err.text, "no log_z"), "%s", err.text);
    json_decref(said);
}

/* What the table of a test holds. */
static target *of_table(const char *model, const char *table, const char *more)
{
    char text[600];
    const char *path = temp_write("table.csv", table, strlen(table));
    snprintf(text, sizeof text, "{\"kind\": \"posterior\", \"model\": \"%s\", \"data\": \"%s\"%s}",
             model, path, more);
    return energy_create(text);
}

/* Six rows, so that the tail in s is heavy: the sum over a grid of (b1, b2, s), b in units of sigma about where
 * the residuals are least. */
Test(target_posterior, log_z_by_quadrature)
{
    enum { SIDE = 121, ROW = SIDE * SIDE };
    const double step = 0.1, middle[] = {0.941, -0.6584};
    temp_open();
    target *t = of_table("kidscore_momiq",
                         "kid_score,mom_iq\n1,0.5\n2,-1\n0.5,1.5\n-1,2\n1.5,0\n0,-0.5\n", "");
    flow_pool *pool = flow_pool_create(1, NULL);
    double *u = malloc(4 * ROW * sizeof *u), *logp = u + 3 * ROW, sum = 0;
    for (double s = -4; s < 9; s += 0.1) {
        for (size_t i = 0; i < ROW; i++) {
            u[3 * i] = middle[0] + exp(s) * step * ((double)(i / SIDE) - SIDE / 2);
            u[3 * i + 1] = middle[1] + exp(s) * step * ((double)(i % SIDE) - SIDE / 2);
            u[3 * i + 2] = s;
        }
        cr_assert_eq(target_log_density(t, pool, logp, NULL, NULL, u, NULL, ROW, NULL), 0);
        for (size_t i = 0; i < ROW; i++)
            sum += exp(logp[i] + 2 * s) * step * step * 0.1;
    }
    double got = log(sum);
    check_close(&t->log_z, &got, 1, 0, 1e-6, "log Z");
    free(u);
    flow_pool_free(pool);
    target_free(t);
    temp_close();
}

/* ---- wrong values */

Test(target_posterior, wrong_descriptions)
{
    static const char *const cases[][2] = {
        {"{\"kind\": \"posterior\"}", "model"},
        {"{\"kind\": \"posterior\", \"model\": \"ark\"}",
         "model wants one of eight_schools_centered"},
        {"{\"kind\": \"posterior\", \"model\": \"arK\"}",
         "posterior: data: arK wants a table with the columns y"},
        {"{\"kind\": \"posterior\", \"model\": \"nes\"}", "columns partyid7, real_ideo, race_adj"},
        {"{\"kind\": \"posterior\", \"model\": \"blr\", \"data\": "
         "\"configs/data/posteriordb/arK.csv\"}",
         "x1"},
        {"{\"kind\": \"posterior\", \"model\": \"garch11\", \"sigma1\": 0}", "posterior: sigma1"},
        {"{\"kind\": \"posterior\", \"model\": \"eight_schools_centered\", \"sigma1\": 2}",
         "posterior: sigma1 has effect only"},
        {"{\"kind\": \"posterior\", \"model\": \"garch11\", \"log_z\": \"x\"}", "posterior: log_z"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        energy_refuse(cases[k][0], cases[k][1]);
}

static void refuse_table(const char *model, const char *table, int code, const char *want)
{
    flow_err err = FLOW_ERR_INIT;
    const char *path = temp_write("table.csv", table, strlen(table));
    json_t *d = json_pack("{s:s, s:s, s:s}", "kind", "posterior", "model", model, "data", path);
    cr_assert(!target_create(d, &err), "%s of %s was accepted", model, table);
    cr_assert_eq(err.code, code, "%s: %d", err.text, err.code);
    cr_assert(strstr(err.text, want), "'%s' is not in '%s'", want, err.text);
    json_decref(d);
}

Test(target_posterior, wrong_tables)
{
    temp_open();
    refuse_table("arK", "y\n1\n2\n3\n", FLOW_EDATA, "0 rows do not determine 6");
    refuse_table("kidscore_momiq", "kid_score,mom_iq\n1,2\n2,2\n3,2\n4,2\n5,2\n", FLOW_EDATA,
                 "do not determine");
    refuse_table("kidscore_momiq", "kid_score,mom_iq\n1,2\n2,nan\n3,2\n4,2\n", FLOW_EDATA,
                 "not finite");
    refuse_table("eight_schools_centered", "y,sigma\n1,2\n2,0\n", FLOW_EDATA, "row 1: sigma is 0");
    refuse_table("logearn_interaction", "earn,height,male\n1,2,0\n0,3,1\n", FLOW_EDATA, "row 1");
    flow_err err = FLOW_ERR_INIT;
    json_t *d = json_pack("{s:s, s:s, s:s}", "kind", "posterior", "model", "arK", "data",
                          temp_path("none.csv"));
    cr_assert(!target_create(d, &err) && err.code == FLOW_ENOINPUT, "%s", err.text);
    cr_assert(strstr(err.text, "none.csv"), "%s", err.text);
    json_decref(d);
    temp_close();
}
