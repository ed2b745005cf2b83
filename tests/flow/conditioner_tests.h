/* tests/flow/conditioner_tests.h -- the masked network against the definition of a MADE (Germain
 * 2015): dense matrices times explicit masks of 0 and 1, and the incremental inverse against G full
 * passes; see kernel_tests.h. */

/* ---- the network, dense and masked */

/* D, C, G, P, bare first group, hidden widths, residual blocks: widths that no vector length divides,
 * and some smaller than G, so that some degrees have no unit. */
static const struct {
    size_t dim, context, groups, outputs;
    int bare_first;
    size_t n_hidden, hidden[3], residual;
} nets[] = {
    {1, 0, 1, 2, 0, 1, {7}, 0},
    {1, 2, 1, 3, 0, 2, {5, 6}, 0},
    {2, 0, 2, 2, 0, 1, {9}, 0},
    {2, 3, 2, 1, 0, 1, {4}, 2},
    {3, 0, 3, 5, 0, 2, {13, 11}, 0},
    {5, 1, 5, 2, 0, 3, {19, 8, 23}, 0},
    {5, 0, 5, 2, 0, 1, {12}, 3},
    {7, 2, 7, 2, 0, 1, {3}, 1},
    {11, 0, 11, 4, 0, 2, {6, 17}, 0},
    {17, 2, 17, 2, 0, 1, {33}, 2},
    {23, 5, 23, 3, 0, 3, {50, 7, 21}, 0},
    {40, 0, 40, 2, 0, 1, {70}, 0},
    /* couplings and what is between */
    {5, 0, 2, 3, 1, 2, {21, 34}, 0},
    {4, 2, 2, 2, 1, 1, {9}, 2},
    {17, 2, 2, 1, 0, 2, {40, 37}, 0},
    {23, 0, 2, 2, 0, 1, {35}, 2},
    {7, 0, 1, 3, 0, 2, {8, 9}, 0},
    {7, 2, 1, 3, 0, 2, {8, 9}, 0},
    {11, 0, 3, 2, 1, 1, {26}, 0},
    {13, 3, 5, 2, 1, 1, {3}, 1},
    {19, 1, 4, 3, 0, 2, {31, 18}, 0},
    {6, 0, 6, 2, 1, 1, {15}, 0},
};
enum { N_NETS = sizeof nets / sizeof nets[0], NET_LD = 48, MAX_UNITS = 160 };

typedef struct net_case {
    mlp *net;
    const conditioner *base; /* the same, as its ops want it */
    const conditioner_shape *shape;
    size_t rows; /* of outputs */
    real *theta, *values, *slopes;
    double *weights[16], *biases[16]; /* of each map, dense and not masked */
} net_case;

/* Fills map k with dense random numbers: masking is the job of the map. */
static void randomise_map(net_case *c, size_t k, uint64_t seed)
{
    const stair *map = &c->net->maps[k];
    size_t offset = 0, count = map->rows * map->cols;
    for (size_t s = 0; s < c->net->n_steps; s++)
        if (c->net->steps[s].map == (int)k)
            offset = c->net->steps[s].offset;
    c->weights[k] = malloc((count + 1) * sizeof *c->weights[k]);
    c->biases[k] = malloc(map->rows * sizeof *c->biases[k]);
    random_numbers(c->weights[k], count, 1 / sqrt((double)map->cols), seed + 2 * k);
    random_numbers(c->biases[k], map->rows, 0.4, seed + 2 * k + 1);
    stair_set_weight(map, c->theta + offset, c->weights[k]);
    stair_set_bias(map, c->theta + offset, c->biases[k]);
}

/* outputs 0: those of the table; low: in low precision (int8_tests.h). */
static void net_case_open_for(net_case *c, size_t number, const activation *f, size_t outputs,
                              flow_network low)
{
    flow_err err = FLOW_ERR_INIT;
    const conditioner_shape shape = {.dim = nets[number].dim,
                                     .context = nets[number].context,
                                     .groups = nets[number].groups,
                                     .outputs = outputs ? outputs : nets[number].outputs,
                                     .bare_first = nets[number].bare_first,
                                     .low = low};
    mlp_options options = {.hidden.n = nets[number].n_hidden,
                           .residual = nets[number].residual,
                           .activation = (int)(f - activation_kinds)};
    for (size_t l = 0; l < options.hidden.n; l++)
        options.hidden.at[l] = nets[number].hidden[l];
    *c = (net_case){.net = mlp_new(&options, &shape, &err)};
    cr_assert(c->net, "%s", err.text);
    c->base = &c->net->base;
    c->shape = &c->base->shape;
    for (size_t i = 0; i < shape.dim; i++) /* dimensions that have outputs */
        c->rows += shape.bare_first && i * shape.groups < shape.dim ? 0 : shape.outputs;
    c->theta = reals_new(c->base->n_params);
    c->values = reals_new(c->base->value_rows * NET_LD);
    c->slopes = reals_new(c->base->slope_rows * NET_LD);
    for (size_t k = 0; k < c->net->n_maps; k++)
        randomise_map(c, k, 100 * number + 17);
    fill(c->values, (shape.context + shape.dim) * NET_LD, 1.2, number);
}

