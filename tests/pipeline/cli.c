/* The command line: what is accepted, what is refused and how, and where output goes. */
#include "pipeline/command/cli.h"
#include "pipeline/console/exit.h"

#include "pipeline/command/lines.h"
#include "pipeline/command/with_model.h"
#include "pipeline/console/signals.h"
#include "tests/common/temp.h"
#include "tests/pipeline/holds.h"
#include "tests/pipeline/load.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 24 };

typedef struct command {
    int argc;
    char words[WORDS][80];
    char *argv[WORDS + 1];
} command;

/* Splits "distill sample m -n 5" at blanks. */
static void split(command *out, const char *text)
{
    *out = (command){.argc = 0};
    for (const char *at = text; *at && out->argc < WORDS; out->argc++) {
        size_t size = strcspn(at, " ");
        snprintf(out->words[out->argc], sizeof out->words[0], "%.*s", (int)size, at);
        out->argv[out->argc] = out->words[out->argc];
        at += size + (at[size] == ' ');
    }
}

typedef struct outcome {
    int status;
    char *out, *err; /* to be freed */
} outcome;

/* Runs the program on a command line, with stdout and stderr in files of the temporary directory.
 */
static outcome run_command(const char *text)
{
    command line;
    split(&line, text);
    int saved[2], files[2];
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        saved[i] = dup(i + 1);
        files[i] = open(temp_path(i ? "err" : "out"), O_CREAT | O_TRUNC | O_WRONLY, 0600);
        cr_assert(saved[i] >= 0 && files[i] >= 0 && dup2(files[i], i + 1) >= 0);
    }
    outcome got = {.status = cli_main(line.argc, line.argv)};
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        cr_assert_geq(dup2(saved[i], i + 1), 0);
        close(saved[i]);
        close(files[i]);
    }
    got.out = temp_slurp(temp_path("out"), NULL);
    got.err = temp_slurp(temp_path("err"), NULL);
    return got;
}

static void outcome_free(outcome *self)
{
    free(self->out);
    free(self->err);
}

/* ---- what is refused */

Test(cli, refusals)
{
    static const struct {
        char line[72];
        int status;
        char says[160];
    } cases[] = {
        {"distill", 64, "distill: error: no verb\nhelp: distill --help\n"},
        {"distill rnu f.yaml", 64,
         "distill: error: there is no verb 'rnu'; did you mean 'run'?\nhelp: distill --help\n"},
        {"distill banana", 64, "distill: error: there is no verb 'banana'\nhelp: distill --help\n"},
        {"distill --versoin", 64,
         "distill: error: there is no option '--versoin'; did you mean '--version'?\n"
         "help: distill --help\n"},
        {"distill run", 64,
         "distill: error: something is missing: distill run FILE|RUN [options]\n"
         "help: distill run --help\n"},
        {"distill run a.yaml b.yaml", 64,
         "distill: error: what is 'b.yaml'? distill run FILE|RUN [options]\n"
         "help: distill run --help\n"},
        {"distill run a.yaml --thread 3 --theads 3", 64,
         "distill: error: unknown option '--theads'; did you mean '--threads'?\n"
         "help: distill run --help\n"},
        {"distill run a.yaml --banana=3", 64,
         "distill: error: unknown option '--banana'\nhelp: distill run --help\n"},
        {"distill run a.yaml -x", 64,
         "distill: error: unknown option '-x'\nhelp: distill run --help\n"},
        {"distill run a.yaml --set", 64,
         "distill: error: option '--set' wants an argument: KEY=VALUE\n"
         "help: distill run --help\n"},
        {"distill run a.yaml -c", 64,
         "distill: error: option '-c' wants an argument: FILE\nhelp: distill run --help\n"},
        {"distill run a.yaml --quiet=1", 64,
         "distill: error: option '--quiet' takes no argument\nhelp: distill run --help\n"},
        {"distill run a.yaml --threads 0", 64,
         "distill: error: --threads wants a whole number 1 .. 1024, got '0'\n"
         "help: distill run --help\n"},
        {"distill check a.yaml --out x", 64,
         "distill: error: unknown option '--out'\nhelp: distill check --help\n"},
        {"distill sample m", 64,
         "distill: error: how many samples? distill sample MODEL -n 1000\n"
         "help: distill sample --help\n"},
        {"distill sample m -n 10k", 64,
         "distill: error: -n wants a whole number >= 0, got '10k'\nhelp: distill sample --help\n"},
        {"distill sample m -n 9e18 --first 9e18", 64,
         "distill: error: --first plus -n is too large\nhelp: distill sample --help\n"},
        {"distill sample m -n 1 --format xls", 64,
         "distill: error: --format wants npy or csv, got 'xls'\nhelp: distill sample --help\n"},
        {"distill sample m -n 1 --digits 18", 64,
         "distill: error: --digits wants a whole number 1 .. 17, got '18'\nhelp: distill sample "
         "--help\n"},
        {"distill logp m x -o x.npy --digits 9", 64,
         "distill: error: --digits is for a csv; a .npy file has all bits\nhelp: distill logp "
         "--help\n"},
        {"distill sample m -n 1 -o x.txt", 64,
         "distill: error: -o 'x.txt' ends neither in .npy nor in .csv; say --format npy or csv\n"
         "help: distill sample --help\n"},
        {"distill inspect m --network int8", 64,
         "distill: error: unknown option '--network'\nhelp: distill inspect --help\n"},
        {"distill logp m", 64,
         "distill: error: something is missing: distill logp RUN|MODEL DATA [options]\n"
         "help: distill logp --help\n"},
        {"distill explain warmpu", 64,
         "distill: error: there is no key 'warmpu'; did you mean teacher.train.warmup or "
         "student.train.warmup\n"},
        {"distill check none.yaml", 66,
         "none.yaml: error: cannot open: No such file or directory [E100]\n"
         "1 error; nothing was run\n"},
    };
    load_open();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        outcome got = run_command(cases[i].line);
        cr_expect_eq(got.status, cases[i].status, "%s: status %d", cases[i].line, got.status);
        cr_expect_str_eq(got.err, cases[i].says, "%s\nsays:\n%s", cases[i].line, got.err);
        cr_expect_str_empty(got.out, "%s\nprints: %s", cases[i].line, got.out);
        outcome_free(&got);
    }
    temp_close();
}

