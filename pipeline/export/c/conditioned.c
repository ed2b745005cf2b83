/* ---- y_i = tau(x_i; h_i), h_i by a network of the dimensions before it, in groups */

typedef struct tau tau;
struct tau {
    /* W numbers at a time, no two of the arrays the same; l = log dy/dx; h (outputs, W), which is worked in. back: the
     * inverse, and l of tau there. */
    void (*run)(const tau *self, real *y, real *l, const real *x, real *h, int back);
    int outputs, bins;
    real bound, min_share, min_slope, slope_shift; /* of affine: bound = 1 / scale_bound */
};

typedef struct conditioned {
    const network *nets; /* (steps), or one */
    const tau *line, *circle;
    const unsigned char *on_circle; /* (dim); NULL: none is */
    const int *group;               /* (groups + 1) their first dimensions */
    const int *input, *output;      /* (dim) rows among the values */
    int dim, groups, bare;          /* bare: the first group stays as it is */
    int steps, tied;                /* of unrolled */
} conditioned;

static const tau *tau_of(const conditioned *self, int i)
{
    return self->on_circle && self->on_circle[i] ? self->circle : self->line;
}

static void add_slopes(double *logdet, const real *l, int back, int n)
{
    for (int j = 0; j < n; j++)
        logdet[j] += back ? -(double)l[j] : (double)l[j];
}

/* Dimension i of W rows. */
static void transform_rows(const conditioned *self, real *y, double *logdet, const real *x,
                           real *values, int i, int back)
{
    lane in, l;
    const tau *t = tau_of(self, i);
    memcpy(in, x + i * W, sizeof in);
    t->run(t, y + i * W, l, in, values + self->output[i] * W, back);
    if (logdet)
        add_slopes(logdet, l, back, W);
}

/* Up to W dimensions of one row, first and those after it that have the same tau; returns how many. */
static int transform_dimensions(const conditioned *self, real *y, double *logdet, const real *x,
                                const real *values, int first, int end, int back)
{
    real h[PARAMETERS * W];
    lane in, out, l;
    const tau *t = tau_of(self, first);
    int n = 1;
    while (n < W && first + n < end && tau_of(self, first + n) == t)
        n++;
    for (int j = 0; j < W; j++) {
        const int i = first + (j < n ? j : 0);
        in[j] = x[i];
        for (int p = 0; p < t->outputs; p++)
            h[p * W + j] = values[self->output[i] + p];
    }
    t->run(t, out, l, in, h, back);
    memcpy(y + first, out, (size_t)n * sizeof *y);
    for (int j = 0; logdet && j < n; j++)
        add_slopes(logdet, l + j, back, 1);
    return n;
}

/* Dimensions first .. end - 1. logdet NULL: not wanted. y may be x. */
static void transform(const conditioned *self, real *y, double *logdet, const real *x, real *values,
                      int first, int end, int back, int ld)
{
    if (ld == 1)
        while (first < end)
            first += transform_dimensions(self, y, logdet, x, values, first, end, back);
    else
        for (int i = first; i < end; i++)
            transform_rows(self, y, logdet, x, values, i, back);
}

/* The dimensions as the network sees them. */
static void show(const conditioned *self, real *values, const real *x, int first, int end, int ld)
{
    for (int i = first; i < end; i++) {
        real *to = values + self->input[i] * ld;
        if (self->on_circle && self->on_circle[i])
            show_circle(to, x + i * ld, ld);
        else
            memcpy(to, x + i * ld, (size_t)ld * sizeof *to);
    }
}

static void begin(const conditioned *self, real *values, const tile *t)
{
    memset(values, 0, (size_t)(self->nets->values * t->ld) * sizeof *values);
    if (CONTEXT > 0)
        memcpy(values, t->context, (size_t)(CONTEXT * t->ld) * sizeof *values);
}

/* The first dimension that is transformed. */
static int free_from(const conditioned *self)
{
    return self->bare ? self->group[1] : 0;
}
