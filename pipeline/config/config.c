#include "pipeline/config/config.h"

#include "flow/suggest.h"
#include "pipeline/config/field.h"
#include "pipeline/config/rules.h"
#include "pipeline/config/value.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The state of one config_load. */
typedef struct loader {
    config *config;
    complaints *out;
    given *keys; /* (schema_n_keys) */
    given gates[GATE_COUNT];
    value_source from; /* of the source that is being read */
    bool over;         /* it is an overlay or a --set: null takes a key back */
    bool unknown;      /* some key was not recognised */
} loader;

static place place_of(const loader *self, const yaml_node_t *node)
{
    return yaml_tree_place(self->from.tree, node);
}

/* ---- keys that do not exist */

static void append(char *out, size_t size, const char *text)
{
    size_t used = strlen(out);
    snprintf(out + used, size - used, "%s", text);
}

/* "'lr' is a key of teacher.train, student.train. " */
static void append_homes(char *help, size_t size, const char *name)
{
    bool found = false;
    for (size_t i = 0; i < schema_n_keys; i++) {
        const char *path = schema_keys[i].path, *dot = strrchr(path, '.');
        if (!dot || strcmp(dot + 1, name) != 0)
            continue;
        char home[SCHEMA_MAX_PATH + 128];
        snprintf(home, sizeof home, found ? ", %.*s" : "it is a key of %.*s", (int)(dot - path),
                 path);
        append(help, size, home);
        found = true;
    }
    append(help, size, found ? ". " : "");
}

static void append_list(char *help, size_t size, const char *title, const char *const *names,
                        size_t n)
{
    append(help, size, title);
    for (size_t i = 0; i < n; i++) {
        append(help, size, i ? ", " : "");
        append(help, size, names[i]);
    }
}

/* name (of that size, as written) is not a key of section. */
static void complain_unknown(loader *self, place at, const char *section, const char *name,
                             size_t size)
{
    const char *names[SCHEMA_MAX_CHILDREN];
    char room[SCHEMA_MAX_ROOM], help[1024] = "", quoted[COMPLAINT_QUOTE], word[SCHEMA_MAX_PATH];
    size_t n = schema_children(names, room, sizeof room, section);
    snprintf(word, sizeof word, "%.*s", (int)(size < sizeof word ? size : sizeof word), name);
    const char *near = flow_suggest(word, names, n);
    if (near) {
        append(help, sizeof help, "did you mean '");
        append(help, sizeof help, near);
        append(help, sizeof help, "'? ");
    } else if (strchr(word, '.')) {
        append(help, sizeof help, "keys with dots are for --set; in a file they are nested. ");
    } else {
        append_homes(help, sizeof help, word);
    }
    append_list(help, sizeof help, "Keys here: ", names, n);
    self->unknown = true;
    complain(self->out, E_UNKNOWN, at, help, "unknown key '%s' %s%s",
             complaint_quote(quoted, name, size), *section ? "in " : "at the top", section);
}

static void complain_figure(loader *self, place at, const char *path, const char *name, size_t size)
{
    const char *names[GATE_COUNT];
    for (size_t i = 0; i < GATE_COUNT; i++)
        names[i] = gate_figures[i].name;
    char help[1024] = "", quoted[COMPLAINT_QUOTE];
    const char *near = flow_suggest(name, names, GATE_COUNT);
    if (near) {
        append(help, sizeof help, "did you mean '");
        append(help, sizeof help, near);
        append(help, sizeof help, "'? ");
    }
    append_list(help, sizeof help, "Figures: ", names, GATE_COUNT);
    complain(self->out, E_UNKNOWN, at, help, "unknown figure '%s' in %s",
             complaint_quote(quoted, name, size), path);
}

/* ---- walking */

static void take_gate(loader *self, const schema_key *key, gate_figure figure,
                      const yaml_node_t *node)
{
    given *mark = &self->gates[figure];
    if (self->over && value_is_null(node)) {
        value_drop_gate(self->config, key, figure);
        *mark = (given){.state = GIVEN_NOT};
        return;
    }
    bool good = value_read_gate(self->config, key, figure, &self->from, node);
    *mark = (given){good ? GIVEN_GOOD : GIVEN_BAD, place_of(self, node)};
}

/* What to do with one pair of a mapping that stands at path. */
typedef void (*take_pair)(loader *self, const char *path, const yaml_node_t *key,
                          const yaml_node_t *value);

/* True if the key of pair number `index` may be used: a plain word, not a merge key, and not there
 * already. */
