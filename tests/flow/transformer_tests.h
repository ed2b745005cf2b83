/* tests/flow/transformer_tests.h -- element-wise maps against their formulas in double: the inverse
 * by bisection; see kernel_tests.h. */

enum { TAU_LD = 16, TAU_MAX_BINS = 64, TAU_MAX_PARAMS = 3 * TAU_MAX_BINS + 2 };

/* What the formulas below need of the options. */
typedef struct tau_spec {
    size_t bins;
    double bound, scale_bound;
} tau_spec;

/* The options of a transformer: those of its keys that the spec has, defaults for the rest. */
static void *tau_options(const transformer *tau, const tau_spec *spec)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *all = json_pack("{s:I, s:f, s:f}", "bins", (json_int_t)spec->bins, "bound", spec->bound,
                            "scale_bound", spec->scale_bound);
    json_t *own = json_pack("{s:s}", "kind", tau->kind.name), *value;
    const char *key;
    json_object_foreach(all, key, value) if (flow_key_find(tau->kind.keys, key))
        json_object_set(own, key, value);
    json_t *object = flow_kind_complete(&flow_transformers, own, &err);
    void *options = object ? flow_kind_read(&tau->kind, object, &err) : NULL;
    cr_assert(options, "%s", err.text);
    json_decref(all);
    json_decref(own);
    json_decref(object);
    return options;
}

/* ---- the formulas */

/* y and dy/dx of Durkan 2019, equations 4 and 5, at x in [-B, B]; h: widths, heights, slopes; slope_of: that
 * of corner k = 0 .. bins. */
static void naive_bins(double *y, double *slope, double x, const double *h, size_t bins,
                       double bound, double (*slope_of)(const double *h, size_t k, size_t bins))
{
    size_t k = 0;
    double w[TAU_MAX_BINS], v[TAU_MAX_BINS], sum[2] = {0, 0};
    double at_x = -bound, at_y = -bound;
    for (size_t i = 0; i < bins; i++) {
        sum[0] += w[i] = exp(h[i]);
        sum[1] += v[i] = exp(h[bins + i]);
    }
    for (size_t i = 0; i < bins; i++) { /* no bin is smaller than a thousandth of [-B, B] */
        w[i] = 2 * bound * (1e-3 + (1 - 1e-3 * (double)bins) * w[i] / sum[0]);
        v[i] = 2 * bound * (1e-3 + (1 - 1e-3 * (double)bins) * v[i] / sum[1]);
    }
    for (; k + 1 < bins && x >= at_x + w[k]; k++) {
        at_x += w[k];
        at_y += v[k];
    }
    double d0 = slope_of(h, k, bins), d1 = slope_of(h, k + 1, bins);
    double s = v[k] / w[k], t = (x - at_x) / w[k], q = t * (1 - t);
    double den = s + (d1 + d0 - 2 * s) * q;
    *y = at_y + v[k] * (s * t * t + d0 * q) / den;
    *slope = s * s * (d1 * t * t + 2 * s * q + d0 * (1 - t) * (1 - t)) / (den * den);
}

/* Slopes are 1 at h = 0, and at least a thousandth. */
static double naive_slope(double h)
{
    return 1e-3 + log1p(exp(h + log(expm1(0.999))));
}

static double slope_of_open(const double *h, size_t k, size_t bins)
{
    return k == 0 || k == bins ? 1 : naive_slope(h[2 * bins + k - 1]);
}

static double slope_of_closed(const double *h, size_t k, size_t bins)
{
    return naive_slope(h[2 * bins + k % bins]);
}

/* Rezende 2020, section 2.1.2, on all turns. */
static void naive_circle(double *y, double *slope, double x, const double *h, size_t bins)
{
    const double pi = acos(-1), turned = 2 * pi * nearbyint(x / (2 * pi));
    naive_bins(y, slope, x - turned, h, bins, pi, slope_of_closed);
    *y += turned + atan2(h[3 * bins + 1], 1 + h[3 * bins]);
}

/* y and l = log dy/dx. A transformer without a formula here fails. */
static void naive_forward(const char *name, double *y, double *l, double x, const double *h,
                          const tau_spec *spec)
{
    double slope = 1;
    *y = x;
    if (strcmp(name, "affine") == 0) {
        slope = exp(h[1] / (1 + fabs(h[1]) / spec->scale_bound));
        *y = x * slope + h[0];
    } else if (strcmp(name, "additive") == 0) {
        *y = x + h[0];
    } else if (strcmp(name, "spline") == 0) {
        if (fabs(x) <= spec->bound)
            naive_bins(y, &slope, x, h, spec->bins, spec->bound, slope_of_open);
    } else if (strcmp(name, "circular_spline") == 0) {
        naive_circle(y, &slope, x, h, spec->bins);
    } else {
        cr_assert_fail("transformer '%s' has no formula in this test", name);
    }
    *l = log(slope);
}

