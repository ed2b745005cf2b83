#include "pipeline/command/check_target_print.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- words */

static const char *column(char *out, size_t size, const check_target_seen *s, size_t col)
{
    snprintf(out, size, "%zu '%s'", col, s->names[col]);
    return out;
}

/* "(0.3, -1.2, ...)" */
static const char *point(char *out, size_t size, const check_target_seen *s, size_t row)
{
    size_t shown = s->dim < 8 ? s->dim : 8;
    size_t at = (size_t)snprintf(out, size, "(");
    for (size_t i = 0; i < shown && at < size; i++)
        at +=
            (size_t)snprintf(out + at, size - at, "%s%.8g", i ? ", " : "", s->x[row * s->dim + i]);
    if (at < size)
        snprintf(out + at, size - at, "%s)", s->dim > shown ? ", ..." : "");
    return out;
}

static const char *seconds(char *out, size_t size, double s)
{
    if (s < 1e-6)
        snprintf(out, size, "%.3g ns", 1e9 * s);
    else if (s < 1e-3)
        snprintf(out, size, "%.3g us", 1e6 * s);
    else
        snprintf(out, size, "%.3g ms", 1e3 * s);
    return out;
}

size_t check_target_say(const char *level, const char *remedy, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    printf("%s: ", level);
    vprintf(fmt, args);
    printf("\n    %s\n", remedy);
    va_end(args);
    return level[0] == 'e';
}

/* ---- figures */

static void print_head(const check_target_seen *s)
{
    printf("%s: %zu dimension%s", s->file, s->dim, s->dim == 1 ? "" : "s");
    for (size_t j = 0; j < s->dim && j < 12; j++)
        printf("%s%s", j ? ", " : " (", s->names[j]);
    printf("%s; %s gradient; %s; log Z ", s->dim > 12 ? ", ...)" : ")",
           s->flags & TARGET_GRADIENT ? "with" : "without",
           s->flags & TARGET_THREADS ? "any number of threads" : "one thread at a time");
    if (isnan(s->log_z))
        puts("not known");
    else
        printf("%.6g\n", s->log_z);
    if (s->mapped)
        puts("its columns are mapped, ends by logarithm and logit, circles to angles; so are "
             "points and "
             "derivatives "
             "below, but for x");
}

static void print_rows(const check_target_seen *s)
{
    printf("\n%-34s %6s %8s %11s %7s\n", "points", "rows", "finite", "no density", "broken");
    for (size_t g = 0; g < s->n_groups; g++) {
        const check_target_group *of = &s->groups[g];
        printf("%-34s %6zu %8zu %11zu %7" PRIu64 "\n", of->where, of->n, of->rows.finite,
               of->rows.no_density, of->rows.broken.count);
    }
    if (s->no_pilot)
        printf("%-34s %s\n", "annealed to the target", s->no_pilot);
}

static void print_gradient(const check_target_seen *s)
{
    const probe *p = &s->probe;
    const probe_derivative *w = &p->worst;
    char at[256], name[96];
    putchar('\n');
    if (!(s->flags & TARGET_GRADIENT))
        return;
    printf("gradient    %zu derivatives against central differences, %zu off by more than %g\n",
           p->compared, p->wrong, PROBE_GRADIENT);
    if (p->compared > 0)
        printf("            the worst, off by %.2g: in column %s at x = %s\n"
               "            it says %.10g, differences say %.10g\n",
               w->error, column(name, sizeof name, s, w->col), point(at, sizeof at, s, w->row),
               w->given, w->numeric);
}

static void print_same(const char *how, const probe_same *same, size_t rows)
{
    if (same->rows == 0)
        printf("%s: all %zu rows", how, rows);
    else
        printf("%s: %zu of %zu rows differ, log p by %.2g", how, same->rows, rows, same->worst);
}

static void print_speed(const check_target_seen *s)
{
    char a[32], b[32];
    const probe_speed *t = &s->speed;
    printf("a row       density %s in batches of %d, %s alone", seconds(a, sizeof a, t->density),
           FLOW_SHARD, seconds(b, sizeof b, t->alone_density));
    if (!isnan(t->gradient))
        printf("; with gradient %s, %s", seconds(a, sizeof a, t->gradient),
               seconds(b, sizeof b, t->alone_gradient));
    puts(" (one thread)");
}

static void print_figures(const check_target_seen *s)
{
    const probe *p = &s->probe;
    print_head(s);
    print_rows(s);
    print_gradient(s);
    printf("same bits   ");
    print_same("asked again", &p->again, p->rows);
    printf("; ");
    print_same("by three threads", &p->threads, p->rows);
    printf("\n            ");
    print_same("alone", &p->alone, p->rows);
    printf("%s", s->flags & TARGET_GRADIENT ? "; " : "");
    if (s->flags & TARGET_GRADIENT)
        print_same("without gradient", &p->slopeless, p->rows);
    printf("\nflat        gradient 0 in %zu rows; %zu rows have the density of another\n", p->flat,
           p->equal);
    print_speed(s);
    check_quantities_print(&s->quantities);
    putchar('\n');
}