static bool good_key(loader *self, const char *path, const yaml_node_t *map, size_t index)
{
    const yaml_node_pair_t *pairs = map->data.mapping.pairs.start;
    const yaml_node_t *key = yaml_tree_node(self->from.tree, pairs[index].key);
    const char *in = *path ? "in " : "at the top";
    if (key->type != YAML_SCALAR_NODE) {
        complain(self->out, E_TYPE, place_of(self, key), NULL, "keys %s%s must be words", in, path);
        return false;
    }
    size_t size, other_size;
    const char *name = yaml_text(key, &size);
    if (yaml_is_plain(key) && strcmp(name, "<<") == 0) {
        complain(self->out, E_FEATURE, place_of(self, key), "overlay a second file with -c FILE",
                 "merge keys (<<) are not read");
        return false;
    }
    for (size_t i = 0; i < index; i++) {
        const yaml_node_t *other = yaml_tree_node(self->from.tree, pairs[i].key);
        if (other->type != YAML_SCALAR_NODE)
            continue;
        const char *text = yaml_text(other, &other_size);
        if (size != other_size || memcmp(text, name, size) != 0)
            continue;
        char quoted[COMPLAINT_QUOTE];
        complain(self->out, E_TWICE, place_of(self, key), NULL,
                 "'%s' is given twice %s%s; first at line %zu, column %zu",
                 complaint_quote(quoted, name, size), in, path, other->start_mark.line + 1,
                 other->start_mark.column + 1);
        return false;
    }
    return true;
}

static void walk(loader *self, const char *path, const yaml_node_t *node, take_pair take)
{
    if (node->type != YAML_MAPPING_NODE) {
        self->unknown = true;
        complain(self->out, E_TYPE, place_of(self, node), *path ? NULL : "write KEY: VALUE",
                 "%s wants keys and values below it", *path ? path : "the file");
        return;
    }
    const yaml_node_pair_t *pairs = node->data.mapping.pairs.start;
    size_t n = (size_t)(node->data.mapping.pairs.top - pairs);
    for (size_t i = 0; i < n; i++)
        if (good_key(self, path, node, i))
            take(self, path, yaml_tree_node(self->from.tree, pairs[i].key),
                 yaml_tree_node(self->from.tree, pairs[i].value));
}

static void take_figure(loader *self, const char *path, const yaml_node_t *name,
                        const yaml_node_t *value)
{
    size_t size;
    const char *text = yaml_text(name, &size);
    gate_figure figure = gate_find(text);
    if (figure == GATE_COUNT)
        complain_figure(self, place_of(self, name), path, text, size);
    else
        take_gate(self, schema_find(path), figure, value);
}

static void take_back(loader *self, const schema_key *key)
{
    if (!value_default(self->config, key))
        complain(self->out, E_SIZE, (place){self->from.tree->source, 0, 0, 1}, NULL,
                 "out of memory");
    if (key->type == SCHEMA_GATES)
        memset(self->gates, 0, sizeof self->gates);
    self->keys[key - schema_keys] = (given){.state = GIVEN_NOT};
}

static void take_value(loader *self, const schema_key *key, const yaml_node_t *node)
{
    if (self->over && value_is_null(node)) {
        take_back(self, key);
        return;
    }
    if (key->type == SCHEMA_GATES) {
        walk(self, key->path, node, take_figure);
        return;
    }
    bool good = value_read(self->config, key, &self->from, node);
    self->keys[key - schema_keys] = (given){good ? GIVEN_GOOD : GIVEN_BAD, place_of(self, node)};
}

/* section + name into path; false if no key is that long. */
static bool join(char path[SCHEMA_MAX_PATH], const char *section, const char *name)
{
    int n = snprintf(path, SCHEMA_MAX_PATH, "%s%s%s", section, *section ? "." : "", name);
    return n > 0 && n < SCHEMA_MAX_PATH;
}

static void take_key(loader *self, const char *section, const yaml_node_t *name,
                     const yaml_node_t *value)
{
    size_t size;
    const char *text = yaml_text(name, &size);
    char path[SCHEMA_MAX_PATH];
    bool fits = strlen(text) == size && !strchr(text, '.') && join(path, section, text);
    const schema_key *key = fits ? schema_find(path) : NULL;
    if (key)
        take_value(self, key, value);
    else if (fits && size && schema_is_section(path))
        walk(self, path, value, take_key);
    else
        complain_unknown(self, place_of(self, name), section, text, size);
}

/* ---- files */

