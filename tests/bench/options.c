#include "tests/bench/options.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: bench [OPTION]...\n"
    "Rows a second of every operation, and the share of the machine's sgemm peak that it "
    "reaches.\n\n"
    "  --threads N        threads (all)\n"
    "  --sizes 1,3        which sizes, by number; leaves the claim out\n"
    "  --ops step,student which of step, density, sample, naive, student, one, distill; likewise\n"
    "  --rounds R         rounds, of which the median is printed (5)\n"
    "  --seconds S        least duration of an operation in a round (0.3)\n"
    "  --claim            the claim about incremental sampling, whatever the sizes\n"
    "  --scaling          the same on one thread, in the same rounds, and the ratios\n"
    "  --linearity        student sampling of 10^3 to 10^6 rows; the cost of a row by layers and "
    "weights\n"
    "  --json FILE        everything, rounds too, as JSON; -: to standard output, without a table\n"
    "  --first-step       only: make a teacher of the first size chosen, say when its first "
    "training\n"
    "                     step is done, do 20 more\n";

__attribute__((noreturn)) static void wrong(const char *option, const char *value)
{
    fprintf(stderr, "bench: --%s: wrong value '%s'\n%s", option, value, usage);
    exit(64);
}

static double number(const char *option, const char *text, double low, double high)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= low && value <= high))
        wrong(option, text);
    return value;
}

static size_t whole(const char *option, const char *text, size_t low, size_t high)
{
    double value = number(option, text, (double)low, (double)high);
    if (value != floor(value))
        wrong(option, text);
    return (size_t)value;
}

static size_t index_of_op(const char *item)
{
    for (size_t op = 0; op < BENCH_OPS; op++)
        if (strcmp(item, bench_op_keys[op]) == 0)
            return op;
    wrong("ops", item);
}

static size_t index_of_size(const char *item)
{
    return whole("sizes", item, 1, BENCH_SIZES) - 1;
}

/* "a,b" sets chosen[index_of("a")] and chosen[index_of("b")] and clears the others. */
static void choose(int *chosen, size_t count, size_t (*index_of)(const char *item), char *list)
{
    memset(chosen, 0, count * sizeof *chosen);
    for (char *item = strtok(list, ","); item; item = strtok(NULL, ","))
        chosen[index_of(item)] = 1;
}

static const struct option table[] = {
    {"threads", required_argument, NULL, 't'}, {"sizes", required_argument, NULL, 's'},
    {"ops", required_argument, NULL, 'o'},     {"rounds", required_argument, NULL, 'r'},
    {"seconds", required_argument, NULL, 'm'}, {"claim", no_argument, NULL, 'c'},
    {"scaling", no_argument, NULL, 'x'},       {"linearity", no_argument, NULL, 'l'},
    {"json", required_argument, NULL, 'j'},    {"first-step", no_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};

static void read_flag(bench_options *out, int letter)
{
    out->claim |= letter == 'c';
    out->scaling |= letter == 'x';
    out->linearity |= letter == 'l';
    out->first_step |= letter == 'f';
    if (letter != 'h' && letter != '?')
        return;
    fputs(usage, letter == 'h' ? stdout : stderr);
    exit(letter == 'h' ? 0 : 64);
}

static void read_option(bench_options *out, int letter, char *value)
{
    if (letter == 't')
        out->threads = whole("threads", value, 1, 1024);
    else if (letter == 'r')
        out->rounds = whole("rounds", value, 1, BENCH_MAX_ROUNDS);
    else if (letter == 'm')
        out->least = number("seconds", value, 1e-3, 60);
    else if (letter == 's')
        choose(out->sizes, BENCH_SIZES, index_of_size, value);
    else if (letter == 'o')
        choose(out->ops, BENCH_OPS, index_of_op, value);
    else if (letter == 'j')
        out->json = value;
    else
        read_flag(out, letter);
}

void bench_options_read(bench_options *out, int argc, char **argv)
{
    int letter, some = 0;
    *out = (bench_options){.rounds = 5, .least = 0.3};
    for (size_t i = 0; i < BENCH_SIZES; i++)
        out->sizes[i] = 1;
    for (size_t i = 0; i < BENCH_OPS; i++)
        out->ops[i] = 1;
    while ((letter = getopt_long(argc, argv, "", table, NULL)) != -1) {
        some |= letter == 's' || letter == 'o';
        read_option(out, letter, optarg);
    }
    if (optind < argc)
        read_flag(out, '?');
    out->claim |= !some;
}
