#include "pipeline/config/value.h"

#include "flow/json.h"
#include "flow/suggest.h"
#include "pipeline/config/columns.h"
#include "pipeline/config/field.h"
#include "pipeline/config/number.h"
#include "pipeline/config/said.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- complaints about one value */

/* A value on its way into a field. item counts from 1 inside a list, else 0. */
typedef struct arrival {
    const flow_key *key;
    const char *path; /* what it is called in messages */
    const value_source *from;
    const yaml_node_t *node;
    size_t item;
} arrival;

static void describe(char *out, size_t size, const arrival *in)
{
    if (in->node->type != YAML_SCALAR_NODE) {
        snprintf(out, size, "%s", in->node->type == YAML_SEQUENCE_NODE ? "a list" : "a mapping");
        return;
    }
    size_t length;
    const char *text = yaml_text(in->node, &length);
    char quoted[COMPLAINT_QUOTE];
    if (!length && yaml_is_plain(in->node))
        snprintf(out, size, "nothing");
    else
        snprintf(out, size, "%s'%s'", yaml_is_plain(in->node) ? "" : "the text ",
                 complaint_quote(quoted, text, length));
}

/* "KEY wants WANTS, got GOT". Always false. */
static bool reject(const arrival *in, complaint_code code, const char *help)
{
    char wants[512], got[COMPLAINT_QUOTE + 16], item[32] = "";
    if (in->item)
        flow_key_wants_item(wants, sizeof wants, in->key);
    else
        flow_key_wants(wants, sizeof wants, in->key);
    describe(got, sizeof got, in);
    if (in->item)
        snprintf(item, sizeof item, "item %zu of ", in->item);
    complain(in->from->out, code, yaml_tree_place(in->from->tree, in->node), help,
             "%s%s wants %s, got %s", item, in->path, wants, got);
    return false;
}

static bool reject_memory(const arrival *in)
{
    complain(in->from->out, E_MEMORY, yaml_tree_place(in->from->tree, in->node), NULL,
             "out of memory");
    return false;
}

bool value_is_null(const yaml_node_t *node)
{
    size_t size;
    const char *text = yaml_is_plain(node) ? yaml_text(node, &size) : "";
    return strcmp(text, "null") == 0 || strcmp(text, "~") == 0;
}

/* What is given has names alone. */
static const char *help_for_kinds(const arrival *in)
{
    bool plain = in->key->type == FLOW_KEY_NAMES && !in->key->items;
    return plain && in->node->type == YAML_MAPPING_NODE
               ? "kinds are for columns that are modelled; what is given is taken as it is. An "
                 "angle "
                 "that is given: two columns of the table, its cosine and its sine"
               : NULL;
}

/* The text of a scalar, or NULL after a complaint. Text with a NUL inside is no text. */
static const char *scalar(const arrival *in)
{
    size_t size;
    const char *text = in->node->type == YAML_SCALAR_NODE ? yaml_text(in->node, &size) : NULL;
    bool nothing = !text || value_is_null(in->node) || (!size && yaml_is_plain(in->node));
    if (!nothing && strlen(text) == size)
        return text;
    reject(in, E_TYPE, help_for_kinds(in));
    return NULL;
}

/* The same for what may not stand in quotes. */
static const char *plain_scalar(const arrival *in)
{
    const char *text = scalar(in);
    if (!text || yaml_is_plain(in->node))
        return text;
    reject(in, E_TYPE, "write it without quotes");
    return NULL;
}

static bool is_auto(const arrival *in)
{
    size_t size;
    return in->key->flags & FLOW_KEY_AUTO && in->node->type == YAML_SCALAR_NODE &&
           strcmp(yaml_text(in->node, &size), "auto") == 0;
}

/* ---- readers, one per type */

static bool read_bool(bool *out, const arrival *in)
{
    const char *text = plain_scalar(in);
    if (!text)
        return false;
    *out = strcmp(text, "true") == 0;
    return *out || strcmp(text, "false") == 0 || reject(in, E_TYPE, NULL);
}