/* ---- cases */

/* Derivatives, relative to the largest: differences in double are good to 1e-8 of pieces that are not
 * too narrow; single precision to some hundred roundings. */
static const double TAU_STEP = 1e-5;
static const double tau_derivative_tolerance = FLOW_BITS == 64 ? 1e-5 : 5e-3;

static const struct {
    size_t bins;
    double bound, scale_bound, width; /* width: size of the parameters */
} taus[] = {
    {2, 2.385, 0.9, 0.713}, {5, 3, 3, 1.3}, {8, 3, 3, 0.2}, {17, 5.1, 7, 2}, {64, 1.9, 19.3, 1}};
enum { N_TAUS = sizeof taus / sizeof taus[0], TAU_REPEATS = UNLESS_SANITIZED(40, 8) };

typedef struct tau_case {
    const transformer *tau;
    tau_spec spec;
    void *options;
    size_t params;
    real *x, *h, *y, *back;
    real *ready; /* h, prepared */
    double logdet[TAU_LD], back_logdet[TAU_LD];
} tau_case;

static void tau_case_open(tau_case *c, const transformer *tau, size_t number, uint64_t seed)
{
    *c = (tau_case){.tau = tau,
                    .spec = {.bins = taus[number].bins,
                             .bound = taus[number].bound,
                             .scale_bound = taus[number].scale_bound}};
    c->options = tau_options(tau, &c->spec);
    c->spec.bound =
        (double)(real)c->spec.bound; /* it belongs to the spline, rounded as it is there */
    c->params = tau->n_params(c->options);
    cr_assert(c->params > 0 && c->params <= TAU_MAX_PARAMS);
    c->x = reals_new(TAU_LD);
    c->y = reals_new(TAU_LD);
    c->back = reals_new(TAU_LD);
    c->h = reals_new(c->params * TAU_LD);
    c->ready = reals_new(c->params * TAU_LD);
    fill(c->h, c->params * TAU_LD, taus[number].width, 1000 * number + seed);
    fill(c->x, TAU_LD, 0.6 * taus[number].bound, 1000 * number + seed + 500);
    c->x[3] = (real)taus[number].bound; /* the ends */
    c->x[4] = -(real)taus[number].bound;
    c->x[5] = (real)(1.7 * taus[number].bound); /* and beyond */
}

static void tau_case_close(tau_case *c)
{
    free(c->x), free(c->h), free(c->y), free(c->back), free(c->ready);
    free(c->options);
}

static const real *ready(tau_case *c)
{
    memcpy(c->ready, c->h, c->params * TAU_LD * sizeof *c->h);
    if (c->tau->prepare)
        c->tau->prepare(c->options, c->ready, TAU_LD);
    return c->ready;
}

static void params_of(const tau_case *c, double *h, size_t j)
{
    for (size_t k = 0; k < c->params; k++)
        h[k] = (double)c->h[k * TAU_LD + j];
}

static void each_tau(void (*check)(tau_case *c))
{
    for (const transformer *const *tau = transformer_kinds; *tau; tau++)
        for (size_t number = 0; number < N_TAUS; number++)
            for (uint64_t seed = 0; seed < TAU_REPEATS; seed++) {
                tau_case c;
                tau_case_open(&c, *tau, number, seed);
                check(&c);
                tau_case_close(&c);
            }
}

/* ---- the checks */

/* How far off an end of a bin may be: a sum of K roundings of numbers up to the bound. */
static double tau_rounding(const tau_case *c)
{
    return SHARE_EPS * c->spec.bound * (double)c->spec.bins;
}

/* What y and l may be off: what they change by when x, or with the slope y, is that much off; and the
 * roundings of the formulas themselves. */
static void tau_tolerance(const tau_case *c, double *y_tolerance, double *l_tolerance, double x,
                          const double *h)
{
    double y, l, delta = tau_rounding(c);
    naive_forward(c->tau->kind.name, &y, &l, x, h, &c->spec);
    *y_tolerance = 4 * delta;
    *l_tolerance = 8 * SHARE_EPS * (double)c->spec.bins;
    for (int k = -1; k <= 1; k += 2) {
        double there, slope;
        naive_forward(c->tau->kind.name, &there, &slope, x + k * delta * (1 + exp(-l)), h,
                      &c->spec);
        *y_tolerance = fmax(*y_tolerance, 2 * fabs(there - y));
        *l_tolerance = fmax(*l_tolerance, 2 * fabs(slope - l));
    }
}

