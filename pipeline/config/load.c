/* pipeline/config/load.c -- a configuration from its sources: files, overlays, --set. */
#include "pipeline/config/config.h"

#include "pipeline/config/complete.h"
#include "pipeline/config/field.h"
#include "pipeline/config/name_after.h"
#include "pipeline/config/no_config.h"
#include "pipeline/config/rules.h"
#include "pipeline/config/sweep.h"
#include "pipeline/config/tagged.h"
#include "pipeline/config/value.h"
#include "teacher/target.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A source stays until all are read: sections of kinds keep its nodes. */
typedef struct loaded {
    struct loaded *next;
    yaml_tree tree;
    char *dir;
} loaded;

/* The state of one config_load. */
typedef struct loader {
    config *config;
    complaints *out;
    given *keys;      /* (schema_n_keys) */
    tagged *sections; /* (schema_n_keys): of FLOW_KEY_KIND rows */
    loaded *sources;
    given gates[GATE_COUNT];
    value_source from; /* of the source that is being read */
    bool over;         /* it is an overlay, a --set or of JSON: null takes a key back */
    bool complete;     /* the file is JSON, of a program: what is the default there was not given */
    bool unknown;      /* some key was not recognised */
} loader;

static place place_of(const loader *self, const yaml_node_t *node)
{
    return yaml_tree_place(self->from.tree, node);
}

static void complain_memory(loader *self)
{
    complain(self->out, E_MEMORY, (place){self->from.tree->source, 0, 0, 1}, NULL, "out of memory");
}

/* ---- keys that do not exist */

/* Whether a row is named, or has below it a key named, `name`; the section that key is in. */
static bool is_home(char *home, size_t size, const flow_key *key, const char *name)
{
    const char *dot = strrchr(key->name, '.');
    bool own = dot && strcmp(dot + 1, name) == 0;
    bool below = key->type == FLOW_KEY_KIND && tagged_has(key->kinds, name);
    snprintf(home, size, "%.*s", own ? (int)(dot - key->name) : (int)size - 1, key->name);
    return own || below;
}

/* "it is a key of teacher.train, student.train. " */
static void list_homes(char *out, size_t size, const char *name)
{
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < schema_n_keys; i++) {
        char home[SCHEMA_MAX_PATH];
        if (is_home(home, sizeof home, &schema_keys[i], name) && used + SCHEMA_MAX_PATH < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s",
                                     used ? ", " : "it is a key of ", home);
    }
    if (used)
        snprintf(out + used, size - used, ". ");
}

/* name (of that size, as written) is not a key of section. */
static void complain_unknown(loader *self, place at, const char *section, const char *name,
                             size_t size)
{
    const char *names[SCHEMA_MAX_CHILDREN];
    char room[SCHEMA_MAX_ROOM], homes[512], word[SCHEMA_MAX_PATH];
    size_t n = schema_children(names, room, sizeof room, section);
    if (!*section && n < SCHEMA_MAX_CHILDREN)
        names[n++] = "sweep";
    snprintf(word, sizeof word, "%.*s", (int)(size < sizeof word ? size : sizeof word), name);
    list_homes(homes, sizeof homes, word);
    self->unknown = true;
    walk_unknown(self->out, at, section, name, size, names, n, homes);
}

static void complain_figure(loader *self, place at, const char *path, const char *name, size_t size)
{
    const char *names[GATE_COUNT];
    for (size_t i = 0; i < GATE_COUNT; i++)
        names[i] = gate_figures[i].name;
    char help[1024] = "", quoted[COMPLAINT_QUOTE];
    walk_suggest(help, sizeof help, name, "Figures: ", names, GATE_COUNT);
    complain(self->out, E_UNKNOWN, at, help, "unknown figure '%s' in %s",
             complaint_quote(quoted, name, size), path);
}

/* ---- walking */

static void walk_section(loader *self, const char *path, const yaml_node_t *node, walk_pair *take)
{
    if (!walk(&self->from, path, node, take, self))
        self->unknown = true;
}