/* ---- check */

Test(cli, check_speaks_on_stderr_only)
{
    load_open();
    temp_write("t.yaml", LOAD_HEAD, strlen(LOAD_HEAD));
    temp_write("o.yaml", "seed: 3\n", 8);
    outcome got =
        run_command("distill check t.yaml -c o.yaml --set seed=4 --set student.flow.layers=2");
    cr_expect_eq(got.status, 0);
    cr_expect_str_eq(got.err, "t.yaml: ok\n");
    cr_expect_str_empty(got.out);
    outcome_free(&got);
    got = run_command("distill check --set sed=4 t.yaml");
    cr_expect_eq(got.status, 78);
    cr_expect_eq(strncmp(got.err, "--set 'sed=4': error: unknown key 'sed'", 39), 0, "%s", got.err);
    cr_expect_str_empty(got.out);
    outcome_free(&got);
    temp_close();
}

/* ---- help */

Test(cli, help_is_on_stdout_and_fits)
{
    static const char lines[][32] = {"distill --help",
                                     "distill -h",
                                     "distill help",
                                     "distill run --help",
                                     "distill check -h",
                                     "distill sample --help",
                                     "distill logp --help",
                                     "distill explain --help",
                                     "distill check-target --help",
                                     "distill --version",
                                     "distill explain",
                                     "distill estimate --help"};
    load_open();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        outcome got = run_command(lines[i]);
        cr_expect_eq(got.status, 0, "%s", lines[i]);
        cr_expect_str_empty(got.err, "%s: %s", lines[i], got.err);
        cr_expect_gt(strlen(got.out), 80, "%s", lines[i]);
        for (char *at = got.out; i != 9 && *at; at += strcspn(at, "\n") + 1)
            cr_expect_leq(strcspn(at, "\n"), 90, "%s: %.*s", lines[i], (int)strcspn(at, "\n"), at);
        outcome_free(&got);
    }
    temp_close();
}

static void expect_narrow(const char *text)
{
    for (; *text; text += strcspn(text, "\n") + 1)
        cr_expect_leq(strcspn(text, "\n"), OPTION_WIDTH, "%.200s", text);
}

Test(cli, help_leads_with_examples_and_has_every_option)
{
    load_open();
    outcome all = run_command("distill --help");
    const line_spec *spec;
    for (size_t i = 0; (spec = cli_verb(i)); i++) {
        char text[64];
        snprintf(text, sizeof text, "distill %s --help", spec->name);
        outcome got = run_command(text);
        snprintf(text, sizeof text, "  distill %s", spec->name);
        cr_expect(strncmp(got.out, text, strlen(text)) == 0, "%s", got.out);
        for (const cli_option *at = spec->options; at->name; at++) {
            snprintf(text, sizeof text, "--%s%s", at->name, at->arg ? " " : "");
            cr_expect(strstr(got.out, text) && holds(got.out, at->doc), "%s: %s", spec->name,
                      at->name);
        }
        cr_expect_not_null(strstr(all.out, spec->doc), "%s", spec->name);
        expect_narrow(got.out);
        outcome_free(&got);
    }
    expect_narrow(all.out);
    outcome_free(&all);
    temp_close();
}

