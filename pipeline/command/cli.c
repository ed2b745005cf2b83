#include "pipeline/command/cli.h"

#include "flow/suggest.h"
#include "pipeline/command/check_target.h"
#include "pipeline/command/completion.h"
#include "pipeline/command/doctor.h"
#include "pipeline/command/explain.h"
#include "pipeline/command/line.h"
#include "pipeline/command/man.h"
#include "pipeline/config/json_schema.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/version.h"
#include "pipeline/stages/gc.h"
#include "pipeline/stages/stage.h"
#include "pipeline/stages/verify.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- verbs */

static int do_run(int argc, char **argv)
{
    run_line line;
    int status = line_read_run(&line, &line_run, argc, argv);
    status = status < 0 ? run_verb(&line.options) : status;
    run_line_free(&line);
    return status;
}

static int do_plan(int argc, char **argv)
{
    run_line line;
    int status = line_read_run(&line, &line_plan, argc, argv);
    status = status < 0 ? plan_verb(&line.options) : status;
    run_line_free(&line);
    return status;
}

/* One stage of a run again. */
static int do_again(const line_spec *spec, const stage *only, int argc, char **argv)
{
    run_line line;
    int status = line_read_again(&line, spec, only->name, argc, argv);
    status = status < 0 ? run_verb(&line.options) : status;
    run_line_free(&line);
    return status;
}

static int do_validate(int argc, char **argv)
{
    return do_again(&line_validate, &stage_validate, argc, argv);
}

static int do_report(int argc, char **argv)
{
    return do_again(&line_report, &stage_report, argc, argv);
}

static int do_export(int argc, char **argv)
{
    export_options options;
    if (!line_is_of_model(argc, argv))
        return do_again(&line_export_stage, &stage_export, argc, argv);
    int status = line_read_export(&options, argc, argv);
    return status < 0 ? export_verb(&options) : status;
}

static int do_verify(int argc, char **argv)
{
    const char *run;
    int status = line_read_word(&run, &line_verify, argc, argv);
    return status < 0 ? verify_verb(run) : status;
}

static int do_gc(int argc, char **argv)
{
    const char *run;
    bool dry;
    int status = line_read_gc(&run, &dry, argc, argv);
    return status < 0 ? gc_verb(run, dry) : status;
}

static int do_check(int argc, char **argv)
{
    run_line line;
    int status = line_read_run(&line, &line_check, argc, argv);
    status = status < 0 ? check_verb(&line.options) : status;
    run_line_free(&line);
    return status;
}

static int do_sample(int argc, char **argv)
{
    sample_options options;
    int status = line_read_sample(&options, argc, argv);
    return status < 0 ? sample_verb(&options) : status;
}

static int do_logp(int argc, char **argv)
{
    logp_options options;
    int status = line_read_logp(&options, argc, argv);
    return status < 0 ? logp_verb(&options) : status;
}

static int do_estimate(int argc, char **argv)
{
    estimate_options options;
    int status = line_read_estimate(&options, argc, argv);
    return status < 0 ? estimate_verb(&options) : status;
}

static int do_hunt(int argc, char **argv)
{
    hunt_options options;
    int status = line_read_hunt(&options, argc, argv);
    return status < 0 ? hunt_verb(&options) : status;
}

static int do_ladder(int argc, char **argv)
{
    ladder_options options;
    int status = line_read_ladder(&options, argc, argv);
    return status < 0 ? ladder_verb(&options) : status;
}

static int do_inspect(int argc, char **argv)
{
    inspect_options options;
    int status = line_read_inspect(&options, argc, argv);
    return status < 0 ? inspect_verb(&options) : status;
}

static int do_check_target(int argc, char **argv)
{
    run_line line;
    int status = line_read_run(&line, &line_check_target, argc, argv);
    status = status < 0 ? check_target_verb(&line.options.sources, line.library_options) : status;
    run_line_free(&line);
    return status;
}

static int do_init(int argc, char **argv)
{
    init_options options;
    int status = line_read_init(&options, argc, argv);
    return status < 0 ? init_verb(&options) : status;
}

static int do_explain(int argc, char **argv)
{
    const char *key;
    flow_err err = FLOW_ERR_INIT;
    int status = line_read_word(&key, &line_explain, argc, argv);
    if (status >= 0)
        return status;
    return explain(stdout, key, &err) ? exit_fail(&err) : EXIT_GOOD;
}

static int do_sweep(int argc, char **argv)
{
    sweep_line line;
    int status = line_read_sweep(&line, argc, argv);
    status = status < 0 ? sweep_verb(&line.options) : status;
    sweep_line_free(&line);
    return status;
}

static int do_status(int argc, char **argv)
{
    status_options options;
    int status = line_read_status(&options, argc, argv);
    return status < 0 ? status_verb(&options) : status;
}

static int do_metrics(int argc, char **argv)
{
    metrics_options options;
    int status = line_read_metrics(&options, argc, argv);
    return status < 0 ? metrics_verb(&options) : status;
}

static int do_diff(int argc, char **argv)
{
    diff_options options;
    int status = line_read_diff(&options, argc, argv);
    return status < 0 ? diff_verb(&options) : status;
}

static int do_schema(int argc, char **argv)
{
    const char *none;
    flow_err err = FLOW_ERR_INIT;
    int status = line_read_word(&none, &line_schema, argc, argv);
    if (status >= 0)
        return status;
    char *text = json_schema_text();
    if (text)
        fputs(text, stdout);
    else
        flow_fail(&err, FLOW_ENOMEM, "out of memory for the schema");
    free(text);
    return err.code ? exit_fail(&err) : EXIT_GOOD;
}

