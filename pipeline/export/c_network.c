/* pipeline/export/c_network.c -- the masked networks of a layer, as tables.
 *
 * Which weights are live is asked of the flow: a unit sees a first part of what is before it. How far each step must
 * be for the outputs of a group follows from that, from the outputs backwards. */
#include "pipeline/export/c_file.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 64 };

typedef struct stage {
    int map;               /* its number among the maps, or -1: the activation */
    size_t from, to, rows; /* rows among the values where they begin, and how many come out */
    size_t add;            /* row, or SIZE_MAX */
    int source;            /* the stage whose rows it reads; -1: the inputs */
    int also;              /* the one whose rows are added; -1: none */
} stage;

typedef struct net {
    c_file *file;
    size_t id, groups, copy;
    stage stages[MOST_STEPS];
    size_t n_stages, n_maps, values;
    size_t *reach[MOST_STEPS]; /* of a map: how many inputs each of its rows sees */
    size_t *until;             /* (groups + 1, n_stages) */
} net;

static size_t padded(size_t n)
{
    return (n + C_TILE - 1) / C_TILE * C_TILE;
}

/* ---- the list of steps */

static size_t room(net *self, size_t rows)
{
    size_t at = self->values;
    self->values += padded(rows);
    return at;
}

static void add_stage(net *self, stage s)
{
    self->stages[self->n_stages++] = s;
}

/* A map of what stage `source` gave, or of the inputs; `also`: the stage that is added. Returns its number. */
static int add_map(net *self, int source, int also, size_t rows)
{
    const stage *s = self->stages;
    add_stage(self, (stage){.map = (int)self->n_maps++,
                            .from = source < 0 ? 0 : s[source].to,
                            .to = room(self, rows),
                            .rows = rows,
                            .add = also < 0 ? SIZE_MAX : s[also].to,
                            .source = source,
                            .also = also});
    return (int)self->n_stages - 1;
}

static int add_activation(net *self, int source, int in_place)
{
    const stage from = self->stages[source];
    add_stage(self, (stage){.map = -1,
                            .from = from.to,
                            .to = in_place ? from.to : room(self, from.rows),
                            .rows = from.rows,
                            .add = SIZE_MAX,
                            .source = source,
                            .also = -1});
    return (int)self->n_stages - 1;
}

static int plain(net *self, const json_t *hidden)
{
    int at = -1;
    for (size_t l = 0; l < json_array_size(hidden); l++) {
        size_t rows = (size_t)json_integer_value(json_array_get(hidden, l));
        at = add_activation(self, add_map(self, at, -1, rows), 1);
    }
    return at;
}

/* r <- r + W2 f(W1 f(r)) */
static int residual(net *self, size_t width, size_t blocks)
{
    int r = add_map(self, -1, -1, width);
    for (size_t b = 0; b < blocks; b++) {
        int u = add_activation(self, r, 0);
        int v = add_activation(self, add_map(self, u, -1, width), 1);
        r = add_map(self, v, r, width);
    }
    return r;
}

static void plan(net *self, const json_t *conditioner, const c_shape *shape)
{
    const json_t *hidden = json_object_get(conditioner, "hidden");
    size_t blocks = (size_t)json_integer_value(json_object_get(conditioner, "residual"));
    size_t context = flow_context(self->file->flow);
    int last = -1;
    room(self, context + shape->inputs[shape->dim]);
    if (shape->groups > 1 || context > 0)
        last = blocks
                   ? residual(self, (size_t)json_integer_value(json_array_get(hidden, 0)), blocks)
                   : plain(self, hidden);
    add_map(self, last, -1, shape->outputs[shape->dim]);
}

/* ---- what sees what */

/* Live entries are the first of their row. */
static size_t *reach_of(const c_file *file, size_t tensor, const flow_tensor_info *info)
{
    unsigned char *live = malloc(info->cols + 1);
    size_t *reach = malloc((info->rows + 1) * sizeof *reach);
    for (size_t row = 0; live && reach && row < info->rows; row++) {
        flow_tensor_live(file->flow, live, tensor, row);
        reach[row] = 0;
        while (reach[row] < info->cols && live[reach[row]])
            reach[row]++;
    }
    if (!live) {
        free(reach);
        reach = NULL;
    }
    free(live);
    return reach;
}

