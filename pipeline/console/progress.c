#include "pipeline/console/progress.h"

#include "flow/clock.h"
#include "flow/json.h"
#include "pipeline/console/log.h"
#include "pipeline/console/term.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const double live_interval = 0.1, plain_interval = 30; /* seconds */
static const double plain_share = 0.05, late = 2, rate_after = 0.5;

enum { LINE = 512 };

/* One stderr, so one state. */
static struct {
    bool quiet, live, colour;
    const char *stage; /* NULL: none has begun */
    uint64_t total, shown_done;
    double start, shown; /* seconds, of a clock that only goes forward */
    double quiet_until;  /* likewise */
    bool dirty;          /* an unfinished line is on the terminal */
} state;

void progress_init(bool quiet)
{
    state.quiet = quiet;
    state.live = !log_is_json() && term_live(STDERR_FILENO);
    state.colour = !log_is_json() && term_colour(STDERR_FILENO);
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
    state.quiet_until = state.start;
}

void progress_begin_late(const char *stage, uint64_t total)
{
    progress_begin(stage, total);
    state.quiet_until = state.start + late;
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

/* How far it is, in numbers. */
typedef struct standing {
    uint64_t done;
    double spent, rate,
        left; /* seconds, a second, seconds; rate 0: too early to say; left NaN: not known */
} standing;

static standing stand(uint64_t done, double time)
{
    double spent = time - state.start;
    standing out = {.done = done, .spent = spent, .left = (double)NAN};
    if (spent > rate_after)
        out.rate = (double)done / spent;
    if (state.total && done)
        out.left = spent * (double)(state.total > done ? state.total - done : 0) / (double)done;
    return out;
}

/* "  37 %  3700 of 10000  310/s  12 s left" or, without a total, "  3700  310/s  12 s" */
static void print_counts(char *out, size_t size, const standing *at)
{
    char time[48], rate[32] = "", share[64] = "  ";
    bool known = !isnan(at->left);
    progress_time(time, sizeof time, known ? at->left : at->spent);
    if (at->rate > 0)
        snprintf(rate, sizeof rate, "  %.3g/s", at->rate);
    if (known)
        snprintf(share, sizeof share, "  %3d %%  ",
                 (int)(100.0 * (double)at->done / (double)state.total));
    int n = snprintf(out, size, "%s%llu", share, (unsigned long long)at->done);
    if (state.total)
        n += snprintf(out + n, size - (size_t)n, " of %llu", (unsigned long long)state.total);
    snprintf(out + n, size - (size_t)n, "%s  %s%s", rate, time, known ? " left" : "");
}

static void show_json(const standing *at, const char *text)
{
    json_t *line =
        json_pack("{s:s, s:s, s:I, s:o, s:f, s:f, s:o, s:s}", "level", "progress", "stage",
                  state.stage, "done", (json_int_t)at->done, "total",
                  state.total ? json_integer((json_int_t)state.total) : json_null(), "seconds",
                  at->spent, "rate", at->rate, "left", flow_json_real(at->left), "text", text);
    log_line(line);
}

/* A longer line than the terminal is wide would not be erased. */
static void show_text(const standing *at, const char *text)
{
    char counts[160], line[LINE];
    print_counts(counts, sizeof counts, at);
    int used = snprintf(line, sizeof line, "%s  %.300s", counts, text);
    while (used > 0 && used < LINE && line[used - 1] == ' ')
        used--;
    size_t name = strlen(state.stage), width = state.live ? term_width(STDERR_FILENO) - 1 : LINE;
    int room = width > name ? (int)(width - name) : 0;
    erase();
    fprintf(stderr, "%s%s%s%.*s", state.colour ? "\033[1m" : "", state.stage,
            state.colour ? "\033[0m" : "", used < room ? used : room, line);
    if (!state.live)
        putc('\n', stderr);
    fflush(stderr);
}

static void show(uint64_t done, double time, const char *fmt, va_list args)
{
    char text[LINE];
    const standing at = stand(done, time);
    vsnprintf(text, sizeof text, fmt, args);
    if (log_is_json())
        show_json(&at, text);
    else
        show_text(&at, text);
    state.dirty = state.live;
    state.shown = time;
    state.shown_done = done;
}

static bool due(uint64_t done, double time)
{
    double waited = time - state.shown;
    if (time < state.quiet_until)
        return false;
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