static void take_gate(loader *self, const flow_key *key, gate_figure figure,
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

static void take_figure(void *arg, const char *path, const value_source *from,
                        const yaml_node_t *name, const yaml_node_t *value)
{
    loader *self = arg;
    size_t size;
    const char *text = yaml_text(name, &size);
    gate_figure figure = gate_find(text);
    if (figure == GATE_COUNT)
        complain_figure(self, yaml_tree_place(from->tree, name), path, text, size);
    else
        take_gate(self, schema_find(path), figure, value);
}

/* ---- sections of kinds */

static void put_tagged(loader *self, const flow_key *row, const char *name, place at,
                       const yaml_node_t *value)
{
    bool out = self->over && value_is_null(value);
    if (!tagged_put(&self->sections[row - schema_keys], row->name, name, at, &self->from,
                    out ? NULL : value))
        complain_memory(self);
}

static void take_tagged(void *arg, const char *path, const value_source *from,
                        const yaml_node_t *name, const yaml_node_t *value)
{
    size_t size;
    const char *text = yaml_text(name, &size);
    put_tagged(arg, schema_find(path), text, yaml_tree_place(from->tree, name), value);
}

/* A mapping goes over what is there key by key; a word is the kind. */
static void take_section(loader *self, const flow_key *row, const yaml_node_t *node)
{
    tagged *section = &self->sections[row - schema_keys];
    section->at = place_of(self, node);
    self->keys[row - schema_keys] = (given){GIVEN_GOOD, section->at};
    if (node->type == YAML_SCALAR_NODE)
        put_tagged(self, row, "kind", section->at, node);
    else
        walk_section(self, row->name, node, take_tagged);
}

/* The row of a section of kinds that path is below; *name: the rest. NULL if there is none. */
static const flow_key *find_tagged(const char *path, const char **name)
{
    for (size_t i = 0; i < schema_n_keys; i++)
        if (schema_keys[i].type == FLOW_KEY_KIND && schema_below(path, schema_keys[i].name)) {
            *name = path + strlen(schema_keys[i].name) + 1;
            return &schema_keys[i];
        }
    return NULL;
}

static void read_sections(loader *self)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const flow_key row = complete_row(self->config, &schema_keys[i]);
        bool said = self->sections[i].n || self->keys[i].state != GIVEN_NOT;
        if (row.type != FLOW_KEY_KIND || (!row.def && !said))
            continue;
        json_t *object = tagged_read(&self->sections[i], &row, row.name, self->out);
        if (object && field_keep(self->config, object))
            *(const json_t **)(void *)((char *)self->config + row.offset) = object;
        else if (object)
            complain(self->out, E_MEMORY, self->sections[i].at, NULL, "out of memory");
        else
            self->keys[i].state = GIVEN_BAD;
    }
}

/* ---- rows */

static void take_back(loader *self, const flow_key *key)
{
    if (!value_default(self->config, key))
        complain_memory(self);
    if (key->type == FLOW_KEY_OWN)
        memset(self->gates, 0, sizeof self->gates);
    if (key->type == FLOW_KEY_KIND)
        tagged_release(&self->sections[key - schema_keys]);
    self->keys[key - schema_keys] = (given){.state = GIVEN_NOT};
}

