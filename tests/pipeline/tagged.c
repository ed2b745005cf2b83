/* Sections that offer a choice: what may be said, in which ways, and that every kind of every registry
 * goes through YAML, description and back. A new kind is tested because it is there. */
#include "pipeline/config/tagged.h"

#include "flow/preset.h"
#include "pipeline/command/explain.h"
#include "tests/common/temp.h"
#include "tests/pipeline/load.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static config *load_flow(const char *section, char **said)
{
    char text[2048];
    snprintf(text, sizeof text, "%steacher:\n  flow: %s\n", LOAD_HEAD, section);
    return load_text(&(load_input){.text = text}, said, NULL);
}

static void expect_flow(const char *section, const char *part)
{
    char *said;
    config *self = load_flow(section, &said);
    cr_assert(self, "%s: %s", section, said);
    char *got = json_dumps(self->teacher.flow, JSON_COMPACT);
    cr_expect(load_has(self->teacher.flow, part), "%s\nis   %s\nlacks %s", section, got, part);
    free(got);
    free(said);
    config_free(self);
}

static void expect_refused(const char *section, const char *where, const char *text)
{
    char *said;
    config *self = load_flow(section, &said);
    cr_expect_null(self, "%s", section);
    cr_expect(strstr(said, where) && strstr(said, text), "%s says\n%s\nnot %s %s", section, said,
              where, text);
    config_free(self);
    free(said);
}

Test(tagged, a_choice_is_a_word_a_mapping_or_flat)
{
    const char *spline = "{\"transformer\": {\"kind\": \"spline\", \"bins\": 11}}";
    load_open();
    expect_flow("maf", "{\"kind\": \"maf\", \"layers\": 5, \"linear\": \"lu\"}");
    expect_flow("{}", "{\"kind\": \"maf\"}");
    expect_flow("{bins: 11}", spline);
    expect_flow("{transformer: spline, bins: 11}", spline);
    expect_flow("{transformer: {kind: spline, bins: 11}}", spline);
    expect_flow("{transformer: {bins: 11}}", spline);
    expect_flow("{transformer: {kind: affine}, hidden: [3]}",
                "{\"transformer\": {\"kind\": \"affine\", \"scale_bound\": 3.0}, "
                "\"conditioner\": {\"kind\": \"mlp\", \"hidden\": [3]}}");
    temp_close();
}

Test(tagged, layers_are_spelt_out)
{
    load_open();
    expect_flow(
        "{layers: [actnorm, {kind: autoregressive, conditioner: {hidden: [7]}}]}",
        "{\"kind\": \"stack\", \"layers\": [{\"kind\": \"actnorm\"}, {\"kind\": "
        "\"autoregressive\", \"transformer\": {\"kind\": \"spline\", \"bins\": 8, \"bound\": 5.0, "
        "\"min_share\": 0.001, \"min_slope\": 0.001}, \"conditioner\": {\"kind\": \"mlp\", "
        "\"hidden\": [7], \"residual\": 0, \"activation\": \"silu\"}, \"groups\": "
        "\"auto\", \"first\": \"free\"}]}");
    expect_flow("{layers: [{repeat: 3, layers: [{kind: permutation, order: [1, 0]}]}]}",
                "{\"layers\": [{\"kind\": \"repeat\", \"repeat\": 3, \"layers\": [{\"kind\": "
                "\"permutation\", \"order\": [1, 0]}]}]}");
    temp_close();
}

