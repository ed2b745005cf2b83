/* Bayesian logistic regression against numbers by another program, and by hand. */
#include "tests/common/check.h"
#include "tests/common/temp.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void density(const target *t, double *logp, double *grad, const double *w, size_t n)
{
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(target_log_density(t, pool, logp, grad, NULL, w, NULL, n, NULL), 0);
    flow_pool_free(pool);
}

/* At w_i = .7 sin(1 + i); elements 0, 1, 7 and the last of the gradient. By NumPy, straight from the formula. */
Test(target_logistic, real_tables)
{
    static const struct table {
        const char *name;
        size_t dim;
        double logp, grad[4];
    } tables[] = {
        {"sonar",
         61,
         -378.72403003963154,
         {-26.780926512380432, -31.734069937624334, -30.90315123066594, 11.566715553977646}},
        {"ionosphere",
         35,
         -374.5110286790061,
         {6.501171534738048, 45.94140615998881, 45.08829134200343, -6.743971873145359}}};
    for (size_t k = 0; k < 2; k++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{\"kind\": \"logistic\", \"data\": \"configs/data/logistic/%s.csv\"}",
                 tables[k].name);
        target *t = energy_create(text);
        cr_assert(t->dim == tables[k].dim && isnan(t->log_z), "%s: D = %zu", text, t->dim);
        double w[61], grad[61], logp;
        for (size_t i = 0; i < t->dim; i++)
            w[i] = 0.7 * sin(1 + (double)i);
        density(t, &logp, grad, w, 1);
        const double got[] = {grad[0], grad[1], grad[7], grad[t->dim - 1]};
        check_close(&logp, &tables[k].logp, 1, 1e-12, 0, "log p of %s", text);
        check_close(got, tables[k].grad, 4, 1e-10, 1e-10, "gradient of %s", text);
        target_free(t);
    }
}

static target *of_table(const char *table, const char *more)
{
    char text[500];
    const char *path = temp_write("table.csv", table, strlen(table));
    snprintf(text, sizeof text, "{\"kind\": \"logistic\", \"data\": \"%s\"%s}", path, more);
    return energy_create(text);
}

/* Two rows, a column of which nothing is left and one that becomes -1, 1; the label in front. */
Test(target_logistic, by_hand)
{
    temp_open();
    target *t = of_table("hit,a,b\n1,5,2\n0,5,4\n",
                         ", \"label\": \"hit\", \"prior_sd\": 2, \"log_z\": -3.5");
    const double w[] = {0.3, 0.7, -0.4, 0, 0, 0}, up = 0.3 + 0.4, back = 0.3 - 0.4;
    const double prior = -3 * (0.5 * log(2 * acos(-1)) + log(2));
    const double want[] = {prior - (0.09 + 0.49 + 0.16) / 8 - log1p(exp(-up)) - log1p(exp(back)),
                           prior - 2 * log(2)};
    const double at_up = 1 / (1 + exp(up)), at_back = 1 / (1 + exp(-back));
    const double slope[] = {
        -0.3 / 4 + at_up - at_back, -0.7 / 4, 0.4 / 4 - at_up - at_back, 0, 0, -1};
    double logp[2], grad[6];
    density(t, logp, grad, w, 2);
    check_close(logp, want, 2, 1e-14, 0, "log p");
    check_close(grad, slope, 6, 1e-14, 1e-14, "gradient");
    cr_assert_eq(t->log_z, -3.5);
    target_free(t);
    temp_close();
}

/* Far out nothing overflows. */
Test(target_logistic, far_out)
{
    temp_open();
    target *t = of_table("x,y\n1,0\n2,1\n3,1\n", "");
    const double w[] = {0, 1e5, 0, -1e5}, log_2pi = log(2 * acos(-1));
    const double spread = sqrt(1.5),
                 want[] = {-5e9 - log_2pi - log(2), -5e9 - log_2pi - log(2) - 2e5 * spread};
    double logp[2], grad[4];
    density(t, logp, grad, w, 2);
    check_close(logp, want, 2, 1e-14, 0, "log p");
    target_free(t);
    temp_close();
}

static void refuse_table(const char *table, const char *label, int code, const char *want)
{
    flow_err err = FLOW_ERR_INIT;
    const char *path = temp_write("table.csv", table, strlen(table));
    json_t *d = json_pack("{s:s, s:s, s:s}", "kind", "logistic", "data", path, "label", label);
    cr_assert(!target_create(d, &err), "%s was accepted", table);
    cr_assert_eq(err.code, code, "%s: %d", err.text, err.code);
    cr_assert(strstr(err.text, want), "'%s' is not in '%s'", want, err.text);
    json_decref(d);
}

Test(target_logistic, wrong_tables)
{
    temp_open();
    refuse_table("a,y\n1,0\n2,2\n", "y", FLOW_EDATA, "row 1 (line 3), column 1 'y'");
    refuse_table("a,y\n1,0\n2,0.5\n", "y", FLOW_EDATA, "0.5; a label wants to be 0 or 1");
    refuse_table("a,y\n1,0\n2,1\n", "z", FLOW_ECONFIG, "label");
    refuse_table("a,y\nnan,0\n2,1\n", "y", FLOW_EDATA, "not finite");
    refuse_table("y\n0\n1\n", "y", FLOW_EDATA, "columns");
    energy_refuse("{\"kind\": \"logistic\"}", "data");
    energy_refuse("{\"kind\": \"logistic\", \"data\": \"x.csv\", \"prior_sd\": 0}",
                  "logistic: prior_sd");
    temp_close();
}
