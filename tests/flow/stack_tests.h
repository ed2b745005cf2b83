/* tests/flow/stack_tests.h -- what a layer can do that none of ours does: count, draw, have no inverse.
 * A layer made here stands for it, in a flow or inside a part; see kernel_tests.h. */

/* y = x. The log-determinant is an estimate: two draws of each row's own. A row with x_0 > 1 does not
 * converge. */
static void rough_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                          const layer_call *call)
{
    memcpy(y, x, layer->dim * call->ld * sizeof *y);
    for (size_t r = 0; r < call->n; r++) {
        pcg rng = layer_noise(call, r, 2);
        logdet[r] += pcg_uniform(&rng);
        logdet[r] += pcg_uniform(&rng);
        call->counters->unconverged += x[r] > 1 || x[r] == 0; /* which filler is */
    }
}

static void rough_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                          const layer_call *call)
{
    rough_forward(layer, x, logdet, y, call);
}

static size_t rough_nothing(const flow_layer *layer, size_t ld)
{
    (void)layer, (void)ld;
    return 0;
}

static size_t rough_n_tensors(const flow_layer *layer)
{
    (void)layer;
    return 0;
}

static void rough_free(flow_layer *layer)
{
    free(layer);
}

static const flow_layer_ops rough = {
    .kind = {.name = "rough"},
    .single = 1,
    .free = rough_free,
    .cache_len = rough_nothing,
    .work_len = rough_nothing,
    .forward = rough_forward,
    .inverse = rough_inverse,
    .n_tensors = rough_n_tensors,
};

static const flow_layer_ops rough_one_way = {
    .kind = {.name = "rough"},
    .free = rough_free, /* and, not being single, sees single rows among filler */
    .cache_len = rough_nothing,
    .work_len = rough_nothing,
    .forward = rough_forward,
    .n_tensors = rough_n_tensors,
};

enum { ROUGH_D = 3, ROUGH_N = 300 };

static flow_layer *rough_new(const flow_layer_ops *ops, size_t dim)
{
    flow_layer *self = calloc(1, sizeof *self);
    *self = (flow_layer){.ops = ops, .dim = dim};
    return self;
}

/* An actnorm and then the layer. */
static flow *flow_with(flow_layer *layer)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(ROUGH_D, 0, "data_to_noise", json_pack("{s:s}", "kind", "actnorm"));
    flow *f = flow_create_on(&FLOW_NAME(flow_backend_table), d, SIZE_MAX, &err);
    cr_assert(f, "%s", err.text);
    cr_assert_eq(stack_append(&f->stack, layer, &err), 0, "%s", err.text);
    json_decref(d);
    return f;
}

/* Dimensions 1 and 2 through the layer. */
static flow_layer *part_with(flow_layer *layer)
{
    flow_stack inner = {.dim = 2};
    cr_assert_eq(stack_append(&inner, layer, NULL), 0);
    return part_around(&inner, 1, ROUGH_D, NULL);
}

static size_t count_above_one(const double *x, size_t column)
{
    size_t count = 0;
    for (size_t r = 0; r < ROUGH_N; r++)
        count += x[r * ROUGH_D + column] > 1;
    return count;
}

/* ---- counters: of a pass, and of whole batches whatever the threads, summed in the flow */

static void check_counters(flow_layer *layer, size_t column)
{
    flow *f = flow_with(layer);
    double *x = random_numbers_new(ROUGH_N * ROUGH_D, 1.3, 5), logp[ROUGH_N], y[128 * ROUGH_D];
    size_t want = count_above_one(x, column), total = 0;
    cr_assert(want > 30 && want < 150);
    for (size_t threads = 1; threads <= 3; threads++) {
        flow_pool *pool = flow_pool_create(threads, NULL);
        cr_assert_eq(flow_log_prob(f, pool, logp, NULL, x, NULL, ROUGH_N, NULL), 0);
        total += want;
        cr_assert_eq(flow_counted(f).unconverged, total, "%zu threads: %zu, not %zu", threads,
                     (size_t)flow_counted(f).unconverged, total);
        flow_pool_free(pool);
    }
    flow_pass *pass = flow_pass_create(f, 128, 0, NULL);
    size_t seen = 0;
    for (size_t row = 0, n = 1; row + n <= ROUGH_N; row += n, n = n * 3 % 128 + 1) {
        flow_pass_forward(pass, NULL, y, logp, x + row * ROUGH_D, NULL, n);
        for (size_t r = row; r < row + n; r++)
            seen += x[r * ROUGH_D + column] > 1;
        cr_assert_eq(flow_pass_counters(pass)->unconverged, seen, "%zu rows", n);
    }
    cr_assert_eq(flow_counted(f).unconverged, total, "a pass in use was counted");
    flow_pass_free(pass);
    cr_assert_eq(flow_counted(f).unconverged, total + seen);
    free(x);
    flow_free(f);
}

