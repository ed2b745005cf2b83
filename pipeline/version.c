#include "pipeline/version.h"

#include <cblas.h>
#include <jansson.h>
#include <yaml.h>

void version_print(FILE *to)
{
    const char *compiler =
#ifdef __clang__
        "clang " __clang_version__;
#else
        "gcc " __VERSION__;
#endif
    fprintf(to, "distill %s\n", DISTILL_VERSION);
    fprintf(to, "compiler  %s\n", compiler);
    fprintf(to, "openblas  %s, core %s\n", openblas_get_config(), openblas_get_corename());
    fprintf(to, "libyaml   %s\n", yaml_get_version_string());
    fprintf(to, "jansson   %s\n", JANSSON_VERSION);
}