static void net_case_open(net_case *c, size_t number, const activation *f)
{
    net_case_open_for(c, number, f, 0, FLOW_NETWORK_AS_IS);
}

static void net_case_close(net_case *c)
{
    for (size_t k = 0; k < c->net->n_maps; k++) {
        free(c->weights[k]);
        free(c->biases[k]);
    }
    free(c->theta);
    free(c->values);
    free(c->slopes);
    c->base->ops->free(&c->net->base);
}

/* Features with their degrees. */
typedef struct units {
    size_t n, degree[MAX_UNITS];
    double value[MAX_UNITS];
} units;

/* y = (W * M) x + b with M[m][k] = 1 where unit m may see unit k. */
static void naive_map(const net_case *c, size_t *map, units *y, const units *x, int strict)
{
    size_t k = (*map)++;
    cr_assert_eq(c->net->maps[k].rows, y->n);
    cr_assert_eq(c->net->maps[k].cols, x->n);
    for (size_t m = 0; m < y->n; m++) {
        y->value[m] = c->biases[k][m];
        for (size_t i = 0; i < x->n; i++) {
            int sees = strict ? y->degree[m] > x->degree[i] : y->degree[m] >= x->degree[i];
            y->value[m] += sees ? c->weights[k][m * x->n + i] * x->value[i] : 0;
        }
    }
}

/* Degrees even and ascending over lowest .. G - 1; lowest is 0 with context, else 1. */
static units naive_hidden(const net_case *c, size_t width)
{
    size_t lowest = c->shape->context ? 0 : 1, count = c->shape->groups - lowest;
    units h = {.n = width};
    for (size_t u = 0; u < width; u++)
        h.degree[u] = lowest + u * count / width;
    return h;
}

static void naive_activate(const net_case *c, units *out, const units *in)
{
    *out = *in;
    for (size_t u = 0; u < in->n; u++)
        out->value[u] = naive_activation(c->net->activation->kind.name, in->value[u]);
}

/* r + W2 f(W1 f(r) + b1) + b2 */
static void naive_block(const net_case *c, size_t *map, units *r)
{
    units u, v = *r, next = *r;
    naive_activate(c, &u, r);
    naive_map(c, map, &v, &u, 0);
    naive_activate(c, &u, &v);
    naive_map(c, map, &next, &u, 0);
    for (size_t i = 0; i < r->n; i++)
        r->value[i] += next.value[i];
}

/* The group of dimension i, 0-based. */
static size_t naive_group(const net_case *c, size_t i)
{
    return 1 + i * c->shape->groups / c->shape->dim;
}

/* The network at sample j of the values: outputs, P per dimension that has any. */
static units naive_network(const net_case *c, size_t j)
{
    size_t map = 0, dim = c->shape->dim, context = c->shape->context;
    units h = {.n = context + dim}, out = {0};
    for (size_t i = 0; i < h.n; i++) {
        h.degree[i] = i < context ? 0 : naive_group(c, i - context);
        h.value[i] = (double)c->values[i * NET_LD + j];
    }
    for (size_t i = 0; i < dim; i++)
        for (size_t p = 0; p < c->shape->outputs; p++)
            if (!c->shape->bare_first || naive_group(c, i) > 1)
                out.degree[out.n++] = naive_group(c, i);
    int empty = c->shape->groups == 1 && context == 0; /* there is nothing to see */
    for (size_t l = 0; l < c->net->options.hidden.n && !empty; l++) {
        units next = naive_hidden(c, c->net->options.hidden.at[l]);
        naive_map(c, &map, &next, &h, 0);
        h = next;
        if (!c->net->options.residual)
            naive_activate(c, &h, &next);
    }
    for (size_t b = 0; b < c->net->options.residual && !empty; b++)
        naive_block(c, &map, &h);
    naive_map(c, &map, &out, &h, 1);
    cr_assert_eq(map, c->net->n_maps);
    cr_assert_eq(out.n, c->rows);
    return out;
}

