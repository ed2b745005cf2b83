/* ---- the base: Student's t (Bailey 1994) */

typedef struct noise {
    pcg rng;
} noise;

static void lines_begin(noise *self, uint64_t seed, uint64_t first)
{
    self->rng = pcg_at(seed, STAGE, PURPOSE, first, 2 * L);
}

static void lines_sample(noise *self, double *z, int n)
{
    for (int i = 0; i < n * L; i++) {
        const double log_u = log(1 - pcg_uniform(&self->rng));
        const double turn = 2 * 3.14159265358979323846 * pcg_uniform(&self->rng);
        z[i] = cos(turn) * sqrt(BASE_DOF * expm1(-2 / BASE_DOF * log_u));
    }
    place(z, n);
}

static double lines_log_prob(const double *z)
{
    double sum = BASE_CONSTANT;
    for (int i = 0; i < L; i++) {
        const double u = placed(z[i], i);
        sum -= (BASE_DOF + 1) / 2 * log1p(u * u / BASE_DOF);
    }
    return sum;
}
