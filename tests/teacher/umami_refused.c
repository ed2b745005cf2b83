/* What may be wrong with the library of a matrix element, and with its options. */
#include "tests/teacher/umami_made.h"

#include <criterion/criterion.h>
#include <string.h>

static void refused(const char *file, const char *words, int code, const char *want)
{
    char more[1000];
    flow_err err;
    cr_assert(!umami_make(file, umami_with(more, words, ""), &err), "%s %s was accepted", file,
              words);
    cr_assert_eq(err.code, code, "%s: %d: %s", words, err.code, err.text);
    cr_assert(strstr(err.text, want), "%s: '%s' is not in '%s'", words, want, err.text);
}

Test(umami_refused, the_library_must_be_one)
{
    const char *e = "'energy': 10";
    refused("tests/plugins/umami_new.so", e, FLOW_EDATA, "version 2 of UMAMI; version 1 is known");
    refused("tests/plugins/umami_gpu.so", e, FLOW_EDATA, "computes on a GPU (device 1)");
    refused("tests/plugins/umami_missing.so", e, FLOW_EDATA, "no symbol 'umami_free'");
    refused("tests/plugins/umami_old.so", e, FLOW_ECONFIG, "masses: the library does not say them");
    refused("tests/plugins/umami_wants.so", e, FLOW_ECONFIG, "wants alpha_s, which is not given");
    refused("tests/plugins/umami_alone.so", e, FLOW_EDATA,
            "2 of its 3 particles come in, and 1 go");
    refused("tests/plugins/umami_old.so",
            "'energy': 1, 'masses': [0, 0, 0, 0], 'parameters': {'nan': 1}", FLOW_EDATA,
            "it has no umami_set_parameter");
}

Test(umami_refused, options_must_make_sense)
{
    refused(UMAMI_MUONS, "", FLOW_ECONFIG, "key 'energy' is missing");
    refused(UMAMI_MUONS, "'energy': -1", FLOW_ECONFIG, "energy wants a number > 0");
    refused(UMAMI_MUONS, "'energie': 1", FLOW_ECONFIG, "there is no key 'energie'");
    refused(UMAMI_MUONS, "'energy': 1, 'kind': 'x'", FLOW_ECONFIG, "there is no key 'kind'");
    refused(UMAMI_MUONS, "'energy' 1", FLOW_EDATA, "data: no JSON");
    refused(UMAMI_MUONS, "'energy': 1, 'energy': 2", FLOW_EDATA, "data: no JSON: duplicate");
    refused(UMAMI_MUONS, "'energy': 1, 'card': 'nix.dat'", FLOW_ENOINPUT,
            "card: nix.dat: No such file");
    refused(UMAMI_MUONS, "'energy': 1, 'card': 'Makefile'", FLOW_EDATA,
            "failed: status 1: an error");
    refused(UMAMI_MUONS, "'energy': 1, 'masses': [0, 0]", FLOW_ECONFIG, "masses wants 4 numbers");
    refused(UMAMI_MUONS, "'energy': 1, 'masses': [0, 0, 0, 0.1]", FLOW_ECONFIG,
            "particle 3 has the mass 0.1, and the library says 0");
    refused(UMAMI_MUONS, "'energy': 1, 'helicity': 3", FLOW_ECONFIG,
            "helicity: the library does not take this input");
    refused(UMAMI_MUONS, "'energy': 1, 'incoming': 1", FLOW_ECONFIG,
            "energy is 1, and the particle that decays has the mass 0");
    refused("tests/plugins/umami_flat.so", "'energy': 0.6", FLOW_ECONFIG,
            "not enough for incoming particles of masses 0.2 and 0.5");
    refused("tests/plugins/umami_flat.so", "'energy': 3.4", FLOW_EDATA,
            "not enough for outgoing particles of masses 3.5");
    cr_assert_eq(umami_count("umami_handles"), 0, "handles are not freed");
}

Test(umami_refused, parameters_must_be_taken)
{
    refused(UMAMI_MUONS, "'energy': 1, 'parameters': 3", FLOW_ECONFIG, "parameters wants names of");
    refused(UMAMI_MUONS, "'energy': 1, 'parameters': {'nan': 'x'}", FLOW_ECONFIG,
            "'nan' wants a number or [real, imaginary]");
    refused(UMAMI_MUONS, "'energy': 1, 'parameters': {'mZ': 91}", FLOW_EDATA,
            "'mZ' could not be set: status 1");
    refused(UMAMI_MUONS, "'energy': 1, 'parameters': {'aEWM1': 1200}", FLOW_EDATA,
            "was set to 1200 and is 1000");
    refused(UMAMI_MUONS, "'energy': 1, 'parameters': {'status': -2}", FLOW_EDATA,
            "umami_matrix_element failed: status 1");
    cr_assert_eq(umami_count("umami_handles"), 0, "handles are not freed");
}

Test(umami_refused, data_must_be_there)
{
    flow_err err;
    cr_assert(!umami_make(UMAMI_MUONS, "\"data\": \"nix.json\"", &err));
    cr_assert_eq(err.code, FLOW_ENOINPUT);
    cr_assert(strstr(err.text, "data: nix.json: No such file"), "%s", err.text);
    cr_assert(!umami_make(UMAMI_MUONS, "\"options\": \"[1]\"", &err));
    cr_assert(strstr(err.text, "wanted a JSON object"), "%s", err.text);
}
