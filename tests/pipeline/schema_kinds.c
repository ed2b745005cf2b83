/* The keys that kinds own, as a config has them: each is whole, and a value of the wrong sort, or beyond its range, is refused with its
 * line and column. A kind, or a key, is tested because it is there. */
#include "pipeline/config/schema.h"

#include "tests/common/temp.h"
#include "tests/pipeline/load.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 1024, MOST = 64 };

/* Where a kind stands: what is before its keys, on one line, and what closes it; and its path. */
typedef struct spot {
    char before[TEXT], after[TEXT], path[TEXT];
} spot;

/* Registries that were walked: their kinds hold each other. */
static const flow_registry *seen[MOST];
static size_t n_seen, n_keys;

static bool is_new(const flow_registry *registry)
{
    for (size_t i = 0; i < n_seen; i++)
        if (seen[i] == registry)
            return false;
    cr_assert_lt(n_seen, MOST);
    seen[n_seen++] = registry;
    return true;
}

static void print(char out[TEXT], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(out, TEXT, format, args);
    va_end(args);
    cr_assert(n > 0 && n < TEXT);
}

static const char *wrong_value(const flow_key *key)
{
    if (key->items) /* a mapping would be right */
        return "[1]";
    switch (key->type) {
    case FLOW_KEY_WHOLES:
    case FLOW_KEY_ORDER:
    case FLOW_KEY_REALS:
    case FLOW_KEY_KINDS:
    case FLOW_KEY_OWN:
        return "{a: 1}";
    default:
        return "[1]";
    }
}

static void expect_whole(const flow_key *key, const char *path)
{
    bool number = key->type == FLOW_KEY_WHOLE || key->type == FLOW_KEY_REAL ||
                  key->type == FLOW_KEY_WHOLES || key->type == FLOW_KEY_REALS ||
                  key->type == FLOW_KEY_ORDER;
    size_t size = key->doc ? strlen(key->doc) : 0;
    cr_expect(size > 8 && key->doc[size - 1] == '.', "%s.%s: no sentence", path, key->name);
    cr_expect(!number || key->min < key->max, "%s.%s: no range", path, key->name);
    cr_expect(!number || isfinite(key->min) || isfinite(key->max) || key->unit ||
                  key->type == FLOW_KEY_REAL || key->type == FLOW_KEY_REALS,
              "%s.%s: neither unit nor end", path, key->name);
}

/* into: columns from where the value begins to what is wrong with it. */
static void expect_refused(const spot *at, const flow_key *key, const char *value, size_t into)
{
    char text[3 * TEXT], expected[TEXT + 64], *said;
    int status;
    snprintf(text, sizeof text, "schema: 1\n%s%s: %s%s\n", at->before, key->name, value, at->after);
    snprintf(expected, sizeof expected, "t.yaml:2:%zu: error: %s%s.%s wants ",
             strlen(at->before) + strlen(key->name) + 3 + into, into ? "item 1 of " : "", at->path,
             key->name);
    config *self = load_text(&(load_input){.text = text}, &said, &status);
    cr_expect_null(self);
    cr_expect_eq(status, 78, "%s: status %d", text, status);
    cr_expect_not_null(strstr(said, expected), "%s\nsays:\n%s\nnot: %s", text, said, expected);
    config_free(self);
    free(said);
    n_keys++;
}

static void expect_number_refused(const spot *at, const flow_key *key, double value)
{
    char text[64];
    bool list = key->type == FLOW_KEY_WHOLES || key->type == FLOW_KEY_REALS;
    snprintf(text, sizeof text, list ? "[%.17g]" : "%.17g", value);
    expect_refused(at, key, text, list);
}

/* Of the right sort, and wrong all the same. */
static void refuse_beyond(const spot *at, const flow_key *key)
{
    bool number = key->type == FLOW_KEY_WHOLE || key->type == FLOW_KEY_REAL ||
                  key->type == FLOW_KEY_WHOLES || key->type == FLOW_KEY_REALS;
    if (number && isfinite(key->min))
        expect_number_refused(at, key, key->min - 1 - fabs(key->min));
    if (number && isfinite(key->max))
        expect_number_refused(at, key, key->max + 1 + fabs(key->max));
    if (key->type == FLOW_KEY_WORD || key->type == FLOW_KEY_KIND)
        expect_refused(at, key, "xyzzyq", 0);
    if (key->type == FLOW_KEY_BOOL)
        expect_refused(at, key, "perhaps", 0);
}

static void walk_kinds(const flow_registry *registry, const spot *at);

static void walk_below(const flow_key *key, const spot *at)
{
    bool list = key->type == FLOW_KEY_KINDS;
    spot below;
    print(below.before, "%s%s: %s{", at->before, key->name, list ? "[" : "");
    print(below.after, "}%s%s", list ? "]" : "", at->after);
    print(below.path, "%s.%s%s", at->path, key->name, list ? ".0" : "");
    walk_kinds(key->kinds, &below);
}

static void walk_kinds(const flow_registry *registry, const spot *at)
{
    const flow_kind *kind;
    bool fresh = is_new(registry);
    for (size_t i = 0; fresh && (kind = registry->at(i)); i++) {
        spot *here = malloc(sizeof *here);
        *here = *at;
        print(here->before, "%skind: %s, ", at->before, kind->name);
        for (const flow_key *key = kind->keys; key && key->name; key++) {
            expect_whole(key, kind->name);
            expect_refused(here, key, wrong_value(key), 0);
            refuse_beyond(here, key);
            if (key->type == FLOW_KEY_KIND || key->type == FLOW_KEY_KINDS)
                walk_below(key, here);
        }
        free(here);
    }
}

/* "a.b.c" as a: {b: {c: {, and what closes it. */
static void nest(spot *out, const char *path)
{
    *out = (spot){.after = "}"};
    print(out->path, "%s", path);
    for (const char *at = path; *at;) {
        int n = (int)strcspn(at, ".");
        char more[TEXT];
        print(more, "%.*s: {", n, at);
        strcat(out->before, more);
        at += n + (at[n] == '.');
        if (*at)
            strcat(out->after, "}");
    }
}

Test(schema_kinds, every_key_refuses_the_wrong_sort)
{
    load_open();
    for (size_t i = 0; i < schema_n_keys; i++) {
        spot at;
        if (schema_keys[i].type != FLOW_KEY_KIND)
            continue;
        nest(&at, schema_keys[i].name);
        walk_kinds(schema_keys[i].kinds, &at);
    }
    cr_expect_gt(n_keys, 300, "only %zu keys", n_keys);
    cr_expect_geq(n_seen, 7, "only %zu registries", n_seen);
    temp_close();
}
