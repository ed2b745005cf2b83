/* The table of keys: each row is whole, its default parses, it is explained. What values it
 * refuses: schema_refusals.c. A new row is tested because it is there. */
#include "pipeline/config/schema.h"

#include "flow/suggest.h"
#include "pipeline/command/explain.h"
#include "pipeline/config/field.h"
#include "pipeline/config/number.h"
#include "pipeline/config/value.h"
#include "tests/common/temp.h"
#include "tests/pipeline/holds.h"
#include "tests/pipeline/load.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows */

static bool is_sentence(const char *text)
{
    size_t size = strlen(text);
    return size > 8 && text[size - 1] == '.' && !strstr(text, "  ");
}

Test(schema, every_row_is_whole)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const flow_key *key = &schema_keys[i];
        cr_expect(key->doc && is_sentence(key->doc), "%s: doc", key->name);
        cr_expect_lt(strlen(key->name), SCHEMA_MAX_PATH);
        cr_expect_eq(schema_find(key->name), key, "%s is there twice", key->name);
        cr_expect_not(schema_is_section(key->name), "%s is a section too", key->name);
        cr_expect_lt(key->offset, sizeof(config));
        bool list = key->type == FLOW_KEY_WHOLES || key->type == FLOW_KEY_NAMES ||
                    key->type == FLOW_KEY_REALS;
        cr_expect_eq(list, key->n_max > 0, "%s: length of the list", key->name);
        bool number = key->type == FLOW_KEY_WHOLE || key->type == FLOW_KEY_REAL ||
                      key->type == FLOW_KEY_WHOLES || key->type == FLOW_KEY_TEXT ||
                      key->type == FLOW_KEY_REALS;
        bool ranged = key->min < key->max || key->name == schema_find("schema")->name; /* 1 to 1 */
        cr_expect_eq(number, ranged, "%s: range", key->name);
        cr_expect(!(key->flags & FLOW_KEY_AUTO) || key->type == FLOW_KEY_REAL ||
                      key->type == FLOW_KEY_REALS || key->type == FLOW_KEY_WORD ||
                      (key->type == FLOW_KEY_WHOLE && key->min >= 1),
                  "%s: 0 cannot be told from auto", key->name);
        cr_expect_not(key->flags & FLOW_KEY_REQUIRED, "%s: a config of one line is whole",
                      key->name);
    }
}

Test(schema, every_field_has_one_row)
{
    for (size_t i = 0; i < schema_n_keys; i++)
        for (size_t j = 0; j < i; j++)
            cr_expect_neq(schema_keys[i].offset, schema_keys[j].offset, "%s and %s",
                          schema_keys[i].name, schema_keys[j].name);
}

Test(schema, every_section_is_described)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        char section[SCHEMA_MAX_PATH];
        const char *path = schema_keys[i].name, *dot = strrchr(path, '.');
        snprintf(section, sizeof section, "%.*s", dot ? (int)(dot - path) : 0, path);
        const schema_section *at = schema_sections;
        while (at->path && strcmp(at->path, section) != 0)
            at++;
        cr_expect(at->path && is_sentence(at->doc), "'%s' of %s", section, path);
    }
    for (const schema_section *at = schema_sections; at->path; at++)
        cr_expect(schema_is_section(at->path), "'%s' has no key", at->path);
}

Test(schema, every_word_is_described_once)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const flow_key *key = &schema_keys[i];
        if (key->type != FLOW_KEY_WORD)
            continue;
        size_t n = 0;
        for (; flow_key_choice(key, n).name; n++) {
            flow_word choice = flow_key_choice(key, n);
            cr_expect(choice.doc && strlen(choice.doc) > 3, "%s: %s", key->name, choice.name);
            cr_expect(choice.value == (int)n || key->words == config_precisions);
            for (size_t j = 0; j < n; j++)
                cr_expect(strcmp(flow_key_choice(key, j).name, choice.name) != 0 &&
                          flow_key_choice(key, j).value != choice.value);
        }
        cr_expect(n >= 2 && n <= SCHEMA_MAX_CHILDREN, "%s", key->name);
    }
}