/* What was in logdet before stays: ops add. */
static void preset(double *logdet)
{
    for (size_t j = 0; j < TAU_LD; j++)
        logdet[j] = 0.25 * (double)j - 1;
}

static double added(const double *logdet, size_t j)
{
    return logdet[j] - (0.25 * (double)j - 1);
}

static void check_tau_forward(tau_case *c)
{
    double h[TAU_MAX_PARAMS], y, l, y_tolerance, l_tolerance;
    preset(c->logdet);
    c->tau->forward(c->options, c->y, c->logdet, c->x, ready(c), TAU_LD);
    for (size_t j = 0; j < TAU_LD; j++) {
        double x = (double)c->x[j], got = added(c->logdet, j);
        params_of(c, h, j);
        naive_forward(c->tau->kind.name, &y, &l, x, h, &c->spec);
        tau_tolerance(c, &y_tolerance, &l_tolerance, x, h);
        check_close(&(double){(double)c->y[j]}, &y, 1, 8 * EPS, y_tolerance,
                    "%s, %zu bins, sample %zu at %g", c->tau->kind.name, c->spec.bins, j, x);
        check_close(&got, &l, 1, 8 * EPS, l_tolerance,
                    "log slope of %s, %zu bins, sample %zu at %g", c->tau->kind.name, c->spec.bins,
                    j, x);
    }
}

KERNEL_TEST(transformer, forward)
{
    each_tau(check_tau_forward);
}

/* The x in [lo, hi] whose naive y is the given one, to the last bit of double. */
static double bisect(const tau_case *c, double y, const double *h, double lo, double hi)
{
    for (int i = 0; i < 200; i++) {
        double middle = 0.5 * (lo + hi), got, l;
        naive_forward(c->tau->kind.name, &got, &l, middle, h, &c->spec);
        *(got < y ? &lo : &hi) = middle;
    }
    return 0.5 * (lo + hi);
}

static void check_tau_inverse(tau_case *c)
{
    double h[TAU_MAX_PARAMS], y, l, y_tolerance, l_tolerance;
    preset(c->back_logdet);
    c->tau->inverse(c->options, c->back, c->back_logdet, c->x, ready(c), TAU_LD);
    for (size_t j = 0; j < TAU_LD; j++) {
        params_of(c, h, j);
        double want = bisect(c, (double)c->x[j], h, -1e9, 1e9), got = -added(c->back_logdet, j);
        naive_forward(c->tau->kind.name, &y, &l, want, h, &c->spec);
        tau_tolerance(c, &y_tolerance, &l_tolerance, want, h);
        check_close(&(double){(double)c->back[j]}, &want, 1, 8 * EPS, y_tolerance * exp(-l),
                    "inverse of %s, %zu bins, sample %zu at %g", c->tau->kind.name, c->spec.bins, j,
                    (double)c->x[j]);
        check_close(&got, &l, 1, 8 * EPS, l_tolerance,
                    "log slope of the inverse of %s, %zu bins, sample %zu at %g", c->tau->kind.name,
                    c->spec.bins, j, (double)c->x[j]);
    }
}

KERNEL_TEST(transformer, inverse)
{
    each_tau(check_tau_inverse);
}

/* ---- derivatives against differences of the formulas, each parameter by itself, in double: in single
 * precision the widest case of all is too wide for numbers that say anything */

/* d (dy y + dl l) / d *at at a sample, by differences of fourth order. */
static double tau_slope(const tau_case *c, double dy, double dl, double *at, const double *x,
                        const double *h)
{
    static const double steps[4] = {-2, -1, 1, 2}, weights[4] = {1, -8, 8, -1};
    const double kept = *at, step = TAU_STEP;
    double sum = 0;
    for (size_t k = 0; k < 4; k++) {
        double y, l;
        *at = kept + steps[k] * step;
        naive_forward(c->tau->kind.name, &y, &l, *x, h, &c->spec);
        sum += weights[k] * (dy * y + dl * l);
    }
    *at = kept;
    return sum / (12 * step);
}

