#include "teacher/umami_library.h"

#include "teacher/phase_space.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *symbol;
    size_t at;
    bool needed;
} wanted[] = {
    {"umami_get_meta", offsetof(umami_functions, get_meta), true},
    {"umami_initialize", offsetof(umami_functions, initialize), true},
    {"umami_matrix_element", offsetof(umami_functions, matrix_element), true},
    {"umami_free", offsetof(umami_functions, free), true},
    {"umami_set_parameter", offsetof(umami_functions, set_parameter), false},
    {"umami_get_parameter", offsetof(umami_functions, get_parameter), false},
    {"umami_supported_inputs", offsetof(umami_functions, supported_inputs), false},
    {"umami_required_inputs", offsetof(umami_functions, required_inputs), false},
};
enum { N_WANTED = sizeof wanted / sizeof *wanted };

static const char *const inputs[] = {
    [UMAMI_IN_MOMENTA] = "momenta",
    [UMAMI_IN_ALPHA_S] = "alpha_s",
    [UMAMI_IN_FLAVOR] = "flavor",
    [UMAMI_IN_RANDOM_COLOR] = "a random number for the colour",
    [UMAMI_IN_RANDOM_HELICITY] = "a random number for the helicity",
    [UMAMI_IN_RANDOM_DIAGRAM] = "a random number for the diagram",
    [UMAMI_IN_HELICITY] = "helicity",
    [UMAMI_IN_DIAGRAM] = "diagram",
    [UMAMI_IN_CHANNEL] = "channel",
};
enum { N_INPUTS = sizeof inputs / sizeof *inputs };

const char *umami_input_name(int key)
{
    return key >= 0 && key < N_INPUTS ? inputs[key] : NULL;
}

const char *umami_status(char *out, int status)
{
    static const char *const texts[] = {
        [UMAMI_ERROR] = "an error",
        [UMAMI_ERROR_NOT_IMPLEMENTED] = "this is not implemented",
        [UMAMI_ERROR_UNSUPPORTED_INPUT] = "an input is not supported",
        [UMAMI_ERROR_UNSUPPORTED_OUTPUT] = "the matrix element is not supported"};
    const char *text =
        status > 0 && status <= UMAMI_ERROR_UNSUPPORTED_OUTPUT ? texts[status] : NULL;
    snprintf(out, UMAMI_TEXT, "status %d%s%s", status, text ? ": " : "", text ? text : "");
    return out;
}

/* ---- functions */

bool umami_is_one(void *library)
{
    for (size_t i = 0; i < N_WANTED; i++)
        if (dlsym(library, wanted[i].symbol))
            return true;
    return false;
}

/* A library of 1.0 does not know the question. */
static int check_version(const umami_functions *call, flow_err *err)
{
    int major = UMAMI_MAJOR;
    if (call->get_meta(UMAMI_META_MAJOR, &major) == UMAMI_SUCCESS && major != UMAMI_MAJOR)
        return flow_fail(err, FLOW_EDATA,
                         "it was built for version %d of UMAMI; version %d is known here", major,
                         UMAMI_MAJOR);
    return 0;
}

static int check_device(const umami_functions *call, flow_err *err)
{
    int device = UMAMI_DEVICE_CPU;
    if (call->get_meta(UMAMI_META_DEVICE, &device) == UMAMI_SUCCESS && device != UMAMI_DEVICE_CPU)
        return flow_fail(err, FLOW_EDATA,
                         "it computes on a GPU (device %d): build it for the processor", device);
    return 0;
}

int umami_find(umami_functions *call, void *library, flow_err *err)
{
    for (size_t i = 0; i < N_WANTED; i++) {
        void *symbol = dlsym(library, wanted[i].symbol);
        if (!symbol && wanted[i].needed)
            return flow_fail(err, FLOW_EDATA, "it has functions of UMAMI, but no symbol '%s'",
                             wanted[i].symbol);
        memcpy((char *)call + wanted[i].at, &symbol, sizeof symbol);
    }
    int code = check_version(call, err);
    return code ? code : check_device(call, err);
}

/* ---- what it says of itself */

int umami_particles(const umami_functions *call, size_t *n, flow_err *err)
{
    enum { MOST = PHASE_SPACE_MOST + 2 };
    char text[UMAMI_TEXT];
    int count = 0, status = call->get_meta(UMAMI_META_PARTICLES, &count);
    if (status)
        return flow_fail(err, FLOW_EDATA, "umami_get_meta does not say how many particles: %s",
                         umami_status(text, status));
    if (count < 3 || count > MOST)
        return flow_fail(err, FLOW_EDATA, "it says that it has %d particles; 3 .. %d can be", count,
                         MOST);
    *n = (size_t)count;
    return 0;
}

static int read_masses(double *mass, size_t n, const json_t *list, flow_err *err)
{
    if (json_array_size(list) != n)
        return flow_fail(err, FLOW_ECONFIG, "masses wants %zu numbers, one for each particle", n);
    for (size_t i = 0; i < n; i++)
        mass[i] = json_number_value(json_array_get(list, i));
    return 0;
}

