#include "pipeline/stages/look.h"

#include "pipeline/config/settings.h"
#include "pipeline/console/shell_word.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MOST_OF_A_KIND = 3 };

static void tell_one(const look_finding *f)
{
    fprintf(stderr, "warning   %s\n          -> %s\n", f->text, f->remedy);
}

/* Whether a kind of column would help against what is warned of. */
static bool hints_at_kinds(const data_look *look)
{
    for (size_t i = 0; i < look->n_findings; i++)
        for (size_t k = 0; look->findings[i].level == LOOK_WARNING && k < look->n_columns; k++)
            if (look->columns[k].col == look->findings[i].col && look->columns[k].hint[0])
                return true;
    return false;
}

/* Findings before i of the same kind. */
static size_t earlier(const data_look *look, size_t i)
{
    size_t n = 0;
    for (size_t k = 0; k < i; k++)
        n += strcmp(look->findings[k].kind, look->findings[i].kind) == 0;
    return n;
}

/* Returns how many were left out. */
static size_t tell_warnings(const data_look *look)
{
    size_t left_out = 0;
    for (size_t i = 0; i < look->n_findings; i++) {
        if (look->findings[i].level != LOOK_WARNING)
            continue;
        if (earlier(look, i) < MOST_OF_A_KIND)
            tell_one(&look->findings[i]);
        else
            left_out++;
    }
    return left_out;
}

/* "3 warnings and 1 note more: distill inspect events.csv" */
static void tell_rest(const data_look *look, const char *file, size_t left_out)
{
    size_t notes = 0;
    for (size_t i = 0; i < look->n_findings; i++)
        notes += look->findings[i].level == LOOK_NOTE;
    if (left_out + notes == 0)
        return;
    fputs("data      ", stderr);
    if (left_out)
        fprintf(stderr, "%zu warning%s%s", left_out, left_out == 1 ? "" : "s",
                notes ? " and " : "");
    if (notes)
        fprintf(stderr, "%zu note%s", notes, notes == 1 ? "" : "s");
    fputs(" more: distill inspect ", stderr);
    shell_word(stderr, file);
    putc('\n', stderr);
}

/* A fit that ends before its step size is what lr says. */
static void tell_warmup(const data_look *look, const config *c)
{
    const teacher_fit_options fit = settings_fit(c, look->n_train);
    size_t steps = (look->n_train + fit.batch - 1) / fit.batch * fit.epochs;
    if (fit.warmup > 0 && fit.warmup >= steps / 2)
        fprintf(stderr,
                "warning   teacher.train.warmup: %zu of the %zu steps that the fit has at most\n"
                "          -> teacher.train.warmup: %zu, or more teacher.train.epochs\n",
                fit.warmup, steps, steps / 10);
}

void look_tell(const data_look *look, const config *c, const char *source, bool quiet)
{
    size_t left_out = tell_warnings(look);
    if (*look->suggestion && hints_at_kinds(look))
        fprintf(stderr, "          -> all of it: %s\n", look->suggestion);
    tell_warmup(look, c);
    if (c->data.path && !quiet)
        tell_rest(look, source, left_out);
}
