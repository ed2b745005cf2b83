#define _XOPEN_SOURCE 700 /* realpath */
#include "teacher/umami_options.h"

#include "teacher/data_text.h"
#include "teacher/phase_space.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT(FIELD)                                                                               \
    FLOW_KEY(umami_options, FIELD), .type = FLOW_KEY_WHOLE, .min = 0, .max = INT_MAX
#define CUT(FIELD) FLOW_KEY(umami_options, FIELD), .type = FLOW_KEY_REAL, .min = 0, .max = INFINITY

static const flow_key keys[] = {
    {FLOW_KEY(umami_options, energy), .type = FLOW_KEY_REAL,
     .flags = FLOW_KEY_REQUIRED | FLOW_KEY_OPEN_MIN, .min = 0, .max = 1e12, .unit = "GeV",
     .doc = "Of the centre of mass; of one incoming particle its mass."},
    {FLOW_KEY(umami_options, incoming), .type = FLOW_KEY_WHOLE, .min = 1, .max = 2, .def = "2",
     .doc = "Particles that come in; the first of those that the library has."},
    {FLOW_KEY(umami_options, card), .type = FLOW_KEY_TEXT, .min = 1, .max = 4096,
     .doc = "The parameter card that the library is opened with."},
    {FLOW_KEY(umami_options, masses), .type = FLOW_KEY_REALS, .min = 0, .max = 1e12, .n_min = 1,
     .n_max = PHASE_SPACE_MOST + 2, .unit = "GeV",
     .doc = "Of all particles, incoming ones first, where the library does not say."},
    {.name = "parameters",
     .type = FLOW_KEY_OWN,
     .wants = "names of parameters, each with a number or [real, imaginary]",
     .doc = "Parameters of the model that are not as the card has them."},
    {FLOW_KEY(umami_options, threads), .type = FLOW_KEY_BOOL, .def = "true",
     .doc = "Whether handles are independent, as they have to be: a handle for each thread."},
    {FLOW_KEY(umami_options, alpha_s), .type = FLOW_KEY_REAL, .min = 0, .max = 1e6,
     .doc = "The strong coupling, the same for all rows."},
    {INPUT(flavor), .doc = "Which flavours, where the library has several."},
    {INPUT(helicity), .doc = "One helicity, in the place of all of them."},
    {INPUT(diagram), .doc = "One diagram."},
    {INPUT(channel), .doc = "One channel, where the library adds up several."},
    {CUT(pt_min), .unit = "GeV", .doc = "Least transverse momentum of an outgoing particle."},
    {CUT(eta_max), .doc = "Largest |pseudorapidity| of an outgoing particle."},
    {CUT(dr_min), .doc = "Least distance of two of them in pseudorapidity and azimuth."},
    {CUT(mass_min), .unit = "GeV", .doc = "Least mass of two of them together."},
    {.name = NULL}};

static const flow_kind umami_kind = {
    .name = "umami", .doc = "a matrix element", .keys = keys, .size = sizeof(umami_options)};

static const flow_kind *kind_at(size_t i)
{
    return i == 0 ? &umami_kind : NULL;
}

static const flow_registry registry = {.what = "matrix element", .at = kind_at};

bool umami_options_has(const umami_given *self, const char *key)
{
    return json_object_get(self->object, key) != NULL;
}

/* ---- what no key can say */

static bool is_parameter(const json_t *value)
{
    return json_is_number(value) ||
           (json_is_array(value) && json_array_size(value) == 2 &&
            json_is_number(json_array_get(value, 0)) && json_is_number(json_array_get(value, 1)));
}

static int check_parameters(const umami_given *self, flow_err *err)
{
    json_t *all = json_object_get(self->object, "parameters");
    if (all && !json_is_object(all))
        return flow_fail(err, FLOW_ECONFIG, "parameters wants %s",
                         flow_key_find(keys, "parameters")->wants);
    for (void *at = json_object_iter(all); at; at = json_object_iter_next(all, at))
        if (!is_parameter(json_object_iter_value(at)))
            return flow_fail(err, FLOW_ECONFIG,
                             "parameters: '%.60s' wants a number or [real, imaginary]",
                             json_object_iter_key(at));
    return 0;
}

/* A new text: the path of a file beside `data`, if that is a path; as it is if not. */
static char *beside(const char *data, const char *file)
{
    const char *end = data_text_is_path(data) && *file != '/' ? strrchr(data, '/') : NULL;
    size_t folder = end ? (size_t)(end - data) + 1 : 0, size = strlen(file) + 1;
    char *path = malloc(folder + size);
    if (path) {
        memcpy(path, data, folder);
        memcpy(path + folder, file, size);
    }
    return path;
}

/* Absolute: a library may have changed the working directory once it is asked for more handles. */
static int find_card(umami_given *self, const char *data, flow_err *err)
{
    const char *card = self->o->card;
    char *path = card ? beside(data, card) : strdup("");
    if (!path)
        return flow_fail(err, FLOW_ENOMEM, "card: out of memory");
    if (!card)
        self->card = path;
    else if (access(path, R_OK))
        flow_fail(err, FLOW_ENOINPUT, "card: %.300s: %s", path, strerror(errno));
    else if (!(self->card = realpath(path, NULL)))
        flow_fail(err, FLOW_ENOMEM, "card: out of memory");
    if (self->card != path)
        free(path);
    return err->code;
}

/* ---- */

/* Without "kind", which is not to be given, and with it for those who complete objects. */
static int complete(umami_given *self, flow_err *err)
{
    if (json_object_get(self->object, "kind"))
        return flow_fail(err, FLOW_ECONFIG, "there is no key 'kind'");
    if (json_object_set_new(self->object, "kind", json_string(umami_kind.name)))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for options");
    json_t *whole = flow_kind_complete(&registry, self->object, err);
    json_decref(self->object);
    self->object = whole;
    return err->code;
}

int umami_options_read(umami_given *out, const char *data, flow_err *err)
{
    *out = (umami_given){.object = data_text_object(data, err)};
    if (!out->object || complete(out, err) ||
        !(out->o = flow_kind_read(&umami_kind, out->object, err)) || check_parameters(out, err))
        return err->code;
    return find_card(out, data, err);
}

void umami_options_release(umami_given *self)
{
    free(self->card);
    free(self->o);
    json_decref(self->object);
    *self = (umami_given){.o = NULL};
}