static const char *help_for_whole(const char *text, number_fault fault)
{
    size_t digits = strspn(text, "0123456789_");
    if (fault == NUMBER_NOT_WHOLE)
        return "it has a fraction";
    if (fault == NUMBER_NONE && digits && strpbrk(text + digits, "kKMG"))
        return "write the number out: 10000 or 1e4";
    if (fault == NUMBER_NONE && digits && text[digits] == '\0')
        return strchr(text, '_') ? "write it without '_'" : "write it without leading zeros";
    return NULL;
}

static bool read_whole(uint64_t *out, const arrival *in)
{
    if (is_auto(in)) {
        *out = 0;
        return true;
    }
    const char *text = plain_scalar(in);
    if (!text)
        return false;
    number_fault fault = number_parse_whole(out, text);
    if (fault == NUMBER_NONE || fault == NUMBER_NOT_WHOLE)
        return reject(in, E_TYPE, help_for_whole(text, fault));
    if (fault == NUMBER_TOO_LARGE && isinf(in->key->max))
        return reject(in, E_RANGE, "the largest number is 2^63 - 1");
    return (fault == NUMBER_GOOD && flow_key_in_range(in->key, (double)*out)) ||
           reject(in, E_RANGE, NULL);
}

static bool read_real(double *out, const arrival *in)
{
    if (is_auto(in)) {
        *out = NAN;
        return true;
    }
    const char *text = plain_scalar(in);
    if (!text)
        return false;
    number_fault fault = number_parse_real(out, text);
    if (fault == NUMBER_NONE)
        return reject(in, E_TYPE, strchr(text, ',') ? "the decimal sign is a point" : NULL);
    return (fault == NUMBER_GOOD && flow_key_in_range(in->key, *out)) || reject(in, E_RANGE, NULL);
}

static bool is_identifier(const char *text)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return *text != '.' && *text != '-' && text[strspn(text, allowed)] == '\0';
}

/* Keeps a copy of dir + text in the config. */
static const char *keep(config *self, const char *dir, const char *text)
{
    size_t n_dir = strlen(dir), n_text = strlen(text);
    char *out = field_memory(self, n_dir + n_text + 1);
    if (out) {
        memcpy(out, dir, n_dir);
        memcpy(out + n_dir, text, n_text + 1);
    }
    return out;
}

/* The text of a scalar that is as its key wants it, or NULL after a complaint; *dir: what goes in front. */
static const char *good_text(const char **dir, const arrival *in)
{
    const char *text = scalar(in);
    if (!text)
        return NULL;
    bool fits = flow_key_in_range(in->key, (double)strlen(text));
    bool named = !(in->key->flags & FLOW_KEY_NAME) || is_identifier(text);
    *dir = in->key->flags & FLOW_KEY_FILE && *text != '/' ? in->from->dir : "";
    if (fits && named)
        return text;
    reject(in, E_RANGE, fits && strchr(".-", *text) ? "not with '.' or '-' in front" : NULL);
    return NULL;
}

static bool read_string(config *self, const char **out, const arrival *in)
{
    const char *dir, *text = good_text(&dir, in);
    if (!text)
        return false;
    const char *kept = keep(self, dir, text);
    if (!kept)
        return reject_memory(in);
    said_keep(self, in->key, kept, in->from, in->node);
    *out = kept;
    return true;
}

const char *value_suggest(char *help, size_t size, const flow_key *key, const char *text)
{
    const char *words[SCHEMA_MAX_CHILDREN];
    size_t n = 0;
    while (n < SCHEMA_MAX_CHILDREN && flow_key_choice(key, n).name) {
        words[n] = flow_key_choice(key, n).name;
        n++;
    }
    const char *near = flow_suggest(text, words, n);
    if (near)
        snprintf(help, size, "did you mean '%s'?", near);
    return near ? help : NULL;
}

