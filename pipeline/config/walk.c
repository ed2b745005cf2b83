#include "pipeline/config/walk.h"

#include "flow/suggest.h"

#include <stdio.h>
#include <string.h>

static void append(char *out, size_t size, const char *text)
{
    size_t used = strlen(out);
    snprintf(out + used, size - used, "%s", text);
}

/* ---- names that are not there */

static void append_near(char *help, size_t size, const char *near)
{
    append(help, size, "did you mean '");
    append(help, size, near);
    append(help, size, "'? ");
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

void walk_suggest(char *help, size_t size, const char *word, const char *title,
                  const char *const *names, size_t n)
{
    const char *near = flow_suggest(word, names, n);
    if (near)
        append_near(help, size, near);
    append_list(help, size, title, names, n);
}

void walk_unknown(complaints *out, place at, const char *section, const char *name, size_t size,
                  const char *const *names, size_t n, const char *homes)
{
    char help[1024] = "", quoted[COMPLAINT_QUOTE], word[128];
    snprintf(word, sizeof word, "%.*s", (int)(size < sizeof word ? size : sizeof word), name);
    if (!flow_suggest(word, names, n))
        append(help, sizeof help,
               strchr(word, '.') ? "keys with dots are for --set; in a file they are nested. "
                                 : homes);
    walk_suggest(help, sizeof help, word, "Keys here: ", names, n);
    complain(out, E_UNKNOWN, at, help, "unknown key '%s' %s%s", complaint_quote(quoted, name, size),
             *section ? "in " : "at the top", section);
}

/* ---- pairs */

/* The same key further up in the mapping, or NULL. */
static const yaml_node_t *earlier(const yaml_tree *tree, const yaml_node_pair_t *pairs,
                                  size_t index, const char *name, size_t size)
{
    for (size_t i = 0; i < index; i++) {
        const yaml_node_t *other = yaml_tree_node(tree, pairs[i].key);
        size_t other_size;
        const char *text = other->type == YAML_SCALAR_NODE ? yaml_text(other, &other_size) : NULL;
        if (text && size == other_size && memcmp(text, name, size) == 0)
            return other;
    }
    return NULL;
}

/* True if the key of pair number `index` may be used. */
static bool good_key(const value_source *from, const char *path, const yaml_node_pair_t *pairs,
                     size_t index)
{
    const yaml_node_t *key = yaml_tree_node(from->tree, pairs[index].key);
    const char *in = *path ? "in " : "at the top";
    place at = yaml_tree_place(from->tree, key);
    if (key->type != YAML_SCALAR_NODE) {
        complain(from->out, E_TYPE, at, NULL, "keys %s%s must be words", in, path);
        return false;
    }
    size_t size;
    const char *name = yaml_text(key, &size);
    if (yaml_is_plain(key) && strcmp(name, "<<") == 0) {
        complain(from->out, E_FEATURE, at, "overlay a second file with -c FILE",
                 "merge keys (<<) are not read");
        return false;
    }
    const yaml_node_t *first = earlier(from->tree, pairs, index, name, size);
    char quoted[COMPLAINT_QUOTE];
    if (first)
        complain(from->out, E_TWICE, at, NULL,
                 "'%s' is given twice %s%s; first at line %zu, column %zu",
                 complaint_quote(quoted, name, size), in, path, first->start_mark.line + 1,
                 first->start_mark.column + 1);
    return !first;
}

bool walk(const value_source *from, const char *path, const yaml_node_t *node, walk_pair *take,
          void *arg)
{
    if (node->type != YAML_MAPPING_NODE) {
        complain(from->out, E_TYPE, yaml_tree_place(from->tree, node),
                 *path ? NULL : "write KEY: VALUE", "%s wants keys and values below it",
                 *path ? path : "the file");
        return false;
    }
    const yaml_node_pair_t *pairs = node->data.mapping.pairs.start;
    size_t n = (size_t)(node->data.mapping.pairs.top - pairs);
    for (size_t i = 0; i < n; i++)
        if (good_key(from, path, pairs, i))
            take(arg, path, from, yaml_tree_node(from->tree, pairs[i].key),
                 yaml_tree_node(from->tree, pairs[i].value));
    return true;
}
