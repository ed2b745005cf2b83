#include "pipeline/config/rules.h"

#include "files/hdf5_path.h"
#include "files/read.h"
#include "flow/preset.h"
#include "pipeline/config/field.h"
#include "pipeline/config/number.h"
#include "pipeline/config/settings.h"
#include "student/objective.h"
#include "teacher/generate.h"
#include "teacher/target.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- helpers */

static const given *given_of(const rules_view *self, const flow_key *key)
{
    assert(key);
    return &self->keys[key - schema_keys];
}

static const given *given_at(const rules_view *self, const char *path)
{
    return given_of(self, schema_find(path));
}

static bool is_given(const rules_view *self, const char *path)
{
    return given_at(self, path)->state == GIVEN_GOOD;
}

/* Neither of these keys was given a bad value: a rule may look at them. */
static bool sound(const rules_view *self, const char *a, const char *b)
{
    return given_at(self, a)->state != GIVEN_BAD && given_at(self, b)->state != GIVEN_BAD;
}

/* The place of the first of these keys that was given, or the file as a whole. */
static place place_of(const rules_view *self, const char *a, const char *b)
{
    const char *path = is_given(self, a) ? a : b;
    return is_given(self, path) ? given_at(self, path)->at : (place){self->source, 0, 0, 1};
}

static bool ends_in(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n > m && strcmp(text + n - m, ending) == 0;
}

/* ---- missing and useless keys */

/* A key that was given, and why that is for nothing. */
static void useless(const rules_view *self, const char *key, const char *why)
{
    if (is_given(self, key))
        complain(self->out, E_NO_EFFECT, given_at(self, key)->at, "take it out",
                 "%s has no effect: %s", key, why);
}

/* Keys of all objectives that the chosen one does not look at. */
static void other_objectives(const rules_view *self)
{
    const json_t *said = self->config->student.train.objective;
    const objective_kind *kind = said ? objective_kind_of(said) : NULL;
    char key[SCHEMA_MAX_PATH], why[128];
    for (const char *const *name = kind ? kind->unused : NULL; name && *name; name++) {
        snprintf(key, sizeof key, "student.train.%s", *name);
        snprintf(why, sizeof why, "student.train.objective is %s", kind->kind.name);
        useless(self, key, why);
    }
}

/* A target stands in for data and for a teacher that is fitted to them. */
static void target_alone(const rules_view *self)
{
    for (size_t i = 0; i < schema_n_keys && self->config->target; i++) {
        const char *path = schema_keys[i].name;
        bool other = schema_below(path, "data") || schema_below(path, "teacher");
        if (other && self->keys[i].state == GIVEN_GOOD)
            complain(self->out, E_EXCLUSIVE, self->keys[i].at, "take one of them out",
                     "%s and target exclude each other: a target needs no data and no teacher",
                     path);
    }
}

static void target_followed(const rules_view *self)
{
    place at = given_at(self, "student.flow")->at;
    const json_t *learnt = self->config->target;
    if (learnt && !target_follows(learnt) && self->config->student.flow &&
        flow_preset_follows(self->config->student.flow))
        complain(
            self->out, E_CONFLICT, at, "like student.flow: iaf",
            "student.flow would start as its teacher, and this target is no network to start as");
}

/* Data are standardised, and a model has its units. */
static void frame_of_target(const rules_view *self)
{
    const config_student_frame *frame = &self->config->student.frame;
    const json_t *learnt = self->config->target;
    const char *why = learnt ? "the model has units of its own" : "there is no target";
    if (learnt && !target_follows(learnt))
        return;
    if (frame->shift)
        useless(self, "student.frame.shift", why);
    if (frame->scale)
        useless(self, "student.frame.scale", why);
}

/* A target is looked at by those that do not start as it. */
static void look_at_target(const rules_view *self)
{
    const json_t *learnt = self->config->target;
    const char *why = learnt ? "student.flow starts as its teacher" : "there is no target";
    if (learnt && (!self->config->student.flow || !flow_preset_follows(self->config->student.flow)))
        return;
    if (self->config->student.recipe == RECIPE_NONE)
        useless(self, "student.recipe", why);
    if (self->config->student.start == START_PLAIN)
        useless(self, "student.start", why);
}

static void data_source(const rules_view *self)
{
    if (!sound(self, "data.path", "data.generator") || given_at(self, "target")->state != GIVEN_NOT)
        return;
    bool path = is_given(self, "data.path"), generator = is_given(self, "data.generator");
    if (path && generator) {
        place a = given_at(self, "data.path")->at, b = given_at(self, "data.generator")->at;
        bool second = place_compare(a, b) < 0; /* blame what came later */
        complain(self->out, E_EXCLUSIVE, second ? b : a,
                 second ? "take one out, or take it back with --set data.path=null"
                        : "take one out, or take it back with --set data.generator=null",
                 "data.path and data.generator exclude each other");
    } else if (!path && !generator && !self->unknown)
        complain(self->out, E_MISSING, (place){self->source, 0, 0, 1},
                 "add 'data: {path: FILE.npy}', 'data: {generator: two_moons}' or 'target: {kind: "
                 "gaussian}'",
                 "data.path, data.generator or target is missing");
}

