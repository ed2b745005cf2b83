/* ---- the base: a mixture of normals */

typedef struct noise {
    pcg rng, which;
} noise;

static void lines_begin(noise *self, uint64_t seed, uint64_t first)
{
    self->rng = pcg_at(seed, STAGE, PURPOSE, first, L + L % 2);
    self->which = pcg_at(seed, STAGE, PURPOSE | 1u << 31, first, 2);
}

/* The component of the next row. */
static int pick(noise *self)
{
    const double u = pcg_uniform(&self->which);
    double sum = 0;
    int k = 0;
    pcg_next(&self->which);
    for (; k < COMPONENTS - 1; k++) {
        sum += base_weight[k];
        if (u < sum)
            break;
    }
    return k;
}

static void lines_sample(noise *self, double *z, int n)
{
    normal_rows(z, &self->rng, n);
    for (int r = 0; r < n; r++) {
        const int k = pick(self);
        for (int i = 0; i < L; i++)
            z[r * L + i] = base_shift[k * L + i] + base_scale[k * L + i] * z[r * L + i];
    }
}

static double log_joint(const double *z, int k)
{
    double sum = 0;
    for (int i = 0; i < L; i++) {
        const double u = (z[i] - base_shift[k * L + i]) * base_over[k * L + i];
        sum -= 0.5 * u * u;
    }
    return sum + base_constant[k];
}

static double lines_log_prob(const double *z)
{
    double top = -INFINITY, sum = 0;
    for (int k = 0; k < COMPONENTS; k++) {
        const double a = log_joint(z, k);
        if (isnan(a))
            return a;
        if (a > top) {
            sum = sum * exp(top - a) + 1;
            top = a;
        } else if (a > -INFINITY) {
            sum += exp(a - top);
        }
    }
    return top + log(sum);
}
