#include "pipeline/cli.h"

#include "flow/suggest.h"
#include "pipeline/explain.h"
#include "pipeline/logp.h"
#include "pipeline/options.h"
#include "pipeline/run.h"
#include "pipeline/sample.h"
#include "pipeline/signals.h"
#include "pipeline/term.h"
#include "pipeline/version.h"

#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- exit codes */

int cli_exit_code(int code)
{
    switch ((flow_code)code) {
    case FLOW_OK:
        return EXIT_GOOD;
    case FLOW_EDIVERGED:
    case FLOW_ENOCONV:
        return EXIT_DIVERGED;
    case FLOW_EUSAGE:
        return EXIT_USAGE;
    case FLOW_EDATA:
        return EXIT_DATA;
    case FLOW_ENOINPUT:
        return EXIT_NO_INPUT;
    case FLOW_ECREATE:
        return EXIT_CREATE;
    case FLOW_EIO:
        return EXIT_IO;
    case FLOW_ECONFIG:
        return EXIT_CONFIG;
    case FLOW_ENOMEM:
        return EXIT_MEMORY;
    case FLOW_ESTOPPED:
        return signals_exit_code() ? signals_exit_code() : EXIT_BUG;
    case FLOW_EBUG:
        break;
    }
    return EXIT_BUG;
}

int cli_fail(const flow_err *err)
{
    fprintf(stderr, "distill: error: %s\n", err->text);
    return cli_exit_code(err->code);
}

/* ---- verbs: one table each of options, one function that reads them */

typedef struct cli_verb {
    const char *name, *operands;
    int n_min, n_max; /* operands */
    const char *doc;
    const char *examples; /* lines */
    const cli_option *options;
    int (*run)(const struct cli_verb *self, int argc, char **argv);
} cli_verb;

static void print_verb_help(const cli_verb *verb)
{
    printf("%s\nusage: distill %s %s\n\n%s\n\n", verb->examples, verb->name, verb->operands,
           verb->doc);
    options_print(stdout, verb->options);
}

/* Stores one option; `into` is the options struct of the verb. */
typedef int (*take_option)(void *into, int id, const char *arg, flow_err *err);

/* Reads the command line of a verb. Returns -1 to go on, with *operands the first operand and NULL
 * after the last, or an exit code. */
static int read_line(const cli_verb *verb, char ***operands, void *into, take_option take, int argc,
                     char **argv)
{
    option_reader reader;
    flow_err err = FLOW_ERR_INIT;
    int id;
    options_start(&reader, verb->options, argc, argv);
    while ((id = options_next(&reader, &err)) >= 0) {
        if (id == OPTION_HELP) {
            print_verb_help(verb);
            return EXIT_GOOD;
        }
        if (take(into, id, reader.arg, &err))
            break;
    }
    *operands = argv + optind;
    int n = argc - optind;
    if (!err.code && n < verb->n_min)
        flow_fail(&err, FLOW_EUSAGE, "something is missing: distill %s %s", verb->name,
                  verb->operands);
    if (!err.code && n > verb->n_max)
        flow_fail(&err, FLOW_EUSAGE, "what is '%.80s'? distill %s %s", argv[optind + verb->n_max],
                  verb->name, verb->operands);
    if (!err.code)
        return -1;
    cli_fail(&err);
    fprintf(stderr, "help: distill %s --help\n", verb->name);
    return EXIT_USAGE;
}

static int take_nothing(void *into, int id, const char *arg, flow_err *err)
{
    (void)into, (void)arg;
    return flow_fail(err, FLOW_EBUG, "option %d", id);
}

/* ---- run and check */

enum {
    OPTION_SET = OPTION_LONG,
    OPTION_OUT,
    OPTION_THREADS,
    OPTION_SEED,
    OPTION_FIRST,
    OPTION_CONTEXT,
    OPTION_LOGP,
    OPTION_FORMAT
};

#define SOURCE_OPTIONS                                                                             \
    {"set", OPTION_SET, "KEY=VALUE", "override one key; may be repeated"},                         \
    {                                                                                              \
        "config", 'c', "FILE", "lay a second YAML file over the first; may be repeated"            \
    }

