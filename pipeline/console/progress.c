#include "pipeline/console/progress.h"

#include "flow/clock.h"
#include "pipeline/console/term.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const double live_interval = 0.1, plain_interval = 30; /* seconds */
static const double plain_share = 0.05;

enum { LINE = 512 };

/* One stderr, so one state. */
static struct {
    bool quiet, live, colour;
    const char *stage; /* NULL: none has begun */
    uint64_t total, shown_done;
    double start, shown; /* seconds, of a clock that only goes forward */
    bool dirty;          /* an unfinished line is on the terminal */
} state;

void progress_init(bool quiet)
{
    state.quiet = quiet;
    state.live = term_live(STDERR_FILENO);
    state.colour = term_colour(STDERR_FILENO);
}

static void erase(void)
{
    if (state.dirty)
        fputs("\r\033[K", stderr);
    state.dirty = false;
}

void progress_begin(const char *stage, uint64_t total)
{
    erase();
    state.stage = stage;
    state.total = total;
    state.shown_done = 0;
    state.start = flow_seconds();
    state.shown = state.live ? state.start - live_interval : state.start;
}

void progress_time(char *out, size_t size, double seconds)
{
    unsigned long whole = seconds > 0 ? (unsigned long)(seconds + 0.5) : 0;
    if (whole >= 3600)
        snprintf(out, size, "%lu h %02lu min", whole / 3600, whole / 60 % 60);
    else if (whole >= 60)
        snprintf(out, size, "%lu min %02lu s", whole / 60, whole % 60);
    else
        snprintf(out, size, "%lu s", whole);
}

/* "  37 %  3700 of 10000  12 s left" or, without a total, "  3700  12 s" */
static void print_counts(char *out, size_t size, uint64_t done, double time)
{
    char text[48];
    double seconds = time - state.start;
    unsigned long long count = done, total = state.total;
    if (!total || !done) {
        progress_time(text, sizeof text, seconds);
        if (total)
            snprintf(out, size, "  %llu of %llu  %s", count, total, text);
        else
            snprintf(out, size, "  %llu  %s", count, text);
        return;
    }
    progress_time(text, sizeof text,
                  seconds * (double)(total > done ? total - done : 0) / (double)done);
    snprintf(out, size, "  %3d %%  %llu of %llu  %s left",
             (int)(100.0 * (double)done / (double)total), count, total, text);
}

static void show(uint64_t done, double time, const char *fmt, va_list args)
{
    char counts[160], line[LINE], text[LINE];
    print_counts(counts, sizeof counts, done, time);
    vsnprintf(text, sizeof text, fmt, args);
    int used = snprintf(line, sizeof line, "%s  %.300s", counts, text);
    size_t name = strlen(state.stage), width = state.live ? term_width(STDERR_FILENO) - 1 : LINE;
    int room = width > name ? (int)(width - name) : 0; /* a longer line would not be erased */
    erase();
    fprintf(stderr, "%s%s%s%.*s", state.colour ? "\033[1m" : "", state.stage,
            state.colour ? "\033[0m" : "", used < room ? used : room, line);
    if (!state.live)
        putc('\n', stderr);
    fflush(stderr);
    state.dirty = state.live;
    state.shown = time;
    state.shown_done = done;
}

static bool due(uint64_t done, double time)
{
    double waited = time - state.shown;
    if (state.live)
        return waited >= live_interval;
    double step = (double)done - (double)state.shown_done;
    return waited >= plain_interval || (state.total && step >= plain_share * (double)state.total);
}

void progress_update(uint64_t done, const char *fmt, ...)
{
    double time = state.quiet || !state.stage ? 0 : flow_seconds();
    if (state.quiet || !state.stage || !due(done, time))
        return;
    va_list args;
    va_start(args, fmt);
    show(done, time, fmt, args);
    va_end(args);
}

void progress_end(const char *fmt, ...)
{
    if (!state.quiet && state.stage) {
        char text[LINE], spent[48];
        va_list args;
        va_start(args, fmt);
        vsnprintf(text, sizeof text, fmt, args);
        va_end(args);
        progress_time(spent, sizeof spent, flow_seconds() - state.start);
        erase();
        fprintf(stderr, "%s%s%s  %s  (%s)\n", state.colour ? "\033[1m" : "", state.stage,
                state.colour ? "\033[0m" : "", text, spent);
    }
    state.stage = NULL;
}

void progress_clear(void)
{
    erase();
    state.stage = NULL;
}
