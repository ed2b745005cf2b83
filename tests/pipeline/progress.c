/* Progress: a rewritten line on a terminal, plain lines elsewhere, nothing when quiet. */
#define _XOPEN_SOURCE 700 /* pseudo-terminals */
#include "pipeline/console/progress.h"

#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* stderr into a file of the temporary directory while `work` runs; returns its text. */
static char *captured(void (*work)(void))
{
    fflush(stderr);
    int saved = dup(2), file = open(temp_path("err"), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    cr_assert(saved >= 0 && file >= 0 && dup2(file, 2) >= 0);
    work();
    fflush(stderr);
    dup2(saved, 2);
    close(saved);
    close(file);
    return temp_slurp(temp_path("err"), NULL);
}

static void hundred_steps(void)
{
    progress_init(false);
    progress_begin("teacher", 100);
    for (uint64_t i = 0; i <= 100; i++)
        progress_update(i, "loss %.2f", 2.385 - 0.01 * (double)i);
    progress_end("done, loss %.2f", 1.5);
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

Test(progress, plain_lines_every_twentieth)
{
    temp_open();
    char *text = captured(hundred_steps);
    cr_expect_eq(count(text, "\n"), 21, "%s", text); /* 5 %, 10 %, ..., 100 %, end */
    cr_expect_not_null(strstr(text, "teacher    5 %  5 of 100  0 s left  loss 2.33\n"), "%s", text);
    cr_expect_not_null(strstr(text, "teacher  100 %  100 of 100  0 s left  loss 1.38\n"), "%s",
                       text);
    cr_expect_not_null(strstr(text, "\nteacher  done, loss 1.50  (0 s)\n"), "%s", text);
    cr_expect(!strchr(text, '\r') && !strchr(text, '\033'));
    free(text);
    temp_close();
}

static void quiet_steps(void)
{
    progress_init(true);
    progress_begin("teacher", 10);
    for (uint64_t i = 0; i <= 10; i++)
        progress_update(i, "loss");
    progress_end("done");
}

static void no_stage(void)
{
    progress_init(false);
    progress_update(3, "loss");
    progress_end("done");
    progress_begin("data", 0);
    progress_update(1000000000, "rows"); /* no total: nothing before 30 s */
    progress_clear();
    progress_update(3, "loss");
}

static void quick_verb(void)
{
    progress_init(false);
    progress_begin_late("sample", 10);
    for (uint64_t i = 0; i <= 10; i++)
        progress_update(i, "%s", "");
    progress_clear();
}

/* A second of it: by then there is a rate, and the text is empty. */
static void slow_steps(void)
{
    const struct timespec second = {.tv_sec = 1};
    progress_init(false);
    progress_begin("sample", 4);
    nanosleep(&second, NULL);
    progress_update(2, "%s", "");
    progress_clear();
}

Test(progress, rate_and_time_left)
{
    temp_open();
    char *text = captured(slow_steps);
    double rate, left;
    cr_expect_eq(sscanf(text, "sample   50 %%  2 of 4  %lf/s  %lf s left\n", &rate, &left), 2, "%s",
                 text);
    cr_expect(rate > 0 && rate <= 2 && left >= 1, "%s", text);
    cr_expect_eq(text[strlen(text) - 2], 't', "%s", text);
    free(text);
    temp_close();
}

Test(progress, says_nothing_when_it_should_not)
{
    temp_open();
    char *text = captured(quiet_steps);
    cr_expect_str_empty(text);
    free(text);
    text = captured(quick_verb);
    cr_expect_str_empty(text);
    free(text);
    text = captured(no_stage);
    cr_expect_str_empty(text);
    free(text);
    temp_close();
}

/* Runs work with a terminal behind stderr and returns what arrived there. */
static void on_terminal(char *text, size_t size, const char *term, void (*work)(void))
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY), saved = dup(2);
    setenv("TERM", term, 1);
    fflush(stderr);
    cr_assert(slave >= 0 && saved >= 0 && dup2(slave, 2) >= 0);
    work();
    fflush(stderr);
    dup2(saved, 2);
    fcntl(master, F_SETFL, O_NONBLOCK);
    size_t used = 0;
    for (ssize_t n; used < size - 1 && (n = read(master, text + used, size - 1 - used)) > 0;)
        used += (size_t)n;
    text[used] = '\0';
    close(slave);
    close(saved);
    close(master);
}

static void quick_steps(void)
{
    progress_init(false);
    progress_begin("student", 1000000000);
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    double seconds = 0;
    for (uint64_t i = 0; i < 1000000000 && seconds < 0.55; i++) {
        progress_update(i, "loss %.2f and a text that is much longer than the terminal is wide",
                        2.385);
        clock_gettime(CLOCK_MONOTONIC, &now);
        seconds =
            (double)(now.tv_sec - start.tv_sec) + 1e-9 * (double)(now.tv_nsec - start.tv_nsec);
    }
    progress_end("done");
}

Test(progress, one_line_ten_times_a_second)
{
    char text[4096];
    unsetenv("NO_COLOR");
    on_terminal(text, sizeof text, "xterm", quick_steps);
    cr_expect_eq(count(text, "\n"), 1, "%s", text);
    size_t shown = count(text, "loss 2.38");
    cr_expect(shown >= 1 && shown <= 6, "%zu times in 0.55 s", shown);
    cr_expect_eq(count(text, "\r\033[K"), shown);
    cr_expect_not_null(strstr(text, "\r\033[K\033[1mstudent\033[0m  done  (1 s)\r\n"), "%s", text);
    for (char *at = text; (at = strstr(at, "\033[0m")); at++)
        cr_expect_lt(strcspn(at + 4, "\r"), 80 - strlen("student"), "%s", at);
}

Test(progress, no_colour_when_asked)
{
    char text[4096];
    setenv("NO_COLOR", "1", 1);
    on_terminal(text, sizeof text, "xterm", hundred_steps);
    cr_expect_null(strstr(text, "\033[1m"), "%s", text);
    cr_expect_not_null(strstr(text, "\r\033[K"), "%s", text);
}

Test(progress, dumb_terminal_gets_plain_lines)
{
    char text[8192];
    on_terminal(text, sizeof text, "dumb", hundred_steps);
    cr_expect_null(strchr(text, '\033'), "%s", text);
    cr_expect_eq(count(text, "\n"), 21, "%s", text);
}
