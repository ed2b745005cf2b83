#include "pipeline/command/lines.h"

#include "flow/unroll.h"
#include "pipeline/command/line.h"
#include "pipeline/command/with_model.h"
#include "pipeline/config/config.h"
#include "pipeline/config/schema.h"
#include "pipeline/console/exit.h"
#include "pipeline/stages/rundir.h"

#include <assert.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- run and check */

#define SOURCE_OPTIONS                                                                             \
    {"set", OPTION_SET, "KEY=VALUE", "override one key; may be repeated"},                         \
    {                                                                                              \
        "config", 'c', "FILE", "lay a second YAML file over the first; may be repeated"            \
    }

/* The key, as --set has it. */
static int take_header_key(run_line *line, const char *arg, flow_err *err)
{
    file_header header;
    if (line_take_header(&header, arg, err))
        return err->code;
    snprintf(line->header, sizeof line->header, "data.header=%s", arg);
    line->sets[line->options.sources.n_sets++] = line->header;
    return FLOW_OK;
}

#define WISH_OPTIONS                                                                               \
    {"out", OPTION_OUT, "DIR", "run directory; default runs/NAME"},                                \
        {"force", OPTION_FORCE, "STAGE", "run this stage even if its result is there"},            \
        {"from", OPTION_FROM, "STAGE", "and all behind it, too"},                                  \
    {                                                                                              \
        "until", OPTION_UNTIL, "STAGE", "run none behind this one"                                 \
    }

#define WORK_OPTIONS                                                                               \
    {"threads", OPTION_THREADS, "N", "threads; changes no result"}, PROGRESS_OPTIONS

static const cli_option run_table[] = {
    SOURCE_OPTIONS, HEADER_OPTION, WISH_OPTIONS, WORK_OPTIONS, {NULL, 0, NULL, NULL}};

const cli_option line_plan_table[] = {
    SOURCE_OPTIONS,
    HEADER_OPTION,
    WISH_OPTIONS,
    {"json", OPTION_JSON, NULL, "the same for programs, as a JSON list"},
    {NULL, 0, NULL, NULL}};

const cli_option line_again_table[] = {
    {"set", OPTION_SET, "KEY=VALUE", "override one key of the run; may be repeated"},
    WORK_OPTIONS,
    {NULL, 0, NULL, NULL}};

static const cli_option check_table[] = {SOURCE_OPTIONS, HEADER_OPTION, {NULL, 0, NULL, NULL}};

const line_spec line_run = {
    .name = "run",
    .operands = "FILE|RUN [options]",
    .n_min = 1,
    .n_max = 1,
    .doc = "Fits the teacher, distils the student, validates; prints the directory.",
    .examples =
        "  distill run moons.yaml\n"
        "  distill run moons.yaml --set student.flow.layers=8 --out runs/eight\n"
        "  distill run runs/moons    what it was told, again: on from where it was stopped\n",
    .options = run_table};

const line_spec line_check = {.name = "check",
                              .operands = "FILE|RUN [options]",
                              .n_min = 1,
                              .n_max = 1,
                              .doc = "Reads a configuration as run would, and runs nothing.",
                              .examples = "  distill check moons.yaml\n"
                                          "  distill check moons.yaml -c slow.yaml --set seed=7\n",
                              .options = check_table};

static const cli_option check_target_table[] = {
    SOURCE_OPTIONS,
    {"options", OPTION_OPTIONS, "TEXT", "what a library is opened with"},
    {NULL, 0, NULL, NULL}};

