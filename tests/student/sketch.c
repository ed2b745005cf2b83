/* A target that is all but a normal, told by little; and what is none, which must not be taken for one. */
#include "student/sketch.h"

#include "flow/preset.h"
#include "student/arrive.h"
#include "student/ascent.h"
#include "student/normal_fit.h"
#include "student/normal_slopes.h"
#include "student/recipe.h"
#include "teacher/target_in_units.h"
#include "tests/common/check.h"
#include "tests/common/distilling.h"
#include "tests/common/far_modes.h"
#include "tests/common/gaussian.h"
#include "tests/student/recipe_made.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Columns that hang together at .9995, of unlike widths, far from the origin. */
static const double STIFF[9] = {3.7, 0, 0, 0.11, 0.0035, 0, -0.4, 0.2, 0.9},
                    AT[3] = {-23.85, 2.385, 0.713};

static void stiff(gaussian *g)
{
    gaussian_init(g, 3, STIFF, AT);
    gaussian_take_sampler_away(g);
    g->base.log_z = 1.5;
}

/* C = L L^T of row i, column j */
static double covariance(const double *l, size_t i, size_t j, size_t dim)
{
    double sum = 0;
    for (size_t k = 0; k < dim; k++)
        sum += l[i * dim + k] * l[j * dim + k];
    return sum;
}

static target *energy(const char *text)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = json_loads(text, 0, NULL);
    target *t = target_create(d, &err);
    cr_assert(t, "%s: %s", text, err.text);
    json_decref(d);
    return t;
}

/* n points all over a cube about nothing in particular. */
static void scatter(double *x, size_t n, size_t dim, double width)
{
    pcg_normals(x, (pcg_stream){11, PCG_TEST, PCG_BASE}, 0, n, dim);
    for (size_t k = 0; k < n * dim; k++)
        x[k] *= width;
}

/* ---- the parts */

Test(normal_slopes, are_enough_for_a_normal)
{
    enum { N = 40 };
    gaussian g;
    double x[N * 3], logp[N], slopes[N * 3], mean[3], lower[9], work[64];
    flow_pool *pool = flow_pool_create(1, NULL);
    stiff(&g);
    scatter(x, N, 3, 7.1);
    cr_assert_eq(target_log_density(&g.base, pool, logp, slopes, NULL, x, NULL, N, NULL), 0);
    cr_assert(normal_slopes_work(3) <= 64);
    cr_assert_eq(normal_from_slopes(mean, lower, x, slopes, N, 3, work), 0);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_float_eq(mean[i], AT[i], 1e-5, "mean %zu is %g", i, mean[i]);
        for (size_t j = 0; j < 3; j++)
            cr_expect_float_eq(covariance(lower, i, j, 3), covariance(STIFF, i, j, 3), 1e-5);
    }
    for (size_t k = 0; k < N * 3; k++)
        slopes[k] = -slopes[k]; /* of a valley */
    memset(mean, 0, sizeof mean);
    cr_expect_eq(normal_from_slopes(mean, lower, x, slopes, N, 3, work), -1);
    cr_expect(mean[0] == 0 && lower[0] != 0, "what is no normal leaves things alone");
    flow_pool_free(pool);
}

Test(ascent, comes_to_the_top_and_knows_the_curvature)
{
    gaussian g;
    size_t asked = 5;
    double x[3] = {40, -3, 12}, h[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, NULL);
    stiff(&g);
    cr_assert_eq(ascent_run(x, h, &asked, &g.base, pool, &err), 0, "%s", err.text);
    for (size_t i = 0; i < 3; i++) {
        double width = sqrt(covariance(STIFF, i, i, 3));
        cr_expect_float_eq(x[i], AT[i], 0.01 * width, "column %zu at %g", i, x[i]);
        cr_expect_float_eq(h[4 * i], width * width, 0.2 * width * width, "h %g", h[4 * i]);
    }
    cr_expect(asked > 5 && asked <= 5 + ASCENT_STEPS, "%zu", asked - 5);
    g.fail_after = 0;
    cr_expect_eq(ascent_run(x, h, &asked, &g.base, pool, &err), FLOW_EDATA);
    flow_pool_free(pool);
}

