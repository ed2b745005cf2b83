#include "pipeline/command/man.h"

#include "pipeline/command/cli.h"
#include "pipeline/command/explain.h"
#include "pipeline/config/schema.h"
#include "pipeline/config/sweep.h"
#include "pipeline/console/exit.h"

#include <stdlib.h>
#include <string.h>

/* ---- roff */

/* Text of no more than one line: backslashes and hyphens are escaped, and a line starts with no request. */
static void put(FILE *to, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", to);
    for (; *text; text++)
        if (*text == '\\')
            fputs("\\e", to);
        else if (*text == '-')
            fputs("\\-", to);
        else
            putc(*text, to);
}

static void line(FILE *to, const char *text)
{
    put(to, text);
    putc('\n', to);
}

/* Lines that stay as they are. */
static void example(FILE *to, const char *text)
{
    fputs(".nf\n", to);
    for (; *text; text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n')) {
        char one[256];
        snprintf(one, sizeof one, "%.*s", (int)strcspn(text, "\n"), text);
        line(to, one);
    }
    fputs(".fi\n", to);
}

static void head(FILE *to, const char *name, const char *section, const char *what)
{
    fprintf(to, ".TH %s %s \"\" \"distill " DISTILL_VERSION "\"\n.SH NAME\n", name, section);
    line(to, what);
}

/* ---- the program */

static void option(FILE *to, const cli_option *at)
{
    fputs(".TP\n", to);
    if (at->id < OPTION_LONG)
        fprintf(to, "\\fB\\-%c\\fR, ", (char)at->id);
    fputs("\\fB\\-\\-", to);
    put(to, at->name);
    fputs("\\fR", to);
    if (at->arg) {
        fputs(" \\fI", to);
        put(to, at->arg);
        fputs("\\fR", to);
    }
    putc('\n', to);
    line(to, at->doc);
}

static void verb(FILE *to, const line_spec *spec)
{
    fputs(".SS \"distill ", to);
    put(to, spec->name);
    putc(' ', to);
    put(to, spec->operands);
    fputs("\"\n", to);
    line(to, spec->doc);
    for (const cli_option *at = spec->options; at->name; at++)
        option(to, at);
    fputs(".PP\n", to);
    example(to, spec->examples);
}

static void exit_codes(FILE *to)
{
    char *text = NULL;
    size_t size;
    FILE *list = open_memstream(&text, &size);
    if (!list)
        return;
    exit_list(list);
    fclose(list);
    fputs(".SH \"EXIT STATUS\"\n", to);
    if (text)
        example(to, text);
    free(text);
}

void man_program(FILE *to)
{
    const line_spec *spec;
    head(to, "DISTILL", "1",
         "distill - from a density that is slow to sample to a sampler that is fast");
    fputs(".SH SYNOPSIS\n.B distill\n.I VERB\n[\\fIoptions\\fR]\n.SH DESCRIPTION\n", to);
    line(to,
         "A masked autoregressive flow is fitted to data, or a density up to a constant is given. "
         "A student "
         "learns to sample it in parallel, is held against it, and gates decide the exit code.");
    fputs("One YAML file says an experiment: distill.yaml(5).\n.SH VERBS\n", to);
    for (size_t i = 0; (spec = cli_verb(i)); i++)
        verb(to, spec);
    exit_codes(to);
    fputs(".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nSet and not empty: no colour.\n"
          ".TP\n.B OPENBLAS_CORETYPE\nThe kernels of the matrix products; they decide the last "
          "bits of results.\n"
          ".SH \"SEE ALSO\"\n.BR distill.yaml (5)\n",
          to);
}

/* ---- configs */

static void key_page(FILE *to, const char *path, const flow_key *key)
{
    char wants[512];
    flow_key_wants(wants, sizeof wants, key);
    fputs(".TP\n.B ", to);
    line(to, path);
    line(to, key->doc);
    fputs(".br\n", to);
    put(to, "Wants ");
    put(to, wants);
    put(to, "; default ");
    put(to, key->def ? key->def : "none");
    if (key->unit) {
        put(to, "; unit: ");
        put(to, key->unit);
    }
    if (key->only) {
        put(to, "; only if ");
        put(to, key->only);
    }
    line(to, ".");
}

static void take_key(void *arg, const char *path, const flow_key *key)
{
    if (key)
        key_page(arg, path, key);
}

static void take_figure(FILE *to, const gate_info *info)
{
    fputs(".TP\n.B ", to);
    line(to, info->name);
    line(to, info->doc);
}

void man_config(FILE *to)
{
    head(to, "DISTILL.YAML", "5", "distill.yaml - configs of distill");
    fputs(".SH DESCRIPTION\n", to);
    line(to, "Keys with dots are nested in a file: a.b: 1 is {a: {b: 1}}; with --set they are as "
             "here. Of sections "
             "that offer a choice, the keys of the usual kind are listed; distill explain KEY "
             "lists the others.");
    fputs(".SH KEYS\n", to);
    explain_each_key(take_key, to);
    fputs(".SH SWEEP\n", to);
    line(to, sweep_doc);
    for (const flow_key *key = sweep_keys; key->name; key++)
        key_page(to, key->name, key);
    fputs(".SH FIGURES\n", to);
    line(to, "What validate.require may bound, as FIGURE: \"< 0.7\".");
    for (size_t i = 0; i < GATE_COUNT; i++)
        take_figure(to, &gate_figures[i]);
    fputs(".SH EXAMPLE\n", to);
    example(to, "data: {path: mine.csv}\n"
                "validate: {require: {kl_reverse: \"< 0.01\"}}\n");
    fputs(".SH \"SEE ALSO\"\n.BR distill (1)\n", to);
}
