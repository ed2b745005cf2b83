#include "pipeline/config/columns.h"

#include "flow/json.h"
#include "pipeline/config/field.h"
#include "pipeline/config/number.h"
#include "pipeline/config/said.h"
#include "pipeline/config/value.h"
#include "teacher/target_columns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PATH = 256 };

/* A mapping that is being read. */
typedef struct reading {
    config *config;
    const flow_key *key;
    const char **names; /* (n), room for all pairs */
    data_kind *kinds;   /* (n) */
    size_t n;
    bool bad;
} reading;

/* ---- support */

/* A number, or inf with a sign: -inf at the low end, inf at the high one. */
static bool support_end(double *out, const char *text, bool high)
{
    const char *infinite = high ? "inf" : "-inf";
    *out = high ? (double)INFINITY : -(double)INFINITY;
    if (strcmp(text, infinite) == 0 || (high && strcmp(text, "+inf") == 0))
        return true;
    return number_parse_real(out, text) == NUMBER_GOOD;
}

/* JSON, as resolved.json is, has infinity in quotes alone. */
static const char *end_text(const yaml_node_t *item)
{
    size_t size;
    const char *text = item->type == YAML_SCALAR_NODE ? yaml_text(item, &size) : "";
    return yaml_is_plain(item) || strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0 ? text : "";
}

static bool support_list(data_kind *out, const value_source *from, const yaml_node_t *node)
{
    const yaml_node_item_t *items = node->data.sequence.items.start;
    if (node->data.sequence.items.top - items != 2)
        return false;
    for (int i = 0; i < 2; i++) {
        const yaml_node_t *item = yaml_tree_node(from->tree, items[i]);
        const char *text = end_text(item);
        if (!support_end(i ? &out->hi : &out->lo, text, i == 1))
            return false;
    }
    return true;
}

static bool read_support(data_kind *out, const char *path, const value_source *from,
                         const yaml_node_t *node)
{
    const flow_key *key = flow_key_find(data_kind_keys, "support");
    size_t size;
    bool good = node->type == YAML_SEQUENCE_NODE ? support_list(out, from, node)
                : yaml_is_plain(node)            ? data_kind_support(out, yaml_text(node, &size))
                                                 : false;
    return good || value_reject(key, path, from, node, E_TYPE, "like [0, 1] or [20, inf]");
}

/* ---- one column */

/* What is being read of one. */
typedef struct column {
    data_kind *kind;
    bool good;
} column;

static void take_key(void *arg, const char *path, const value_source *from, const yaml_node_t *name,
                     const yaml_node_t *value)
{
    column *self = arg;
    size_t size, n = 0;
    const char *text = yaml_text(name, &size), *names[8];
    const flow_key *key = flow_key_find(data_kind_keys, text);
    char whole[PATH];
    snprintf(whole, sizeof whole, "%.160s.%.80s", path, text);
    if (!key) {
        for (; data_kind_keys[n].name; n++)
            names[n] = data_kind_keys[n].name;
        walk_unknown(from->out, yaml_tree_place(from->tree, name), path, text, size, names, n, "");
        self->good = false;
    } else if (key->type == FLOW_KEY_OWN) {
        self->good &= read_support(self->kind, whole, from, value);
    } else {
        self->good &= value_into(self->kind, key, whole, from, value);
    }
}

/* An object of keys, a support by itself, or nothing. */
static bool read_pairs(data_kind *kind, const char *path, const value_source *from,
                       const yaml_node_t *node)
{
    column c = {.kind = kind, .good = true};
    size_t size;
    if (node->type == YAML_MAPPING_NODE)
        return walk(from, path, node, take_key, &c) && c.good;
    if (value_is_null(node) || (yaml_is_plain(node) && (yaml_text(node, &size), size == 0)))
        return true;
    return read_support(kind, path, from, node);
}

static bool read_kind(data_kind *kind, const char *path, const value_source *from,
                      const yaml_node_t *node)
{
    char why[DATA_KIND_WHY];
    if (!read_pairs(kind, path, from, node))
        return false;
    if (!data_kind_fault(why, kind))
        return true;
    complain(from->out, E_CONFLICT, yaml_tree_place(from->tree, node), NULL, "%s: %s", path, why);
    return false;
}

static void take_column(void *arg, const char *path, const value_source *from,
                        const yaml_node_t *name, const yaml_node_t *value)
{
    reading *self = arg;
    size_t size;
    const char *text = yaml_text(name, &size);
    char whole[PATH];
    snprintf(whole, sizeof whole, "%.80s.%.160s", path, text);
    char *kept = field_memory(self->config, size + 1);
    self->kinds[self->n] = data_kind_plain;
    self->bad |= !kept || !read_kind(&self->kinds[self->n], whole, from, value);
    if (!kept)
        return;
    self->names[self->n++] = memcpy(kept, text, size + 1);
    said_keep(self->config, self->key, kept, from, name);
}

