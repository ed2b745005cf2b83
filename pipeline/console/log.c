#define _GNU_SOURCE /* fopencookie */

#include "pipeline/console/log.h"

#include "files/utf8.h"
#include "flow/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One stderr, so one state. */
static struct {
    bool json;
    char line[4096]; /* the one that is not whole yet; a longer one is told in parts */
    size_t used;
} state;

bool log_is_json(void)
{
    return state.json;
}

static void put(const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(STDERR_FILENO, text, size);
        if (n <= 0)
            return; /* nowhere to say it */
        text += n;
        size -= (size_t)n;
    }
}

void log_line(json_t *line)
{
    char *text = state.json ? flow_json_line(line, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    if (text)
        put(text, strlen(text)); /* one write a line */
    free(text);
    json_decref(line);
}

static const char *level_of(const char **text)
{
    static const char *const levels[] = {"error", "warning", "note"};
    static const char program[] = "distill: ";
    const char *at =
        strncmp(*text, program, strlen(program)) == 0 ? *text + strlen(program) : *text;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        size_t size = strlen(levels[i]);
        if (strncmp(at, levels[i], size) == 0 && strncmp(at + size, ": ", 2) == 0) {
            *text = at + size + 2;
            return levels[i];
        }
    }
    return strstr(*text, " error: ") ? "error" : "info";
}

static void end_line(void)
{
    const char *text = state.line;
    state.line[state.used] = '\0';
    file_mend_utf8(state.line);
    const char *level = level_of(&text);
    if (*text)
        log_line(json_pack("{s:s, s:s}", "level", level, "text", text));
    state.used = 0;
}

#ifdef __GLIBC__

static ssize_t take(void *cookie, const char *bytes, size_t size)
{
    (void)cookie;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n' || state.used == sizeof state.line - 1)
            end_line();
        if (bytes[i] != '\n')
            state.line[state.used++] = bytes[i] ? bytes[i] : ' ';
    }
    return (ssize_t)size;
}

static int begin(flow_err *err)
{
    FILE *lines = fopencookie(NULL, "w", (cookie_io_functions_t){.write = take});
    if (!lines)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for --log-format json");
    setvbuf(lines, NULL, _IONBF, 0);
    stderr = lines;
    state.json = true;
    return FLOW_OK;
}

#else

static int begin(flow_err *err)
{
    return flow_fail(err, FLOW_EUSAGE, "--log-format json needs the GNU C library");
}

#endif

int log_format(const char *word, flow_err *err)
{
    if (strcmp(word, "text") == 0)
        return FLOW_OK;
    if (strcmp(word, "json") != 0)
        return flow_fail(err, FLOW_EUSAGE, "--log-format wants text or json, got '%.60s'", word);
    return state.json ? FLOW_OK : begin(err);
}
