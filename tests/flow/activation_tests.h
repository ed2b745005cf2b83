/* tests/flow/activation_tests.h -- activations against libm, their slopes against differences; see
 * kernel_tests.h. */

static double naive_activation(const char *name, double x)
{
    if (strcmp(name, "relu") == 0)
        return fmax(x, 0);
    if (strcmp(name, "tanh") == 0)
        return tanh(x);
    if (strcmp(name, "elu") == 0)
        return x > 0 ? x : expm1(x);
    if (strcmp(name, "silu") == 0)
        return x / (1 + exp(-x));
    if (strcmp(name, "gelu") == 0)
        return 0.5 * x * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    cr_assert_fail("activation '%s' has no formula in this test", name);
    return NAN;
}

static void check_activation(const activation *f)
{
    enum { N = 4096 };
    real *a = reals_new(N), *h = reals_new(N), *slope = reals_new(N), *plain = reals_new(N);
    fill(a, N, 3.7, 12);
    f->apply(h, slope, a, N);
    f->apply(plain, NULL, a, N);
    check_equal(plain, h, N, f->kind.name, 0);
    for (size_t i = 0; i < N; i++) {
        double x = (double)a[i], step = 1e-6;
        double want = naive_activation(f->kind.name, x);
        double rise =
            (naive_activation(f->kind.name, x + step) - naive_activation(f->kind.name, x - step)) /
            (2 * step);
        /* absolute, relative to 1 + |x|: sigmoid is good to a rounding of 1 */
        check_close(&(double){(double)h[i]}, &want, 1, 0, 8 * EPS * (1 + fabs(x)), "%s of %g",
                    f->kind.name, x);
        /* differences of numbers of size x over 2e-6 */
        check_close(&(double){(double)slope[i]}, &rise, 1, 0,
                    1e-9 + 20 * EPS + (1e-9 + 20 * EPS) * fabs(x), "slope of %s at %g",
                    f->kind.name, x);
    }
    f->apply(a, slope, a, N); /* in place */
    check_equal(a, h, N, f->kind.name, 1);
    for (size_t i = 0; f->pull && i < N; i++)
        plain[i] = 1;
    if (f->pull)
        f->pull(plain, h, N);
    for (size_t i = 0; f->pull && i < N; i++)
        check_close(&(double){(double)plain[i]}, &(double){(double)slope[i]}, 1, 0, 4 * EPS,
                    "slope of %s from its value %g", f->kind.name, (double)h[i]);
    free(a), free(h), free(slope), free(plain);
}

KERNEL_TEST(activation, registry)
{
    for (const activation *f = activation_kinds; f->apply; f++) {
        cr_assert(f->kind.doc && *f->kind.doc, "%s has no doc", f->kind.name);
        cr_assert_eq(activation_find(f->kind.name), f);
        check_activation(f);
    }
    cr_assert_null(activation_find("swich"));
}