/* "transformer = spline": the left side is a row, the right side one of its values. */
Test(schema, every_condition_can_be_read)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const flow_key *key = &schema_keys[i];
        char name[64] = "", op = '\0', right[64] = "";
        int n = key->only ? sscanf(key->only, "%63s %c %63s", name, &op, right) : 0;
        if (!key->only)
            continue;
        if (op == '!')
            sscanf(key->only, "%63s != %63s", name, right);
        const flow_key *on = schema_sibling(key, name);
        cr_assert_not_null(on, "%s only if %s", key->name, key->only);
        double bound;
        bool found = n == 1;
        for (size_t j = 0; (op == '=' || op == '!') && flow_key_choice(on, j).name; j++)
            found |= strcmp(flow_key_choice(on, j).name, right) == 0;
        if (op == '<' || op == '>')
            found = number_parse_real(&bound, right) == NUMBER_GOOD;
        cr_expect(found, "%s only if %s", key->name, key->only);
        cr_expect_not_null(key->def, "%s: without its condition it needs a value", key->name);
    }
}

/* ---- defaults */

Test(schema, every_default_parses)
{
    config self = {.memory = NULL};
    for (size_t i = 0; i < schema_n_keys; i++) {
        const flow_key *key = &schema_keys[i];
        memset((char *)&self + key->offset, 0x5a, 1); /* something to overwrite */
        cr_expect(value_default(&self, key), "%s: default %s", key->name, key->def);
        if (key->type == FLOW_KEY_OWN || key->type == FLOW_KEY_KIND)
            continue;
        bool value = key->def && !(key->flags & FLOW_KEY_AUTO && strcmp(key->def, "auto") == 0);
        if (key->name != schema_find("seed")->name)
            cr_expect_eq(flow_key_is_set(&self, key), value, "%s", key->name);
        json_t *json = field_json(&self, key);
        cr_expect_not_null(json, "%s", key->name);
        json_decref(json);
    }
    field_memory_free(&self);
}

/* A default that is given explicitly is no error and no change, but for keys without effect. */
Test(schema, every_default_can_be_written)
{
    load_open();
    for (size_t i = 0; i < schema_n_keys; i++) {
        const flow_key *key = &schema_keys[i];
        char set[256], *said;
        if (!key->def)
            continue;
        snprintf(set, sizeof set, "%s=%s", key->name, key->def);
        config *self = load_text(&(load_input){.text = LOAD_HEAD, .sets = {set}}, &said, NULL);
        cr_expect(self || (key->only && strstr(said, "[E111]")), "%s: %s", set, said);
        config_free(self);
        free(said);
    }
    temp_close();
}

/* ---- explain */

static char *explained(const char *path)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(explain(to, path, &err), FLOW_OK, "%s: %s", path, err.text);
    fclose(to);
    for (char *line = text; *line; line += strcspn(line, "\n") + 1)
        cr_expect_leq(strcspn(line, "\n"), 80, "%s: %s", path, line);
    return text;
}

Test(schema, every_key_is_explained)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const flow_key *key = &schema_keys[i];
        char *text = explained(key->name), wants[512];
        flow_key_wants(wants, sizeof wants, key);
        cr_expect_eq(strncmp(text, key->name, strlen(key->name)), 0);
        cr_expect(holds(text, key->doc), "%s", text);
        cr_expect(holds(text, wants), "%s\nlacks %s", text, wants);
        cr_expect(holds(text, key->def ? key->def : "default none"), "%s", text);
        cr_expect(!key->unit || holds(text, key->unit), "%s", text);
        cr_expect(!key->only || holds(text, key->only), "%s", text);
        for (size_t j = 0; key->type == FLOW_KEY_WORD && flow_key_choice(key, j).name; j++)
            cr_expect(holds(text, flow_key_choice(key, j).doc), "%s", text);
        free(text);
    }
}

Test(schema, explain_without_a_key_has_them_all)
{
    char *text = explained(NULL);
    for (size_t i = 0; i < schema_n_keys; i++) {
        const char *dot = strrchr(schema_keys[i].name, '.');
        char line[96];
        snprintf(line, sizeof line, "\n  %s ", dot ? dot + 1 : schema_keys[i].name);
        cr_expect_not_null(strstr(text, line), "%s", schema_keys[i].name);
    }
    for (const schema_section *at = schema_sections; at->path; at++)
        cr_expect(holds(text, at->doc), "'%s'", at->path);
    free(text);
}

