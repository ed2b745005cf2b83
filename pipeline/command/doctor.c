#define _GNU_SOURCE /* sched_getaffinity */

#include "pipeline/command/doctor.h"

#include "flow/backend.h"
#include "flow/json.h"
#include "pipeline/command/tell.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/json_print.h"
#include "pipeline/console/version.h"

#include <cblas.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { TEXT = 512, NAME = 16, LEVEL = 6 };

/* One finding: advice "" is ok. Every check fills in one. status: of the process, where no run could end well; else 0. */
typedef struct finding {
    char text[TEXT], advice[TEXT];
    int status;
} finding;

__attribute__((format(printf, 2, 3))) static void say(finding *self, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(self->text, sizeof self->text, fmt, args);
    va_end(args);
}

static void advise(finding *self, const char *text)
{
    snprintf(self->advice, sizeof self->advice, "%s", text);
}

/* ---- program and processor */

static void check_program(finding *out)
{
    json_t *of = version_json();
    say(out, "distill %s, built by %.120s; jansson %.40s, libyaml %.40s", DISTILL_VERSION,
        json_string_value(json_object_get(of, "compiler")),
        json_string_value(json_object_get(of, "jansson")),
        json_string_value(json_object_get(of, "libyaml")));
    json_decref(of);
}

static const char *isa_of(flow_precision precision)
{
    flow_err err = FLOW_ERR_INIT;
    const flow_backend *backend = flow_backend_find(precision, &err);
    return backend ? backend->name : "none";
}

static bool is_wide(const char *isa)
{
    return strstr(isa, "avx") != NULL;
}

static void check_instructions(finding *out)
{
    say(out, "%s and %s", isa_of(FLOW_F32), isa_of(FLOW_F64));
    if (getenv("FLOW_ISA"))
        advise(out, "FLOW_ISA is set: unset it for the fastest this processor has");
}

/* Kernels of a processor of twenty years ago, where there are better: OpenBLAS does not know this one, or was told. */
static void check_blas(finding *out)
{
    const char *core = openblas_get_corename();
    bool old =
        strcmp(core, "Prescott") == 0 || strcmp(core, "Core2") == 0 || strcmp(core, "Generic") == 0;
    say(out, "%.200s, core %s", openblas_get_config(), core);
    if (old && is_wide(isa_of(FLOW_F32)))
        advise(out,
               getenv("OPENBLAS_CORETYPE")
                   ? "OPENBLAS_CORETYPE is set to kernels that are slow here: unset it"
                   : "its kernels are slow here: export OPENBLAS_CORETYPE=Haswell (last bits of "
                     "results change)");
}

/* Processors that a container may use, or 0: as many as there are. */
static double quota(void)
{
    FILE *in = fopen("/sys/fs/cgroup/cpu.max", "r");
    double most = 0, period = 1;
    if (in && fscanf(in, "%lf %lf", &most, &period) != 2)
        most = 0;
    if (in)
        fclose(in);
    return period > 0 ? most / period : 0;
}

static void check_threads(finding *out)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t mine;
    double most = quota();
    int allowed = sched_getaffinity(0, sizeof mine, &mine) == 0 ? CPU_COUNT(&mine) : (int)online;
    say(out, "%ld processors, %d of them for this process", online, allowed);
    if (most > 0 && most < allowed) {
        size_t used = strlen(out->text);
        snprintf(out->text + used, sizeof out->text - used, ", and time of %.3g", most);
    }
    if (allowed < online || (most > 0 && most < allowed))
        advise(out, "say so: --threads N, or compute.threads; more are in each other's way");
}

static void check_memory(finding *out)
{
    double pages = (double)sysconf(_SC_AVPHYS_PAGES), size = (double)sysconf(_SC_PAGESIZE);
    double all = (double)sysconf(_SC_PHYS_PAGES);
    say(out, "%.3g of %.3g GB free", pages * size / 1e9, all * size / 1e9);
    if (all * size < 1e9)
        advise(out, "little: tables, and validate.samples, have to be small");
}

/* ---- the directory */

