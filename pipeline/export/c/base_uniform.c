/* ---- the base: uniform on a box */

typedef struct noise {
    pcg rng;
} noise;

static void lines_begin(noise *self, uint64_t seed, uint64_t first)
{
    self->rng = pcg_at(seed, STAGE, PURPOSE, first, L + L % 2);
}

static void lines_sample(noise *self, double *z, int n)
{
    for (int r = 0; r < n; r++) {
        for (int i = 0; i < L; i++)
            z[r * L + i] =
                fmin(BASE_LOW + (BASE_HIGH - BASE_LOW) * pcg_uniform(&self->rng), BASE_HIGH);
        if (L % 2)
            pcg_next(&self->rng);
    }
}

static double lines_log_prob(const double *z)
{
    double inside = BASE_CONSTANT;
    for (int i = 0; i < L; i++)
        if (isnan(z[i]))
            return NAN;
        else if (z[i] < BASE_LOW || z[i] > BASE_HIGH)
            inside = -INFINITY;
    return inside;
}
