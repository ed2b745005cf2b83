static void points_log_prob(double *q, const double *x, const double *inner, int n)
{
    double u[D * W] = {0}, logdet[W] = {0};
    rows_to_flow(units, u, logdet, x, n, D);
    flow_log_prob(q, u, inner, n);
    for (int r = 0; r < n; r++)
        q[r] += logdet[r] + UNITS_LOGDET;
}