static bool read_enum(void *out, const arrival *in)
{
    if (is_auto(in)) {
        memcpy(out, &(int){-1}, sizeof(int));
        return true;
    }
    const char *text = scalar(in);
    if (!text)
        return false;
    for (size_t i = 0; flow_key_choice(in->key, i).name; i++) {
        flow_word choice = flow_key_choice(in->key, i);
        if (strcmp(choice.name, text) == 0) {
            memcpy(out, &choice.value, sizeof choice.value);
            return true;
        }
    }
    char help[96];
    return reject(in, E_ENUM, value_suggest(help, sizeof help, in->key, text));
}

/* ---- lists */

static size_t item_count(const yaml_node_t *list)
{
    return (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
}

/* The number of items of a list of the right length, or 0 after a complaint. */
static size_t list_length(const arrival *in)
{
    if (in->node->type == YAML_SCALAR_NODE) {
        size_t size;
        const char *text = yaml_text(in->node, &size);
        char help[COMPLAINT_QUOTE + 32], quoted[COMPLAINT_QUOTE];
        snprintf(help, sizeof help, "write [%s]", complaint_quote(quoted, text, size));
        reject(in, E_TYPE, size && yaml_is_plain(in->node) ? help : NULL);
        return 0;
    }
    if (in->node->type != YAML_SEQUENCE_NODE) {
        reject(in, E_TYPE, help_for_kinds(in));
        return 0;
    }
    size_t n = item_count(in->node);
    if (n >= in->key->n_min && n <= in->key->n_max)
        return n;
    char help[64];
    snprintf(help, sizeof help, "this list has %zu", n);
    reject(in, E_RANGE, help);
    return 0;
}

static arrival list_item(const arrival *in, size_t i)
{
    int number = in->node->data.sequence.items.start[i];
    return (arrival){in->key, in->path, in->from, yaml_tree_node(in->from->tree, number), i + 1};
}

static bool read_wholes(flow_wholes *out, const arrival *in)
{
    assert(in->key->n_max <= FLOW_MAX_WHOLES && in->key->n_min > 0);
    flow_wholes list = {.n = list_length(in)};
    bool good = list.n > 0;
    for (size_t i = 0; i < list.n; i++) {
        arrival item = list_item(in, i);
        good &= read_whole(&list.at[i], &item);
    }
    if (good)
        *out = list;
    return good;
}

static bool read_names(config *self, flow_names *out, const arrival *in)
{
    assert(in->key->n_min > 0);
    size_t n = list_length(in);
    if (!n)
        return false;
    const char **list = field_memory(self, n * sizeof *list);
    if (!list)
        return reject_memory(in);
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        arrival item = list_item(in, i);
        const char *text = scalar(&item);
        list[i] = text ? keep(self, "", text) : NULL;
        good &= list[i] || (text && reject_memory(&item));
        if (list[i])
            said_keep(self, in->key, list[i], in->from, item.node);
    }
    if (good)
        *out = (flow_names){n, list};
    return good;
}

/* NULL after a complaint. */
static json_t *reals_json(const arrival *in)
{
    bool alone = in->node->type == YAML_SCALAR_NODE;
    size_t n = alone ? 1 : list_length(in);
    json_t *out = n ? json_array() : NULL;
    for (size_t i = 0; i < n; i++) {
        double value;
        arrival item = alone ? *in : list_item(in, i);
        flow_json_append(&out, read_real(&value, &item) ? json_real(value) : NULL);
    }
    return out;
}

static bool read_reals(config *self, const json_t **out, const arrival *in)
{
    *out = NULL;
    if (is_auto(in))
        return true;
    size_t before = complaints_count(in->from->out);
    json_t *list = reals_json(in);
    if (list && field_keep(self, list)) {
        *out = list;
        return true;
    }
    return complaints_count(in->from->out) == before ? reject_memory(in) : false;
}