static const cli_option run_table[] = {
    SOURCE_OPTIONS,
    {"out", OPTION_OUT, "DIR", "run directory; default runs/NAME"},
    {"threads", OPTION_THREADS, "N", "threads; changes no result"},
    {"quiet", 'q', NULL, "no progress on stderr"},
    {NULL, 0, NULL, NULL}};

static const cli_option check_table[] = {SOURCE_OPTIONS, {NULL, 0, NULL, NULL}};

enum { MAX_THREADS = 1024 };

/* A run and the lists that its sources point into. */
typedef struct run_line {
    run_options options;
    const char **overlays, **sets; /* (argc) each: more than can be given */
} run_line;

static int take_run(void *into, int id, const char *arg, flow_err *err)
{
    run_line *line = into;
    run_options *o = &line->options;
    switch (id) {
    case OPTION_SET:
        line->sets[o->sources.n_sets++] = arg;
        return FLOW_OK;
    case 'c':
        line->overlays[o->sources.n_overlays++] = arg;
        return FLOW_OK;
    case OPTION_OUT:
        o->out = arg;
        return FLOW_OK;
    case OPTION_THREADS:
        return option_whole(&o->threads, "--threads", arg, 1, MAX_THREADS, err);
    default:
        o->quiet = true;
        return FLOW_OK;
    }
}

static int check_config(const config_sources *sources)
{
    complaints *out = complaints_create();
    if (!out)
        return EXIT_MEMORY;
    config *self = config_load(sources, out);
    complaints_show(out, stderr, term_colour(STDERR_FILENO));
    if (self)
        fprintf(stderr, "%s: ok\n", sources->file);
    int status = complaints_exit_code(out);
    config_free(self);
    complaints_free(out);
    return status;
}

/* Reads the line of run or of check and passes it on. */
static int with_sources(const cli_verb *verb, int argc, char **argv,
                        int (*then)(const run_options *options))
{
    size_t n = (size_t)argc;
    run_line line = {.overlays = calloc(n, sizeof(char *)), .sets = calloc(n, sizeof(char *))};
    int status = EXIT_MEMORY;
    if (line.overlays && line.sets) {
        char **operands;
        line.options.sources.overlays = line.overlays;
        line.options.sources.sets = line.sets;
        line.options.argc = argc;
        line.options.argv = argv;
        status = read_line(verb, &operands, &line, take_run, argc, argv);
        if (status < 0) {
            line.options.sources.file = operands[0];
            status = then(&line.options);
        }
    }
    free(line.overlays);
    free(line.sets);
    return status;
}

static int run_run(const cli_verb *verb, int argc, char **argv)
{
    return with_sources(verb, argc, argv, run_verb);
}

static int check_verb(const run_options *options)
{
    return check_config(&options->sources);
}

static int run_check(const cli_verb *verb, int argc, char **argv)
{
    return with_sources(verb, argc, argv, check_verb);
}

/* ---- sample and logp */

#define OUTPUT_OPTIONS                                                                             \
    {"output", 'o', "FILE", ".npy or .csv by its ending; default, and '-': stdout"},               \
        {"format", OPTION_FORMAT, "npy|csv", "format, whatever the ending; stdout is csv"},        \
    {                                                                                              \
        "threads", OPTION_THREADS, "N", "threads; changes no result"                               \
    }

static const cli_option sample_table[] = {
    {"number", 'n', "N", "how many samples"},
    {"seed", OPTION_SEED, "S", "default 0: the same command gives the same samples"},
    {"first", OPTION_FIRST, "K", "start at sample K of the stream; default 0"},
    {"context", OPTION_CONTEXT, "FILE", "one row of context per sample, .npy or .csv"},
    {"logp", OPTION_LOGP, NULL, "add a last column: the log-density of the sample"},
    OUTPUT_OPTIONS,
    {NULL, 0, NULL, NULL}};

static const cli_option logp_table[] = {OUTPUT_OPTIONS, {NULL, 0, NULL, NULL}};

/* What both verbs know of their output. */
typedef struct output {
    const char *file;   /* NULL or "-": stdout */
    const char *format; /* NULL: by the ending */
    uint64_t threads;
} output;

static int take_output(output *out, int id, const char *arg, flow_err *err)
{
    if (id == OPTION_THREADS)
        return option_whole(&out->threads, "--threads", arg, 1, MAX_THREADS, err);
    if (id == 'o')
        out->file = arg;
    else
        out->format = arg;
    return FLOW_OK;
}