static int check_masses(const double *mass, const double *given, size_t n, flow_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (fabs(mass[i] - given[i]) > 1e-9 * (mass[i] + given[i]))
            return flow_fail(err, FLOW_ECONFIG,
                             "masses: particle %zu has the mass %g, and the library says %g", i,
                             given[i], mass[i]);
    return 0;
}

static int check_own_masses(const double *mass, size_t n, flow_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (!(mass[i] >= 0 && mass[i] < INFINITY))
            return flow_fail(err, FLOW_EDATA, "it says that particle %zu has the mass %g", i,
                             mass[i]);
    return 0;
}

int umami_masses(const umami_functions *call, double *mass, size_t n, const umami_given *given,
                 flow_err *err)
{
    double own[PHASE_SPACE_MOST + 2] = {0};
    bool says = call->get_meta(UMAMI_META_MASSES, own) == UMAMI_SUCCESS;
    if (!says && !given->o->masses)
        return flow_fail(err, FLOW_ECONFIG,
                         "masses: the library does not say them: give them for its %zu particles",
                         n);
    if (says && check_own_masses(own, n, err))
        return err->code;
    memcpy(mass, own, n * sizeof *mass);
    if (!given->o->masses)
        return 0;
    if (read_masses(mass, n, given->o->masses, err))
        return err->code;
    return says && !umami_options_has(given, "parameters") ? check_masses(own, mass, n, err) : 0;
}

/* ---- inputs */

static bool is_in(int key, const int *list, size_t n)
{
    while (n-- > 0)
        if (list[n] == key)
            return true;
    return false;
}

static int check_taken(const umami_functions *call, const int *key, size_t n, flow_err *err)
{
    const bool *list = NULL;
    int count = 0;
    if (!call->supported_inputs || call->supported_inputs(&list, &count) || !list)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (key[i] >= count || !list[key[i]])
            return flow_fail(err, FLOW_ECONFIG, "%s: the library does not take this input",
                             umami_input_name(key[i]));
    return 0;
}

static int check_wanted(const umami_functions *call, const int *key, size_t n, flow_err *err)
{
    const bool *list = NULL;
    int count = 0;
    if (!call->required_inputs || call->required_inputs(&list, &count) || !list)
        return 0;
    for (int i = 0; i < count; i++)
        if (list[i] && !is_in(i, key, n))
            return flow_fail(err, FLOW_ECONFIG, "the library wants %s, which is not given",
                             i < N_INPUTS ? inputs[i] : "an input that is not known here");
    return 0;
}

int umami_check_inputs(const umami_functions *call, const int *key, size_t n, flow_err *err)
{
    int code = check_taken(call, key, n, err);
    return code ? code : check_wanted(call, key, n, err);
}

/* ---- handles */

static double part(const json_t *value, size_t at)
{
    if (json_is_array(value))
        return json_number_value(json_array_get(value, at));
    return at == 0 ? json_number_value(value) : 0;
}

/* A library that cannot tell is believed. */
static int check_parameter(const umami_functions *call, void *handle, const char *name,
                           const json_t *value, flow_err *err)
{
    double real = part(value, 0), imaginary = part(value, 1), got = real, rest = imaginary;
    if (!call->get_parameter || call->get_parameter(handle, name, &got, &rest))
        return 0;
    if (got == real && (rest == imaginary || !json_is_array(value)))
        return 0;
    return flow_fail(
        err, FLOW_EDATA,
        "parameters: '%.60s' was set to %.12g and is %.12g: the library did not keep it", name,
        real, got);
}

static int set_parameter(const umami_functions *call, void *handle, const char *name,
                         const json_t *value, flow_err *err)
{
    char text[UMAMI_TEXT];
    if (!call->set_parameter)
        return flow_fail(err, FLOW_EDATA,
                         "parameters: the library cannot set any: it has no umami_set_parameter");
    int status = call->set_parameter(handle, name, part(value, 0), part(value, 1));
    if (status)
        return flow_fail(err, FLOW_EDATA, "parameters: '%.60s' could not be set: %s", name,
                         umami_status(text, status));
    return 0;
}

typedef int for_parameter(const umami_functions *call, void *handle, const char *name,
                          const json_t *value, flow_err *err);

static int for_all(for_parameter *does, const umami_functions *call, void *handle,
                   const umami_given *given, flow_err *err)
{
    json_t *all = json_object_get(given->object, "parameters");
    int code = 0;
    for (void *at = json_object_iter(all); at && !code; at = json_object_iter_next(all, at))
        code = does(call, handle, json_object_iter_key(at), json_object_iter_value(at), err);
    return code;
}

int umami_handle(const umami_functions *call, void **handle, const umami_given *given,
                 flow_err *err)
{
    char text[UMAMI_TEXT];
    *handle = NULL;
    int status = call->initialize(handle, given->card);
    if (status)
        return flow_fail(err, FLOW_EDATA, "umami_initialize(\"%.200s\") failed: %s", given->card,
                         umami_status(text, status));
    int code = for_all(set_parameter, call, *handle, given, err);
    if (!code) /* when all are set: one may follow from others */
        code = for_all(check_parameter, call, *handle, given, err);
    if (code)
        call->free(*handle);
    return code;
}
