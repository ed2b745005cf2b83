/* Columns on circles in what looks at a target: chains, pilot, pieces, places and the distance from a normal. */
#include "flow/circle.h"
#include "flow/preset.h"
#include "student/annealed.h"
#include "student/normal_look.h"
#include "student/objective.h"
#include "student/own_rows.h"
#include "student/place.h"
#include "student/recipe.h"
#include "teacher/target_in_units.h"
#include "tests/common/check.h"
#include "tests/common/distilling.h"
#include "tests/common/plugins.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static target *plugin_made(const char *file, const char *more)
{
    char text[PLUGIN_TEXT];
    flow_err err = FLOW_ERR_INIT;
    json_t *description = json_loads(plugin_text(text, file, more), 0, NULL);
    target *out = target_create(description, &err);
    json_decref(description);
    cr_assert(out, "%s", err.text);
    return out;
}

/* Two angles, in radians about `middle`: of 0, where their mode is, or of what is opposite, which has it at the seam. */
typedef struct torus {
    target *user, *line, *placed;
} torus;

static torus torus_open(double middle)
{
    torus t = {.user = plugin_made("plugin/torus.so", "\"options\": \"kappa=4 lambda=3\"")};
    const double shift[] = {middle, middle}, scale[] = {1, 1};
    t.line = target_on_the_line(t.user, NULL);
    t.placed = target_in_units(t.line, shift, scale, NULL);
    cr_assert(t.placed && t.placed->circles);
    return t;
}

static void torus_close(torus *t)
{
    target_free(t->placed);
    target_free(t->line);
    target_free(t->user);
}

static bool are_angles(const double *x, size_t n, size_t dim, size_t circles)
{
    bool good = true;
    for (size_t i = 0; i < n * dim; i++)
        good = good && (i % dim >= circles || (x[i] >= -FLOW_PI && x[i] < FLOW_PI));
    return good;
}

/* ---- chains */

/* log Z is off by .06 or so with so many rows, over twelve seeds: five times that. */
static void anneal(const target *t, double log_z, size_t circles)
{
    enum { N = 1500 };
    static const double shift[3] = {0, 0, 0}, scale[3] = {1, 1, 3};
    annealed a;
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(2, NULL);
    annealed_options o = annealed_options_default();
    o.rows = N;
    o.shift = shift;
    o.scale = scale;
    o.stream = (pcg_stream){.seed = 3, .stage = PCG_TEST};
    cr_assert_eq(annealed_run(&a, t, pool, &o, &err), 0, "%s", err.text);
    cr_assert(are_angles(a.x, N, t->dim, circles));
    cr_assert_float_eq(a.log_z, log_z, 0.3, "%g for %g", a.log_z, log_z);
    annealed_close(&a);
    flow_pool_free(pool);
}

Test(circles, rows_are_annealed_from_all_round)
{
    torus t = torus_open(FLOW_PI);
    anneal(t.placed, t.user->log_z, 2);
    torus_close(&t);
}

Test(circles, also_by_walks_and_with_a_column_on_a_line)
{
    static const char *const more[] = {"", "\"options\": \"blind\""};
    for (size_t i = 0; i < 2; i++) {
        target *t = plugin_made("tests/plugins/mises.so", more[i]), *line;
        cr_assert_eq((t->flags & TARGET_GRADIENT) != 0, i == 0);
        line = target_on_the_line(t, NULL);
        anneal(line, t->log_z, 2);
        target_free(line);
        target_free(t);
    }
}

/* ---- the pilot */

static double mean_size(const double *u, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabs(u[i]) / (double)n;
    return sum;
}

/* Rows on either side of the seam are one heap, whose middle is the seam, and which comes to u = 0. */
Test(circles, a_heap_at_the_seam_has_its_middle_there)
{
    enum { N = 1000 };
    torus t = torus_open(FLOW_PI);
    student_pilot p;
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(2, NULL);
    cr_assert_eq(student_pilot_run(&p, t.placed, pool, &pilot_effort_usual, N, 5, &err), 0, "%s",
                 err.text);
    cr_assert(are_angles(p.rows.x, N, 2, 2) && are_angles(p.u, N, 2, 2));
    for (size_t i = 0; i < 2; i++) {
        cr_assert_lt(cos(p.shift[i]), -0.99, "column %zu: %g", i, p.shift[i]);
        cr_assert(p.scale[i] > 0 && p.scale[i] <= 1, "%g", p.scale[i]);
    }
    cr_assert(mean_size(p.rows.x, 2 * N) > 2 && mean_size(p.u, 2 * N) < 1.1, "%g, %g",
              mean_size(p.rows.x, 2 * N), mean_size(p.u, 2 * N));
    student_pilot_close(&p);
    flow_pool_free(pool);
    torus_close(&t);
}

