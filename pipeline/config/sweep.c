#include "pipeline/config/sweep.h"

#include "flow/json.h"
#include "pipeline/config/field.h"
#include "pipeline/config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char sweep_doc[] =
    "Points of distill sweep FILE, each a run of its own. A run of the file takes no notice of it.";

const flow_key sweep_keys[] = {
    {.name = "grid",
     .type = FLOW_KEY_OWN,
     .wants = "keys of --set with lists of values, {student.flow.layers: [2, 4]}",
     .doc = "Keys, with dots, and the values that each takes: a point for every combination."},
    {.name = "list",
     .type = FLOW_KEY_OWN,
     .wants = "a list of keys of --set with a value each, [{seed: 1}, {seed: 2}]",
     .doc = "Points one by one; with a grid, each of them goes with each point of the grid."},
    {.name = "metric",
     .type = FLOW_KEY_OWN,
     .def = "kl_reverse",
     .wants = "a figure of validate.require",
     .doc = "The figure by which the best point is selected."},
    {.name = "mode",
     .type = FLOW_KEY_OWN,
     .wants = "min or max",
     .doc = "Whether the smallest or the largest is best. If not given: as the figure is good."},
    {.name = NULL}};

/* ---- values as text, as --set would have them */

static void put_scalar(FILE *to, const yaml_node_t *node)
{
    size_t size;
    const char *text = yaml_text(node, &size);
    json_t *quoted = yaml_is_plain(node) ? NULL : json_stringn(text, size);
    char *shown = quoted ? flow_json_text(quoted, JSON_ENCODE_ANY) : NULL;
    fputs(shown ? shown : text, to);
    free(shown);
    json_decref(quoted);
}

static void put_node(FILE *to, const yaml_tree *tree, const yaml_node_t *node)
{
    if (node->type == YAML_SCALAR_NODE) {
        put_scalar(to, node);
    } else if (node->type == YAML_SEQUENCE_NODE) {
        putc('[', to);
        for (yaml_node_item_t *i = node->data.sequence.items.start;
             i < node->data.sequence.items.top; i++) {
            fputs(i > node->data.sequence.items.start ? ", " : "", to);
            put_node(to, tree, yaml_tree_node(tree, *i));
        }
        putc(']', to);
    } else {
        putc('{', to);
        for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
             p++) {
            fputs(p > node->data.mapping.pairs.start ? ", " : "", to);
            put_node(to, tree, yaml_tree_node(tree, p->key));
            fputs(": ", to);
            put_node(to, tree, yaml_tree_node(tree, p->value));
        }
        putc('}', to);
    }
}

/* Kept by the config; NULL: no memory. */
static const char *text_of(config *self, const yaml_tree *tree, const yaml_node_t *node)
{
    char *text = NULL, *kept = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (to) {
        put_node(to, tree, node);
        kept = fclose(to) == 0 ? field_memory(self, size + 1) : NULL;
    }
    if (kept)
        memcpy(kept, text, size + 1);
    free(text);
    return kept;
}

/* A key, without quotes. */
static const char *word_of(config *self, const yaml_node_t *key)
{
    size_t size;
    const char *text = yaml_text(key, &size);
    char *kept = field_memory(self, size + 1);
    return kept ? memcpy(kept, text, size + 1) : NULL;
}

/* ---- reading */

typedef struct reading {
    config *config;
    sweep *out;
    sweep_item *item; /* that is being filled */
    bool lists;       /* its values are lists: it is the grid */
    bool good;
} reading;

static bool refuse(reading *r, complaint_code code, const value_source *from,
                   const yaml_node_t *node, const char *help, const char *text)
{
    complain(from->out, code, yaml_tree_place(from->tree, node), help, "%s", text);
    r->good = false;
    return false;
}

static void refuse_more(reading *r, const value_source *from, const yaml_node_t *node, int most,
                        const char *what)
{
    char text[80];
    snprintf(text, sizeof text, "more than %d %s", most, what);
    refuse(r, E_SIZE, from, node, NULL, text);
}