/* Results of an op at one sample against differences; dx_want: what x's is to be. */
static void check_tau_parameters(const tau_case *c, const real *dh, double dy, double dl, double *x,
                                 double *h, size_t j, const char *what)
{
    double largest = 1;
    for (size_t k = 0; k < c->params; k++)
        largest = fmax(largest, fabs(tau_slope(c, dy, dl, &h[k], x, h)));
    for (size_t k = 0; k < c->params; k++) {
        double want = tau_slope(c, dy, dl, &h[k], x, h), got = (double)dh[k * TAU_LD + j];
        check_close(&got, &want, 1, 0, tau_derivative_tolerance * largest,
                    "%s of %s by parameter %zu, %zu bins, sample %zu at %g", what,
                    c->tau->kind.name, k, c->spec.bins, j, *x);
    }
}

/* Not at knots and ends, where the second derivative jumps: there differences say nothing. */
static int is_smooth(const tau_case *c, double x, const double *h)
{
    double near[2], l;
    for (int k = 0; k < 2; k++) {
        double y, at = x + (k ? 3 : -3) * TAU_STEP;
        naive_forward(c->tau->kind.name, &y, &l, at, h, &c->spec);
        near[k] = tau_slope(c, 0, 1, &at, &at, h);
    }
    return fabs(near[1] - near[0]) < 2e-3 * (1 + fabs(near[0]));
}

static size_t tau_checked;

static void check_tau_backward(tau_case *c)
{
    double h[TAU_MAX_PARAMS];
    real *dh = reals_new(c->params * TAU_LD), *g = reals_new(c->params * TAU_LD);
    real *by_h = reals_new(c->params * TAU_LD), back[TAU_LD] __attribute__((aligned(64)));
    real dy[TAU_LD] __attribute__((aligned(64))), dl[TAU_LD] __attribute__((aligned(64)));
    real dx[TAU_LD] __attribute__((aligned(64))), score[TAU_LD] __attribute__((aligned(64)));
    fill(dy, TAU_LD, 0.713, 41);
    fill(dl, TAU_LD, 1.31, 42);
    c->tau->backward(c->options, dx, dh, dy, dl, c->x, ready(c), TAU_LD);
    c->tau->score(c->options, score, g, dy, c->x, c->ready, TAU_LD);
    c->tau->pull_inverse(c->options, back, by_h, dy, dl, c->x, c->ready, TAU_LD);
    for (size_t j = 0; j < TAU_LD; j++) {
        double x = (double)c->x[j], a = (double)dy[j], y, l;
        params_of(c, h, j);
        if (!is_smooth(c, x, h))
            continue;
        tau_checked++;
        naive_forward(c->tau->kind.name, &y, &l, x, h, &c->spec);
        double want = tau_slope(c, a, (double)dl[j], &x, &x, h), slope = exp(l);
        check_close(&(double){(double)dx[j]}, &want, 1, tau_derivative_tolerance,
                    tau_derivative_tolerance, "backward of %s, %zu bins, sample %zu at %g",
                    c->tau->kind.name, c->spec.bins, j, x);
        check_tau_parameters(c, dh, a, (double)dl[j], &x, h, j, "backward");
        want = (a - tau_slope(c, 0, 1, &x, &x, h)) / slope; /* (a - dl/dx) / tau' */
        check_close(&(double){(double)score[j]}, &want, 1, tau_derivative_tolerance,
                    tau_derivative_tolerance / fmin(slope, 1),
                    "score of %s, %zu bins, sample %zu at %g", c->tau->kind.name, c->spec.bins, j,
                    x);
        check_tau_parameters(c, g, want, 1, &x, h, j, "score");
        /* at fixed y the inverse moves as -tau_h / tau', its log-slope as -l */
        want = (a - tau_slope(c, 0, (double)dl[j], &x, &x, h)) / slope;
        check_close(&(double){(double)back[j]}, &want, 1, tau_derivative_tolerance,
                    tau_derivative_tolerance / fmin(slope, 1),
                    "pull of the inverse of %s, %zu bins, sample %zu at %g", c->tau->kind.name,
                    c->spec.bins, j, x);
        check_tau_parameters(c, by_h, -want, -(double)dl[j], &x, h, j, "pull of the inverse");
    }
    free(dh), free(g), free(by_h);
}

KERNEL_TEST(transformer, derivatives)
{
    tau_checked = 0;
    each_tau(check_tau_backward);
    size_t all = N_TAUS * TAU_REPEATS * TAU_LD, kinds = 0;
    while (transformer_kinds[kinds])
        kinds++;
    cr_assert_gt(tau_checked, all * kinds * 4 / 5, "%zu of %zu samples are smooth", tau_checked,
                 all * kinds);
}