/* ---- the mapping, or a list of mappings of one column */

static size_t pairs_of(const yaml_node_t *node)
{
    return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
}

static size_t items_of(const yaml_node_t *node)
{
    return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

static const yaml_node_t *item_of(const value_source *from, const yaml_node_t *node, size_t i)
{
    return yaml_tree_node(from->tree, node->data.sequence.items.start[i]);
}

bool columns_are_told(const value_source *from, const yaml_node_t *node)
{
    if (node->type != YAML_SEQUENCE_NODE || items_of(node) == 0)
        return node->type == YAML_MAPPING_NODE;
    return item_of(from, node, 0)->type == YAML_MAPPING_NODE;
}

static bool take_item(reading *self, const flow_key *key, const value_source *from,
                      const yaml_node_t *item)
{
    if (item->type != YAML_MAPPING_NODE || pairs_of(item) != 1)
        return value_reject(key, key->name, from, item, E_TYPE,
                            "a list has one column in each item, like [{mass: positive}, {x: {}}]");
    return walk(from, key->name, item, take_column, self);
}

static bool take_all(reading *self, const flow_key *key, const value_source *from,
                     const yaml_node_t *node)
{
    if (node->type == YAML_MAPPING_NODE)
        return walk(from, key->name, node, take_column, self);
    bool good = true;
    for (size_t i = 0; i < items_of(node); i++)
        good &= take_item(self, key, from, item_of(from, node, i));
    return good;
}

bool columns_read(config *self, const flow_key *key, const value_source *from,
                  const yaml_node_t *node)
{
    size_t n = node->type == YAML_MAPPING_NODE ? pairs_of(node) : items_of(node);
    if (n < key->n_min || n > key->n_max)
        return value_reject(key, key->name, from, node, E_RANGE, NULL);
    reading r = {.config = self,
                 .key = key,
                 .names = field_memory(self, n * sizeof *r.names),
                 .kinds = field_memory(self, n * sizeof *r.kinds)};
    if (!r.names || !r.kinds) {
        complain(from->out, E_MEMORY, yaml_tree_place(from->tree, node), NULL, "out of memory");
        return false;
    }
    if (!take_all(&r, key, from, node) || r.bad)
        return false;
    self->data.columns = (flow_names){r.n, r.names};
    self->data.kinds = r.kinds;
    return true;
}

/* ---- the same of a density */

/* An object that is being made. */
typedef struct making {
    json_t *out;
    bool bad;
} making;

static bool fits_density(const data_kind *kind, const char *path, const value_source *from,
                         const yaml_node_t *node)
{
    char why[DATA_KIND_WHY];
    if (!target_column_fault(why, kind))
        return true;
    complain(from->out, E_CONFLICT, yaml_tree_place(from->tree, node), NULL, "%s: %s", path, why);
    return false;
}

static void make_column(void *arg, const char *path, const value_source *from,
                        const yaml_node_t *name, const yaml_node_t *value)
{
    making *self = arg;
    size_t size;
    const char *text = yaml_text(name, &size);
    char whole[PATH];
    data_kind kind = data_kind_plain;
    snprintf(whole, sizeof whole, "%.80s.%.160s", path, text);
    if (read_kind(&kind, whole, from, value) && fits_density(&kind, whole, from, value))
        flow_json_set(&self->out, text, data_kind_to_json(&kind));
    else
        self->bad = true;
}

json_t *columns_of_density(const flow_key *key, const char *path, const value_source *from,
                           const yaml_node_t *node)
{
    making m = {.out = json_object()};
    size_t n = node->type == YAML_MAPPING_NODE ? pairs_of(node) : 0;
    if (n < key->n_min || n > key->n_max)
        m.bad = !value_reject(key, path, from, node, E_TYPE, NULL);
    else
        m.bad = !walk(from, path, node, make_column, &m) || m.bad;
    if (!m.bad)
        return m.out;
    json_decref(m.out);
    return NULL;
}

/* ---- writing */

json_t *columns_json(const config *self)
{
    json_t *out = json_array();
    for (size_t i = 0; i < self->data.columns.n; i++) {
        json_t *one = json_object();
        flow_json_set(&one, self->data.columns.at[i], data_kind_to_json(&self->data.kinds[i]));
        flow_json_append(&out, one);
    }
    return out;
}