static real *net_outputs(const net_case *c, real *values)
{
    return values + c->base->output_row * NET_LD;
}

static void check_network(net_case *c, size_t number)
{
    c->base->ops->forward(c->base, c->values, c->slopes, c->theta, NET_LD);
    const real *out = net_outputs(c, c->values);
    for (size_t j = 0; j < NET_LD; j += 5) {
        units want = naive_network(c, j);
        for (size_t m = 0; m < want.n; m++) /* numbers of size 1 through up to seven maps */
            check_close(&(double){(double)out[m * NET_LD + j]}, &want.value[m], 1, 200 * EPS,
                        200 * EPS, "network %zu with %s, sample %zu, output %zu", number,
                        c->net->activation->kind.name, j, m);
    }
}

static void each_net(void (*check)(net_case *c, size_t number))
{
    for (const activation *f = activation_kinds; f->apply; f++)
        for (size_t number = 0; number < N_NETS; number++) {
            net_case c;
            net_case_open(&c, number, f);
            check(&c, number);
            net_case_close(&c);
        }
}

KERNEL_TEST(conditioner, masked_network)
{
    each_net(check_network);
}

/* No weight is stored that no output feels: what is counted is what the masks let through. */
static void check_live_count(net_case *c, size_t number)
{
    size_t live = 0;
    for (size_t t = 0; t < c->base->ops->n_tensors(c->base); t++) {
        flow_tensor_info info;
        unsigned char row[MAX_UNITS];
        c->base->ops->tensor(c->base, &info, t);
        live += info.cols ? 0 : info.rows;
        for (size_t m = 0; m < info.rows && info.cols; m++) {
            c->base->ops->tensor_live(c->base, row, t, m);
            for (size_t k = 0; k < info.cols; k++)
                live += row[k];
        }
    }
    cr_assert_eq(c->base->n_live, live, "network %zu: %zu weights, %zu live", number,
                 c->base->n_live, live);
}

KERNEL_TEST(conditioner, live_weights)
{
    each_net(check_live_count);
}

/* ---- piece by piece: the same bits, and nothing is read before it is known (all else is NaN) */

/* The first dimension of a group, 1-based, by counting. */
static size_t group_start(const net_case *c, size_t group)
{
    size_t i = 0;
    while (i < c->shape->dim && naive_group(c, i) < group)
        i++;
    return i;
}

/* The values of a network that is run piece by piece on the inputs of the case. */
static real *values_by_pieces(const net_case *c)
{
    const conditioner_ops *ops = c->base->ops;
    size_t context = c->shape->context;
    real *values = reals_new(c->base->value_rows * NET_LD);
    memcpy(values, c->values, context * NET_LD * sizeof *values);
    ops->hidden_of(c->base, values, NULL, c->theta, 0, NET_LD);
    for (size_t g = 1; g <= c->shape->groups; g++) {
        size_t first = (context + group_start(c, g)) * NET_LD;
        size_t end = (context + group_start(c, g + 1)) * NET_LD;
        ops->outputs_of(c->base, values, c->theta, g, NET_LD);
        memcpy(values + first, c->values + first, (end - first) * sizeof *values);
        ops->hidden_of(c->base, values, NULL, c->theta, g, NET_LD);
    }
    return values;
}

static void check_pieces(net_case *c, size_t number)
{
    c->base->ops->forward(c->base, c->values, NULL, c->theta, NET_LD);
    real *values = values_by_pieces(c);
    check_equal(net_outputs(c, values), net_outputs(c, c->values), c->rows * NET_LD,
                "network piece by piece", number);
    free(values);
}

KERNEL_TEST(conditioner, pieces_have_the_same_bits)
{
    each_net(check_pieces);
}

/* The sweep in descending degree gives what backward gives. A group's cotangents are put in just
 * before they are needed. */