Test(tagged, what_is_wrong_has_its_place)
{
    load_open();
    expect_refused("{kind: mfa}", "t.yaml:4:16", "did you mean 'maf'?");
    expect_refused("{transformer: {kind: spline, bin: 3}}", "t.yaml:4:38",
                   "unknown key 'bin' in teacher.flow.transformer");
    expect_refused("{transformer: {kind: spline, bins: 1}}", "t.yaml:4:44",
                   "teacher.flow.transformer.bins wants a whole number 2 .. 64, got '1'");
    expect_refused("{transformer: {bins: 3}, bins: 3}", "t.yaml:4:34", "'bins' is given twice");
    expect_refused("{transformer: {bins: 3, bins: 4}}", "t.yaml:4:33", "'bins' is given twice");
    expect_refused("{transformer: [spline]}", "t.yaml:4:23", "wants one of");
    expect_refused("{transformer: affine, bins: 3}", "t.yaml:4:37",
                   "teacher.flow.bins has no effect: teacher.flow.transformer is affine");
    expect_refused("{layers: [actnorm], hidden: [3]}", "t.yaml:4:29", "unknown key 'hidden'");
    expect_refused("{layers: [actnorm], permute: none}", "t.yaml:4:38",
                   "teacher.flow.permute has no effect: teacher.flow.kind is stack");
    expect_refused("{kind: stack}", "t.yaml:4:9", "key 'layers' is missing in teacher.flow");
    expect_refused("{layers: [{bins: 3}]}", "t.yaml:4:19", "key 'kind' is missing");
    expect_refused("{layers: [{kind: permutation}]}", "t.yaml:4:19",
                   "teacher.flow.layers.0.order or pattern must be given");
    expect_refused("{layers: [{kind: permutation, order: [0, 1], pattern: none}]}", "t.yaml:4:46",
                   "teacher.flow.layers.0.order excludes pattern");
    expect_refused("{layers: [lu_linear, {kind: lu_linear, scale_bound: no}]}", "t.yaml:4:61",
                   "teacher.flow.layers.1.scale_bound wants a number");
    expect_refused("{layers: [{repeat: 0, layers: [actnorm]}]}", "t.yaml:4:28",
                   "teacher.flow.layers.0.repeat wants a whole number 1 .. 1024, got '0'");
    expect_refused("[actnorm]", "t.yaml:4:9", "teacher.flow wants keys and values");
    temp_close();
}

Test(tagged, later_sources_win_key_by_key)
{
    load_open();
    const load_input input = {
        .text = LOAD_HEAD "teacher:\n  flow: {transformer: {kind: spline, bins: 9}, hidden: [3]}\n"
                          "student:\n  flow: {layers: [actnorm]}\n",
        .overlay = "teacher: {flow: {transformer: affine}}\nstudent: {flow: {layers: 2}}\n",
        .sets = {"teacher.flow.transformer.scale_bound=2", "teacher.flow.hidden=null",
                 "student.flow.transformer.bins=12"}};
    char *said;
    config *self = load_text(&input, &said, NULL);
    cr_assert(self, "%s", said);
    cr_expect(load_has(self->teacher.flow,
                       "{\"transformer\": {\"kind\": \"affine\", \"scale_bound\": 2.0}, "
                       "\"conditioner\": {\"hidden\": [128, 128]}}"));
    cr_expect(load_has(self->student.flow,
                       "{\"kind\": \"iaf\", \"layers\": 2, \"transformer\": {\"bins\": 12}}"));
    config_free(self);
    free(said);
    temp_close();
}

/* Not given at all: the student starts as its teacher; with keys and no kind it is an iaf, as it always was;
 * iterations tell an unrolled one. */
Test(tagged, the_kind_that_is_meant)
{
    static const struct {
        const char *text, *want;
    } cases[] = {{LOAD_HEAD, "{\"kind\": \"unrolled\", \"iterations\": \"auto\", \"width\": 1.0}"},
                 {LOAD_HEAD "student: {flow: {hidden: [4]}}\n", "{\"kind\": \"iaf\"}"},
                 {LOAD_HEAD "student: {flow: {iterations: 3}}\n",
                  "{\"kind\": \"unrolled\", \"iterations\": 3}"},
                 {LOAD_HEAD "teacher: {flow: {hidden: [4]}}\n", "{\"kind\": \"unrolled\"}"}};
    load_open();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        config *self = load_text(&(load_input){.text = cases[k].text}, NULL, NULL);
        cr_assert_not_null(self);
        cr_expect(load_has(self->student.flow, cases[k].want), "%s", cases[k].text);
        config_free(self);
    }
    temp_close();
}

/* ---- every registry */

static void check_kind(const flow_registry *registry, const flow_kind *kind);