KERNEL_TEST(stack, counters)
{
    check_counters(rough_new(&rough, ROUGH_D), 0);
    check_counters(rough_new(&rough_one_way, ROUGH_D), 0);
    check_counters(part_with(rough_new(&rough, 2)), 1);
    check_counters(part_with(rough_new(&rough_one_way, 2)), 1);
}

/* ---- noise: of the row, whatever stands beside it; another one for each layer and stream */

static void noise_of(double *logdet, flow_layer *layer, uint64_t seed, uint64_t first)
{
    flow *f = flow_with(layer);
    double *x = random_numbers_new(64 * ROUGH_D, 1.3, 5), y[64 * ROUGH_D];
    flow_pass *pass = flow_pass_create(f, 64, 0, NULL);
    const pcg_stream stream = {.seed = seed, .stage = PCG_TEST, .purpose = PCG_ESTIMATE};
    for (size_t row = 0, n = 1; row < 64; row += n, n = n < 64 - row ? 2 * n + 1 : 64 - row) {
        n = n < 64 - row ? n : 64 - row;
        flow_pass_set_noise(pass, stream, first + row);
        flow_pass_forward(pass, NULL, y, logdet + row, x, NULL, n);
    }
    flow_pass_free(pass);
    flow_free(f);
    free(x);
}

/* How many of 63 rows agree, row r of a with row r + shift of b. */
static size_t agreements(const double *a, const double *b, size_t shift)
{
    size_t count = 0;
    for (size_t r = 0; r < 63; r++)
        count += a[r] == b[r + shift];
    return count;
}

KERNEL_TEST(stack, noise)
{
    double a[64], b[64];
    noise_of(a, rough_new(&rough, ROUGH_D), 7, 0);
    noise_of(b, rough_new(&rough_one_way, ROUGH_D), 7, 0);
    check_same(a, b, 64, "noise of the same rows and layer");
    noise_of(b, rough_new(&rough, ROUGH_D), 7, 1000);
    cr_assert_eq(agreements(a, b, 0), 0, "rows 1000 on have the noise of rows 0 on");
    noise_of(b, rough_new(&rough, ROUGH_D), 7, 1);
    cr_assert_eq(agreements(b, a, 1), 63, "row r + 1 depends on where the shard begins");
    cr_assert_eq(agreements(a, a, 1), 0, "rows have the same noise");
    noise_of(b, rough_new(&rough, ROUGH_D), 8, 0);
    cr_assert_eq(agreements(a, b, 0), 0, "two seeds have the same noise");
    noise_of(b, part_with(rough_new(&rough, 2)), 7, 0);
    cr_assert_eq(agreements(a, b, 0), 0, "a layer and one inside it have the same noise");
}

/* Two layers in a row do not draw the same, so twice one of them is not what they give. */
KERNEL_TEST(stack, layers_draw_on_their_own)
{
    double one[64], two[64];
    flow_stack inner = {.dim = 2};
    noise_of(one, part_with(rough_new(&rough, 2)), 7, 0);
    stack_append(&inner, rough_new(&rough, 2), NULL);
    stack_append(&inner, rough_new(&rough, 2), NULL);
    noise_of(two, part_around(&inner, 1, ROUGH_D, NULL), 7, 0);
    for (size_t r = 0; r < 64; r++) {
        cr_assert(one[r] > 0 && one[r] < 2 && two[r] > one[r] && two[r] < one[r] + 2);
        cr_assert_neq(two[r] - one[r], one[r]);
    }
}

/* ---- no inverse: said when asked, with the layer's name, and the parallel direction still there */