static void want(net *self, size_t *until, int at, size_t rows)
{
    if (at >= 0 && until[at] < rows)
        until[at] = rows;
    (void)self;
}

/* How far each step must be for all outputs before `outputs`: until (n_stages). */
static void look_back(net *self, size_t *until, size_t outputs)
{
    memset(until, 0, self->n_stages * sizeof *until);
    until[self->n_stages - 1] = outputs;
    for (size_t s = self->n_stages; s-- > 0;) {
        const stage *at = &self->stages[s];
        size_t rows = until[s];
        if (rows == 0)
            continue;
        want(self, until, at->source, at->map < 0 ? rows : self->reach[at->map][rows - 1]);
        want(self, until, at->also, rows);
    }
}

/* An activation in place must follow its map at once: what is computed is activated once. */
static void keep_together(const net *self, size_t *until)
{
    for (size_t s = 0; s + 1 < self->n_stages; s++)
        if (self->stages[s + 1].map < 0 && self->stages[s + 1].to == self->stages[s].to)
            until[s] = until[s + 1] = until[s] > until[s + 1] ? until[s] : until[s + 1];
}

static int find_until(net *self, const c_shape *shape)
{
    self->until = calloc((shape->groups + 1) * self->n_stages, sizeof *self->until);
    for (size_t c = 1; self->until && c <= shape->groups; c++) {
        size_t *row = self->until + c * self->n_stages;
        look_back(self, row, shape->outputs[shape->group[c]]);
        keep_together(self, row);
    }
    return !self->until;
}

/* ---- tables */

/* Rows of 16 in a panel, as deep as the last of them sees. */
static double *panels(size_t *begin, size_t *reach4, const double *weight, const size_t *reach,
                      const flow_tensor_info *info)
{
    size_t total = 0, rows = padded(info->rows);
    for (size_t u = 0; u < rows; u += 4) {
        size_t last = u + 4 < info->rows ? u + 3 : info->rows - 1;
        reach4[u / 4] = info->rows ? reach[last] : 0;
    }
    for (size_t p = 0; p < rows / 16; p++) {
        begin[p] = total;
        total += 16 * reach4[4 * p + 3];
    }
    double *out = calloc(total + 1, sizeof *out);
    for (size_t u = 0; out && u < info->rows; u++)
        for (size_t k = 0; k < reach[u]; k++)
            out[begin[u / 16] + 16 * k + u % 16] = weight[u * info->cols + k];
    begin[rows / 16] = total;
    return out;
}

static int write_weight(net *self, size_t m, size_t id, flow_err *err)
{
    c_file *file = self->file;
    size_t tensor = file->tensor;
    flow_tensor_info info;
    double *weight = c_next_tensor(file, &info), *packed = NULL;
    size_t *reach = reach_of(file, tensor, &info), rows = padded(info.rows);
    size_t *begin = calloc(rows + 2, sizeof *begin), *reach4 = calloc(rows + 1, sizeof *reach4);
    if (weight && reach && begin && reach4)
        packed = panels(begin, reach4, weight, reach, &info);
    if (packed) {
        c_reals(file, "weight", id, packed, begin[rows / 16]);
        c_ints(file, "reach", id, reach4, rows / 4);
        c_ints(file, "panel", id, begin, rows / 16);
    }
    int code = packed ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for tensor %s", info.name);
    free(self->reach[m]);
    self->reach[m] = reach;
    free(weight);
    free(packed);
    free(begin);
    free(reach4);
    return code;
}

static int write_bias(net *self, size_t id, flow_err *err)
{
    c_file *file = self->file;
    flow_tensor_info info;
    double *bias = c_next_tensor(file, &info);
    double *all = calloc(padded(info.rows) + 1, sizeof *all);
    if (bias && all) {
        memcpy(all, bias, info.rows * sizeof *all);
        c_reals(file, "bias", id, all, padded(info.rows));
    }
    int code =
        bias && all ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for tensor %s", info.name);
    free(bias);
    free(all);
    return code;
}

