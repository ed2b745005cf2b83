/* tests/e2e/failing.h -- memory that fails when asked to: what takes the place of malloc and its kin in
 * memory.c, which alone includes it (the Makefile links it with --wrap). */
#ifndef TESTS_E2E_FAILING_H
#define TESTS_E2E_FAILING_H

#include <execinfo.h>
#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
int __real_posix_memalign(void **out, size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_realpath(const char *path, char *out);
void __real_free(void *block);
json_t *__real_json_loads(const char *text, size_t flags, json_error_t *why);
json_t *__real_json_loadb(const char *text, size_t size, size_t flags, json_error_t *why);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
int __wrap_posix_memalign(void **out, size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_realpath(const char *path, char *out);
void __wrap_free(void *block);
json_t *__wrap_json_loads(const char *text, size_t flags, json_error_t *why);
json_t *__wrap_json_loadb(const char *text, size_t size, size_t flags, json_error_t *why);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);

enum { LIVE = 1 << 18 };
static const void *live[LIVE]; /* blocks that were taken here and not given back, by hash */
static size_t n_live;
static bool sheltered;
static size_t asked, fails_at; /* allocations so far; the one that fails, 0: none */
static void *culprits[12];     /* the calls that led to the one that failed */
static int n_culprits;         /* 0: none has failed */
static pthread_mutex_t book = PTHREAD_MUTEX_INITIALIZER; /* on all of these: workers keep it, too */

static size_t slot_of(const void *block)
{
    size_t at = ((uintptr_t)block >> 4) * 0x9E3779B97F4A7C15u >> 46;
    while (live[at] && live[at] != block)
        at = (at + 1) % LIVE;
    return at;
}

static void *taken(void *block)
{
    if (block) {
        pthread_mutex_lock(&book);
        live[slot_of(block)] = block;
        n_live++;
        pthread_mutex_unlock(&book);
    }
    return block;
}

/* Those behind it in its chain move up (Knuth, The Art of Computer Programming 3, 6.4, algorithm R). */
static void strike_out(size_t at)
{
    live[at] = NULL;
    n_live--;
    for (size_t next = (at + 1) % LIVE; live[next]; next = (next + 1) % LIVE) {
        const void *moved = live[next];
        live[next] = NULL;
        live[slot_of(moved)] = moved;
    }
}

static void given_back(const void *block)
{
    pthread_mutex_lock(&book);
    size_t at = slot_of(block);
    if (block && live[at]) /* else the C library's own: of getline */
        strike_out(at);
    pthread_mutex_unlock(&book);
}

static bool refused(void)
{
    pthread_mutex_lock(&book);
    bool out = ++asked == fails_at;
    if (out)
        n_culprits = backtrace(culprits, sizeof culprits / sizeof *culprits);
    pthread_mutex_unlock(&book);
    return out;
}

/* For addr2line -pfe build/tests/e2e/memory. */
static void print_culprits(void)
{
    backtrace_symbols_fd(culprits, n_culprits, STDOUT_FILENO);
}

void *__wrap_malloc(size_t size)
{
    return refused() ? NULL : taken(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refused() ? NULL : taken(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (refused())
        return NULL;
    given_back(old);
    return taken(__real_realloc(old, size));
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t size)
{
    if (refused())
        return 12; /* ENOMEM */
    int code = __real_posix_memalign(out, alignment, size);
    if (!code)
        taken(*out);
    return code;
}

char *__wrap_strdup(const char *text)
{
    return refused() ? NULL : taken(__real_strdup(text));
}

char *__wrap_realpath(const char *path, char *out)
{
    return !out && refused() ? NULL : taken(__real_realpath(path, out));
}

void __wrap_free(void *block)
{
    given_back(block);
    __real_free(block);
}

static void *json_malloc(size_t size)
{
    return !sheltered && refused() ? NULL : taken(__real_malloc(size));
}

json_t *__wrap_json_loads(const char *text, size_t flags, json_error_t *why)
{
    sheltered = true;
    json_t *out = __real_json_loads(text, flags, why);
    sheltered = false;
    return out;
}

json_t *__wrap_json_loadb(const char *text, size_t size, size_t flags, json_error_t *why)
{
    sheltered = true;
    json_t *out = __real_json_loadb(text, size, flags, why);
    sheltered = false;
    return out;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
    static time_t seconds;
    (void)id;
    *out = (struct timespec){.tv_sec = ++seconds};
    return 0;
}

#endif