/* Where rows of one piece are on either side of the seam, the way between them goes across. */
Test(circles, pieces_go_across_the_seam)
{
    enum { N = 300 };
    torus t = torus_open(FLOW_PI);
    double x[2 * N], log_p[N];
    pieces out;
    flow_pool *pool = flow_pool_create(1, NULL);
    pcg_normals(x, (pcg_stream){4, PCG_TEST, 1}, 0, N, 2);
    for (size_t i = 0; i < 2 * N; i++)
        x[i] = flow_circle_point(FLOW_PI + 0.4 * x[i]);
    cr_assert_eq(target_log_density(t.placed, pool, log_p, NULL, NULL, x, NULL, N, NULL), 0);
    cr_assert_eq(pieces_count(&out, t.placed, pool, x, log_p, N, NULL), 0);
    cr_assert(out.n == 1 && out.largest > 0.99, "%zu, %g", out.n, out.largest);
    pieces_close(&out);
    t.placed->circles = NULL;
    cr_assert_eq(pieces_count(&out, t.placed, pool, x, log_p, N, NULL), 0);
    cr_assert(out.n > 1, "it is the circles that do it");
    pieces_close(&out);
    flow_pool_free(pool);
    torus_close(&t);
}

/* ---- where a student begins */

/* u on a line, an angle anywhere, v on a line; two heaps of u. */
static void draw_rows(double *x, size_t n)
{
    pcg_normals(x, (pcg_stream){7, PCG_TEST, 1}, 0, n, 3);
    for (size_t r = 0; r < n; r++, x += 3) {
        x[2] = 3 + 0.5 * x[0] + 0.2 * x[2];
        x[0] += r % 2 ? 6 : -6;
        x[1] = flow_circle_point(2 * x[1]);
    }
}

static flow *student_of(const char *text)
{
    flow_err err = FLOW_ERR_INIT;
    const unsigned char circles[] = {0, 1, 0};
    const flow_place place = {.dim = 3, .stream = {1, PCG_TEST, PCG_PERMUTE}, .circles = circles};
    json_t *said = json_loads(text, 0, NULL), *full = flow_kind_complete(&flow_presets, said, &err);
    flow *out = full ? flow_preset_create(full, FLOW_NOISE_TO_DATA, &place, FLOW_F64, &err) : NULL;
    cr_assert(out, "%s", err.text);
    flow_init(out, (pcg_stream){2, PCG_TEST, PCG_INIT});
    json_decref(full);
    json_decref(said);
    return out;
}

/* Rows of stretched noise: a circle is not stretched, and the density that they are drawn from says so: E_r[q / r] = 1. */
Test(circles, own_rows_are_stretched_beside_them)
{
    enum { N = 20000 };
    flow_err err = FLOW_ERR_INIT;
    flow *student = student_of("{\"kind\": \"iaf\", \"layers\": 1}");
    flow_pool *pool = flow_pool_create(2, NULL);
    target *t = target_from_flow(student, &err);
    const own_rows_width width = {0.7, 1.6, 2};
    const term_scene scene = {student, pool, t, NULL, 5};
    own_rows rows = {.n = 0};
    term_sums sums = {0};
    double mean = 0;
    cr_assert_eq(own_rows_open(&rows, N, &scene, &err), 0);
    cr_assert_eq(own_rows_draw(&rows, &scene, &width, 0, &sums, &err), 0, "%s", err.text);
    for (size_t r = 0; r < N; r++)
        mean += exp(rows.log_q[r] - rows.log_r[r]) / N;
    cr_assert_float_eq(mean, 1, 0.03, "%g", mean); /* 5 sigma; a column too many is .06 and more */
    own_rows_close(&rows);
    target_free(t);
    flow_pool_free(pool);
    flow_free(student);
}

/* Mean log q of the rows that it was placed on, less that of a circle. */
static double mean_log_q(const char *text, const double *x, size_t n)
{
    flow_err err = FLOW_ERR_INIT;
    flow *student = student_of(text);
    flow_pool *pool = flow_pool_create(2, NULL);
    double mean = 0, *log_q = malloc(n * sizeof *log_q);
    cr_assert_eq(student_place(student, pool, &(distill_rows){.x = x, .n = n},
                               (pcg_stream){4, PCG_TEST, 1}, &err),
                 0, "%s", err.text);
    cr_assert_eq(flow_log_prob(student, pool, log_q, NULL, x, NULL, n, &err), 0);
    for (size_t r = 0; r < n; r++)
        mean += log_q[r] / (double)n;
    free(log_q);
    flow_pool_free(pool);
    flow_free(student);
    return mean + log(2 * FLOW_PI);
}