const line_spec line_check_target = {
    .name = "check-target",
    .operands = "FILE|RUN [options]",
    .n_min = 1,
    .n_max = 1,
    .doc = "Holds a target or a plug-in to its word: gradient, time, flat places.",
    .examples = "  distill check-target mine.yaml --set target.workers=2\n"
                "  distill check-target ./banana.so --options bend=0.3\n",
    .options = check_target_table};

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
    case OPTION_HEADER:
        return take_header_key(line, arg, err);
    case OPTION_OUT:
        o->out = arg;
        return FLOW_OK;
    case OPTION_OPTIONS:
        line->library_options = arg;
        return FLOW_OK;
    case OPTION_FORCE:
        o->wishes.force = arg;
        return FLOW_OK;
    case OPTION_FROM:
        o->wishes.from = arg;
        return FLOW_OK;
    case OPTION_UNTIL:
        o->wishes.until = arg;
        return FLOW_OK;
    case OPTION_JSON:
        o->json = true;
        return FLOW_OK;
    case OPTION_THREADS:
        return option_whole(&o->threads, "--threads", arg, 1, LINE_MAX_THREADS, err);
    default:
        return line_take_progress(&o->quiet, id, arg, err);
    }
}

int line_read_run(run_line *out, const line_spec *spec, int argc, char **argv)
{
    size_t n = (size_t)argc; /* more than can be given */
    *out = (run_line){.overlays = calloc(n, sizeof(char *)), .sets = calloc(n, sizeof(char *))};
    flow_err err = FLOW_ERR_INIT;
    if (!out->overlays || !out->sets) {
        flow_fail(&err, FLOW_ENOMEM, "out of memory");
        return exit_fail(&err);
    }
    char **operands;
    int status = line_read(&operands, spec, out, take_run, argc, argv);
    if (status >= 0)
        return status;
    out->options.sources.file = operands[0];
    out->options.sources.overlays = out->overlays;
    out->options.sources.sets = out->sets;
    if ((out->options.told = rundir_is_folder(operands[0])) && !out->options.out)
        out->options.out = operands[0];
    out->options.argc = argc;
    out->options.argv = argv;
    return -1;
}

void run_line_free(run_line *self)
{
    free(self->overlays);
    free(self->sets);
}

/* ---- inspect */

static const cli_option inspect_table[] = {JSON_OPTION, HEADER_OPTION, {NULL, 0, NULL, NULL}};

const line_spec line_inspect = {.name = "inspect",
                                .operands = "FILE|RUN [options]",
                                .n_min = 1,
                                .n_max = 1,
                                .doc =
                                    "Looks at a table as a run would: what of it ruins a density.",
                                .examples = "  distill inspect events.csv\n"
                                            "  distill inspect events.yaml\n"
                                            "  distill inspect events.npy --json\n",
                                .options = inspect_table};

static int take_inspect(void *into, int id, const char *arg, flow_err *err)
{
    inspect_options *o = into;
    if (id == OPTION_JSON) {
        o->json = true;
        return FLOW_OK;
    }
    o->header_given = true;
    return line_take_header(&o->header, arg, err);
}

int line_read_inspect(inspect_options *out, int argc, char **argv)
{
    char **operands;
    *out = (inspect_options){.header = FILE_HEADER_AUTO};
    int status = line_read(&operands, &line_inspect, out, take_inspect, argc, argv);
    if (status < 0)
        out->file = operands[0];
    return status;
}

/* ---- where sample and logp write */

#define OUTPUT_OPTIONS                                                                             \
    {"output", 'o', "FILE", ".npy or .csv by its ending; default, and '-': stdout"},               \
        {"format", OPTION_FORMAT, "npy|csv", "format, whatever the ending; stdout is csv"},        \
        {"digits", OPTION_DIGITS, "N",                                                             \
         "significant digits of a csv, 1 .. 17; default 17, all there are"},                       \
    {                                                                                              \
        "threads", OPTION_THREADS, "N", "threads; changes no result"                               \
    }

/* What both verbs know of their output. */
typedef struct line_output {
    const char *file;   /* NULL or "-": stdout */
    const char *format; /* NULL: by the ending */
    uint64_t digits;    /* 0: not given */
    uint64_t threads;
} line_output;

