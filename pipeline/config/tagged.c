#include "pipeline/config/tagged.h"

#include "flow/json.h"
#include "pipeline/config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 256, NAMES = 64 };

/* ---- gathering */

static void release_pair(tagged_pair *pair)
{
    free(pair->path);
    free(pair->name);
}

void tagged_release(tagged *self)
{
    for (size_t i = 0; i < self->n; i++)
        release_pair(&self->pairs[i]);
    free(self->pairs);
    *self = (tagged){.n = 0};
}

static tagged_pair *find(const tagged *self, const char *name)
{
    for (size_t i = 0; i < self->n; i++)
        if (strcmp(self->pairs[i].name, name) == 0)
            return &self->pairs[i];
    return NULL;
}

static bool is_below(const char *name, const char *section)
{
    size_t size = strlen(section);
    return strncmp(name, section, size) == 0 && (!name[size] || name[size] == '.');
}

/* A value takes the place of what was said of it before, at any depth. */
static void take_out(tagged *self, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->n; i++)
        if (is_below(self->pairs[i].name, name))
            release_pair(&self->pairs[i]);
        else
            self->pairs[kept++] = self->pairs[i];
    self->n = kept;
}

static bool grow(tagged *self)
{
    if (self->n < self->capacity)
        return true;
    size_t capacity = 2 * self->capacity + 8;
    tagged_pair *pairs = realloc(self->pairs, capacity * sizeof *pairs);
    if (!pairs)
        return false;
    self->pairs = pairs;
    self->capacity = capacity;
    return true;
}

bool tagged_put(tagged *self, const char *path, const char *name, place at,
                const value_source *from, const yaml_node_t *node)
{
    take_out(self, name);
    if (!node)
        return true;
    if (!grow(self))
        return false;
    size_t size = strlen(path) + strlen(name) + 2;
    tagged_pair pair = {
        .path = malloc(size), .name = strdup(name), .at = at, .from = *from, .node = node};
    if (!pair.path || !pair.name) {
        release_pair(&pair);
        return false;
    }
    snprintf(pair.path, size, "%s.%s", path, name);
    self->pairs[self->n++] = pair;
    return true;
}

/* ---- which kind */

/* What is being read: an object of a registry. */
typedef struct reading {
    tagged *pairs;
    const flow_registry *registry;
    const char *def; /* the kind if none is named; NULL: one must be */
    const char *path;
    bool word; /* the section is nothing but the kind's name */
    place at;
    complaints *out;
} reading;

static const flow_kind *named(const reading *r, tagged_pair *tag)
{
    const flow_key key = {.name = "kind", .type = FLOW_KEY_WORD, .kinds = r->registry};
    const char *path = r->word ? r->path : tag->path;
    tag->used = true;
    const char *text = value_text(&key, path, &tag->from, tag->node);
    const flow_kind *kind = text ? flow_kind_find(r->registry, text) : NULL;
    char help[96];
    if (text && !kind)
        value_reject(&key, path, &tag->from, tag->node, E_ENUM,
                     value_suggest(help, sizeof help, &key, text));
    return kind;
}

static const flow_kind *implied(const reading *r)
{
    const flow_kind *kind;
    for (size_t i = 0; (kind = r->registry->at(i)); i++)
        for (size_t p = 0; p < r->pairs->n; p++)
            if (flow_kind_implied(kind, r->pairs->pairs[p].name,
                                  r->pairs->pairs[p].node->type == YAML_SEQUENCE_NODE))
                return kind;
    return NULL;
}

static const flow_kind *choose(const reading *r)
{
    tagged_pair *tag = find(r->pairs, "kind");
    if (tag)
        return named(r, tag);
    const flow_kind *kind = implied(r);
    if (kind || r->def)
        return kind ? kind : flow_kind_find(r->registry, r->def);
    complain(r->out, E_MISSING, r->at, "like {kind: NAME, ...}", "key 'kind' is missing in %s",
             r->path);
    return NULL;
}

/* ---- a choice within the section */

static void put_pair(void *arg, const char *path, const value_source *from, const yaml_node_t *key,
                     const yaml_node_t *value)
{
    size_t size;
    const char *name = yaml_text(key, &size);
    if (!tagged_put(arg, path, name, yaml_tree_place(from->tree, key), from, value))
        complain(from->out, E_MEMORY, yaml_tree_place(from->tree, key), NULL, "out of memory");
}

/* The pairs of a node: those of a mapping, or a word as the kind. False after a complaint. */
static bool open_node(reading *sub, const flow_key *key, const value_source *from,
                      const yaml_node_t *node)
{
    sub->at = yaml_tree_place(from->tree, node);
    sub->word = node->type == YAML_SCALAR_NODE;
    if (sub->word)
        return tagged_put(sub->pairs, sub->path, "kind", sub->at, from, node);
    if (node->type == YAML_MAPPING_NODE)
        return walk(from, sub->path, node, put_pair, sub->pairs);
    return value_reject(key, sub->path, from, node, E_TYPE, NULL);
}