/* What needs no memory of its own. */
static bool read_plain(void *out, const arrival *in)
{
    switch (in->key->type) {
    case FLOW_KEY_BOOL:
        return read_bool(out, in);
    case FLOW_KEY_WHOLE:
        return read_whole(out, in);
    case FLOW_KEY_REAL:
        return read_real(out, in);
    case FLOW_KEY_WORD:
        return read_enum(out, in);
    case FLOW_KEY_WHOLES:
        return read_wholes(out, in);
    default:
        break;
    }
    assert(false && "a type that value.c reads elsewhere");
    return false;
}

static void *field_of(config *self, const flow_key *key)
{
    return (char *)self + key->offset;
}

bool value_read(config *self, const flow_key *key, const value_source *from,
                const yaml_node_t *node)
{
    void *out = field_of(self, key);
    const arrival in = {key, key->name, from, node, 0};
    if (key->type == FLOW_KEY_TEXT)
        return read_string(self, out, &in);
    if (key->items && columns_are_told(from, node))
        return columns_read(self, key, from, node);
    if (key->items)
        field_clear(self, key);
    if (key->type == FLOW_KEY_NAMES)
        return read_names(self, out, &in);
    if (key->type == FLOW_KEY_REALS)
        return read_reals(self, out, &in);
    return read_plain(out, &in);
}

bool value_into(void *options, const flow_key *key, const char *path, const value_source *from,
                const yaml_node_t *node)
{
    const arrival in = {key, path, from, node, 0};
    return read_plain((char *)options + key->offset, &in);
}

/* ---- keys of kinds */

/* A list of any length. */
static json_t *order_json(const arrival *in)
{
    size_t n = list_length(in);
    json_t *out = n ? json_array() : NULL;
    for (size_t i = 0; i < n; i++) {
        uint64_t value;
        arrival item = list_item(in, i);
        flow_json_append(&out, read_whole(&value, &item) ? json_integer((json_int_t)value) : NULL);
    }
    return out;
}

/* A file that stands in a file is beside that. */
static json_t *text_json(const arrival *in)
{
    const char *dir, *text = good_text(&dir, in);
    return text ? json_sprintf("%s%s", dir, text) : NULL;
}

static json_t *own_json(const arrival *in, int depth)
{
    double value;
    if (in->node->type != YAML_SEQUENCE_NODE || depth == VALUE_OWN_DEPTH) {
        const char *text = plain_scalar(in);
        if (text && number_parse_real(&value, text) == NUMBER_GOOD)
            return json_real(value);
        if (text)
            reject(in, E_TYPE, NULL);
        return NULL;
    }
    json_t *out = json_array();
    for (size_t i = 0; i < item_count(in->node); i++) {
        arrival item = list_item(in, i);
        item.item = 0;
        flow_json_append(&out, own_json(&item, depth + 1));
    }
    return out;
}

json_t *value_json(const flow_key *key, const char *path, const value_source *from,
                   const yaml_node_t *node)
{
    union {
        bool word;
        uint64_t whole;
        double real;
        int choice;
        flow_wholes wholes;
    } field = {.wholes = {.n = 0}};
    flow_key here = *key;
    const arrival in = {key, path, from, node, 0};
    here.offset = 0;
    if (key->type == FLOW_KEY_ORDER)
        return order_json(&in);
    if (key->type == FLOW_KEY_TEXT)
        return text_json(&in);
    if (key->type == FLOW_KEY_REALS)
        return is_auto(&in) ? json_string("auto") : reals_json(&in);
    if (key->items)
        return columns_of_density(key, path, from, node);
    if (key->type == FLOW_KEY_OWN)
        return own_json(&in, 0);
    return read_plain(&field, &in) ? flow_key_json(&field, &here) : NULL;
}

bool value_reject(const flow_key *key, const char *path, const value_source *from,
                  const yaml_node_t *node, complaint_code code, const char *help)
{
    const arrival in = {key, path, from, node, 0};
    return reject(&in, code, help);
}

const char *value_text(const flow_key *key, const char *path, const value_source *from,
                       const yaml_node_t *node)
{
    const arrival in = {key, path, from, node, 0};
    return scalar(&in);
}