/* Fills in *file and *format, or fails with FLOW_EUSAGE. */
static int resolve_output(const output *in, const char **file, table_format *format, flow_err *err)
{
    static const char *const words[] = {[TABLE_CSV] = "csv", [TABLE_NPY] = "npy"};
    *file = in->file && strcmp(in->file, "-") != 0 ? in->file : NULL;
    const char *dot = *file ? strrchr(*file, '.') : NULL;
    const char *word = in->format ? in->format : dot ? dot + 1 : *file ? "" : "csv";
    if (strcmp(word, words[TABLE_NPY]) == 0)
        *format = TABLE_NPY;
    else if (strcmp(word, words[TABLE_CSV]) == 0)
        *format = TABLE_CSV;
    else if (in->format)
        return flow_fail(err, FLOW_EUSAGE, "--format wants npy or csv, got '%.60s'", word);
    else
        return flow_fail(err, FLOW_EUSAGE,
                         "-o '%.200s' ends neither in .npy nor in .csv; say --format npy or csv",
                         *file);
    if (*format == TABLE_NPY && !*file && isatty(STDOUT_FILENO))
        return flow_fail(err, FLOW_EUSAGE,
                         "a .npy file would be binary on your terminal; say "
                         "-o FILE.npy, or send stdout to a file");
    return FLOW_OK;
}

typedef struct sample_line {
    sample_options options;
    output output;
    bool counted; /* -n is given */
} sample_line;

static int take_sample(void *into, int id, const char *arg, flow_err *err)
{
    sample_line *line = into;
    sample_options *o = &line->options;
    switch (id) {
    case 'n':
        line->counted = true;
        return option_whole(&o->n, "-n", arg, 0, INT64_MAX, err);
    case OPTION_SEED:
        return option_whole(&o->seed, "--seed", arg, 0, INT64_MAX, err);
    case OPTION_FIRST:
        return option_whole(&o->first, "--first", arg, 0, INT64_MAX, err);
    case OPTION_CONTEXT:
        o->context = arg;
        return FLOW_OK;
    case OPTION_LOGP:
        o->logp = true;
        return FLOW_OK;
    default:
        return take_output(&line->output, id, arg, err);
    }
}

static int run_sample(const cli_verb *verb, int argc, char **argv)
{
    sample_line line = {.counted = false};
    flow_err err = FLOW_ERR_INIT;
    char **operands;
    int status = read_line(verb, &operands, &line, take_sample, argc, argv);
    if (status >= 0)
        return status;
    sample_options *o = &line.options;
    o->model = operands[0];
    o->threads = line.output.threads;
    if (!line.counted)
        flow_fail(&err, FLOW_EUSAGE, "how many samples? distill sample %s -n 1000", o->model);
    else if (o->n > INT64_MAX - o->first)
        flow_fail(&err, FLOW_EUSAGE, "--first plus -n is too large");
    else
        resolve_output(&line.output, &o->output, &o->format, &err);
    return err.code ? cli_fail(&err) : sample_verb(o);
}

static int take_logp(void *into, int id, const char *arg, flow_err *err)
{
    return take_output(into, id, arg, err);
}

static int run_logp(const cli_verb *verb, int argc, char **argv)
{
    output out = {NULL, NULL, 0};
    flow_err err = FLOW_ERR_INIT;
    char **operands;
    int status = read_line(verb, &operands, &out, take_logp, argc, argv);
    if (status >= 0)
        return status;
    logp_options o = {.model = operands[0], .input = operands[1], .threads = out.threads};
    if (resolve_output(&out, &o.output, &o.format, &err))
        return cli_fail(&err);
    return logp_verb(&o);
}

/* ---- explain */

static const cli_option explain_table[] = {{NULL, 0, NULL, NULL}};

static int run_explain(const cli_verb *verb, int argc, char **argv)
{
    flow_err err = FLOW_ERR_INIT;
    char **operands;
    int status = read_line(verb, &operands, NULL, take_nothing, argc, argv);
    if (status >= 0)
        return status;
    return explain(stdout, operands[0], &err) ? cli_fail(&err) : EXIT_GOOD;
}

/* ---- the table */

