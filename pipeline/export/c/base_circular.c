/* ---- uniform on circles in some columns, which have numbers of their own */

typedef struct base_noise {
    noise lines;
    pcg circles;
} base_noise;

static void base_begin(base_noise *self, uint64_t seed, uint64_t first)
{
    lines_begin(&self->lines, seed, first);
    self->circles = pcg_at(seed, STAGE, CIRCLE_PURPOSE, first, 2 * (D - LINES));
}

static void base_sample(base_noise *self, double *z, int n)
{
    double lines[W * L] = {0};
    const double *next = lines;
    lines_sample(&self->lines, lines, n);
    for (int i = 0; i < n * D; i++) {
        if (base_circle[i % D]) {
            z[i] = circle_point(3.14159265358979323846 * (2 * pcg_uniform(&self->circles) - 1));
            pcg_next(&self->circles);
        } else {
            z[i] = *next++;
        }
    }
}

static double base_log_prob(const double *z)
{
    double lines[L] = {0}, sum = -(D - LINES) * 1.83787706640934548356;
    int k = 0;
    for (int i = 0; i < D; i++)
        if (!base_circle[i])
            lines[k++] = z[i];
        else if (!isfinite(z[i]))
            sum = NAN;
    return lines_log_prob(lines) + sum;
}