Test(schema, explain_a_section_has_its_keys_only)
{
    char *text = explained("student.train");
    cr_expect(strstr(text, "\n  temper_until ") && !strstr(text, "\n  layers "));
    free(text);
    text = explained("student");
    cr_expect(strstr(text, "\n  temper_until ") && strstr(text, "\n  iterations ") &&
              !strstr(text, "plateau"));
    free(text);
}

Test(schema, every_figure_is_explained)
{
    char *list = explained("validate.require");
    for (size_t i = 0; i < GATE_COUNT; i++) {
        char path[96];
        snprintf(path, sizeof path, "validate.require.%s", gate_figures[i].name);
        char *text = explained(path);
        cr_expect(is_sentence(gate_figures[i].doc), "%s", path);
        cr_expect(holds(text, gate_figures[i].doc) && holds(list, gate_figures[i].doc), "%s", path);
        cr_expect_not_null(strstr(text, gate_figures[i].small_is_good ? "\"< " : "\"> "));
        cr_expect(holds(text, gate_figures[i].place) && strstr(text, "validation.json"));
        if (gate_figures[i].beyond)
            cr_expect(holds(text, gate_figures[i].beyond) && holds(text, gate_figures[i].next));
        char *alone = explained(gate_figures[i].name);
        cr_expect_str_eq(alone, text);
        free(alone);
        free(text);
    }
    free(list);
}

/* What is suggested is explained. */
static size_t explain_what_is_meant(const char *said)
{
    static const char before[] = "; did you mean ";
    const char *at = strstr(said, before);
    char path[128];
    size_t n = 0;
    for (at = at ? at + strlen(before) : NULL; at; n++) {
        const char *more = strstr(at, " or ");
        snprintf(path, sizeof path, "%.*s", (int)(more ? (size_t)(more - at) : strlen(at)), at);
        free(explained(path));
        at = more ? more + 4 : NULL;
    }
    return n;
}