/* -h of the law that the rows are of: two normals with widths 1 and .2, and of log 2 nats which heap it is. */
Test(circles, components_and_linear_maps_are_of_the_lines)
{
    enum { N = 4000 };
    static double x[3 * N];
    double of_rows = -(1 + log(2 * FLOW_PI)) - log(0.2) - log(2);
    draw_rows(x, N);
    double linear = mean_log_q("{\"kind\": \"stack\", \"layers\": [{\"kind\": \"permutation\", "
                               "\"pattern\": \"reverse\"}, {\"kind\": \"lu_linear\"}]}",
                               x, N);
    double heaps = mean_log_q("{\"kind\": \"stack\", \"layers\": [{\"kind\": \"permutation\", "
                              "\"pattern\": \"reverse\"}], \"base\": {\"kind\": \"mixture\", "
                              "\"components\": 2}}",
                              x, N);
    double wide = -(1 + log(2 * FLOW_PI)) - log(sqrt(37) * sqrt(0.04 + 0.25 * (1 - 1. / 37)));
    cr_assert_float_eq(linear, wide, 0.03, "a normal with their moments: %g, %g", linear, wide);
    /* the components have no correlations: that is log(.2 / sqrt(.29)) */
    cr_assert_float_eq(heaps, of_rows + log(0.2 / sqrt(0.29)), 0.03, "%g of %g", heaps, of_rows);
}

/* ---- how far from a normal */

static double resultant(double kappa)
{
    double top = 0, all = 0;
    for (int i = 0; i < 1000; i++) {
        double c = cos(2 * FLOW_PI * i / 1000), p = exp(kappa * (c - 1));
        top += c * p;
        all += p;
    }
    return top / all;
}

Test(circles, concentration_inverts_the_resultant)
{
    static const double kappa[] = {0.1, 0.8, 1.3, 2.385, 4, 9, 60};
    for (size_t i = 0; i < sizeof kappa / sizeof *kappa; i++) {
        double got = normal_look_concentration(resultant(kappa[i]));
        cr_expect_float_eq(got / kappa[i], 1, 0.012, "%g, not %g", got, kappa[i]);
    }
}

/* Rows of a density of one angle, by the quantiles of it. */
static normal_look look_at_angle(double (*log_p)(double))
{
    enum { N = 2000, FINE = 200000 };
    static double u[N], logp[N];
    const unsigned char circle = 1;
    normal_look out;
    double all = 0, sum = 0;
    size_t r = 0;
    for (int i = 0; i < FINE; i++)
        all += exp(log_p(-FLOW_PI + 2 * FLOW_PI * i / FINE));
    for (int i = 0; i < FINE && r < N; i++) {
        double at = -FLOW_PI + 2 * FLOW_PI * i / FINE;
        for (sum += exp(log_p(at)); r < N && sum > all * ((double)r + 0.5) / N; r++) {
            u[r] = at;
            logp[r] = log_p(at);
        }
    }
    cr_assert_eq(r, N);
    cr_assert_eq(normal_look_at(&out, u, logp, N, 1, &circle, NULL), 0);
    return out;
}

static double mises(double a)
{
    return 3 * cos(a - 2.5);
}

static double two_sided(double a)
{
    return 4 * cos(2 * a);
}

Test(circles, near_a_von_mises_law_is_near_a_normal)
{
    normal_look one = look_at_angle(mises), two = look_at_angle(two_sided);
    cr_assert_lt(one.distance, 0.01, "%g nats", one.distance);
    cr_assert_gt(two.distance, 0.3, "%g nats", two.distance);
    cr_assert(one.flattest == 3 && one.farthest == 0, "there is no line");
}

/* ---- recipes */

static void recipe_has(const char *file, size_t circles, const char *want, const char * not )
{
    char text[PLUGIN_TEXT];
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(2, NULL);
    target *t = plugin_made(file, ""), *line = target_on_the_line(t, NULL);
    student_recipe r;
    recipe_request request = {.options = distilling_options()};
    cr_assert_eq(student_recipe_make(&r, line, pool, &request, &err), 0, "%s", err.text);
    char *flow_text = json_dumps(r.flow, 0);
    snprintf(text, sizeof text, "%s %.4000s", r.text, flow_text);
    cr_assert(r.circles == circles && strstr(text, want), "%s", text);
    cr_assert(!strstr(text, not ), "%s", text);
    free(flow_text);
    student_recipe_close(&r);
    target_free(line);
    target_free(t);
    flow_pool_free(pool);
}

Test(circles, recipes_know_of_them)
{
    recipe_has("plugin/torus.so", 2, "2 of them circles", "mixture");
    recipe_has("tests/plugins/mises.so", 2, "\"mixture\"", "lu_linear");
}