/* The condition of a row, taken apart: "transformer = spline" -> its sibling, '=', "spline". */
typedef struct condition {
    const flow_key *on;
    char op; /* '=', '!' ("!="), '<', '>', or 0: has a value at all */
    const char *right;
} condition;

static condition parse_condition(const flow_key *key)
{
    char name[SCHEMA_MAX_PATH];
    size_t size = strcspn(key->only, " ");
    snprintf(name, sizeof name, "%.*s", (int)size, key->only);
    condition out = {schema_sibling(key, name), 0, ""};
    if (key->only[size]) {
        out.op = key->only[size + 1];
        out.right = key->only + size + (out.op == '!' ? 4 : 3);
    }
    assert(out.on);
    return out;
}

static bool condition_holds(const condition *self, const config *in)
{
    if (!self->op)
        return flow_key_is_set(in, self->on);
    if (self->op == '=' || self->op == '!')
        return (strcmp(flow_key_word(in, self->on), self->right) == 0) == (self->op == '=');
    double right = 0, left = flow_key_number(in, self->on);
    number_parse_real(&right, self->right);
    return self->op == '<' ? left < right : left > right;
}

static void describe(char *out, size_t size, const config *in, const flow_key *key)
{
    if (!flow_key_is_set(in, key))
        snprintf(out, size, "%s is not given", key->name);
    else if (key->type == FLOW_KEY_WORD)
        snprintf(out, size, "%s is %s", key->name, flow_key_word(in, key));
    else
        snprintf(out, size, "%s is %.15g", key->name, flow_key_number(in, key));
}

static void useless_keys(const rules_view *self)
{
    for (size_t i = 0; i < schema_n_keys && !self->unknown; i++) {
        const flow_key *key = &schema_keys[i];
        if (!key->only || self->keys[i].state != GIVEN_GOOD)
            continue;
        condition need = parse_condition(key);
        if (given_of(self, need.on)->state == GIVEN_BAD || condition_holds(&need, self->config))
            continue;
        char why[256], help[256];
        describe(why, sizeof why, self->config, need.on);
        snprintf(help, sizeof help, "take it out; it needs %s", key->only);
        complain(self->out, E_NO_EFFECT, self->keys[i].at, help, "%s has no effect: %s", key->name,
                 why);
    }
}

static void header_of_csv(const rules_view *self)
{
    const char *path = self->config->data.path;
    if (is_given(self, "data.header") && path && file_is_npy(path))
        complain(self->out, E_NO_EFFECT, given_at(self, "data.header")->at, "take it out",
                 "data.header has no effect: a .npy file has no header");
}

static void one_term(const rules_view *self)
{
    const config_student_train *train = &self->config->student.train;
    if (objective_kind_of(train->objective) != objective_kinds[0] ||
        !sound(self, "student.train.forward", "student.train.forward_end"))
        return;
    double end = settings_forward_end(train);
    if (train->temper < 1 && train->forward >= 1 && end >= 1)
        useless(self, "student.train.temper",
                "forward and forward_end are 1, so there is no reverse KL");
    if (train->widen > 0 && train->forward <= 0 && end <= 0)
        useless(self, "student.train.widen",
                "forward and forward_end are 0, so there is no forward KL");
}

/* Only what is made from its teacher can be compared with it layer by layer, or be made smaller. */
static void following(const rules_view *self)
{
    static const char iterations[] = "student.shrink.iterations";
    static const char *const keys[] = {"student.layerwise.steps",
                                       "student.layerwise.lr",
                                       "student.layerwise.widen_by",
                                       "student.shrink.halvings",
                                       "student.shrink.samples",
                                       iterations,
                                       NULL};
    const config_student *student = &self->config->student;
    flow_unrolling how = {.iterations = 0};
    if (!student->flow)
        return; /* it was not good */
    if (!flow_preset_follows(student->flow)) {
        for (const char *const *key = keys; *key; key++)
            useless(self, *key, "student.flow does not start as its teacher");
    } else if (flow_preset_unrolling(&how, student->flow, NULL) == 0 && how.iterations &&
               student->shrink.iterations >= how.iterations) {
        useless(self, iterations, "student.flow.iterations is no more than that");
    }
}

/* ---- values that do not go together */

static void shares(const rules_view *self)
{
    const config_data *data = &self->config->data;
    if (sound(self, "data.valid", "data.test") && data->valid + data->test >= 1)
        complain(self->out, E_CONFLICT, place_of(self, "data.test", "data.valid"), NULL,
                 "data.valid + data.test is %.15g: no rows are left to train on",
                 data->valid + data->test);
}

/* They are of all columns at once, and a mapping says of each what it is. */
static void own_kinds(const rules_view *self)
{
    static const char *const keys[] = {"data.dequantize", "data.logit.alpha", NULL};
    for (const char *const *key = keys; *key && self->config->data.kinds; key++)
        if (is_given(self, *key))
            complain(self->out, E_CONFLICT, given_at(self, *key)->at,
                     "say it of each column: {NAME: {step: 1, support: [0, 1], alpha: 1e-6}}",
                     "%s is of all columns, and data.columns says what each is", *key);
}

