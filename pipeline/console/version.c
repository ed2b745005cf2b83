#include "pipeline/console/version.h"

#include <cblas.h>
#include <jansson.h>
#include <string.h>
#include <sys/utsname.h>
#include <yaml.h>

static const char *const compiler =
#ifdef __clang__
    "clang " __clang_version__;
#else
    "gcc " __VERSION__;
#endif

enum { NAME = 128 };

/* The value of a line "model name : ..." of the kernel's list. */
static int name_in(const char *line, char out[NAME])
{
    const char *colon = strchr(line, ':');
    if (strncmp(line, "model name", strlen("model name")) != 0 || !colon)
        return 0;
    snprintf(out, NAME, "%s", colon + 1 + strspn(colon + 1, " \t"));
    out[strcspn(out, "\n")] = '\0';
    return *out != '\0';
}

/* As the kernel names it; where it does not, what machine it is. */
static const char *processor(char out[NAME])
{
    char line[512];
    struct utsname is;
    FILE *in = fopen("/proc/cpuinfo", "r");
    int found = 0;
    while (in && !found && fgets(line, sizeof line, in))
        found = name_in(line, out);
    if (in)
        fclose(in);
    if (!found)
        snprintf(out, NAME, "%s", uname(&is) == 0 ? is.machine : "unknown");
    return out;
}

void version_print(FILE *to)
{
    char name[NAME];
    fprintf(to, "distill %s\n", DISTILL_VERSION);
    fprintf(to, "commit    %s\n", DISTILL_COMMIT);
    fprintf(to, "compiler  %s\n", compiler);
    fprintf(to, "openblas  %s, core %s\n", openblas_get_config(), openblas_get_corename());
    fprintf(to, "libyaml   %s\n", yaml_get_version_string());
    fprintf(to, "jansson   %s\n", JANSSON_VERSION);
    fprintf(to, "processor %s\n", processor(name));
}

json_t *version_json(void)
{
    char name[NAME];
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "distill", DISTILL_VERSION,
                     "commit", DISTILL_COMMIT, "compiler", compiler, "openblas",
                     openblas_get_config(), "openblas_core", openblas_get_corename(), "libyaml",
                     yaml_get_version_string(), "jansson", JANSSON_VERSION, "processor",
                     processor(name));
}
