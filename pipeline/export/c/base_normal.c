/* ---- the base: a normal density */

typedef struct noise {
    pcg rng;
} noise;

static void lines_begin(noise *self, uint64_t seed, uint64_t first)
{
    self->rng = pcg_at(seed, STAGE, PURPOSE, first, L + L % 2);
}

static void lines_sample(noise *self, double *z, int n)
{
    normal_rows(z, &self->rng, n);
    place(z, n);
}

static double lines_log_prob(const double *z)
{
    double sum = 0;
    for (int i = 0; i < L; i++) {
        const double u = placed(z[i], i);
        sum += u * u;
    }
    return -0.5 * sum + BASE_CONSTANT;
}