/* What the key says of itself; its default, where it has one, is a value it takes. */
static void check_key(const flow_kind *kind, const flow_key *key)
{
    size_t size = strlen(key->doc);
    char wants[512];
    cr_expect(size > 8 && key->doc[size - 1] == '.', "%s.%s: doc", kind->name, key->name);
    flow_key_wants(wants, sizeof wants, key);
    cr_expect(*wants, "%s.%s: wants", kind->name, key->name);
    if (key->type != FLOW_KEY_KIND && key->type != FLOW_KEY_KINDS)
        cr_expect(key->offset < kind->size, "%s.%s: offset", kind->name, key->name);
    if (!key->kinds || key->type == FLOW_KEY_KINDS)
        return;
    if (key->def)
        cr_expect(flow_kind_find(key->kinds, key->def), "%s.%s: default %s", kind->name, key->name,
                  key->def);
}

/* An object of defaults can be read, and written back to the same object. */
static void check_round_trip(const flow_registry *registry, const flow_kind *kind)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *name = json_string(kind->name);
    json_t *object = flow_kind_complete(registry, name, &err);
    cr_assert(object, "%s %s: %s", registry->what, kind->name, err.text);
    void *options = flow_kind_read(kind, object, &err);
    json_t *again = options ? flow_kind_write(kind, options) : NULL;
    for (const flow_key *key = kind->keys; again && key && key->name; key++)
        if (key->type == FLOW_KEY_KIND || key->type == FLOW_KEY_KINDS)
            json_object_set(again, key->name, json_object_get(object, key->name));
    bool asks = false; /* for a key that has no default */
    for (const flow_key *key = kind->keys; key && key->name; key++)
        asks |= !key->def;
    cr_expect(asks || (again && json_equal(object, again)), "%s %s", registry->what, kind->name);
    free(options);
    json_decref(name);
    json_decref(object);
    json_decref(again);
}

static void check_kind(const flow_registry *registry, const flow_kind *kind)
{
    cr_expect(kind->doc && *kind->doc, "%s %s has no doc", registry->what, kind->name);
    for (const flow_key *key = kind->keys; key && key->name; key++) {
        check_key(kind, key);
        cr_expect_eq(flow_key_find(kind->keys, key->name), key, "%s.%s is there twice", kind->name,
                     key->name);
    }
    check_round_trip(registry, kind);
}

static const flow_registry *const registries[] = {&flow_presets,      &flow_spelt_layers,
                                                  &flow_transformers, &flow_conditioners,
                                                  &flow_activations,  &flow_bases};

Test(tagged, every_kind_of_every_registry)
{
    for (size_t r = 0; r < sizeof registries / sizeof *registries; r++) {
        const flow_kind *kind;
        size_t n = 0;
        for (; (kind = registries[r]->at(n)); n++)
            check_kind(registries[r], kind);
        cr_expect_gt(n, 0, "%s", registries[r]->what);
    }
}

/* In YAML a kind's keys can be given, one at a time, where it may stand; `explain` knows each. */
static void check_explained(const char *path)
{
    char *text;
    size_t size;
    flow_err err = FLOW_ERR_INIT;
    FILE *to = open_memstream(&text, &size);
    cr_expect_eq(explain(to, path, &err), 0, "%s: %s", path, err.text);
    fclose(to);
    for (char *line = text; *line; line += strcspn(line, "\n") + 1)
        if (strncmp(line, path, strlen(path)) != 0) /* which is as long as it is */
            cr_expect_leq(strcspn(line, "\n"), 80, "%s: %s", path, line);
    free(text);
}

static void check_explained_below(const char *path, const flow_registry *registry, int depth)
{
    const flow_kind *kind;
    for (size_t i = 0; (kind = registry->at(i)); i++) {
        char below[256];
        snprintf(below, sizeof below, "%s.%s", path, kind->name);
        check_explained(below);
        for (const flow_key *key = kind->keys; key && key->name; key++) {
            char at[256];
            snprintf(at, sizeof at, "%.180s.%s", below, key->name);
            check_explained(at);
            if (key->kinds && key->type != FLOW_KEY_WORD && depth < 2)
                check_explained_below(at, key->kinds, depth + 1);
        }
    }
}

Test(tagged, every_kind_is_explained)
{
    check_explained_below("teacher.flow", &flow_presets, 0);
    check_explained("student.flow.bins");
    flow_err err = FLOW_ERR_INIT;
    cr_expect_neq(explain(stdout, "student.flow.layers.affine", &err), 0);
    cr_expect_neq(explain(stdout, "student.flow.stack.bins", &err), 0);
}