static int write_map(net *self, size_t m, flow_err *err)
{
    size_t id = self->id + self->copy * self->n_maps + m;
    int code = write_weight(self, m, id, err);
    if (!code)
        code = write_bias(self, id, err);
    fprintf(self->file->out,
            "static const map map_%zu = {weight_%zu, bias_%zu, reach_%zu, panel_%zu};\n\n", id, id,
            id, id, id);
    return code;
}

static void write_steps(const net *self)
{
    FILE *out = self->file->out;
    fprintf(out, "static const step steps_%zu[] = {\n", self->id + self->copy);
    for (size_t s = 0; s < self->n_stages; s++) {
        const stage *at = &self->stages[s];
        fputs("    {", out);
        if (at->map < 0)
            fputs("NULL", out);
        else
            fprintf(out, "&map_%zu", self->id + self->copy * self->n_maps + (size_t)at->map);
        fprintf(out, ", %zu, %zu, %ld},\n", at->from, at->to,
                at->add == SIZE_MAX ? -1L : (long)at->add);
    }
    fputs("};\n\n", out);
}

static int write_copy(net *self, const c_shape *shape, flow_err *err)
{
    int code = 0;
    for (size_t m = 0; !code && m < self->n_maps; m++)
        code = write_map(self, m, err);
    if (!code && !self->until && find_until(self, shape))
        code = flow_fail(err, FLOW_ENOMEM, "out of memory for %zu groups", shape->groups);
    if (!code)
        write_steps(self);
    return code;
}

static void write_networks(const net *self, size_t copies, const char *activation)
{
    FILE *out = self->file->out;
    c_ints(self->file, "until", self->id, self->until, (self->groups + 1) * self->n_stages);
    fprintf(out, "static const network nets_%zu[] = {\n", self->id);
    for (size_t t = 0; t < copies; t++)
        fprintf(out, "    {steps_%zu, until_%zu, activate_%s, %zu, %zu},\n", self->id + t, self->id,
                activation, self->n_stages, self->values);
    fputs("};\n\n", out);
}

/* ---- all of them */

/* The name of the piece, in the list of pieces. */
static const char *piece_of(const char *activation)
{
    char name[64];
    snprintf(name, sizeof name, "activation_%s", activation);
    const c_piece *piece = c_pieces;
    while (piece->name && strcmp(piece->name, name) != 0)
        piece++;
    return piece->name;
}

static int check_kind(c_file *file, const json_t *conditioner, flow_err *err)
{
    const char *kind = json_string_value(json_object_get(conditioner, "kind"));
    const char *activation = json_string_value(json_object_get(conditioner, "activation"));
    if (!kind || strcmp(kind, "mlp") != 0)
        return flow_fail(err, FLOW_ECONFIG, "conditioner %s: there is no C for it",
                         kind ? kind : "");
    const char *piece = activation ? piece_of(activation) : NULL;
    if (!piece)
        return flow_fail(err, FLOW_ECONFIG, "activation %s: there is no C for it",
                         activation ? activation : "");
    c_use(file, "network");
    c_use(file, piece);
    return 0;
}

int c_networks(c_file *file, size_t id, size_t *output_row, const json_t *conditioner,
               const c_shape *shape, size_t copies, flow_err *err)
{
    net self = {.file = file, .id = id, .groups = shape->groups};
    int code = check_kind(file, conditioner, err);
    if (code)
        return code;
    plan(&self, conditioner, shape);
    for (; !code && self.copy < copies; self.copy++)
        code = write_copy(&self, shape, err);
    if (!code)
        write_networks(&self, copies,
                       json_string_value(json_object_get(conditioner, "activation")));
    *output_row = self.stages[self.n_stages - 1].to;
    file->n_ids += copies * self.n_maps;
    file->values = file->values < self.values ? self.values : file->values;
    for (size_t m = 0; m < self.n_maps; m++)
        free(self.reach[m]);
    free(self.until);
    return code;
}