KERNEL_TEST(transformer, zero_parameters_are_the_identity)
{
    for (const transformer *const *tau = transformer_kinds; *tau; tau++)
        for (size_t number = 0; number < N_TAUS; number++) {
            tau_case c;
            tau_case_open(&c, *tau, number, 3);
            memset(c.h, 0, c.params * TAU_LD * sizeof *c.h);
            c.tau->forward(c.options, c.y, c.logdet, c.x, ready(&c), TAU_LD);
            for (size_t j = 0; j < TAU_LD; j++) {
                double tolerance = 2 * tau_rounding(&c);
                check_close(&(double){(double)c.y[j]}, &(double){(double)c.x[j]}, 1, 0, tolerance,
                            "%s at h = 0", c.tau->kind.name);
                check_close(&c.logdet[j], &(double){0}, 1, 0, 2 * EPS * (double)c.spec.bins,
                            "%s at h = 0", c.tau->kind.name);
            }
            tau_case_close(&c);
        }
}

/* Huge parameters of a network that went astray: numbers stay finite, maps stay increasing, and the
 * affine log-scale stays within its bound. */
static void check_tau_extremes(tau_case *c)
{
    const double sizes[] = {40, 1e4, 1e15};
    for (size_t s = 0; s < 3; s++) {
        double low = -1e300, l_before = 0;
        fill(c->h, c->params, sizes[s], 77 + s); /* one map, at sixteen ascending points */
        for (size_t k = c->params; k-- > 0;)
            for (size_t j = 0; j < TAU_LD; j++)
                c->h[k * TAU_LD + j] = c->h[k];
        for (size_t j = 0; j < TAU_LD; j++) {
            c->x[j] = (real)(c->spec.bound * (0.11 + 0.12 * ((double)j - 8)));
            c->logdet[j] = 0;
        }
        c->tau->forward(c->options, c->y, c->logdet, c->x, ready(c), TAU_LD);
        for (size_t j = 0; j < TAU_LD; j++) {
            cr_assert(isfinite((double)c->y[j]) && isfinite(c->logdet[j]),
                      "%s with parameters of %g gives %g, %g", c->tau->kind.name, sizes[s],
                      (double)c->y[j], c->logdet[j]);
            cr_assert((double)c->y[j] >= low, "%s with parameters of %g falls", c->tau->kind.name,
                      sizes[s]);
            low = (double)c->y[j];
            l_before = fmax(l_before, fabs(c->logdet[j]));
        }
        if (strcmp(c->tau->kind.name, "affine") == 0)
            cr_assert(l_before <= c->spec.scale_bound * (1 + 4 * EPS), "log-scale %g", l_before);
    }
}

KERNEL_TEST(transformer, extremes)
{
    each_tau(check_tau_extremes);
}

/* With m = 0 and x a power of two the affine map computes x e^s, and the log-determinant is s: the
 * exponential of this instruction set within 2 units in the last place. */
KERNEL_TEST(transformer, exponential)
{
    const tau_spec spec = {.bins = 8, .bound = 3, .scale_bound = 20};
    const transformer *affine = transformer_find("affine");
    void *options = tau_options(affine, &spec);
    real h[2 * TAU_LD] __attribute__((aligned(64))), x[TAU_LD] __attribute__((aligned(64)));
    real y[TAU_LD] __attribute__((aligned(64)));
    for (uint64_t seed = 0; seed < UNLESS_SANITIZED(2000, 200); seed++) {
        double l[TAU_LD] = {0};
        memset(h, 0, sizeof h);
        fill(h + TAU_LD, TAU_LD, 0.7 * (double)seed, seed);
        for (size_t j = 0; j < TAU_LD; j++)
            x[j] = (real)0.25;
        affine->forward(options, y, l, x, h, TAU_LD);
        for (size_t j = 0; j < TAU_LD; j++) {
            long double want = expl((long double)l[j]) / 4;
            cr_assert(fabsl(((long double)y[j] - want) / want) <= 2 * EPS, "exp(%a) = %a", l[j],
                      4 * (double)y[j]);
        }
    }
    free(options);
}

KERNEL_TEST(transformer, registry)
{
    for (const transformer *const *tau = transformer_kinds; *tau; tau++) {
        cr_assert((*tau)->kind.doc && *(*tau)->kind.doc, "%s has no doc", (*tau)->kind.name);
        cr_assert_eq(transformer_find((*tau)->kind.name), *tau);
    }
    cr_assert_null(transformer_find("afine"));
}