/* Five widths away they come; what is on another hill goes up that one. */
Test(arrive, rows_go_up_their_own_hill)
{
    enum { N = 3 };
    double x[2 * N] = {0}, log_p[N], before[2], lower[4] = {1, 0, 0, 1};
    size_t asked = 0;
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, NULL);
    target *t = far_modes_create();
    double top, centre[2];
    for (size_t r = 0; r < N; r++)
        x[2 * r] = 3 * (double)r - 2;
    cr_assert_eq(target_log_density(t, pool, log_p, NULL, NULL, x, NULL, N, &err), 0);
    memcpy(before, x, sizeof before);
    cr_assert_eq(rows_arrive(x, log_p, &asked, t, pool, lower, INFINITY, N, 60, &err), 0);
    for (size_t r = 0; r < N; r++) {
        memcpy(centre, x + 2 * r, sizeof centre);
        cr_assert_eq(target_log_density(t, pool, &top, NULL, NULL, centre, NULL, 1, &err), 0);
        cr_expect_float_eq(log_p[r], top, 1e-12, "log p~ goes with its row");
        cr_expect_eq(far_modes_nearest(centre),
                     far_modes_nearest((double[]){3 * (double)r - 2, 0}));
    }
    cr_expect(x[0] != before[0] && asked >= N);
    asked = 0;
    cr_assert_eq(rows_arrive(x, log_p, &asked, t, pool, lower, -INFINITY, N, 60, &err), 0);
    cr_expect_eq(asked, 0, "those that are there are left alone");
    target_free(t);
    flow_pool_free(pool);
}

/* ---- the normal */

static normal_fit fit_of(const target *t, double *rows, size_t n, size_t threads)
{
    normal_fit out;
    flow_err err = FLOW_ERR_INIT;
    double *log_p = malloc(n * sizeof *log_p);
    flow_pool *pool = flow_pool_create(threads, NULL);
    cr_assert_eq(target_log_density(t, pool, log_p, NULL, NULL, rows, NULL, n, &err), 0);
    cr_assert_eq(normal_fit_run(&out, t, pool, rows, log_p, n, 3, &err), 0, "%s", err.text);
    flow_pool_free(pool);
    free(log_p);
    return out;
}

/* From points that were not drawn from anything like it. */
Test(normal_fit, of_a_stiff_normal)
{
    enum { N = 100 };
    gaussian g;
    double x[N * 3], y[N * 3], mean = 0, square = 0;
    stiff(&g);
    scatter(x, N, 3, 5);
    memcpy(y, x, sizeof y);
    normal_fit a = fit_of(&g.base, x, N, 1), b = fit_of(&g.base, y, N, 3);
    cr_assert(a.known && a.n == NORMAL_FIT_ROWS);
    cr_expect(a.ess > 0.98 && a.distance < 0.01 && a.worst < 1, "%g %g %g", a.ess, a.distance,
              a.worst);
    cr_expect_float_eq(a.log_z, 1.5, 0.01, "log Z %g", a.log_z);
    for (size_t r = 0; r < a.n; r++)
        mean += a.x[3 * r + 1] / (double)a.n;
    for (size_t r = 0; r < a.n; r++)
        square += (a.x[3 * r + 1] - mean) * (a.x[3 * r + 1] - mean) / (double)a.n;
    double width = sqrt(covariance(STIFF, 1, 1, 3));
    cr_expect_float_eq(mean, AT[1], 5 * width / sqrt((double)a.n));
    cr_expect_float_eq(sqrt(square), width, 0.05 * width);
    cr_expect(memcmp(a.x, b.x, a.n * 3 * sizeof *a.x) == 0, "the same for any number of threads");
    normal_fit_close(&a);
    normal_fit_close(&b);
}

/* ---- the whole */

static student_sketch sketch_of(const target *t, size_t threads)
{
    student_sketch out;
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(threads, NULL);
    cr_assert(student_sketch_suits(t));
    cr_assert_eq(student_sketch_run(&out, t, pool, 5, &err), 0, "%s", err.text);
    flow_pool_free(pool);
    return out;
}

static void expect_none(target *t, const char *name)
{
    student_sketch s = sketch_of(t, 1);
    cr_expect(!s.holds, "%s was taken for a normal", name);
    student_sketch_close(&s);
    target_free(t);
}

Test(sketch, holds_of_a_normal)
{
    gaussian g;
    stiff(&g);
    student_sketch a = sketch_of(&g.base, 1), b = sketch_of(&g.base, 3);
    cr_assert(a.holds && b.holds && a.pilot.precise);
    cr_expect_eq(a.evaluations, b.evaluations);
    cr_expect_eq(a.pilot.rows.n, NORMAL_FIT_ROWS);
    cr_expect(memcmp(a.pilot.u, b.pilot.u, 3 * NORMAL_FIT_ROWS * sizeof *a.pilot.u) == 0);
    cr_expect_float_eq(a.pilot.shift[0], AT[0], 0.3);
    cr_expect_float_eq(a.pilot.scale[2], sqrt(covariance(STIFF, 2, 2, 3)), 0.1);
    student_sketch_close(&a);
    student_sketch_close(&b);
}