static int do_completion(int argc, char **argv)
{
    const char *shell;
    flow_err err = FLOW_ERR_INIT;
    int status = line_read_word(&shell, &line_completion, argc, argv);
    if (status >= 0)
        return status;
    return completion(stdout, shell, &err) ? line_refuse(&line_completion, &err) : EXIT_GOOD;
}

static int do_man(int argc, char **argv)
{
    const char *section;
    flow_err err = FLOW_ERR_INIT;
    int status = line_read_word(&section, &line_man, argc, argv);
    if (status >= 0)
        return status;
    if (!section || strcmp(section, "1") == 0)
        man_program(stdout);
    else if (strcmp(section, "5") == 0)
        man_config(stdout);
    else
        flow_fail(&err, FLOW_EUSAGE, "there are pages 1 and 5, not '%.60s'", section);
    return err.code ? line_refuse(&line_man, &err) : EXIT_GOOD;
}

static int do_doctor(int argc, char **argv)
{
    bool json;
    int status = line_read_doctor(&json, argc, argv);
    return status < 0 ? doctor_verb(json) : status;
}

static const struct {
    const line_spec *spec;
    int (*run)(int argc, char **argv);
} verbs[] = {{&line_init, do_init},
             {&line_run, do_run},
             {&line_plan, do_plan},
             {&line_validate, do_validate},
             {&line_report, do_report},
             {&line_export, do_export},
             {&line_verify, do_verify},
             {&line_gc, do_gc},
             {&line_check, do_check},
             {&line_check_target, do_check_target},
             {&line_inspect, do_inspect},
             {&line_sample, do_sample},
             {&line_logp, do_logp},
             {&line_estimate, do_estimate},
             {&line_hunt, do_hunt},
             {&line_ladder, do_ladder},
             {&line_sweep, do_sweep},
             {&line_status, do_status},
             {&line_metrics, do_metrics},
             {&line_diff, do_diff},
             {&line_explain, do_explain},
             {&line_schema, do_schema},
             {&line_completion, do_completion},
             {&line_man, do_man},
             {&line_doctor, do_doctor}};

enum { N_VERBS = sizeof verbs / sizeof *verbs };

const line_spec *cli_verb(size_t index)
{
    return index < N_VERBS ? verbs[index].spec : NULL;
}

/* ---- the program */

static void print_help(void)
{
    puts("  distill init moons                         moons.yaml, a config to begin with\n"
         "  distill run moons.yaml                     fit, distil and validate\n"
         "  distill run moons.yaml --set seed=7        the same with one key changed\n"
         "  distill sample MODEL -n 1e6 -o x.npy       a million samples\n"
         "  distill explain student.train              what a key means\n"
         "\n"
         "usage: distill VERB ...\n");
    for (size_t i = 0; i < N_VERBS; i++)
        printf("  %-13s%s\n", verbs[i].spec->name, verbs[i].spec->doc);
    puts("\n"
         "  --help, -h   this text; distill help VERB tells about one verb\n"
         "  --version    of this program, its compiler and its libraries\n");
    exit_list(stdout);
}

static int unknown_verb(const char *word)
{
    const char *names[N_VERBS + 2] = {"--help", "--version"};
    for (size_t i = 0; i < N_VERBS; i++)
        names[i + 2] = verbs[i].spec->name;
    const char *near = flow_suggest(word, names, N_VERBS + 2);
    flow_err err = FLOW_ERR_INIT;
    flow_fail(&err, FLOW_EUSAGE, "there is no %s '%.80s'%s%s%s", *word == '-' ? "option" : "verb",
              word, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    exit_fail(&err);
    fputs("help: distill --help\n", stderr);
    return EXIT_USAGE;
}

/* What was printed must have arrived: a full disk behind stdout is an error, told once. */
static int flushed(int status)
{
    if ((fflush(stdout) == 0 && !ferror(stdout)) || status == EXIT_IO)
        return status;
    fputs("distill: error: cannot write to stdout\n", stderr);
    return status ? status : EXIT_IO;
}

static int do_verb(int argc, char **argv)
{
    for (size_t i = 0; i < N_VERBS; i++)
        if (strcmp(verbs[i].spec->name, argv[0]) == 0)
            return verbs[i].run(argc, argv);
    return unknown_verb(argv[0]);
}

/* help, or help VERB. */
static int help(int argc, char **argv)
{
    char option[] = "--help";
    char *of_verb[] = {argv[argc - 1], option, NULL};
    if (argc == 2 && strcmp(argv[1], "help") != 0)
        return do_verb(2, of_verb);
    if (argc > 2) {
        fprintf(stderr, "distill: error: what is '%.80s'? distill help VERB\n", argv[2]);
        return EXIT_USAGE;
    }
    print_help();
    return EXIT_GOOD;
}

int cli_main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "help") == 0)
        return flushed(help(argc - 1, argv + 1));
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return flushed(help(1, argv + 1));
    if (strcmp(word, "--version") == 0) {
        version_print(stdout);
        return flushed(EXIT_GOOD);
    }
    if (!*word) {
        fputs("distill: error: no verb\nhelp: distill --help\n", stderr);
        return EXIT_USAGE;
    }
    return flushed(do_verb(argc - 1, argv + 1));
}