/* What --set says of keys below this one. */
static void add_dotted(reading *sub, const reading *r, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < r->pairs->n; i++) {
        tagged_pair *pair = &r->pairs->pairs[i];
        if (!is_below(pair->name, name) || !pair->name[size])
            continue;
        pair->used = true;
        if (!tagged_put(sub->pairs, sub->path, pair->name + size + 1, pair->at, &pair->from,
                        pair->node))
            complain(r->out, E_MEMORY, pair->at, NULL, "out of memory");
    }
}

static bool needs(const reading *r, const tagged_pair *pair, const char *key, const char *is,
                  const char *wanted)
{
    char help[128];
    snprintf(help, sizeof help, "take it out; it needs %s = %s", key, wanted);
    complain(r->out, E_NO_EFFECT, yaml_tree_place(pair->from.tree, pair->node), help,
             "%s has no effect: %s.%s is %s", pair->path, r->path, key, is);
    return false;
}

static const flow_kind *owner(const flow_registry *registry, const char *name)
{
    const flow_kind *kind;
    for (size_t i = 0; (kind = registry->at(i)); i++)
        if (flow_key_find(kind->keys, name))
            return kind;
    return NULL;
}

/* Keys of the chosen kind (NULL: it is none) that stand beside its name. */
static void add_flat(reading *sub, const reading *r, const flow_kind *self, const flow_key *key,
                     const flow_kind *chosen)
{
    for (size_t i = 0; i < r->pairs->n; i++) {
        tagged_pair *pair = &r->pairs->pairs[i];
        const flow_kind *of = owner(key->kinds, pair->name);
        if (pair->used || !of || flow_key_find(self->keys, pair->name))
            continue;
        pair->used = true;
        if (!chosen) /* which is told already: nothing can be said of its keys */
            continue;
        if (!flow_key_find(chosen->keys, pair->name)) {
            needs(r, pair, key->name, chosen->name, of->name);
            continue;
        }
        if (find(sub->pairs, pair->name))
            complain(r->out, E_TWICE, pair->at, NULL, "'%s' is given twice, in %s and beside it",
                     pair->name, sub->path);
        if (!tagged_put(sub->pairs, r->path, pair->name, pair->at, &pair->from, pair->node))
            complain(r->out, E_MEMORY, pair->at, NULL, "out of memory");
    }
}

static json_t *read_object(reading *r);

static json_t *read_kind(const reading *r, const flow_kind *self, const flow_key *key)
{
    char path[PATH];
    tagged pairs = {.n = 0};
    tagged_pair *given = find(r->pairs, key->name);
    snprintf(path, sizeof path, "%s.%s", r->path, key->name);
    reading sub = {.pairs = &pairs,
                   .registry = key->kinds,
                   .def = key->def,
                   .path = path,
                   .at = given ? given->at : r->at,
                   .out = r->out};
    if (given)
        given->used = true;
    bool good = !given || open_node(&sub, key, &given->from, given->node);
    if (good)
        add_dotted(&sub, r, key->name);
    if (good && !given && pairs.n == 0 && !key->def && !(key->flags & FLOW_KEY_FLAT)) {
        tagged_release(&pairs); /* it may be left out */
        return flow_key_default(key);
    }
    size_t before = complaints_count(r->out);
    const flow_kind *chosen = good ? choose(&sub) : NULL;
    if (key->flags & FLOW_KEY_FLAT)
        add_flat(&sub, r, self, key, chosen);
    json_t *out = chosen && complaints_count(r->out) == before ? read_object(&sub) : NULL;
    tagged_release(&pairs);
    return out;
}

static json_t *read_item(const reading *r, const flow_key *key, const tagged_pair *list, size_t i)
{
    char path[PATH];
    tagged pairs = {.n = 0};
    const yaml_node_t *node =
        yaml_tree_node(list->from.tree, list->node->data.sequence.items.start[i]);
    snprintf(path, sizeof path, "%s.%s.%zu", r->path, key->name, i);
    reading sub = {.pairs = &pairs, .registry = key->kinds, .path = path, .out = r->out};
    json_t *out = open_node(&sub, key, &list->from, node) ? read_object(&sub) : NULL;
    tagged_release(&pairs);
    return out;
}

