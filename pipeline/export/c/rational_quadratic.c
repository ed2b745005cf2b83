/* ---- monotone rational-quadratic splines (Durkan, Bekasov, Murray, Papamakarios 2019): K bins tile [-B, B] on both axes.
 * h is K widths, K heights and raw slopes: K - 1 between the bins, or, closed, K, slope k where bin k begins. */

typedef struct bin {
    lane x, y, w, v;       /* lower corner, width, height */
    lane u0, u1;           /* raw slopes at the ends */
    lane edge0, edge1;     /* 1 where that end has slope 1 */
    lane xk, yk, top, sum; /* while it is looked for */
} bin;

/* (bins, W) becomes its softmax, as lengths on [-B, B]. */
static void lengths(const tau *self, bin *b, real *h)
{
    const real gain = 1 - self->min_share * (real)self->bins;
    memcpy(b->top, h, sizeof b->top);
    for (int k = 1; k < self->bins; k++)
        for (int j = 0; j < W; j++)
            b->top[j] = h[k * W + j] > b->top[j] ? h[k * W + j] : b->top[j];
    memset(b->sum, 0, sizeof b->sum);
    for (int k = 0; k < self->bins; k++)
        for (int j = 0; j < W; j++) {
            h[k * W + j] = real_exp(h[k * W + j] - b->top[j]);
            b->sum[j] += h[k * W + j];
        }
    for (int j = 0; j < W; j++)
        b->sum[j] = 1 / b->sum[j];
    for (int k = 0; k < self->bins; k++)
        for (int j = 0; j < W; j++)
            h[k * W + j] = 2 * self->bound * (self->min_share + gain * (h[k * W + j] * b->sum[j]));
}

/* Bin k takes the place of those before it wherever `at` is beyond where it begins. */
static void take_bin(bin *restrict b, const real *restrict at, const real *restrict along,
                     const real *restrict w, const real *restrict v, const real *restrict u0,
                     const real *restrict u1, real first, real last, int any)
{
    for (int j = 0; j < W; j++) {
        const int here = any | (at[j] >= along[j]);
        b->x[j] = here ? b->xk[j] : b->x[j];
        b->y[j] = here ? b->yk[j] : b->y[j];
        b->w[j] = here ? w[j] : b->w[j];
        b->v[j] = here ? v[j] : b->v[j];
        b->u0[j] = here ? u0[j] : b->u0[j];
        b->u1[j] = here ? u1[j] : b->u1[j];
        b->edge0[j] = here ? first : b->edge0[j];
        b->edge1[j] = here ? last : b->edge1[j];
    }
}

static void find_bin(const tau *self, bin *b, const real *at, real *h, int back, int closed)
{
    const int bins = self->bins;
    const real *slope = h + 2 * bins * W;
    lengths(self, b, h);
    lengths(self, b, h + bins * W);
    for (int j = 0; j < W; j++)
        b->xk[j] = b->yk[j] = -self->bound;
    for (int k = 0; k < bins; k++) {
        const int begins = k == 0, ends = k + 1 == bins;
        const int before = begins ? 0 : k - 1, after = ends ? before : k;
        const real *w = h + k * W, *v = h + (bins + k) * W;
        lane along;
        memcpy(along, back ? b->yk : b->xk, sizeof along);
        take_bin(b, at, along, w, v, slope + (closed ? k : before) * W,
                 slope + (closed ? (ends ? 0 : k + 1) : after) * W, (real)(begins && !closed),
                 (real)(ends && !closed), begins);
        for (int j = 0; j < W; j++) {
            b->xk[j] += w[j];
            b->yk[j] += v[j];
        }
    }
}

/* The slopes at the ends, in the place of the raw ones. */
static void end_slopes(const tau *self, bin *b)
{
    for (int j = 0; j < W; j++) {
        const real d0 = self->min_slope + real_softplus(b->u0[j] + self->slope_shift);
        const real d1 = self->min_slope + real_softplus(b->u1[j] + self->slope_shift);
        b->u0[j] = b->edge0[j] > 0 ? 1 : d0;
        b->u1[j] = b->edge1[j] > 0 ? 1 : d1;
    }
}

/* t, where in its bin y is. */
INLINE real bin_root(const bin *b, real at, int j)
{
    const real s = b->v[j] / b->w[j], rise = at - b->y[j], bend = b->u0[j] + b->u1[j] - 2 * s;
    const real a2 = b->v[j] * (s - b->u0[j]) + rise * bend, c = -s * rise;
    const real a1 = b->v[j] * b->u0[j] - rise * bend, disc = a1 * a1 - 4 * a2 * c;
    return 2 * c / (-a1 - real_sqrt(disc > 0 ? disc : 0));
}

/* y (W) and the log-slopes l (W) of the spline there; with back, of its inverse and those of the spline. */
static void spline_run(const tau *self, real *restrict y, real *restrict l, const real *restrict at,
                       real *restrict h, int back, int closed)
{
    bin b;
    lane t;
    find_bin(self, &b, at, h, back, closed);
    end_slopes(self, &b);
    if (back)
        for (int j = 0; j < W; j++)
            t[j] = bin_root(&b, at[j], j);
    else
        for (int j = 0; j < W; j++)
            t[j] = (at[j] - b.x[j]) / b.w[j];
    for (int j = 0; j < W; j++) {
        const real d0 = b.u0[j], d1 = b.u1[j], s = b.v[j] / b.w[j], q = t[j] * (1 - t[j]);
        const real den = s + (d0 + d1 - 2 * s) * q, r = s / den;
        const real up = b.y[j] + b.v[j] * (s * t[j] * t[j] + d0 * q) / den;
        const real n = d1 * t[j] * t[j] + 2 * s * q + d0 * (1 - t[j]) * (1 - t[j]);
        l[j] = real_log(r * r * n);
        y[j] = back ? b.x[j] + t[j] * b.w[j] : up;
    }
}