Test(cli, version_names_what_results_hang_on)
{
    load_open();
    outcome got = run_command("distill --version");
    static const char words[][12] = {"distill ", "openblas ", "core ",
                                     "libyaml ", "jansson ",  "compiler "};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        cr_expect_not_null(strstr(got.out, words[i]), "%s in %s", words[i], got.out);
    cr_expect_eq(strncmp(got.out, "distill " DISTILL_VERSION "\n", 9 + strlen(DISTILL_VERSION)), 0);
    outcome_free(&got);
    temp_close();
}

/* A descriptor that is open for reading refuses every write, as a full disk does. */
Test(cli, output_that_does_not_arrive)
{
    load_open();
    command line;
    split(&line, "distill --help");
    fflush(NULL);
    int saved[2] = {dup(1), dup(2)}, refuses = open("ok.csv", O_RDONLY);
    int err = open("err", O_CREAT | O_WRONLY, 0600);
    cr_assert(refuses >= 0 && err >= 0 && dup2(refuses, 1) >= 0 && dup2(err, 2) >= 0);
    int status = cli_main(line.argc, line.argv);
    clearerr(stdout);
    dup2(saved[0], 1);
    dup2(saved[1], 2);
    cr_expect_eq(status, 74, "status %d", status);
    char *text = temp_slurp("err", NULL);
    cr_expect_str_eq(text, "distill: error: cannot write to stdout\n");
    free(text);
    temp_close();
}

/* ---- what is accepted */

Test(cli, run_line)
{
    command line;
    run_line got;
    split(&line,
          "run --set a=1 f.yaml -c o.yaml --set=b=2 --out d -q --threads 3 -cp.yaml --header no");
    cr_assert_eq(line_read_run(&got, &line_run, line.argc, line.argv), -1);
    const run_options *o = &got.options;
    cr_expect_str_eq(o->sources.file, "f.yaml");
    cr_assert(o->sources.n_sets == 3 && o->sources.n_overlays == 2);
    cr_expect_str_eq(o->sources.sets[0], "a=1");
    cr_expect_str_eq(o->sources.sets[1], "b=2");
    cr_expect_str_eq(o->sources.sets[2], "data.header=no");
    cr_expect_str_eq(o->sources.overlays[0], "o.yaml");
    cr_expect_str_eq(o->sources.overlays[1], "p.yaml");
    cr_expect_str_eq(o->out, "d");
    cr_expect(o->quiet && o->threads == 3);
    cr_expect(o->argc == line.argc && o->argv == line.argv);
    run_line_free(&got);

    split(&line, "run -- -f.yaml");
    cr_assert_eq(line_read_run(&got, &line_run, line.argc, line.argv), -1);
    cr_expect_str_eq(got.options.sources.file, "-f.yaml");
    cr_expect(!got.options.quiet && !got.options.threads && !got.options.out);
    run_line_free(&got);
}

Test(cli, sample_line)
{
    command line;
    sample_options got;
    split(&line, "sample -n 2e6 m --seed 7 --first=10 --context c.npy --logp -o x.npy --threads 2 "
                 "--temperature 0.7 --header no --extra");
    cr_assert_eq(line_read_sample(&got, line.argc, line.argv), -1);
    cr_expect(got.n == 2000000 && got.seed == 7 && got.first == 10 && got.threads == 2);
    cr_expect_str_eq(got.model, "m");
    cr_expect_str_eq(got.context.given, "c.npy");
    cr_expect(got.context.header == FILE_HEADER_NO && got.context.extra);
    cr_expect_eq(got.temperature, 0.7);
    cr_expect_str_eq(got.output, "x.npy");
    cr_expect(got.logp && got.form.format == TABLE_NPY);
    split(&line, "sample m -n0");
    cr_assert_eq(line_read_sample(&got, line.argc, line.argv), -1);
    cr_expect(got.n == 0 && got.seed == 0 && got.first == 0 && !got.logp);
    cr_expect(!got.context.given && !got.context.extra && got.temperature == 1);
    cr_expect_eq(got.context.header, FILE_HEADER_AUTO);
    cr_expect(!got.output && got.form.format == TABLE_CSV);
}