static void check_one_way(flow_layer *layer, const char *name)
{
    flow *f = flow_with(layer);
    flow_pool *pool = flow_pool_create(1, NULL);
    flow_err err = FLOW_ERR_INIT;
    double x[2 * ROUGH_D] = {2.385, -0.713, 0.3, 1.1, 0.2, -1.9}, y[2 * ROUGH_D], logp[2];
    const pcg_stream stream = {.seed = 1, .stage = PCG_TEST, .purpose = PCG_BASE};
    cr_assert(!flow_can_invert(f));
    cr_assert_eq(flow_require_log_prob(f, &err), 0);
    cr_assert_eq(flow_log_prob(f, pool, logp, y, x, NULL, 2, &err), 0, "%s", err.text);
    cr_assert_eq(flow_require_transport(f, &err), FLOW_ECONFIG);
    cr_assert(strstr(err.text, name), "'%s' does not name %s", err.text, name);
    err = (flow_err)FLOW_ERR_INIT;
    cr_assert_eq(flow_transport(f, pool, y, logp, x, NULL, 2, &err), FLOW_ECONFIG);
    cr_assert(strstr(err.text, name), "'%s' does not name %s", err.text, name);
    cr_assert_eq(flow_sample(f, pool, y, logp, NULL, stream, 0, 2, NULL), FLOW_ECONFIG);
    err = (flow_err)FLOW_ERR_INIT;
    cr_assert_null(flow_round(f, FLOW_NETWORK_INT8, &err));
    cr_assert_eq(err.code, FLOW_ECONFIG);
    cr_assert(strstr(err.text, name), "'%s' does not name %s", err.text, name);
    f->direction = FLOW_NOISE_TO_DATA;
    cr_assert_eq(flow_log_prob(f, pool, logp, y, x, NULL, 2, NULL), FLOW_ECONFIG);
    cr_assert_eq(flow_sample(f, pool, y, logp, NULL, stream, 0, 2, &err), 0, "%s", err.text);
    flow_pool_free(pool);
    flow_free(f);
}

KERNEL_TEST(stack, no_inverse)
{
    check_one_way(rough_new(&rough_one_way, ROUGH_D), "layer 1, rough");
    check_one_way(part_with(rough_new(&rough_one_way, 2)), "layer 1, part");
    flow *f = flow_with(rough_new(&rough, ROUGH_D));
    cr_assert(flow_can_invert(f) && !flow_require_transport(f, NULL));
    flow_free(f);
}

/* ---- initial weights: layers of a part draw from rows of their own, and the others as without it */

static flow *fresh(const char *layers)
{
    flow_err err = FLOW_ERR_INIT;
    const pcg_stream stream = {.seed = 31, .stage = PCG_TEST, .purpose = PCG_INIT};
    json_t *d = describe_one(3, 0, "data_to_noise", json_loads(layers, 0, NULL));
    flow *f = flow_create_on(&FLOW_NAME(flow_backend_table), d, SIZE_MAX, &err);
    cr_assert(f, "%s", err.text);
    flow_init(f, stream);
    json_decref(d);
    return f;
}

/* The last number of the tensor of that name: a bias of the first hidden layer. */
static double last_of(const flow *f, const char *name)
{
    for (size_t t = 0; t < flow_n_tensors(f); t++) {
        flow_tensor_info info;
        double values[64];
        flow_tensor(f, &info, t);
        if (strcmp(info.name, name) == 0) {
            flow_tensor_get(f, values, t);
            return values[info.rows - 1];
        }
    }
    cr_assert_fail("no tensor %s", name);
    return NAN;
}

#define NET "{\"kind\": \"autoregressive\", \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [5]}}"

KERNEL_TEST(stack, initial_weights_of_parts)
{
    static const char *const names[] = {
        "layers.0.conditioner.0.bias",
        "layers.1.layers.0.conditioner.0.bias",
        "layers.1.layers.1.layers.0.conditioner.0.bias",
        "layers.1.layers.1.layers.1.conditioner.0.bias",
        "layers.1.layers.2.conditioner.0.bias",
        "layers.2.conditioner.0.bias",
        "layers.3.layers.0.conditioner.0.bias",
    };
    enum { N_NAMES = sizeof names / sizeof *names };
    double values[N_NAMES];
    flow *flat = fresh("[" NET ", " NET ", " NET "]");
    flow *f = fresh("[" NET ", {\"kind\": \"part\", \"count\": 2, \"layers\": [" NET
                    ", {\"kind\": \"part\", \"first\": 0, \"count\": 2, \"layers\": [" NET ", " NET
                    "]}, " NET "]}, " NET
                    ", {\"kind\": \"part\", \"first\": 1, \"count\": 2, \"layers\": [" NET "]}]");
    for (size_t i = 0; i < N_NAMES; i++) {
        values[i] = last_of(f, names[i]);
        cr_assert(values[i] != 0 && isfinite(values[i]));
        for (size_t j = 0; j < i; j++)
            cr_assert_neq(values[i], values[j], "%s draws what %s draws", names[i], names[j]);
    }
    cr_assert_eq(values[0], last_of(flat, names[0]));
    cr_assert_eq(values[5], last_of(flat, names[5]));
    flow_free(flat);
    flow_free(f);
}
