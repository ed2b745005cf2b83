/* ---- rows of the user's, W at a time, or one */

static int rows_of_tile(size_t left)
{
    return left >= W ? W : left > 3 ? (int)left : 1;
}

static void context_to_flow(double *inner, const double *context, int n)
{
    double ignored[W] = {0};
    (void)n, (void)context, (void)ignored;
    if (CONTEXT > 0)
        rows_to_flow(context_units, inner, ignored, context, n, CONTEXT);
}

/* logq NULL: not wanted. */
static void transport_tile(double *x, double *logq, const double *z, const double *context, int n)
{
    double inner[C * W] = {0}, q[W], logdet[W] = {0};
    context_to_flow(inner, context, n);
    flow_transport(x, q, z, inner, n);
    rows_to_user(x, logdet, n);
    if (logq && POINTS > 1)
        points_log_prob(logq, x, inner, n);
    for (int r = 0; logq && POINTS == 1 && r < n; r++)
        logq[r] = q[r] - (logdet[r] - UNITS_LOGDET);
}

static void log_prob_tile(double *logq, const double *x, const double *context, int n)
{
    double inner[C * W] = {0};
    context_to_flow(inner, context, n);
    points_log_prob(logq, x, inner, n);
    for (int r = 0; r < n; r++)
        if (!inside(x + r * D))
            logq[r] = -INFINITY;
}

static void sample_rows(uint64_t seed, uint64_t first, size_t n, const double *context, double *x,
                        double *logq)
{
    base_noise drawn;
    double z[D * W] = {0};
    base_begin(&drawn, seed, first);
    for (size_t done = 0; done < n;) {
        const int some = rows_of_tile(n - done);
        base_sample(&drawn, z, some);
        transport_tile(x + done * D, logq ? logq + done : NULL, z,
                       context ? context + done * CONTEXT : NULL, some);
        done += (size_t)some;
    }
}

static void transport_rows(const double *z, size_t n, const double *context, double *x,
                           double *logq)
{
    for (size_t done = 0; done < n;) {
        const int some = rows_of_tile(n - done);
        transport_tile(x + done * D, logq ? logq + done : NULL, z + done * D,
                       context ? context + done * CONTEXT : NULL, some);
        done += (size_t)some;
    }
}

static void log_prob_rows(const double *x, size_t n, const double *context, double *logq)
{
    for (size_t done = 0; done < n;) {
        const int some = rows_of_tile(n - done);
        log_prob_tile(logq + done, x + done * D, context ? context + done * CONTEXT : NULL, some);
        done += (size_t)some;
    }
}