/* -2: the line was refused. */
static int network_of(const char *text)
{
    command line;
    sample_options sample = {.network = -2};
    logp_options logp = {.network = -2};
    estimate_options estimate = {.network = -2};
    hunt_options hunt = {.network = -2};
    split(&line, text);
    switch (*text) {
    case 's':
        return line_read_sample(&sample, line.argc, line.argv) < 0 ? sample.network : -2;
    case 'l':
        return line_read_logp(&logp, line.argc, line.argv) < 0 ? logp.network : -2;
    case 'e':
        return line_read_estimate(&estimate, line.argc, line.argv) < 0 ? estimate.network : -2;
    default:
        return line_read_hunt(&hunt, line.argc, line.argv) < 0 ? hunt.network : -2;
    }
}

Test(cli, network_of_each_verb)
{
    static const char *const verbs[] = {"sample m -n 1", "logp m x.npy", "estimate m", "hunt m"};
    char text[80];
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        cr_expect_eq(network_of(verbs[i]), NETWORK_NOT_SAID, "%s", verbs[i]);
        for (const flow_word *w = flow_networks; w->name; w++) {
            snprintf(text, sizeof text, "%s --network %s", verbs[i], w->name);
            cr_expect_eq(network_of(text), w->value, "%s", text);
        }
    }
}

/* With the words that there are. */
Test(cli, network_that_is_none)
{
    temp_open();
    outcome got = run_command("distill sample m -n 1 --network int7");
    cr_expect_eq(got.status, 64);
    cr_expect(strstr(got.err, "error: --network wants one of ") && strstr(got.err, "got 'int7'"));
    for (const flow_word *w = flow_networks; w->name; w++)
        cr_expect(strstr(got.err, w->name), "%s is not in: %s", w->name, got.err);
    outcome_free(&got);
    temp_close();
}

Test(cli, format_of_the_output)
{
    static const struct {
        char line[48], file[16];
        table_format format;
    } cases[] = {{"logp m x.npy", "", TABLE_CSV},
                 {"logp m x.npy -o -", "", TABLE_CSV},
                 {"logp m x.npy -o y.csv", "y.csv", TABLE_CSV},
                 {"logp m x.npy -o a.b/y.npy", "a.b/y.npy", TABLE_NPY},
                 {"logp m x.npy -o y.dat --format npy", "y.dat", TABLE_NPY},
                 {"logp m x.npy --format csv -o y.npy", "y.npy", TABLE_CSV}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        command line;
        logp_options got;
        split(&line, cases[i].line);
        cr_assert_eq(line_read_logp(&got, line.argc, line.argv), -1, "%s", cases[i].line);
        cr_expect_str_eq(got.output ? got.output : "", cases[i].file);
        cr_expect_eq(got.form.format, cases[i].format, "%s", cases[i].line);
        cr_expect_str_eq(got.model, "m");
        cr_expect_str_eq(got.input, "x.npy");
    }
}

/* ---- exit codes and signals */

Test(cli, exit_codes)
{
    static const int expected[][2] = {{FLOW_OK, 0},      {FLOW_EDIVERGED, 2}, {FLOW_ENOCONV, 2},
                                      {FLOW_EUSAGE, 64}, {FLOW_EDATA, 65},    {FLOW_ENOINPUT, 66},
                                      {FLOW_EBUG, 70},   {FLOW_ENOMEM, 71},   {FLOW_ECREATE, 73},
                                      {FLOW_EIO, 74},    {FLOW_ECONFIG, 78}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        cr_expect_eq(exit_code(expected[i][0]), expected[i][1], "%d", expected[i][0]);
}

Test(signals, first_asks_to_stop)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1};
    for (size_t i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            dup2(open("/dev/null", O_WRONLY), 2);
            signals_catch();
            int before = signals_pending() || signals_exit_code();
            raise(numbers[i]);
            raise(SIGTERM); /* changes nothing */
            _exit(before || signals_pending() != numbers[i] ? 1 : exit_code(FLOW_ESTOPPED));
        }
        int status;
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 128 + numbers[i], "%d: %x",
                  numbers[i], (unsigned)status);
    }
}

Test(signals, second_interrupt_leaves_at_once)
{
    static const int first[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        pid_t child = fork();
        if (child == 0) {
            dup2(open("/dev/null", O_WRONLY), 2);
            signals_catch();
            raise(first[i]);
            raise(SIGINT);
            _exit(1); /* still here */
        }
        int status;
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 130, "%x", (unsigned)status);
    }
}
