#include "pipeline/command/options.h"

#include "flow/suggest.h"
#include "pipeline/command/tell.h"
#include "pipeline/config/number.h"

#include <assert.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const cli_option help = {"help", OPTION_HELP, NULL, "this text"};

/* The table and, after it, help; NULL past the end. */
static const cli_option *option_at(const cli_option *table, size_t i)
{
    size_t n = 0;
    while (n < i && table[n].name)
        n++;
    if (n == i && table[n].name)
        return &table[n];
    return n == i ? &help : NULL;
}

void options_start(option_reader *self, const cli_option *table, int argc, char **argv)
{
    *self = (option_reader){table, argc, argv, NULL};
    opterr = 0;
    optind = 0; /* glibc and musl: start anew */
}

/* The tables that getopt_long wants. ':' first: a missing argument is told from an unknown option.
 */
static void translate(const cli_option *table, struct option *longs, char *shorts)
{
    size_t n = 0;
    *shorts++ = ':';
    for (const cli_option *at; (at = option_at(table, n)); n++) {
        longs[n] =
            (struct option){at->name, at->arg ? required_argument : no_argument, NULL, at->id};
        if (at->id < OPTION_LONG) {
            *shorts++ = (char)at->id;
            if (at->arg)
                *shorts++ = ':';
        }
    }
    assert(n <= OPTION_MAX);
    longs[n] = (struct option){NULL, 0, NULL, 0};
    *shorts = '\0';
}

static int unknown(const option_reader *self, const char *word, flow_err *err)
{
    const char *names[OPTION_MAX + 1];
    char name[64];
    size_t n = 0;
    for (const cli_option *at; (at = option_at(self->table, n)); n++)
        names[n] = at->name;
    if (strncmp(word, "--", 2) != 0)
        return flow_fail(err, FLOW_EUSAGE, "unknown option '-%c'", optopt);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *near = flow_suggest(name, names, n);
    return flow_fail(err, FLOW_EUSAGE, "unknown option '--%s'%s%s%s", name,
                     near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "");
}

/* What getopt_long reports with '?' or ':'. */
static int wrong(const option_reader *self, int result, flow_err *err)
{
    const char *word = self->argv[optind - 1];
    for (size_t i = 0; option_at(self->table, i); i++) {
        const cli_option *at = option_at(self->table, i);
        if (at->id != optopt)
            continue;
        if (result == ':')
            return flow_fail(err, FLOW_EUSAGE, "option '%s' wants an argument: %s", word, at->arg);
        return flow_fail(err, FLOW_EUSAGE, "option '--%s' takes no argument", at->name);
    }
    return unknown(self, word, err);
}

int options_next(option_reader *self, flow_err *err)
{
    struct option longs[OPTION_MAX + 1];
    char shorts[2 * OPTION_MAX + 2];
    translate(self->table, longs, shorts);
    int id = getopt_long(self->argc, self->argv, shorts, longs, NULL);
    self->arg = optarg;
    if (id != '?' && id != ':')
        return id == -1 ? OPTION_END : id;
    wrong(self, id, err);
    return OPTION_WRONG;
}

int option_whole(uint64_t *out, const char *name, const char *arg, uint64_t min, uint64_t max,
                 flow_err *err)
{
    if (number_parse_whole(out, arg) == NUMBER_GOOD && *out >= min && *out <= max)
        return FLOW_OK;
    if (max == INT64_MAX)
        return flow_fail(err, FLOW_EUSAGE, "%s wants a whole number >= %llu, got '%.60s'", name,
                         (unsigned long long)min, arg);
    return flow_fail(err, FLOW_EUSAGE, "%s wants a whole number %llu .. %llu, got '%.60s'", name,
                     (unsigned long long)min, (unsigned long long)max, arg);
}

int option_real(double *out, const char *name, const char *arg, flow_err *err)
{
    if (number_parse_real(out, arg) == NUMBER_GOOD && isfinite(*out))
        return FLOW_OK;
    return flow_fail(err, FLOW_EUSAGE, "%s wants a number, got '%.60s'", name, arg);
}

int option_positive(double *out, const char *name, const char *arg, flow_err *err)
{
    if (number_parse_real(out, arg) == NUMBER_GOOD && *out > 0)
        return FLOW_OK;
    return flow_fail(err, FLOW_EUSAGE, "%s wants a number above 0, got '%.60s'", name, arg);
}

/* "-n, --number N" */
enum { SPELT = 64 };
static const char *spell(char out[SPELT], const cli_option *at)
{
    char letter[8] = "    ";
    if (at->id < OPTION_LONG)
        snprintf(letter, sizeof letter, "-%c, ", (char)at->id);
    snprintf(out, SPELT, "%s--%s%s%s", letter, at->name, at->arg ? " " : "",
             at->arg ? at->arg : "");
    return out;
}

void options_print(FILE *to, const cli_option *table)
{
    const cli_option *at;
    char left[SPELT];
    size_t width = 24;
    for (size_t i = 0; (at = option_at(table, i)); i++)
        width = strlen(spell(left, at)) > width ? strlen(left) : width;
    for (size_t i = 0; (at = option_at(table, i)); i++) {
        fprintf(to, "  %-*s  ", (int)width, spell(left, at));
        tell_wrap_at(to, OPTION_WIDTH, at->doc, width + 4, width + 4);
    }
}