static void interval(const rules_view *self)
{
    const config_logit *logit = &self->config->data.logit;
    if (sound(self, "data.logit.lo", "data.logit.hi") && !(logit->lo < logit->hi))
        complain(self->out, E_CONFLICT, place_of(self, "data.logit.hi", "data.logit.lo"), NULL,
                 "data.logit.lo = %.15g is not below data.logit.hi = %.15g", logit->lo, logit->hi);
}

static void warmup(const rules_view *self)
{
    const config_student *student = &self->config->student;
    if (student->flow && sound(self, "student.train.warmup", "student.train.steps") &&
        student->train.warmup > settings_steps(student))
        complain(self->out, E_CONFLICT,
                 place_of(self, "student.train.warmup", "student.train.steps"), NULL,
                 "student.train.warmup is longer than student.train.steps");
}

/* Without validation rows the fit runs to its end: nothing can wait for their loss. */
static void needs_validation(const rules_view *self)
{
    const config_teacher_train *train = &self->config->teacher.train;
    if (given_at(self, "data.valid")->state == GIVEN_BAD || self->config->data.valid > 0)
        return;
    if (is_given(self, "teacher.train.patience") && train->patience)
        complain(self->out, E_NO_EFFECT, given_at(self, "teacher.train.patience")->at,
                 "take it out, or set data.valid: 0.1",
                 "teacher.train.patience has no effect: data.valid is 0");
    if (is_given(self, "teacher.train.schedule") && train->schedule == FLOW_PLATEAU)
        complain(self->out, E_CONFLICT, given_at(self, "teacher.train.schedule")->at,
                 "set data.valid: 0.1", "schedule plateau needs validation rows: data.valid is 0");
}

static bool known_modes(const config_data *data)
{
    return data->generator >= 0 && data_generators[data->generator].modes > 0;
}

static void gates_without_data(const rules_view *self)
{
    for (int i = 0; i < GATE_COUNT; i++)
        if (gate_figures[i].of == GATE_OF_TEACHER && self->gates[i].state == GIVEN_GOOD)
            complain(self->out, E_CONFLICT, self->gates[i].at, "take it out",
                     "%s holds a teacher against its data, and a target has none",
                     gate_figures[i].name);
}

/* A gate on a figure that this run cannot have would fail at the very end. */
static void possible_gates(const rules_view *self)
{
    if (self->config->target) {
        gates_without_data(self);
        return;
    }
    const given *likelihood = &self->gates[GATE_TEACHER_TEST_LOG_LIKELIHOOD];
    if (likelihood->state == GIVEN_GOOD && given_at(self, "data.test")->state != GIVEN_BAD &&
        !(self->config->data.test > 0))
        complain(self->out, E_CONFLICT, likelihood->at, "set data.test: 0.1",
                 "teacher_test_log_likelihood needs test rows: data.test is 0");
    const given *modes = &self->gates[GATE_MODE_SHARE_ERROR];
    if (modes->state == GIVEN_GOOD && sound(self, "data.path", "data.generator") &&
        !known_modes(&self->config->data))
        complain(self->out, E_CONFLICT, modes->at, NULL,
                 "mode_share_error needs data whose modes are known: a generator that has modes");
}

/* ---- files */

static void data_file(const rules_view *self)
{
    const char *path = self->config->data.path;
    char room[FILE_OF_DATASET];
    if (!is_given(self, "data.path"))
        return;
    place at = given_at(self, "data.path")->at;
    char quoted[COMPLAINT_QUOTE];
    complaint_quote(quoted, path, strlen(path));
    if (!file_is_table(path))
        complain(self->out, E_RANGE, at, file_read_remedy(path),
                 "data.path wants a .npy or .csv file, or FILE.h5:/DATASET, got '%s'", quoted);
    else if (access(file_of_dataset(room, path), R_OK) != 0)
        complain(self->out, E_FILE, at,
                 strstr(path, "~/") ? "~ is not expanded here; write the folder" : NULL,
                 "cannot read '%s': %s", quoted, strerror(errno));
}

static void export_file(const rules_view *self)
{
    const char *file = self->config->export.file;
    bool good = ends_in(file, ".npy") || ends_in(file, ".csv");
    if (is_given(self, "export.file") && (!good || strchr(file, '/')))
        complain(self->out, E_RANGE, given_at(self, "export.file")->at, "like samples.npy",
                 "export.file wants a name without '/' that ends in .npy or .csv");
}

static void (*const rules[])(const rules_view *) = {
    target_alone,  frame_of_target,  look_at_target,   target_followed, data_source, useless_keys,
    header_of_csv, other_objectives, one_term,         following,       shares,      own_kinds,
    interval,      warmup,           needs_validation, possible_gates,  data_file,   export_file};

void rules_check(const rules_view *self)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        rules[i](self);
}
