typedef noise base_noise;

static void base_begin(base_noise *self, uint64_t seed, uint64_t first)
{
    lines_begin(self, seed, first);
}

static void base_sample(base_noise *self, double *z, int n)
{
    lines_sample(self, z, n);
}

static double base_log_prob(const double *z)
{
    return lines_log_prob(z);
}