/* A mode of a tenth of the mass, one of a fiftieth; a neck, a bend, a ring. */
Test(sketch, does_not_hold_of_what_is_none)
{
    expect_none(far_modes_create(), "three modes");
    expect_none(
        energy(
            "{\"kind\": \"gaussians\", \"means\": [[0, 0, 0], [8, 0, 0]], \"weights\": [1, 0.02]}"),
        "a small mode");
    expect_none(energy("{\"kind\": \"posterior\", \"model\": \"eight_schools_centered\"}"),
                "a neck");
    expect_none(energy("{\"kind\": \"posterior\", \"model\": \"eight_schools_noncentered\"}"),
                "a normal that is bent");
    expect_none(energy("{\"kind\": \"banana\"}"), "a banana");
    expect_none(energy("{\"kind\": \"rezende\"}"), "a ring");
    expect_none(energy("{\"kind\": \"student_t\", \"dim\": 5, \"dof\": 3}"), "tails");
}

/* Without slopes, on circles, of more columns. */
Test(sketch, suits)
{
    unsigned char circles[3] = {0, 1, 0};
    gaussian g;
    stiff(&g);
    cr_expect(student_sketch_suits(&g.base));
    g.base.circles = circles;
    cr_expect(!student_sketch_suits(&g.base));
    g.base.circles = NULL;
    g.base.flags &= ~(unsigned)TARGET_GRADIENT;
    cr_expect(!student_sketch_suits(&g.base));
    g.base.flags |= TARGET_GRADIENT;
    g.base.dim = SKETCH_DIM + 1;
    cr_expect(!student_sketch_suits(&g.base));
}

/* ---- in a recipe */

/* Few steps after a sketch; those of old where the user has a word in it, or wants none. */
Test(recipe, asks_for_less_of_a_normal)
{
    gaussian g;
    recipe_request request = {.options = distilling_options(), .rows = 600};
    stiff(&g);
    student_recipe less = recipe_made(&g.base, &request, 1),
                   same = recipe_made(&g.base, &request, 3);
    cr_expect(less.sketched && less.options.steps < 400 && less.options.lr > 5e-3, "%s", less.text);
    cr_expect(strstr(less.text, "a quarter is enough") && strstr(less.text, "by weight"), "%s",
              less.text);
    cr_expect_str_eq(less.text, same.text);
    request.lr_fixed = 1;
    student_recipe own = recipe_made(&g.base, &request, 1);
    cr_expect(own.sketched && own.options.steps == 3000 && own.options.lr == request.options.lr);
    request.lr_fixed = 0;
    request.no_sketch = 1;
    student_recipe more = recipe_made(&g.base, &request, 1);
    cr_expect(!more.sketched && more.options.steps == 3000 && more.pilot.rows.n == 600);
    cr_expect(more.evaluations > 4 * less.evaluations && !strstr(more.text, "quarter"), "%s",
              more.text);
    student_recipe_close(&less);
    student_recipe_close(&same);
    student_recipe_close(&own);
    student_recipe_close(&more);
}

/* Where a sketch does not hold, it leaves no trace but what it asked. */
Test(recipe, is_the_same_without_a_sketch_that_does_not_hold)
{
    recipe_request request = {.options = distilling_options(), .rows = 600};
    target *t = far_modes_create();
    student_recipe a = recipe_made(t, &request, 1);
    request.no_sketch = 1;
    student_recipe b = recipe_made(t, &request, 1);
    cr_assert(!a.sketched && a.pilot.rows.n == b.pilot.rows.n);
    cr_expect(memcmp(a.pilot.u, b.pilot.u, 2 * a.pilot.rows.n * sizeof *a.pilot.u) == 0);
    cr_expect(json_equal(a.flow, b.flow) && json_equal(a.objective, b.objective));
    cr_expect(a.options.steps == b.options.steps && a.options.lr == b.options.lr);
    cr_expect(a.evaluations > b.evaluations && (double)a.evaluations < 1.3 * (double)b.evaluations,
              "%zu for %zu", a.evaluations, b.evaluations);
    student_recipe_close(&a);
    student_recipe_close(&b);
    target_free(t);
}

/* Rows by weight are as many as their correlations need: nothing is taken off these, and the student is there before it is trained. */
Test(recipe, begins_where_a_sketch_is)
{
    gaussian g;
    recipe_request request = {.options = distilling_options(), .steps_fixed = 1, .lr_fixed = 1};
    request.options.steps = 1;
    request.options.warmup = 0;
    request.options.lr = 1e-7;
    stiff(&g);
    student_recipe r = recipe_made(&g.base, &request, 1);
    target *scaled = target_in_units(&g.base, r.pilot.shift, r.pilot.scale, NULL);
    distilling d = {.teacher = scaled, .options = r.options};
    const flow_place at = {.dim = 3, .stream = {1, PCG_TEST, PCG_PERMUTE}};
    d.student = flow_preset_create(r.flow, FLOW_NOISE_TO_DATA, &at, FLOW_F64, NULL);
    cr_assert(d.student);
    cr_assert(r.sketched && r.options.start.precise);
    cr_assert_eq(distilling_run(&d), 0, "%s", d.err.text);
    check_kl(&d, 0, 0.003);
    flow_free(d.student);
    target_free(scaled);
    student_recipe_close(&r);
}