/* The whole of a file, at most one byte more than will be accepted. NULL after a complaint. */
static char *read_text(complaints *out, const char *name, size_t *size)
{
    char *text = malloc(YAML_MAX_BYTES + 1);
    FILE *file = text ? fopen(name, "rb") : NULL;
    *size = file ? fread(text, 1, YAML_MAX_BYTES + 1, file) : 0;
    if (file && !ferror(file)) {
        fclose(file);
        return text;
    }
    int why = text ? errno : ENOMEM;
    complain(out, E_FILE, (place){complaints_source(out, name, NULL, 0), 0, 0, 1}, NULL,
             "cannot %s: %s", file ? "read" : "open", strerror(why));
    if (file)
        fclose(file);
    free(text);
    return NULL;
}

/* "configs/" of "configs/moons.yaml"; "" of "moons.yaml". NULL if out of memory. */
static char *directory_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    size_t size = slash ? (size_t)(slash + 1 - file) : 0;
    char *out = malloc(size + 1);
    if (out) {
        memcpy(out, file, size);
        out[size] = '\0';
    }
    return out;
}

static void load_file(loader *self, const char *name)
{
    size_t size, mark = 0;
    char *text = read_text(self->out, name, &size);
    if (!text)
        return;
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        mark = 3; /* byte order mark */
    size_t source = complaints_source(self->out, name, text + mark, size - mark);
    char *dir = directory_of(name);
    yaml_tree tree;
    if (dir && yaml_tree_load(&tree, self->out, source, false, text + mark, size - mark)) {
        self->from = (value_source){&tree, dir, self->out};
        if (yaml_tree_root(&tree))
            walk(self, "", yaml_tree_root(&tree), take_key);
        yaml_tree_free(&tree);
    } else if (!dir) {
        complain(self->out, E_SIZE, (place){source, 0, 0, 1}, NULL, "out of memory");
    }
    free(dir);
    free(text);
}

/* ---- --set key.key=value */

/* Splits path into the longest section that exists and the name below it. */
static void split(char section[SCHEMA_MAX_PATH], const char **name, const char *path)
{
    *name = path;
    *section = '\0';
    for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
        char longer[SCHEMA_MAX_PATH];
        int n = snprintf(longer, sizeof longer, "%.*s", (int)(dot - path), path);
        if (n < 0 || n >= SCHEMA_MAX_PATH || !schema_is_section(longer))
            return;
        memcpy(section, longer, sizeof longer);
        *name = dot + 1;
    }
}

/* "validate.require.khat": the row of the list and the figure's name. NULL if it is none. */
static const schema_key *find_gates(const char *path, const char **figure)
{
    for (size_t i = 0; i < schema_n_keys; i++)
        if (schema_keys[i].type == SCHEMA_GATES && schema_below(path, schema_keys[i].path)) {
            *figure = path + strlen(schema_keys[i].path) + 1;
            return &schema_keys[i];
        }
    return NULL;
}

static void set_key(loader *self, const char *path, const yaml_node_t *value)
{
    place at = {self->from.tree->source, 0, 0, 1};
    const schema_key *key = schema_find(path);
    const char *name;
    if (key) {
        take_value(self, key, value);
        return;
    }
    key = find_gates(path, &name);
    if (key) {
        if (gate_find(name) == GATE_COUNT)
            complain_figure(self, at, key->path, name, strlen(name));
        else
            take_gate(self, key, gate_find(name), value);
        return;
    }
    if (*path && schema_is_section(path)) {
        complain(self->out, E_SET, at, "set its keys one by one", "%s is a section", path);
        return;
    }
    char section[SCHEMA_MAX_PATH], parent[SCHEMA_MAX_PATH];
    split(section, &name, path);
    size_t size = strcspn(name, ".");
    snprintf(parent, sizeof parent, "%.*s", (int)(name + size - path), path);
    if (schema_find(parent))
        complain(self->out, E_SET, at, NULL, "%s is a key and has none below it", parent);
    else
        complain_unknown(self, at, section, name, size);
}

static void load_set(loader *self, const char *text)
{
    size_t name_size = strlen(text) + sizeof "--set ''";
    char *name = malloc(name_size), *path = malloc(name_size);
    if (!name || !path) {
        complain(self->out, E_SIZE, (place){0, 0, 0, 1}, NULL, "out of memory");
        goto done;
    }
    snprintf(name, name_size, "--set '%s'", text);
    size_t source = complaints_source(self->out, name, NULL, 0);
    place at = {source, 0, 0, 1};
    const char *equals = strchr(text, '=');
    yaml_tree tree;
    if (!equals || equals == text) {
        complain(self->out, E_SET, at, "like --set student.train.lr=1e-3", "not KEY=VALUE");
    } else if (yaml_tree_load(&tree, self->out, source, true, equals + 1, strlen(equals + 1))) {
        snprintf(path, name_size, "%.*s", (int)(equals - text), text);
        self->from = (value_source){&tree, "", self->out};
        if (yaml_tree_root(&tree))
            set_key(self, path, yaml_tree_root(&tree));
        else
            complain(self->out, E_SET, at, "KEY=null takes a key back to its default",
                     "no value after '='");
        yaml_tree_free(&tree);
    }
done:
    free(name);
    free(path);
}