static void take_value(loader *self, const flow_key *key, const yaml_node_t *node)
{
    if (self->over && value_is_null(node)) {
        take_back(self, key);
        return;
    }
    if (key->type == FLOW_KEY_OWN) {
        walk_section(self, key->name, node, take_figure);
        return;
    }
    if (key->type == FLOW_KEY_KIND) {
        take_section(self, key, node);
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

static void take_sweep(loader *self, const yaml_node_t *value)
{
    if (self->over && value_is_null(value))
        self->config->sweep = NULL;
    else
        sweep_read(self->config, &self->from, value);
}

static void take_key(void *arg, const char *section, const value_source *from,
                     const yaml_node_t *name, const yaml_node_t *value)
{
    loader *self = arg;
    size_t size;
    const char *text = yaml_text(name, &size);
    char path[SCHEMA_MAX_PATH];
    bool fits = strlen(text) == size && !strchr(text, '.') && join(path, section, text);
    const flow_key *key = fits ? schema_find(path) : NULL;
    if (fits && !*section && strcmp(text, "sweep") == 0)
        take_sweep(self, value);
    else if (key)
        take_value(self, key, value);
    else if (fits && size && schema_is_section(path))
        walk_section(self, path, value, take_key);
    else
        complain_unknown(self, yaml_tree_place(from->tree, name), section, text, size);
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
    complain(out, why == ENOMEM ? E_MEMORY : E_FILE,
             (place){complaints_source(out, name, NULL, 0), 0, 0, 1},
             why == EISDIR ? "give the YAML file; of a run it is config.yaml in its directory"
                           : NULL,
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

/* A source that is read with what then does, and kept. dir is taken over. False: refused. */
static bool load_text(loader *self, size_t source, bool whole, char *dir, const char *text,
                      size_t size)
{
    loaded *new = dir ? malloc(sizeof *new) : NULL;
    if (!new)
        complain(self->out, E_MEMORY, (place){source, 0, 0, 1}, NULL, "out of memory");
    if (!new || !yaml_tree_load(&new->tree, self->out, source, whole, text, size)) {
        free(new);
        free(dir);
        return false;
    }
    new->dir = dir;
    new->next = self->sources;
    self->sources = new;
    self->from = (value_source){&new->tree, dir, self->out};
    return true;
}

static void free_sources(loader *self)
{
    while (self->sources) {
        loaded *next = self->sources->next;
        yaml_tree_free(&self->sources->tree);
        free(self->sources->dir);
        free(self->sources);
        self->sources = next;
    }
}

static void load_file(loader *self, const char *name)
{
    size_t size, mark = 0;
    char *text = no_config_table(self->out, name) ? NULL : read_text(self->out, name, &size);
    if (!text)
        return;
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        mark = 3; /* byte order mark */
    size_t source = complaints_source(self->out, name, text + mark, size - mark);
    if (load_text(self, source, false, directory_of(name), text + mark, size - mark) &&
        yaml_tree_root(self->from.tree))
        walk_section(self, "", yaml_tree_root(self->from.tree), take_key);
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
static const flow_key *find_gates(const char *path, const char **figure)
{
    for (size_t i = 0; i < schema_n_keys; i++)
        if (schema_keys[i].type == FLOW_KEY_OWN && schema_below(path, schema_keys[i].name)) {
            *figure = path + strlen(schema_keys[i].name) + 1;
            return &schema_keys[i];
        }
    return NULL;
}

static void set_key(loader *self, const char *path, const yaml_node_t *value)
{
    place at = {self->from.tree->source, 0, 0, 1};
    const flow_key *key = schema_find(path);
    const char *name;
    if (key) {
        take_value(self, key, value);
        return;
    }
    key = find_tagged(path, &name);
    if (key) {
        put_tagged(self, key, name, at, value);
        return;
    }
    key = find_gates(path, &name);
    if (key) {
        if (gate_find(name) == GATE_COUNT)
            complain_figure(self, at, key->name, name, strlen(name));
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
        complain(self->out, E_MEMORY, (place){0, 0, 0, 1}, NULL, "out of memory");
        goto done;
    }
    snprintf(name, name_size, "--set '%s'", text);
    size_t source = complaints_source(self->out, name, NULL, 0);
    place at = {source, 0, 0, 1};
    const char *equals = strchr(text, '=');
    if (!equals || equals == text) {
        complain(self->out, E_SET, at, "like --set student.train.lr=1e-3", "not KEY=VALUE");
    } else if (load_text(self, source, true, strdup(""), equals + 1, strlen(equals + 1))) {
        snprintf(path, name_size, "%.*s", (int)(equals - text), text);
        if (yaml_tree_root(self->from.tree))
            set_key(self, path, yaml_tree_root(self->from.tree));
        else
            complain(self->out, E_SET, at, "KEY=null takes a key back to its default",
                     "no value after '='");
    }
done:
    free(name);
    free(path);
}

/* ---- the whole */

static void load_sources(loader *self, const config_sources *sources)
{
    self->complete = self->over = complete_is(sources->file);
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
                   .keys = calloc(schema_n_keys, sizeof(given)),
                   .sections = calloc(schema_n_keys, sizeof(tagged))};
    if (!self.config || !self.keys || !self.sections || !value_defaults(self.config)) {
        size_t source = complaints_source(out, sources->file, NULL, 0);
        complain(out, E_MEMORY, (place){source, 0, 0, 1}, NULL, "out of memory");
        goto done;
    }
    load_sources(&self, sources);
    self.config->student.flow_given =
        self.sections[schema_find("student.flow") - schema_keys].n > 0;
    self.config->seed_given = self.keys[schema_find("seed") - schema_keys].state == GIVEN_GOOD;
    if (!self.config->name && !name_after(self.config, sources->file))
        complain(out, E_MEMORY, (place){0, 0, 0, 1}, NULL, "out of memory");
    if (!unread(out)) {
        read_sections(&self);
        if (self.complete)
            complete_unsay(self.config, self.keys, self.sections, out);
        const rules_view view = {self.config, self.keys, self.gates, 0, self.unknown, out};
        rules_check(&view);
    }
done:
    for (size_t i = 0; self.sections && i < schema_n_keys; i++)
        tagged_release(&self.sections[i]);
    free(self.sections);
    free_sources(&self);
    free(self.keys);
    if (!complaints_count(out))
        return self.config;
    config_free(self.config);
    return NULL;
}