static void check_sweep(net_case *c, size_t number)
{
    const conditioner_ops *ops = c->base->ops;
    size_t count = c->rows * NET_LD, rows = c->base->value_rows * NET_LD;
    real *whole = reals_new(rows), *swept = reals_new(rows), *given = reals_new(count);
    real *gradient = reals_new(c->base->n_params);
    fill(given, count, 0.9, 3 * number);
    ops->forward(c->base, c->values, c->slopes, c->theta, NET_LD);
    memcpy(net_outputs(c, whole), given, count * sizeof *given);
    ops->backward(c->base, whole, gradient, 0, c->theta, c->values, c->slopes, NET_LD);
    for (size_t g = c->shape->groups, end = c->rows; g > 0; g--) {
        ops->pull(c->base, swept, c->theta, c->values, c->slopes, g, NET_LD);
        size_t dims = group_start(c, g + 1) - group_start(c, g);
        size_t first = g == 1 && c->shape->bare_first ? 0 : end - dims * c->shape->outputs;
        memcpy(net_outputs(c, swept) + first * NET_LD, given + first * NET_LD,
               (end - first) * NET_LD * sizeof *given);
        end = first;
    }
    size_t inputs = c->shape->context * NET_LD, dim = c->shape->dim;
    check_equal(swept + inputs, whole + inputs, dim * NET_LD, "sweep of network", number);
    for (size_t j = group_start(c, c->shape->groups) * NET_LD; j < dim * NET_LD; j++)
        cr_assert_eq(whole[inputs + j], 0, "the last group is seen");
    free(whole), free(swept), free(given), free(gradient);
}

KERNEL_TEST(conditioner, sweep_equals_backward)
{
    each_net(check_sweep);
}

/* ---- start, and specifications that are refused */

KERNEL_TEST(conditioner, start)
{
    for (size_t number = 0; number < N_NETS; number++) {
        net_case c;
        net_case_open(&c, number, activation_find("relu"));
        pcg rng = pcg_at((pcg_stream){.seed = 5, .stage = PCG_TEST, .purpose = PCG_INIT}, 0, 1);
        c.base->ops->init(c.base, c.theta, &rng);
        for (size_t i = 0; i < c.base->n_params; i++)
            cr_assert(fabs((double)c.theta[i]) <= sqrt(3.0), "network %zu starts at %g", number,
                      (double)c.theta[i]);
        c.base->ops->forward(c.base, c.values, NULL, c.theta, NET_LD);
        const real *out = net_outputs(&c, c.values);
        for (size_t i = 0; i < c.rows * NET_LD; i++)
            cr_assert_eq(out[i], 0, "network %zu does not start at zero", number);
        net_case_close(&c);
    }
}