Test(schema, explain_suggests)
{
    static const struct {
        char path[40], says[120];
    } cases[] = {
        {"hiden", "; did you mean teacher.flow.hidden or teacher.flow.conditioner.hidden or "},
        {"iterations", "; did you mean student.flow.iterations or student.shrink.iterations or "},
        {"student.trian", "; did you mean student.train"},
        {"student.trian.lr", "; did you mean student.train.lr"},
        {"warmpu", "; did you mean teacher.train.warmup or student.train.warmup"},
        {"validate.require.x", "; did you mean validate.require"},
        {"teacher.flow.splin", "; did you mean teacher.flow.transformer.spline or "},
        {"banana", "; did you mean target.banana"},
        {"target.covarianc", "; did you mean target.covariance"},
        {"swep", "; did you mean sweep"},
        {"sweep.gird", "; did you mean sweep.grid"},
        {"", "; distill explain lists what there is"},
        {"xyzzyq", "; distill explain lists what there is"},
        {"teacher.flow.xyzzyq", "; distill explain teacher.flow lists what there is"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        flow_err err = FLOW_ERR_INIT;
        char head[64];
        int n = snprintf(head, sizeof head, "there is no key '%s'", cases[i].path);
        cr_expect_eq(explain(stdout, cases[i].path, &err), FLOW_EUSAGE);
        cr_expect(strncmp(err.text, head, (size_t)n) == 0, "%s", err.text);
        cr_expect(strncmp(err.text + n, cases[i].says, strlen(cases[i].says)) == 0, "%s", err.text);
        explain_what_is_meant(err.text);
    }
}

/* Of every key there is, with two letters of its last word swapped. */
static void mistype(void *arg, const char *path, const flow_key *key)
{
    char wrong[128];
    size_t *n = arg;
    flow_err err = FLOW_ERR_INIT;
    (void)key;
    snprintf(wrong, sizeof wrong, "%s", path);
    char *end = wrong + strlen(wrong);
    if (end - wrong < 3 || end[-1] == end[-2] || end[-2] == '.' || end[-3] == '.')
        return;
    char last = end[-1];
    end[-1] = end[-2];
    end[-2] = last;
    if (explain(stderr, wrong, &err) == FLOW_OK)
        return; /* of another word */
    cr_expect_geq(explain_what_is_meant(err.text), 1, "%s", err.text);
    ++*n;
}

Test(schema, explain_suggests_for_every_key)
{
    size_t n = 0;
    explain_each_key(mistype, &n);
    cr_expect_gt(n, 100, "%zu", n);
}

/* ---- numbers */

Test(number, whole)
{
    static const struct {
        char text[32];
        number_fault fault;
        uint64_t value;
    } cases[] = {{"0", NUMBER_GOOD, 0},
                 {"12", NUMBER_GOOD, 12},
                 {"+12", NUMBER_GOOD, 12},
                 {"-0", NUMBER_GOOD, 0},
                 {"2e5", NUMBER_GOOD, 200000},
                 {"2E+5", NUMBER_GOOD, 200000},
                 {"1.5e3", NUMBER_GOOD, 1500},
                 {"3.0", NUMBER_GOOD, 3},
                 {"3.", NUMBER_GOOD, 3},
                 {"300e-2", NUMBER_GOOD, 3},
                 {"0.003e3", NUMBER_GOOD, 3},
                 {"0e99999", NUMBER_GOOD, 0},
                 {"9223372036854775807", NUMBER_GOOD, INT64_MAX},
                 {"9.223372036854775807e18", NUMBER_GOOD, INT64_MAX},
                 {"922337203685477580700e-2", NUMBER_GOOD, INT64_MAX},
                 {"9223372036854775808", NUMBER_TOO_LARGE, 0},
                 {"99999999999999999999", NUMBER_TOO_LARGE, 0},
                 {"1e19", NUMBER_TOO_LARGE, 0},
                 {"1e999999999999999999", NUMBER_TOO_LARGE, 0},
                 {"2.5", NUMBER_NOT_WHOLE, 0},
                 {"1e-1", NUMBER_NOT_WHOLE, 0},
                 {"1e-99999999", NUMBER_NOT_WHOLE, 0},
                 {"-3", NUMBER_NEGATIVE, 0},
                 {"", NUMBER_NONE, 0},
                 {".", NUMBER_NONE, 0},
                 {"+", NUMBER_NONE, 0},
                 {"e5", NUMBER_NONE, 0},
                 {"1e", NUMBER_NONE, 0},
                 {"1e+", NUMBER_NONE, 0},
                 {"10k", NUMBER_NONE, 0},
                 {"1_000", NUMBER_NONE, 0},
                 {"010", NUMBER_NONE, 0},
                 {"0x10", NUMBER_NONE, 0},
                 {"1 000", NUMBER_NONE, 0},
                 {" 1", NUMBER_NONE, 0},
                 {"1 ", NUMBER_NONE, 0},
                 {"1.2.3", NUMBER_NONE, 0},
                 {"--1", NUMBER_NONE, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 0;
        number_fault fault = number_parse_whole(&value, cases[i].text);
        cr_expect_eq(fault, cases[i].fault, "'%s': %d", cases[i].text, fault);
        cr_expect(fault || value == cases[i].value, "'%s'", cases[i].text);
    }
}

Test(number, real)
{
    static const struct {
        char text[32];
        number_fault fault;
        double value;
    } cases[] = {{"1e-4", NUMBER_GOOD, 1e-4},
                 {".5", NUMBER_GOOD, 0.5},
                 {"-2.385", NUMBER_GOOD, -2.385},
                 {"+3", NUMBER_GOOD, 3},
                 {"0", NUMBER_GOOD, 0},
                 {"0e-999", NUMBER_GOOD, 0},
                 {"5e-324", NUMBER_GOOD, 5e-324},
                 {"1.7976931348623157e308", NUMBER_GOOD, 1.7976931348623157e308},
                 {"1e309", NUMBER_TOO_LARGE, 0},
                 {"-1e999", NUMBER_TOO_LARGE, 0},
                 {"1e-400", NUMBER_TOO_LARGE, 0},
                 {"nan", NUMBER_NONE, 0},
                 {"inf", NUMBER_NONE, 0},
                 {"0x1p3", NUMBER_NONE, 0},
                 {"1,5", NUMBER_NONE, 0},
                 {"00.5", NUMBER_NONE, 0},
                 {"1e-4x", NUMBER_NONE, 0},
                 {"", NUMBER_NONE, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = 0;
        number_fault fault = number_parse_real(&value, cases[i].text);
        cr_expect_eq(fault, cases[i].fault, "'%s': %d", cases[i].text, fault);
        cr_expect(fault || value == cases[i].value, "'%s'", cases[i].text);
    }
}
