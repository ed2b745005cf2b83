#include "pipeline/console/version.h"

#include <cblas.h>
#include <jansson.h>
#include <yaml.h>

static const char *const compiler =
#ifdef __clang__
    "clang " __clang_version__;
#else
    "gcc " __VERSION__;
#endif

void version_print(FILE *to)
{
    fprintf(to, "distill %s\n", DISTILL_VERSION);
    fprintf(to, "compiler  %s\n", compiler);
    fprintf(to, "openblas  %s, core %s\n", openblas_get_config(), openblas_get_corename());
    fprintf(to, "libyaml   %s\n", yaml_get_version_string());
    fprintf(to, "jansson   %s\n", JANSSON_VERSION);
}

json_t *version_json(void)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "distill", DISTILL_VERSION, "compiler",
                     compiler, "openblas", openblas_get_config(), "openblas_core",
                     openblas_get_corename(), "libyaml", yaml_get_version_string(), "jansson",
                     JANSSON_VERSION);
}