KERNEL_TEST(conditioner, refused)
{
    const conditioner_ops *mlp_kind = conditioner_find("mlp");
    static const char *const bad[][2] = {
        {"{\"kind\": \"mlp\", \"hidden\": [], \"residual\": 0, \"activation\": \"elu\"}", "hidden"},
        {"{\"kind\": \"mlp\", \"hidden\": [5, 0], \"residual\": 0, \"activation\": \"elu\"}",
         "hidden"},
        {"{\"kind\": \"mlp\", \"hidden\": [16385], \"residual\": 0, \"activation\": \"elu\"}",
         "1 .. 16384"},
        {"{\"kind\": \"mlp\", \"hidden\": [5], \"residual\": 17, \"activation\": \"elu\"}",
         "residual"},
        {"{\"kind\": \"mlp\", \"hidden\": [5, 5], \"residual\": 2, \"activation\": \"elu\"}",
         "one width in hidden"},
        {"{\"kind\": \"mlp\", \"hidden\": [5], \"residual\": 0, \"activation\": \"elo\"}",
         "activation"},
        {"{\"kind\": \"mlp\", \"hidden\": [5], \"residual\": 0}", "'activation' is missing"},
        {"{\"kind\": \"mlp\", \"hidden\": [5], \"residual\": 0, \"activation\": \"elu\", \"x\": 1}",
         "no key 'x'"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        flow_err err = FLOW_ERR_INIT;
        json_t *object = json_loads(bad[i][0], 0, NULL);
        cr_assert_null(flow_kind_read(&mlp_kind->kind, object, &err), "%s", bad[i][0]);
        cr_assert_eq(err.code, FLOW_ECONFIG);
        cr_assert(strstr(err.text, bad[i][1]), "%s: %s", bad[i][0], err.text);
        cr_assert_null(flow_kind_read(&mlp_kind->kind, object, NULL), "without an err");
        json_decref(object);
    }
}

KERNEL_TEST(conditioner, registry)
{
    for (const conditioner_ops *const *kind = conditioner_kinds; *kind; kind++) {
        cr_assert((*kind)->kind.doc && *(*kind)->kind.doc, "%s has no doc", (*kind)->kind.name);
        cr_assert_eq(conditioner_find((*kind)->kind.name), *kind);
    }
    cr_assert_null(conditioner_find("mpl"));
}

/* ---- an autoregressive layer inverted by G full passes of the network: what everybody does, and
 * what the incremental inverse must equal to the last bit */

/* x of group g is known after pass g, from the outputs that see the groups before; what is not known
 * is 0. Dimensions without outputs are known at once. */
static void naive_inverse(net_case *c, real *x, double *logdet, const transformer *tau,
                          const void *options, const real *y)
{
    real *inputs = c->values + c->shape->context * NET_LD;
    size_t bare = c->shape->bare_first ? group_start(c, 2) : 0;
    memset(inputs, 0, c->shape->dim * NET_LD * sizeof *inputs);
    memcpy(inputs, y, bare * NET_LD * sizeof *inputs);
    for (size_t g = 1; g <= c->shape->groups; g++) {
        c->base->ops->forward(c->base, c->values, NULL, c->theta, NET_LD);
        for (size_t i = group_start(c, g); i < group_start(c, g + 1); i++) {
            if (i < bare)
                continue;
            real *h = net_outputs(c, c->values) + (i - bare) * c->shape->outputs * NET_LD;
            if (tau->prepare)
                tau->prepare(options, h, NET_LD);
            tau->inverse(options, inputs + i * NET_LD, logdet, y + i * NET_LD, h, NET_LD);
        }
    }
    memcpy(x, inputs, c->shape->dim * NET_LD * sizeof *x);
}

/* c: what the layer must be like. Of circular transformers the network is another: it sees two inputs
 * (conformance_map.c has these). */
static flow_layer *layer_like(const net_case *c, const transformer *tau, const void *options)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = json_pack("{s:s, s:o, s:o, s:I, s:s}", "kind", "autoregressive", "transformer",
                          flow_kind_write(&tau->kind, options), "conditioner",
                          flow_kind_write(&c->base->ops->kind, &c->net->options), "groups",
                          (json_int_t)c->shape->groups, "first",
                          c->shape->bare_first ? "identity" : "free");
    const layer_scope scope = {
        .dim = c->shape->dim, .context = c->shape->context, .max_live = SIZE_MAX};
    flow_layer *layer = flow_layer_kinds[0]->create(d, &scope, &err);
    cr_assert(layer, "%s", err.text);
    cr_assert_eq(layer->n_params, c->base->n_params);
    json_decref(d);
    return layer;
}

static void check_inverse_of(size_t number, const activation *f, const transformer *tau)
{
    void *options = tau_options(tau, &(tau_spec){.bins = 3, .bound = 2.7, .scale_bound = 1.3});
    net_case c;
    net_case_open_for(&c, number, f, tau->n_params(options), FLOW_NETWORK_AS_IS);
    flow_layer *layer = layer_like(&c, tau, options);
    size_t len = c.shape->dim * NET_LD;
    real *context = reals_new(flow_pad(c.shape->context) * NET_LD), *y = reals_new(len);
    real *x = reals_new(len), *want = reals_new(len);
    real *work = reals_new(layer->ops->work_len(layer, NET_LD));
    double logdet[NET_LD] = {0}, want_logdet[NET_LD] = {0};
    fill(context, c.shape->context * NET_LD, 0.8, number);
    fill(y, len, 1.4, number + 40);
    memcpy(c.values, context, c.shape->context * NET_LD * sizeof *context);
    naive_inverse(&c, want, want_logdet, tau, options, y);
    const layer_call call = {.theta = c.theta, .context = context, .work = work, .ld = NET_LD};
    layer->ops->inverse(layer, x, logdet, y, &call);
    check_equal(x, want, len, "incremental inverse of network", number);
    check_same(logdet, want_logdet, NET_LD, "logdet, network %zu, %s", number, tau->kind.name);
    free(context), free(y), free(x), free(want), free(work), free(options);
    layer->ops->free(layer);
    net_case_close(&c);
}

KERNEL_TEST(conditioner, incremental_inverse_equals_full_passes)
{
    for (const activation *f = activation_kinds; f->apply; f++)
        for (const transformer *const *tau = transformer_kinds; *tau; tau++)
            for (size_t number = 0; number < N_NETS && !(*tau)->circular; number++)
                check_inverse_of(number, f, *tau);
}