static int take_output(line_output *out, int id, const char *arg, flow_err *err)
{
    if (id == OPTION_THREADS)
        return option_whole(&out->threads, "--threads", arg, 1, LINE_MAX_THREADS, err);
    if (id == OPTION_DIGITS)
        return option_whole(&out->digits, "--digits", arg, 1, 17, err);
    if (id == 'o')
        out->file = arg;
    else
        out->format = arg;
    return FLOW_OK;
}

/* Fills in *file and *form, or fails with FLOW_EUSAGE. */
static int resolve_output(const line_output *in, const char **file, output_form *form,
                          flow_err *err)
{
    table_format *format = &form->format;
    static const char *const words[] = {[TABLE_CSV] = "csv", [TABLE_NPY] = "npy"};
    *file = in->file && strcmp(in->file, "-") != 0 ? in->file : NULL;
    const char *dot = *file ? strrchr(*file, '.') : NULL;
    const char *word = in->format ? in->format : dot ? dot + 1 : *file ? "" : "csv";
    if (strcasecmp(word, words[TABLE_NPY]) == 0)
        *format = TABLE_NPY;
    else if (strcasecmp(word, words[TABLE_CSV]) == 0)
        *format = TABLE_CSV;
    else if (in->format)
        return flow_fail(err, FLOW_EUSAGE, "--format wants npy or csv, got '%.60s'", word);
    else
        return flow_fail(err, FLOW_EUSAGE,
                         "-o '%.200s' ends neither in .npy nor in .csv; say --format npy or csv",
                         *file);
    form->digits = in->digits;
    if (*format == TABLE_NPY && in->digits)
        return flow_fail(err, FLOW_EUSAGE, "--digits is for a csv; a .npy file has all bits");
    if (*format == TABLE_NPY && !*file && isatty(STDOUT_FILENO))
        return flow_fail(err, FLOW_EUSAGE,
                         "a .npy file would be binary on your terminal; say "
                         "-o FILE.npy, or send stdout to a file");
    return FLOW_OK;
}

/* ---- sample */

static const cli_option sample_table[] = {
    {"number", 'n', "N", "how many samples"},
    {"seed", OPTION_SEED, "S", "default 0: the same command gives the same samples"},
    {"first", OPTION_FIRST, "K", "start at sample K of the stream; default 0"},
    TABLE_OPTIONS("a file, one row a sample or one for all; or NAME=VALUE,..."),
    {"temperature", OPTION_TEMPERATURE, "T",
     "scale of the noise, for a base with one middle; default 1"},
    {"logp", OPTION_LOGP, NULL, "a last column: the log-density, nats, units of the data"},
    NETWORK_OPTION,
    DERIVING_OPTIONS,
    {"weights", OPTION_WEIGHTS, NULL, "a last column: log p~ - log q; p~: what it was made for"},
    {"exact", OPTION_EXACT, "sir|imh|rejection",
     "draws of p~: by resampling, a chain or rejection"},
    {"target", OPTION_TARGET, "FILE",
     "p~: a model file, a .yaml or a run; default: that of its run"},
    {"proposals", OPTION_PROPOSALS, "M",
     "samples of the model that they are made of; default: auto"},
    {"bound", OPTION_BOUND, "NATS", "of rejection, on log p~ - log q; default: the largest seen"},
    OUTPUT_OPTIONS,
    PROGRESS_OPTIONS,
    {NULL, 0, NULL, NULL}};

const line_spec line_sample = {
    .name = "sample",
    .operands = "RUN|MODEL -n N [options]",
    .n_min = 1,
    .n_max = 1,
    .doc = "Draws samples from a student, or from any model file.",
    .examples = "  distill sample runs/moons -n 1e6 -o samples.npy\n"
                "  distill sample runs/moons/teacher/model.safetensors -n 5 --logp\n"
                "  distill sample runs/schools -n 1000 --exact imh --quantities all\n",
    .options = sample_table};