/* ---- findings */

static size_t judge_rows(const check_target_seen *s)
{
    const probe *p = &s->probe;
    char text[BROKEN_TEXT];
    size_t errors = 0;
    if (p->broken.count > 0)
        errors += check_target_say(
            (double)p->broken.count > BROKEN_SHARE * (double)p->rows ? "error" : "warning",
            "NaN, +inf, or a gradient that is not finite; where there is no density say "
            "so, or -inf. A run ends where more than a share of 0.05 breaks.",
            "%" PRIu64 " of %zu rows broke; the first: %s", p->broken.count, p->rows,
            broken_text(text, &p->broken));
    if (p->finite == 0)
        errors += check_target_say("error", "a run would have nothing to start from",
                                   "no row has a density");
    else if (p->no_density > 0)
        check_target_say(
            "note",
            "a student must learn where the support ends: it is easier where columns are "
            "mapped to the whole line",
            "%zu of %zu rows have no density", p->no_density, p->rows);
    return errors;
}

static size_t judge_gradient(const check_target_seen *s)
{
    const probe *p = &s->probe;
    char at[256], name[96];
    if (!(s->flags & TARGET_GRADIENT)) {
        check_target_say("note", "it is trained without, which takes more evaluations",
                         "there is no gradient");
        return 0;
    }
    if (p->wrong > 0)
        return check_target_say(
            "error", "a student that is trained with it learns another density",
            "the gradient is wrong in %zu of %zu derivatives: %.6g in column %s at x = %s, "
            "where differences say %.6g",
            p->wrong, p->compared, p->worst.given, column(name, sizeof name, s, p->worst.col),
            point(at, sizeof at, s, p->worst.row), p->worst.numeric);
    if (p->compared == 0 && p->finite > 0)
        return check_target_say("error", "there is no density beside any of the points",
                                "no derivative could be compared");
    return 0;
}

static size_t judge_same(const check_target_seen *s, const probe_same *same, const char *how,
                         const char *remedy)
{
    char at[256];
    if (same->rows == 0)
        return 0;
    return check_target_say(
        "error", remedy, "%s, %zu of %zu rows are others; log p by up to %.2g, at x = %s", how,
        same->rows, s->probe.rows, same->worst, point(at, sizeof at, s, same->at));
}

/* Sums in another order are all right, other densities are not. */
static size_t judge_close(const check_target_seen *s, const probe_same *same, const char *how,
                          const char *remedy)
{
    if (same->worst > PROBE_SAME)
        return judge_same(s, same, how, remedy);
    if (same->rows > 0)
        check_target_say("note", "that is rounding: nothing is wrong with it",
                         "%s, %zu of %zu rows have other last bits", how, same->rows,
                         s->probe.rows);
    return 0;
}

static size_t judge_flat(const check_target_seen *s)
{
    const probe *p = &s->probe;
    if (p->finite < 2 || (p->flat == 0 && p->equal == 0))
        return 0;
    bool all = p->equal == p->finite || p->flat == p->finite;
    return check_target_say(
        all ? "error" : "warning",
        "a flat region has no end that a student could find: it has infinite mass, or the "
        "density was cut off",
        "flat: %zu of %zu rows have gradient 0, %zu have the density of another row", p->flat,
        p->finite, p->equal);
}

/* What differs by itself tells nothing of threads and neighbours. */
static size_t judge_bits(const check_target_seen *s)
{
    const probe *p = &s->probe;
    size_t errors = judge_same(s, &p->again, "asked again",
                               "noise in it, or a state that it keeps: no run can be repeated");
    if (errors > 0)
        return errors;
    errors = judge_same(s, &p->threads, "asked by three threads",
                        "it is not for several threads: leave DISTILL_THREADS away");
    errors +=
        judge_close(s, &p->alone, "asked for alone", "a row must not depend on those beside it");
    errors += judge_close(s, &p->slopeless, "asked without gradient",
                          "density and gradient are not those of one function");
    return errors;
}

static size_t judge(const check_target_seen *s)
{
    return judge_rows(s) + judge_gradient(s) + judge_bits(s) + judge_flat(s) +
           check_quantities_judge(&s->quantities);
}

size_t check_target_print(const check_target_seen *seen)
{
    print_figures(seen);
    size_t errors = judge(seen);
    if (errors == 0)
        puts("nothing is wrong with it, as far as these points tell");
    return errors;
}