/* A file that is made, locked and removed here. */
static void check_directory(finding *out)
{
    char path[64], where[256] = "?";
    snprintf(path, sizeof path, ".distill-doctor-%ld", (long)getpid());
    if (!getcwd(where, sizeof where))
        snprintf(where, sizeof where, ".");
    FILE *file = fopen(path, "wx");
    if (!file) {
        out->status = EXIT_CREATE;
        say(out, "%s cannot be written: %s", where, strerror(errno));
        advise(out, "run elsewhere, or with --out DIR");
        return;
    }
    bool locks = flock(fileno(file), LOCK_EX | LOCK_NB) == 0;
    bool arrives = fputs("x", file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    fclose(file);
    unlink(path);
    say(out, "%s can be written%s", where, locks ? " and locked" : ", but not locked");
    out->status = arrives ? EXIT_GOOD : EXIT_IO;
    if (!arrives)
        advise(out, "what is written does not arrive: the disk is full, or a quota is reached");
    else if (!locks)
        advise(out, "two runs in one directory will not be kept apart: use a local disk");
}

static void check_disk(finding *out)
{
    struct statvfs is;
    if (statvfs(".", &is)) {
        say(out, "not known: %s", strerror(errno));
        return;
    }
    double free_bytes = (double)is.f_bavail * (double)is.f_frsize;
    say(out, "%.3g GB free", free_bytes / 1e9);
    if (free_bytes < 1e9)
        advise(out, "make room: a million samples of ten columns are 80 MB");
}

/* ---- fonts */

static bool is_font(const char *name)
{
    static const char *const endings[] = {".ttf", ".otf", ".ttc", ".pfb"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcmp(dot, endings[i]) == 0)
            return true;
    return false;
}

/* Fonts below a directory, so deep. */
static size_t count_fonts(const char *path, int depth)
{
    size_t n = 0;
    DIR *in = opendir(path);
    for (struct dirent *at; in && (at = readdir(in));) {
        char below[1024];
        if (*at->d_name == '.' ||
            snprintf(below, sizeof below, "%s/%s", path, at->d_name) >= (int)sizeof below)
            continue;
        n += is_font(at->d_name) ? 1 : depth > 0 ? count_fonts(below, depth - 1) : 0;
    }
    if (in)
        closedir(in);
    return n;
}

static void check_fonts(finding *out)
{
    char own[512];
    const char *home = getenv("HOME");
    snprintf(own, sizeof own, "%s/.local/share/fonts", home ? home : "");
    size_t n = count_fonts("/usr/share/fonts", 4) + count_fonts("/usr/local/share/fonts", 4) +
               (home ? count_fonts(own, 4) : 0);
    say(out, "%zu files", n);
    if (!n)
        advise(out, "pictures have no letters without one: apt-get install fonts-dejavu-core");
}

/* ---- the whole */

static const struct {
    const char *name;
    void (*check)(finding *out);
} checks[] = {{"program", check_program}, {"instructions", check_instructions},
              {"blas", check_blas},       {"threads", check_threads},
              {"memory", check_memory},   {"directory", check_directory},
              {"disk", check_disk},       {"fonts", check_fonts}};

enum { N_CHECKS = sizeof checks / sizeof *checks };

static const char *level_of(const finding *f)
{
    return f->status ? "fail" : *f->advice ? "warn" : "ok";
}

static void print(const char *name, const finding *f)
{
    printf("%-*s%-*s", LEVEL, level_of(f), NAME, name);
    tell_wrap(stdout, f->text, LEVEL + NAME, LEVEL + NAME);
    if (*f->advice) {
        printf("%*s-> ", LEVEL + NAME, "");
        tell_wrap(stdout, f->advice, LEVEL + NAME + 3, LEVEL + NAME + 3);
    }
}

static json_t *finding_json(const char *name, const finding *f)
{
    return json_pack("{s:s, s:s, s:s, s:o}", "check", name, "level", level_of(f), "text", f->text,
                     "advice", *f->advice ? json_string(f->advice) : json_null());
}

int doctor_verb(bool json)
{
    int status = EXIT_GOOD;
    flow_err err = FLOW_ERR_INIT;
    json_t *list = json_array(), *out = NULL;
    for (size_t i = 0; i < N_CHECKS; i++) {
        finding f = {.text = ""};
        checks[i].check(&f);
        status = status ? status : f.status;
        if (json)
            flow_json_append(&list, finding_json(checks[i].name, &f));
        else
            print(checks[i].name, &f);
    }
    out = json_object();
    flow_json_set(&out, "checks", list);
    if (json)
        json_print(out, &err);
    json_decref(out);
    return err.code ? exit_fail(&err) : status;
}