typedef struct sample_line {
    sample_options *options;
    line_output output;
    bool counted; /* -n is given */
} sample_line;

static int take_exact(exact_options *out, int id, const char *arg, flow_err *err)
{
    if (id == OPTION_EXACT)
        return exact_method_of(&out->method, arg, err);
    if (id == OPTION_PROPOSALS)
        return option_whole(&out->proposals, "--proposals", arg, 1, INT64_MAX, err);
    if (id == OPTION_BOUND)
        return option_real(&out->bound, "--bound", arg, err);
    if (id == OPTION_TARGET)
        out->target = arg;
    else
        out->weights = true;
    return FLOW_OK;
}

static int take_sample(void *into, int id, const char *arg, flow_err *err)
{
    sample_line *line = into;
    sample_options *o = line->options;
    switch (id) {
    case 'n':
        line->counted = true;
        return option_whole(&o->n, "-n", arg, 0, INT64_MAX, err);
    case OPTION_SEED:
        return option_whole(&o->seed, "--seed", arg, 0, INT64_MAX, err);
    case OPTION_FIRST:
        return option_whole(&o->first, "--first", arg, 0, INT64_MAX, err);
    case OPTION_TEMPERATURE:
        return option_positive(&o->temperature, "--temperature", arg, err);
    case OPTION_LOGP:
        o->logp = true;
        return FLOW_OK;
    case OPTION_NETWORK:
        return network_take(&o->network, arg, err);
    case OPTION_WEIGHTS:
    case OPTION_EXACT:
    case OPTION_TARGET:
    case OPTION_PROPOSALS:
    case OPTION_BOUND:
        return take_exact(&o->exact, id, arg, err);
    default:
        return line_is_of_table(id)      ? line_take_table(&o->context, id, arg, err)
               : line_is_of_progress(id) ? line_take_progress(&o->quiet, id, arg, err)
               : line_is_of_deriving(id) ? line_take_deriving(&o->deriving, id, arg, err)
                                         : take_output(&line->output, id, arg, err);
    }
}

int line_read_sample(sample_options *out, int argc, char **argv)
{
    sample_line line = {.options = out};
    flow_err err = FLOW_ERR_INIT;
    char **operands;
    *out = (sample_options){.temperature = 1, .network = NETWORK_NOT_SAID, .exact.bound = NAN};
    int status = line_read(&operands, &line_sample, &line, take_sample, argc, argv);
    if (status >= 0)
        return status;
    out->model = operands[0];
    out->threads = line.output.threads;
    if (!line.counted)
        flow_fail(&err, FLOW_EUSAGE, "how many samples? distill sample MODEL -n 1000");
    else if (out->n > INT64_MAX - out->first)
        flow_fail(&err, FLOW_EUSAGE, "--first plus -n is too large");
    else if (!deriving_check(&out->deriving, &err) && !exact_check(&out->exact, &err))
        resolve_output(&line.output, &out->output, &out->form, &err);
    return err.code ? line_refuse(&line_sample, &err) : -1;
}

/* ---- logp */

static const cli_option logp_table[] = {
    TABLE_OPTIONS("a file, one row each or one for all; or NAME=VALUE,..."),
    NETWORK_OPTION,
    OUTPUT_OPTIONS,
    PROGRESS_OPTIONS,
    {NULL, 0, NULL, NULL}};

const line_spec line_logp = {
    .name = "logp",
    .operands = "RUN|MODEL DATA [options]",
    .n_min = 2,
    .n_max = 2,
    .doc = "Writes log-densities of rows of a file: nats, in the units of the data.",
    .examples = "  distill logp runs/moons/teacher/model.safetensors points.csv\n"
                "  distill logp runs/moons/teacher/model.safetensors points.npy -o logp.npy\n"
                "  distill logp runs/given/teacher/model.safetensors x.npy --context time=0.5\n",
    .options = logp_table};