static json_t *read_kinds(const reading *r, const flow_key *key, const tagged_pair *pair)
{
    bool list = pair->node->type == YAML_SEQUENCE_NODE;
    size_t n =
        list ? (size_t)(pair->node->data.sequence.items.top - pair->node->data.sequence.items.start)
             : 0;
    json_t *out = json_array();
    if (!list || n < key->n_min || n > key->n_max) {
        value_reject(key, pair->path, &pair->from, pair->node, list ? E_RANGE : E_TYPE, NULL);
        json_decref(out);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) /* all of them, for their complaints */
        flow_json_append(&out, read_item(r, key, pair, i));
    return out;
}

/* ---- the object */

static json_t *read_key(const reading *r, const flow_kind *self, const flow_key *key)
{
    if (key->type == FLOW_KEY_KIND)
        return read_kind(r, self, key);
    tagged_pair *pair = find(r->pairs, key->name);
    if (pair) {
        pair->used = true;
        return key->type == FLOW_KEY_KINDS ? read_kinds(r, key, pair)
                                           : value_json(key, pair->path, &pair->from, pair->node);
    }
    if (key->flags & FLOW_KEY_REQUIRED)
        complain(r->out, E_MISSING, r->at, NULL, "key '%s' is missing in %s", key->name, r->path);
    return flow_key_default(key);
}

static size_t list_names(const char **names, const flow_kind *self)
{
    size_t n = 0;
    names[n++] = "kind";
    for (const flow_key *key = self->keys; key && key->name && n < NAMES; key++) {
        names[n++] = key->name;
        const flow_kind *flat = key->flags & FLOW_KEY_FLAT ? key->kinds->at(0) : NULL;
        for (size_t i = 0; flat; flat = key->kinds->at(++i))
            for (const flow_key *of = flat->keys; of && of->name && n < NAMES; of++)
                names[n++] = of->name;
    }
    return n;
}

/* Pairs that no key took: another kind's, or nobody's. */
static void leftovers(const reading *r, const flow_kind *self)
{
    const char *names[NAMES];
    size_t n = list_names(names, self);
    for (size_t i = 0; i < r->pairs->n; i++) {
        const tagged_pair *pair = &r->pairs->pairs[i];
        if (pair->used)
            continue;
        const flow_kind *of = owner(r->registry, pair->name);
        if (of)
            needs(r, pair, "kind", self->name, of->name);
        else
            walk_unknown(r->out, pair->at, r->path, pair->name, strlen(pair->name), names, n, "");
    }
}

static void check_conflict(const reading *r, const flow_kind *self, const json_t *object)
{
    flow_err err = FLOW_ERR_INIT;
    char why[200];
    void *options = self->conflict ? calloc(1, self->size + 1) : NULL;
    if (options && flow_keys_read(options, self->keys, object, &err) == 0) {
        const char *key = self->conflict(why, sizeof why, options);
        const tagged_pair *pair = key ? find(r->pairs, key) : NULL;
        if (pair)
            complain(r->out, E_CONFLICT, yaml_tree_place(pair->from.tree, pair->node), NULL,
                     "%s %s", pair->path, why);
        else if (key)
            complain(r->out, E_CONFLICT, r->at, NULL, "%s.%s %s", r->path, key, why);
    }
    free(options);
}

static json_t *read_object(reading *r)
{
    size_t before = complaints_count(r->out);
    const flow_kind *self = choose(r);
    json_t *out = self ? json_object() : NULL;
    if (!self)
        return NULL;
    flow_json_set(&out, "kind", json_string(self->name));
    for (const flow_key *key = self->keys; key && key->name; key++) {
        json_t *value = read_key(r, self, key);
        if (value && json_is_null(value))
            json_decref(value); /* no default: it may be left out */
        else
            flow_json_set(&out, key->name, value);
    }
    leftovers(r, self);
    if (out && complaints_count(r->out) == before)
        check_conflict(r, self, out);
    return out;
}

json_t *tagged_read(tagged *self, const flow_key *key, const char *path, complaints *out)
{
    size_t before = complaints_count(out);
    reading r = {.pairs = self,
                 .registry = key->kinds,
                 .def = self->n && key->bare ? key->bare : key->def,
                 .path = path,
                 .at = self->at,
                 .out = out};
    json_t *object = read_object(&r);
    json_t *complete = object ? flow_kind_complete(key->kinds, object, NULL) : NULL;
    json_decref(object);
    if (!complete && complaints_count(out) == before)
        complain(out, E_MEMORY, self->at, NULL, "out of memory");
    return complete;
}

bool tagged_has(const flow_registry *registry, const char *name)
{
    const flow_kind *kind;
    for (size_t i = 0; (kind = registry->at(i)); i++)
        for (const flow_key *key = kind->keys; key && key->name; key++)
            if (strcmp(key->name, name) == 0 ||
                (key->flags & FLOW_KEY_FLAT && owner(key->kinds, name)))
                return true;
    return false;
}