static size_t items_of(const yaml_node_t *list)
{
    return (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
}

/* Values (n) of the axis; false: no memory. */
static bool take_values(reading *r, sweep_axis *axis, const value_source *from,
                        const yaml_node_t *value)
{
    bool good = true;
    axis->n = r->lists ? items_of(value) : 1;
    axis->values = field_memory(r->config, axis->n * sizeof *axis->values);
    for (size_t i = 0; axis->values && i < axis->n; i++) {
        const yaml_node_t *one =
            r->lists ? yaml_tree_node(from->tree, value->data.sequence.items.start[i]) : value;
        axis->values[i] = text_of(r->config, from->tree, one);
        good &= axis->values[i] != NULL;
    }
    return good && axis->values;
}

static void take_axis(void *arg, const char *path, const value_source *from, const yaml_node_t *key,
                      const yaml_node_t *value)
{
    reading *r = arg;
    sweep_axis *axis = &r->item->keys[r->item->n];
    (void)path;
    if (r->lists && (value->type != YAML_SEQUENCE_NODE || !items_of(value))) {
        refuse(r, E_TYPE, from, value, "like [1, 2]",
               "sweep.grid wants a list of values of each key");
        return;
    }
    axis->key = word_of(r->config, key);
    if (!axis->key || !take_values(r, axis, from, value))
        refuse(r, E_MEMORY, from, value, NULL, "out of memory");
    else
        r->item->n++;
}

static void take_item(reading *r, sweep_item *item, const char *path, const value_source *from,
                      const yaml_node_t *node)
{
    size_t n = node->type == YAML_MAPPING_NODE
                   ? (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start)
                   : 1;
    if (n > SWEEP_MAX_KEYS / 2) {
        refuse_more(r, from, node, SWEEP_MAX_KEYS / 2, "keys of a point");
        return;
    }
    r->item = item;
    item->n = 0;
    item->keys = field_memory(r->config, (n + 1) * sizeof *item->keys);
    if (!item->keys)
        refuse(r, E_MEMORY, from, node, NULL, "out of memory");
    else
        r->good &= walk(from, path, node, take_axis, r);
}

static void take_list(reading *r, const value_source *from, const yaml_node_t *node)
{
    if (node->type != YAML_SEQUENCE_NODE || !items_of(node)) {
        refuse(r, E_TYPE, from, node, "like [{seed: 1}, {seed: 2}]",
               "sweep.list wants a list of points");
        return;
    }
    size_t n = items_of(node);
    r->lists = false;
    r->out->items = field_memory(r->config, n * sizeof *r->out->items);
    for (size_t i = 0; r->out->items && i < n; i++)
        take_item(r, &r->out->items[i], "sweep.list", from,
                  yaml_tree_node(from->tree, node->data.sequence.items.start[i]));
    r->out->n_items = r->out->items && r->good ? n : 0;
}

/* ---- select */

static void take_metric(reading *r, const value_source *from, const yaml_node_t *node)
{
    const char *names[GATE_COUNT];
    char help[1024] = "";
    const char *text = value_text(&sweep_keys[2], "sweep.select.metric", from, node);
    r->good &= text != NULL;
    if (!text)
        return;
    for (size_t i = 0; i < GATE_COUNT; i++)
        names[i] = gate_figures[i].name;
    r->out->metric = gate_find(text);
    r->out->largest = r->out->metric < GATE_COUNT && !gate_figures[r->out->metric].small_is_good;
    if (r->out->metric < GATE_COUNT)
        return;
    walk_suggest(help, sizeof help, text, "Figures: ", names, GATE_COUNT);
    refuse(r, E_ENUM, from, node, help, "sweep.select.metric wants a figure of validate.require");
}

static void take_mode(reading *r, const value_source *from, const yaml_node_t *node)
{
    const char *text = value_text(&sweep_keys[3], "sweep.select.mode", from, node);
    r->good &= text != NULL;
    if (text && strcmp(text, "min") != 0 && strcmp(text, "max") != 0)
        refuse(r, E_ENUM, from, node, NULL, "sweep.select.mode wants min or max");
    else if (text)
        r->out->largest = strcmp(text, "max") == 0;
}

static void take_key(void *arg, const char *path, const value_source *from, const yaml_node_t *key,
                     const yaml_node_t *value)
{
    static const char *const names[] = {"grid", "list", "select"}, *const below[] = {"metric",
                                                                                     "mode"};
    reading *r = arg;
    size_t size;
    const char *name = yaml_text(key, &size);
    bool inner = strcmp(path, "sweep.select") == 0;
    if (inner && strcmp(name, "metric") == 0) {
        take_metric(r, from, value);
    } else if (inner && strcmp(name, "mode") == 0) {
        take_mode(r, from, value);
    } else if (!inner && strcmp(name, "grid") == 0) {
        r->lists = true;
        take_item(r, &r->out->grid, "sweep.grid", from, value);
    } else if (!inner && strcmp(name, "list") == 0) {
        take_list(r, from, value);
    } else if (!inner && strcmp(name, "select") == 0) {
        r->good &= walk(from, "sweep.select", value, take_key, r);
    } else {
        walk_unknown(from->out, yaml_tree_place(from->tree, key), path, name, size,
                     inner ? below : names, inner ? 2 : 3, "");
        r->good = false;
    }
}

bool sweep_read(config *self, const value_source *from, const yaml_node_t *node)
{
    sweep *out = field_memory(self, sizeof *out);
    reading r = {.config = self, .out = out, .good = out != NULL};
    if (!out)
        return refuse(&r, E_MEMORY, from, node, NULL, "out of memory");
    *out = (sweep){.metric = GATE_KL_REVERSE};
    r.good = walk(from, "sweep", node, take_key, &r) && r.good;
    if (r.good && !out->grid.n && !out->n_items)
        refuse(&r, E_MISSING, from, node, NULL, "sweep has neither grid nor list");
    else if (r.good && !sweep_points(out))
        refuse_more(&r, from, node, SWEEP_MAX_POINTS, "points of a sweep");
    self->sweep = r.good ? out : NULL;
    return r.good;
}

/* ---- points */

/* 0: too many. */
size_t sweep_points(const sweep *self)
{
    size_t n = self->n_items ? self->n_items : 1;
    for (size_t i = 0; i < self->grid.n && n <= SWEEP_MAX_POINTS; i++)
        n *= self->grid.keys[i].n;
    return n <= SWEEP_MAX_POINTS ? n : 0;
}

/* The last key of the grid turns fastest, the list slowest. */
size_t sweep_point(const char **keys, const char **values, const sweep *self, size_t index)
{
    size_t n = self->grid.n;
    for (size_t i = n; i-- > 0; index /= self->grid.keys[i].n) {
        keys[i] = self->grid.keys[i].key;
        values[i] = self->grid.keys[i].values[index % self->grid.keys[i].n];
    }
    for (size_t i = 0; self->n_items && i < self->items[index].n; i++, n++) {
        keys[n] = self->items[index].keys[i].key;
        values[n] = self->items[index].keys[i].values[0];
    }
    return n;
}