typedef struct logp_line {
    logp_options *options;
    line_output output;
} logp_line;

static int take_logp(void *into, int id, const char *arg, flow_err *err)
{
    logp_line *line = into;
    if (id == OPTION_NETWORK)
        return network_take(&line->options->network, arg, err);
    return line_is_of_table(id)      ? line_take_table(&line->options->context, id, arg, err)
           : line_is_of_progress(id) ? line_take_progress(&line->options->quiet, id, arg, err)
                                     : take_output(&line->output, id, arg, err);
}

int line_read_logp(logp_options *out, int argc, char **argv)
{
    logp_line line = {.options = out};
    flow_err err = FLOW_ERR_INIT;
    char **operands;
    *out = (logp_options){.network = NETWORK_NOT_SAID};
    int status = line_read(&operands, &line_logp, &line, take_logp, argc, argv);
    if (status >= 0)
        return status;
    out->model = operands[0];
    out->input = operands[1];
    out->threads = line.output.threads;
    if (resolve_output(&line.output, &out->output, &out->form, &err))
        return line_refuse(&line_logp, &err);
    return -1;
}

/* ---- ladder */

static const cli_option ladder_table[] = {
    {"number", 'n', "N", "rows of either side; default 20000"},
    {"most", OPTION_MOST, "T",
     "the last rung; default 8. From the number of columns on, all are exact"},
    TABLE_OPTIONS("a file of contexts to draw from; or NAME=VALUE,..."),
    {"picture", OPTION_PICTURE, "FILE", "draw KL over rows a second into a .png"},
    NETWORK_OPTION,
    {"seed", OPTION_SEED, "S", "default 0: the same command gives the same figures"},
    {"threads", OPTION_THREADS, "N", "threads; changes no result but the speeds"},
    {NULL, 0, NULL, NULL}};

const line_spec line_ladder = {
    .name = "ladder",
    .operands = "RUN|TEACHER [options]",
    .n_min = 1,
    .n_max = 1,
    .doc = "Measures a teacher unrolled into a sampler of 1, 2, ... steps, untrained.",
    .examples = "  distill ladder runs/power/teacher/model.safetensors\n"
                "  distill ladder runs/power/teacher/model.safetensors --most 4 -n 1e5\n",
    .options = ladder_table};

static int take_ladder(void *into, int id, const char *arg, flow_err *err)
{
    ladder_options *o = into;
    switch (id) {
    case 'n':
        return option_whole(&o->n, "-n", arg, 2, INT32_MAX, err);
    case OPTION_MOST:
        return option_whole(&o->most, "--most", arg, 1, FLOW_MAX_ITERATIONS, err);
    case OPTION_SEED:
        return option_whole(&o->seed, "--seed", arg, 0, INT64_MAX, err);
    case OPTION_THREADS:
        return option_whole(&o->threads, "--threads", arg, 1, LINE_MAX_THREADS, err);
    case OPTION_PICTURE:
        o->picture = arg;
        return FLOW_OK;
    case OPTION_NETWORK:
        return network_take(&o->network, arg, err);
    default:
        return line_take_table(&o->context, id, arg, err);
    }
}

int line_read_ladder(ladder_options *out, int argc, char **argv)
{
    char **operands;
    *out = ladder_defaults;
    int status = line_read(&operands, &line_ladder, out, take_ladder, argc, argv);
    if (status < 0)
        out->model = operands[0];
    return status;
}

/* ---- explain */

static const cli_option explain_table[] = {{NULL, 0, NULL, NULL}};

const line_spec line_explain = {
    .name = "explain",
    .operands = "[KEY]",
    .n_min = 0,
    .n_max = 1,
    .doc = "Tells what a key of the configuration means; without KEY, all of them.",
    .examples = "  distill explain\n"
                "  distill explain student.train\n"
                "  distill explain student.train.lr\n",
    .options = explain_table};
