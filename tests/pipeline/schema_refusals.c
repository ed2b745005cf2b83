/* Values that keys of the table refuse: of the wrong kind, beyond a range, no word of a list; each with its line and column. A new row is
 * tested because it is there. */
#include "pipeline/config/schema.h"

#include "tests/common/temp.h"
#include "tests/pipeline/load.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *wrong_value(const flow_key *key)
{
    if (key->items) /* a mapping would be right */
        return "{}";
    switch (key->type) {
    case FLOW_KEY_TEXT:
        return "[text]";
    case FLOW_KEY_WHOLES:
    case FLOW_KEY_REALS:
    case FLOW_KEY_NAMES:
        return "{a: 1}";
    default:
        return "[1]";
    }
}

/* Writes the sections of path, one a line, then its value, behind LOAD_HEAD without data. Gives the
 * line and column of the value. */
static void nest(char *text, size_t size, const char *path, const char *value, size_t *line,
                 size_t *column)
{
    size_t depth = 0, used = 0;
    for (const char *at = path; *at; depth++) {
        size_t n = strcspn(at, ".");
        used += (size_t)snprintf(text + used, size - used, "%*s%.*s:%s", (int)(2 * depth), "",
                                 (int)n, at, at[n] ? "\n" : " ");
        *column = 2 * depth + n + 3;
        at += n + (at[n] == '.');
    }
    snprintf(text + used, size - used, "%s\n", value);
    *line = depth;
}

/* The value, so many columns into what is written there, is refused in its place with that code. */
static void expect_refused(const flow_key *key, const char *value, size_t into, const char *code)
{
    char text[1024], expected[256], *said;
    size_t line = 0, column = 0;
    nest(text, sizeof text, key->name, value, &line, &column);
    config *self = load_text(&(load_input){.text = text}, &said, NULL);
    cr_expect_null(self);
    config_free(self);
    snprintf(expected, sizeof expected, "t.yaml:%zu:%zu: error: %s%s", line, column + into,
             into ? "item 1 of " : "", key->name);
    char *found = strstr(said, expected);
    cr_expect(found && strstr(found, " wants ") && strstr(found, code), "%s\nsays:\n%s\nnot: %s",
              text, said, expected);
    free(said);
}

Test(schema_refusals, every_key_refuses_the_wrong_kind)
{
    load_open();
    for (size_t i = 0; i < schema_n_keys; i++)
        expect_refused(&schema_keys[i], wrong_value(&schema_keys[i]), 0,
                       schema_keys[i].items ? "[E106]" : "[E104]");
    temp_close();
}

static void expect_number_refused(const flow_key *key, double value)
{
    char text[64];
    bool list = key->type == FLOW_KEY_WHOLES || key->type == FLOW_KEY_REALS;
    snprintf(text, sizeof text, list ? "[%.17g]" : "%.17g", value);
    expect_refused(key, text, list, "[E106]");
}

/* Beyond either end, or no word of the list: the right kind, and wrong all the same. Returns how many were tried. */
static size_t refuse_beyond(const flow_key *key)
{
    switch (key->type) {
    case FLOW_KEY_WHOLE:
    case FLOW_KEY_REAL:
    case FLOW_KEY_WHOLES:
    case FLOW_KEY_REALS:
        if (isfinite(key->min))
            expect_number_refused(key, key->min - 1 - fabs(key->min));
        if (isfinite(key->max))
            expect_number_refused(key, key->max + 1 + fabs(key->max));
        return isfinite(key->min) || isfinite(key->max);
    case FLOW_KEY_WORD:
    case FLOW_KEY_KIND:
        expect_refused(key, "xyzzyq", 0, "[E105]");
        return 1;
    case FLOW_KEY_BOOL:
        expect_refused(key, "perhaps", 0, "[E104]");
        return 1;
    default:
        return 0;
    }
}

Test(schema_refusals, every_key_refuses_what_is_beyond_its_range_in_its_place)
{
    size_t tried = 0;
    load_open();
    for (size_t i = 0; i < schema_n_keys; i++)
        tried += refuse_beyond(&schema_keys[i]);
    cr_expect_gt(tried, 60, "%zu", tried);
    temp_close();
}

/* One step beyond each end of a range, and each end itself. */
static void expect_set(const flow_key *key, double value, bool good)
{
    char set[128], *said;
    bool list = key->type == FLOW_KEY_WHOLES || key->type == FLOW_KEY_REALS;
    const char *format = list ? "%s=[%.17g]" : "%s=%.17g";
    snprintf(set, sizeof set, format, key->name, value);
    config *self = load_text(&(load_input){.text = LOAD_HEAD, .sets = {set}}, &said, NULL);
    bool refused = strstr(said, " wants ") && strstr(said, "[E106]");
    cr_expect_eq(refused, !good, "%s says: %s", set, said);
    config_free(self);
    free(said);
}

Test(schema_refusals, every_range_ends_where_it_says)
{
    load_open();
    for (size_t i = 0; i < schema_n_keys; i++) {
        const flow_key *key = &schema_keys[i];
        bool whole = key->type == FLOW_KEY_WHOLE || key->type == FLOW_KEY_WHOLES;
        if (!whole && key->type != FLOW_KEY_REAL && key->type != FLOW_KEY_REALS)
            continue;
        if (isfinite(key->min)) {
            expect_set(key, key->min, !(key->flags & FLOW_KEY_OPEN_MIN));
            expect_set(key, whole ? key->min - 1 : nextafter(key->min, -INFINITY), false);
        }
        if (isfinite(key->max)) {
            expect_set(key, key->max, !(key->flags & FLOW_KEY_OPEN_MAX));
            expect_set(key, whole ? key->max + 1 : nextafter(key->max, INFINITY), false);
        }
    }
    temp_close();
}