static const cli_verb verbs[] = {
    {.name = "run",
     .operands = "FILE [options]",
     .n_min = 1,
     .n_max = 1,
     .doc = "Fits the teacher, distils the student, validates it. Prints the run directory.",
     .examples = "  distill run moons.yaml\n"
                 "  distill run moons.yaml --set student.flow.layers=8 --out runs/eight\n",
     .options = run_table,
     .run = run_run},
    {.name = "check",
     .operands = "FILE [options]",
     .n_min = 1,
     .n_max = 1,
     .doc = "Reads a configuration as run would, and runs nothing.",
     .examples = "  distill check moons.yaml\n"
                 "  distill check moons.yaml -c slow.yaml --set seed=7\n",
     .options = check_table,
     .run = run_check},
    {.name = "sample",
     .operands = "MODEL -n N [options]",
     .n_min = 1,
     .n_max = 1,
     .doc = "Draws samples from a model file.",
     .examples = "  distill sample runs/moons/student.safetensors -n 1e6 -o samples.npy\n"
                 "  distill sample runs/moons/student.safetensors -n 5 --logp\n",
     .options = sample_table,
     .run = run_sample},
    {.name = "logp",
     .operands = "MODEL DATA [options]",
     .n_min = 2,
     .n_max = 2,
     .doc = "Writes the log-density of a model at each row of a .npy or .csv file.",
     .examples = "  distill logp runs/moons/teacher.safetensors points.csv\n"
                 "  distill logp runs/moons/teacher.safetensors points.npy -o logp.npy\n",
     .options = logp_table,
     .run = run_logp},
    {.name = "explain",
     .operands = "[KEY]",
     .n_min = 0,
     .n_max = 1,
     .doc = "Tells what a key of the configuration means; without KEY, all of them.",
     .examples = "  distill explain\n"
                 "  distill explain student.train\n"
                 "  distill explain student.train.lr\n",
     .options = explain_table,
     .run = run_explain},
};

enum { N_VERBS = sizeof verbs / sizeof *verbs };

static void print_help(void)
{
    puts("  distill run moons.yaml                     fit, distil and validate\n"
         "  distill run moons.yaml --set seed=7        the same with one key changed\n"
         "  distill sample MODEL -n 1e6 -o x.npy       a million samples\n"
         "  distill explain student.train              what a key means\n"
         "\n"
         "usage: distill VERB ...\n");
    for (size_t i = 0; i < N_VERBS; i++)
        printf("  %-10s%s\n", verbs[i].name, verbs[i].doc);
    puts("\n"
         "  --help, -h   this text; distill VERB --help tells about one verb\n"
         "  --version    of this program, its compiler and its libraries\n"
         "\n"
         "exit code: 0 good, 1 a gate of validate.require failed, 2 training diverged, 64 usage,\n"
         "  65 bad data, 66 no such input, 70 bug, 71 out of memory, 73 cannot create output,\n"
         "  74 I/O error, 75 locked, 78 configuration, 128 + n stopped by signal n");
}

static int unknown_verb(const char *word)
{
    const char *names[N_VERBS];
    for (size_t i = 0; i < N_VERBS; i++)
        names[i] = verbs[i].name;
    const char *near = flow_suggest(word, names, N_VERBS);
    flow_err err = FLOW_ERR_INIT;
    flow_fail(&err, FLOW_EUSAGE, "there is no %s '%.80s'%s%s%s", *word == '-' ? "option" : "verb",
              word, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    cli_fail(&err);
    fputs("help: distill --help\n", stderr);
    return EXIT_USAGE;
}

/* What was printed must have arrived: a full disk behind stdout is an error. */
static int flushed(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fputs("distill: error: cannot write to stdout\n", stderr);
    return status ? status : EXIT_IO;
}

int cli_main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help();
        return flushed(EXIT_GOOD);
    }
    if (strcmp(word, "--version") == 0) {
        version_print(stdout);
        return flushed(EXIT_GOOD);
    }
    if (!*word) {
        fputs("distill: error: no verb\nhelp: distill --help\n", stderr);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < N_VERBS; i++)
        if (strcmp(verbs[i].name, word) == 0)
            return flushed(verbs[i].run(&verbs[i], argc - 1, argv + 1));
    return unknown_verb(word);
}
