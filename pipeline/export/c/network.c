/* ---- masked networks. Units are sorted so that each sees a first part of what is before it. Their weights lie in
 * panels of 16 units, one input after the other, as deep as any of the 16 sees; zeros are left only there. */

typedef struct map {
    const real *weight, *bias;
    const int *reach; /* of every 4 units: how many inputs they see */
    const int *panel; /* of every 16: where their weights begin */
} map;

/* Rows to .. of the values = map (NULL: the activation) of rows from .. ; add >= 0: rows added. */
typedef struct step {
    const map *map;
    int from, to, add;
} step;

typedef struct network {
    const step *steps;
    const int *until; /* (groups + 1, n_steps): how far each step is before group c */
    void (*activate)(real *y, const real *x, int count);
    int n_steps, values; /* values: rows of them, as far as networks are written to */
} network;

/* 4 units of W rows. */
static void map_four(real *restrict y, const real *restrict w, const real *restrict b,
                     const real *restrict x, int depth)
{
    lane s0, s1, s2, s3;
    for (int j = 0; j < W; j++) {
        s0[j] = b[0];
        s1[j] = b[1];
        s2[j] = b[2];
        s3[j] = b[3];
    }
    for (int k = 0; k < depth; k++, w += 16, x += W)
        for (int j = 0; j < W; j++) {
            s0[j] += w[0] * x[j];
            s1[j] += w[1] * x[j];
            s2[j] += w[2] * x[j];
            s3[j] += w[3] * x[j];
        }
    for (int j = 0; j < W; j++) {
        y[j] = s0[j];
        y[W + j] = s1[j];
        y[2 * W + j] = s2[j];
        y[3 * W + j] = s3[j];
    }
}

/* 16 units of one row, in two sums. */
static void map_sixteen(real *restrict y, const real *restrict w, const real *restrict b,
                        const real *restrict x, int depth)
{
    real s[16], t[16];
    for (int j = 0; j < 16; j++) {
        s[j] = b[j];
        t[j] = 0;
    }
    for (int k = 0; k + 1 < depth; k += 2, w += 32)
        for (int j = 0; j < 16; j++) {
            s[j] += w[j] * x[k];
            t[j] += w[16 + j] * x[k + 1];
        }
    const real odd = depth % 2 ? x[depth - 1] : 0;
    if (depth % 2)
        for (int j = 0; j < 16; j++)
            s[j] += w[j] * odd;
    for (int j = 0; j < 16; j++)
        y[j] = s[j] + t[j];
}

/* Units first .. end - 1, and those that share a block with them. */
static void map_run(const map *m, real *y, const real *x, int first, int end, int ld)
{
    if (ld == 1)
        for (int u = first / 16 * 16; u < end; u += 16)
            map_sixteen(y + u, m->weight + m->panel[u / 16], m->bias + u, x, m->reach[u / 4 + 3]);
    else
        for (int u = first / 4 * 4; u < end; u += 4)
            map_four(y + u * W, m->weight + m->panel[u / 16] + u % 16, m->bias + u, x,
                     m->reach[u / 4]);
}

static void add_sixteen(real *restrict y, const real *restrict x)
{
    for (int j = 0; j < 16; j++)
        y[j] += x[j];
}

static void step_run(const network *net, const step *s, real *values, int first, int end, int ld)
{
    const int block = ld == 1 ? 16 : 4;
    const int from = first / block * block, to = (end + block - 1) / block * block;
    real *y = values + s->to * ld;
    if (s->map)
        map_run(s->map, y, values + s->from * ld, first, end, ld);
    else
        net->activate(y + from * ld, values + (s->from + from) * ld, (to - from) * ld);
    for (int i = from * ld; s->add >= 0 && i < to * ld; i += 16)
        add_sixteen(y + i, values + s->add * ld + i);
}

/* All that the outputs of groups c .. d - 1 need, when those before c are there. */
static void network_run(const network *net, real *values, int c, int d, int ld)
{
    const int *done = net->until + c * net->n_steps, *wanted = net->until + d * net->n_steps;
    for (int s = 0; s < net->n_steps; s++)
        if (wanted[s] > done[s])
            step_run(net, &net->steps[s], values, done[s], wanted[s], ld);
}
