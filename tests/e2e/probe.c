/* tests/e2e/probe.c -- what the end-to-end scripts need and a shell has not.
 *
 *   probe json FILE [PATH ...]   parses FILE strictly; prints the value at each dotted path, one a line, as
 *                                compact JSON; status 1 if one is missing
 *   probe without FILE KEY       prints FILE without one key of its top level, keys sorted
 *   probe lines FILE [PATH ...]  the same as json for each line of FILE
 *   probe time N COMMAND ...     median wall time in ms of N runs, stdout thrown away
 *   probe memory COMMAND ...     largest resident memory in KiB; status is the command's
 *   probe table ROWS FORM [COLS] writes made-up rows of 8 columns, or fewer, to stdout; FORM: f4 or f8, a .npy file, or csv */
#define _GNU_SOURCE /* wait4 */
#include <fcntl.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- JSON */

/* No duplicate keys, nothing behind the value. Exits if it is not JSON. */
static json_t *parse(const char *text, size_t len, const char *path)
{
    json_error_t error;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value)
        return value;
    fprintf(stderr, "probe: %s:%d: %s\n", path, error.line, error.text);
    exit(1);
}

static FILE *open_or_exit(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (in)
        return in;
    perror(path);
    exit(1);
}

/* NULL if there is none. Numbers are indices of lists. */
static const json_t *find(const json_t *value, const char *path)
{
    while (value && *path) {
        char key[256];
        size_t len = strcspn(path, ".");
        if (len >= sizeof key)
            return NULL;
        memcpy(key, path, len);
        key[len] = '\0';
        value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
                                     : json_object_get(value, key);
        path += len + (path[len] == '.');
    }
    return value;
}

static int print_paths(const json_t *value, const char *file, char **paths)
{
    for (; *paths; paths++) {
        const json_t *at = find(value, *paths);
        if (!at) {
            fprintf(stderr, "probe: %s: no '%s'\n", file, *paths);
            return 1;
        }
        json_dumpf(at, stdout, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
        putchar('\n');
    }
    return 0;
}

static json_t *read_json(const char *path)
{
    FILE *in = open_or_exit(path);
    size_t len = 0, room = 1 << 20;
    char *text = malloc(room);
    for (size_t n; text && (n = fread(text + len, 1, room - len, in)) > 0;)
        if ((len += n) == room)
            text = realloc(text, room *= 2);
    fclose(in);
    if (!text)
        exit(1);
    json_t *value = parse(text, len, path);
    free(text);
    return value;
}

static int json_main(char **args)
{
    json_t *value = read_json(args[0]);
    int status = print_paths(value, args[0], args + 1);
    json_decref(value);
    return status;
}

static int without_main(char **args)
{
    json_t *value = read_json(args[0]);
    int status = args[1] ? json_object_del(value, args[1]) != 0 : 64;
    json_dumpf(value, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
    json_decref(value);
    return status;
}

static int lines_main(char **args)
{
    FILE *in = open_or_exit(args[0]);
    char *line = NULL;
    size_t room = 0;
    int status = 0;
    for (ssize_t len; !status && (len = getline(&line, &room, in)) > 0;) {
        json_t *value = parse(line, (size_t)len, args[0]);
        status = print_paths(value, args[0], args + 1);
        json_decref(value);
    }
    free(line);
    fclose(in);
    return status;
}

/* ---- processes */

/* Status of the command as a shell has it; *usage what it used. */
static int run(char **command, int quiet, struct rusage *usage)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (quiet && !freopen("/dev/null", "w", stdout))
            _exit(126);
        execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, usage) != child) {
        perror("probe");
        exit(1);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int time_main(char **args)
{
    double spent[101];
    struct rusage usage;
    size_t n = strtoul(args[0], NULL, 10);
    if (n < 1 || n > 101 || !args[1])
        return 64;
    for (size_t i = 0; i < n; i++) {
        double start = milliseconds();
        int status = run(args + 1, 1, &usage);
        spent[i] = milliseconds() - start;
        if (status)
            return status;
    }
    qsort(spent, n, sizeof *spent, ascending);
    printf("%.2f\n", spent[n / 2]);
    return 0;
}

static int memory_main(char **args)
{
    struct rusage usage;
    int status = run(args, 1, &usage);
    printf("%ld\n", usage.ru_maxrss); /* KiB on Linux */
    return status;
}

/* ---- tables */

enum { MOST_COLUMNS = 8 };

/* Uniform on [0, 1): a linear congruential generator (Knuth's MMIX), its upper bits. */
static double draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) * 0x1p-53;
}

/* Columns that hang together, none on a grid. */
static void make_row(double *row, size_t cols, uint64_t *state)
{
    double sum = 0;
    for (size_t j = 0; j < cols; j++) {
        double bell = draw(state) + draw(state) + draw(state) - 1.5;
        sum = 0.5 * sum + bell;
        row[j] = sum * (double)(j + 1) + 10 * (double)j;
    }
}

static void write_row(const double *row, size_t cols, const char *form)
{
    float single[MOST_COLUMNS];
    for (size_t j = 0; j < cols; j++)
        single[j] = (float)row[j];
    if (strcmp(form, "csv") == 0)
        for (size_t j = 0; j < cols; j++)
            printf("%.7g%c", row[j], j + 1 < cols ? ',' : '\n');
    else if (strcmp(form, "f4") == 0)
        fwrite(single, sizeof *single, cols, stdout);
    else
        fwrite(row, sizeof *row, cols, stdout);
}

static int table_main(char **args)
{
    char header[119];
    double row[MOST_COLUMNS];
    uint64_t state = 1;
    size_t rows = strtoul(args[0], NULL, 10), cols = MOST_COLUMNS;
    if (args[1] && args[2])
        cols = strtoul(args[2], NULL, 10);
    if (!args[1] || cols < 1 || cols > MOST_COLUMNS)
        return 64;
    int len = snprintf(header, sizeof header,
                       "{'descr': '<%s', 'fortran_order': False, 'shape': (%zu, %zu), }", args[1],
                       rows, cols);
    if (strcmp(args[1], "csv") != 0)
        printf("\x93NUMPY\x01%c\x76%c%s%*s\n", 0, 0, header, 117 - len, "");
    for (size_t i = 0; i < rows; i++) {
        make_row(row, cols, &state);
        write_row(row, cols, args[1]);
    }
    return ferror(stdout) != 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(char **args);
    } verbs[] = {{"json", json_main}, {"without", without_main}, {"lines", lines_main},
                 {"time", time_main}, {"memory", memory_main},   {"table", table_main}};
    for (size_t i = 0; argc > 2 && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argv + 2);
    fputs("usage: probe json|without|lines|time|memory|table ...\n", stderr);
    return 64;
}