/* ---- the whole */

/* The name of the file without directory and ending, made fit for a key of that kind. */
static bool name_after(config *self, const char *file)
{
    const char *slash = strrchr(file, '/'), *start = slash ? slash + 1 : file;
    const char *dot = strrchr(start, '.');
    size_t size = dot && dot > start ? (size_t)(dot - start) : strlen(start);
    char *name = field_memory(self, size + 2);
    if (!name)
        return false;
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    for (size_t i = 0; i < size; i++)
        name[i] = start[i];
    name[size] = '\0';
    for (size_t i = strspn(name, allowed); name[i]; i += strspn(name + i, allowed))
        name[i] = '_';
    if (*name == '.' || *name == '-')
        *name = '_';
    self->name = *name ? name : "run";
    return true;
}

static void load_sources(loader *self, const config_sources *sources)
{
    load_file(self, sources->file);
    self->over = true;
    for (size_t i = 0; i < sources->n_overlays; i++)
        load_file(self, sources->overlays[i]);
    for (size_t i = 0; i < sources->n_sets; i++)
        load_set(self, sources->sets[i]);
}

/* Whether some file could not be read as YAML at all: then nobody knows what it gives. */
static bool unread(const complaints *out)
{
    return complaints_has(out, E_FILE) || complaints_has(out, E_SYNTAX) ||
           complaints_has(out, E_FEATURE) || complaints_has(out, E_SIZE);
}

config *config_load(const config_sources *sources, complaints *out)
{
    loader self = {.config = calloc(1, sizeof(config)),
                   .out = out,
                   .keys = calloc(schema_n_keys, sizeof(given))};
    if (!self.config || !self.keys || !value_defaults(self.config)) {
        size_t source = complaints_source(out, sources->file, NULL, 0);
        complain(out, E_SIZE, (place){source, 0, 0, 1}, NULL, "out of memory");
        goto done;
    }
    load_sources(&self, sources);
    self.config->seed_given = self.keys[schema_find("seed") - schema_keys].state == GIVEN_GOOD;
    if (!self.config->name && !name_after(self.config, sources->file))
        complain(out, E_SIZE, (place){0, 0, 0, 1}, NULL, "out of memory");
    if (!unread(out)) {
        const rules_view view = {self.config, self.keys, self.gates, 0, self.unknown, out};
        rules_check(&view);
    }
done:
    free(self.keys);
    if (!complaints_count(out))
        return self.config;
    config_free(self.config);
    return NULL;
}

void config_free(config *self)
{
    if (!self)
        return;
    field_memory_free(self);
    free(self);
}

int config_draw_seed(config *self, flow_err *err)
{
    if (self->seed_given || self->seed_drawn)
        return FLOW_OK;
    FILE *source = fopen("/dev/urandom", "rb");
    uint64_t bits = 0;
    size_t n = source ? fread(&bits, sizeof bits, 1, source) : 0;
    if (source)
        fclose(source);
    if (n != 1)
        return flow_fail(err, FLOW_EIO, "cannot draw a seed from /dev/urandom: give one, seed: 1");
    self->seed = bits >> 11;
    self->seed_drawn = true;
    return FLOW_OK;
}

/* ---- output */

/* The object for the section of path, made on the way down. NULL if out of memory. */
static json_t *section_json(json_t *top, const char *path)
{
    json_t *at = top;
    for (const char *dot = strchr(path, '.'); at && dot; dot = strchr(path, '.')) {
        char name[SCHEMA_MAX_PATH];
        snprintf(name, sizeof name, "%.*s", (int)(dot - path), path);
        json_t *next = json_object_get(at, name);
        if (!next && json_object_set_new(at, name, json_object()) == 0)
            next = json_object_get(at, name);
        at = next;
        path = dot + 1;
    }
    return at;
}

json_t *config_to_json(const config *self)
{
    json_t *out = json_object();
    for (size_t i = 0; out && i < schema_n_keys; i++) {
        const schema_key *key = &schema_keys[i];
        const char *dot = strrchr(key->path, '.');
        bool no_seed =
            key->offset == offsetof(config, seed) && !self->seed_given && !self->seed_drawn;
        json_t *value = no_seed ? json_null() : field_json(self, key);
        json_t *section = section_json(out, key->path);
        if (!section || json_object_set_new(section, dot ? dot + 1 : key->path, value)) {
            json_decref(out);
            out = NULL;
        }
    }
    return out;
}
