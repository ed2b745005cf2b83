/* Mutated configurations, as files and as --set: each must be accepted or refused cleanly. Meant
 * for the address and undefined-behaviour sanitizers, which make an unclean answer fatal.
 *
 *   fuzz_yaml [inputs] [seed]     deterministic; prints what was tried
 *
 * With -DFUZZ_LIBFUZZER it is a libFuzzer target instead (clang -fsanitize=fuzzer). */
#include "flow/pcg.h"
#include "pipeline/config/config.h"
#include "pipeline/config/field.h"
#include "pipeline/config/schema.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- one input */

static void fail(const char *why, const char *detail)
{
    fprintf(stderr, "%s: %s\n", why, detail);
    abort();
}

/* What was accepted lies within the table. */
static void check_field(const config *self, const flow_key *key)
{
    bool number = key->type == FLOW_KEY_WHOLE || key->type == FLOW_KEY_REAL;
    double value = number ? flow_key_number(self, key) : NAN;
    if (number && !isnan(value) && !(value >= key->min && value <= key->max))
        fail("out of range", key->name);
    if (key->type == FLOW_KEY_WORD && key->def && !flow_key_word(self, key))
        fail("no word", key->name);
    bool set = flow_key_is_set(self, key);
    if (key->def && !set && !(key->flags & FLOW_KEY_AUTO))
        fail("lost its default", key->name);
}

static void check_config(const config *self)
{
    for (size_t i = 0; i < schema_n_keys; i++)
        check_field(self, &schema_keys[i]);
    const config_gates *gates = &self->validate.require;
    for (size_t i = 0; i < gates->n; i++)
        if (gates->n > GATE_COUNT || (int)gates->at[i].figure >= GATE_COUNT ||
            !isfinite(gates->at[i].bound))
            fail("bad gate", "validate.require");
    json_t *json = config_to_json(self);
    char *text = json ? json_dumps(json, JSON_SORT_KEYS) : NULL;
    if (!text)
        fail("no JSON", self->name);
    free(text);
    json_decref(json);
}

/* What is shown can go to a terminal and is not endless. */
static void check_complaints(complaints *out)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    assert(to);
    complaints_show(out, to, false);
    fclose(to);
    if (size > 100000)
        fail("too much is said", text);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 && text[i] != '\n')
            fail("a control character is shown", text);
    if (!strstr(text, " error: ") || !strstr(text, " [E1") || !strstr(text, "; nothing was run\n"))
        fail("no proper message", text);
    free(text);
}

/* 1: accepted, 0: refused. set NULL: none. */
static int try_sources(const char *file, const char *set)
{
    complaints *out = complaints_create();
    assert(out);
    config *self =
        config_load(&(config_sources){.file = file, .sets = &set, .n_sets = set != NULL}, out);
    if ((self == NULL) != (complaints_count(out) > 0))
        fail("neither accepted nor refused", file);
    if (self)
        check_config(self);
    else
        check_complaints(out);
    int accepted = self != NULL;
    config_free(self);
    complaints_free(out);
    return accepted;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *to = fopen(path, "wb");
    assert(to);
    size_t n = fwrite(bytes, 1, size, to);
    assert(n == size);
    fclose(to);
    (void)n;
}

/* ---- the directory that all inputs are written in */

static char directory[] = "/tmp/distill-fuzz-XXXXXX", input_path[64], good_path[64];

static const char good[] = "schema: 1\ndata: {generator: rings}\n";

static void open_directory(void)
{
    if (!mkdtemp(directory))
        fail("no directory", directory);
    snprintf(input_path, sizeof input_path, "%s/fuzz.yaml", directory);
    snprintf(good_path, sizeof good_path, "%s/good.yaml", directory);
    write_file(good_path, good, strlen(good));
}

static void close_directory(void)
{
    remove(input_path);
    remove(good_path);
    rmdir(directory);
}

#ifdef FUZZ_LIBFUZZER

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!input_path[0]) {
        open_directory();
        atexit(close_directory);
    }
    write_file(input_path, bytes, size);
    try_sources(input_path, NULL);
    return 0;
}

#else

/* ---- seeds and mutations */

enum { INPUT_MAX = 4096 };

typedef struct input {
    size_t len;
    char bytes[INPUT_MAX];
} input;

static const char *const seeds[] = {
    good,
    "schema: 1\nname: moons-2\nseed: 7\nprecision: f64\ncompute: {threads: 2, shard: auto}\n"
    "data:\n  generator: two_moons\n  rows: 2e4\n  noise: 0.1\n  valid: .2\n  split: seed\n"
    "teacher:\n  flow:\n    layers: 8\n    hidden: [64, 64]\n    transformer: spline\n    bins: "
    "12\n"
    "  train: {lr: 1e-3, schedule: plateau, plateau_factor: 0.5, epochs: 60}\n",
    "# comment\nschema: 1\ndata: {generator: spirals, logit: {alpha: 1e-6, lo: -3, hi: 4.5},\n"
    "       dequantize: 0.01, columns: [x1, 1, \"gr\xc3\xbcn\"]}\n"
    "student: {flow: {permute: random, actnorm: true}, train: {steps: 1e4, temper: 0.5,\n"
    "          temper_until: 0.4, late_batch: 4, forward: 0.5, gradient: path}}\n",
    "schema: 1\ndata:\n  generator: eight_gaussians\nvalidate:\n  samples: 1e5\n  require:\n"
    "    khat: \"< 0.7\"\n    ess_forward: '>= 0.8'\n    mode_share_error: <0.02\n"
    "export:\n  samples: 1000\n  file: \"s.csv\"\n",
};

enum { SEEDS = sizeof seeds / sizeof *seeds };

static const char *const words[] = {": ",
                                    "- ",
                                    ", ",
                                    "{",
                                    "}",
                                    "[",
                                    "]",
                                    "\"",
                                    "'",
                                    "\n",
                                    "\n  ",
                                    "#",
                                    "&a ",
                                    "*a",
                                    "!!",
                                    "<<",
                                    "? ",
                                    "| ",
                                    "> ",
                                    "---",
                                    "...",
                                    "%TAG",
                                    "\\x00",
                                    "\t",
                                    "0",
                                    "-1",
                                    "1e99",
                                    "nan",
                                    "auto",
                                    "null",
                                    "~",
                                    "yes",
                                    "true",
                                    "0x1",
                                    "1_0",
                                    "10k",
                                    "\xff",
                                    "\xe2\x80\xa8",
                                    "\xef\xbb\xbf",
                                    "\r",
                                    "\x07",
                                    "9223372036854775808",
                                    "< 0.7",
                                    "schema: 1"};

enum { N_WORDS = sizeof words / sizeof *words };

static size_t pick(pcg *rng, size_t n)
{
    return (size_t)pcg_below(rng, n);
}

/* Puts size bytes of text over the bytes at .. at + gone - 1. */
static void splice(input *self, size_t at, size_t gone, const char *text, size_t size)
{
    if (self->len - gone + size > INPUT_MAX)
        return;
    memmove(self->bytes + at + size, self->bytes + at + gone, self->len - at - gone);
    memcpy(self->bytes + at, text, size);
    self->len += size - gone;
}

/* A key, a part of one, or a word of YAML. */
static const char *any_word(pcg *rng)
{
    if (pick(rng, 3) > 0)
        return words[pick(rng, N_WORDS)];
    const char *path = schema_keys[pick(rng, schema_n_keys)].name, *dot = strrchr(path, '.');
    return dot && pick(rng, 4) > 0 ? dot + 1 : path;
}

static void mutate(input *self, pcg *rng)
{
    char copy[INPUT_MAX];
    size_t at = pick(rng, self->len + 1), most = self->len - at < 40 ? self->len - at : 40;
    size_t span = most ? pick(rng, most + 1) : 0;
    memcpy(copy, self->bytes, self->len);
    switch (pick(rng, 6)) {
    case 0: /* another byte */
        splice(self, at, most > 0, &(char){(char)pick(rng, 256)}, 1);
        break;
    case 1: /* a span less */
        splice(self, at, span, "", 0);
        break;
    case 2: /* a span twice */
        splice(self, pick(rng, self->len + 1), 0, copy + at, span);
        break;
    case 3: { /* a word for a span */
        const char *word = any_word(rng);
        splice(self, at, span / 4, word, strlen(word));
        break;
    }
    case 4: /* cut short */
        self->len = pick(rng, 8) == 0 ? at : self->len;
        break;
    default: /* a word more */
        splice(self, at, 0, words[pick(rng, N_WORDS)], 1);
        break;
    }
}

static void make_input(input *out, pcg *rng)
{
    const char *seed = seeds[pick(rng, SEEDS)];
    out->len = strlen(seed);
    memcpy(out->bytes, seed, out->len);
    for (size_t times = pick(rng, 5); times > 0; times--)
        mutate(out, rng);
}

/* "key=" and a mutated piece of a seed. */
static void make_set(char *out, size_t size, pcg *rng)
{
    input piece;
    make_input(&piece, rng);
    size_t at = pick(rng, piece.len + 1), most = piece.len - at < 30 ? piece.len - at : 30;
    const flow_key *key = &schema_keys[pick(rng, schema_n_keys)];
    switch (pick(rng, 3)) {
    case 0:
        snprintf(out, size, "%s=%.*s", pick(rng, 8) ? key->name : any_word(rng),
                 (int)pick(rng, most + 1), piece.bytes + at);
        break;
    case 1:
        snprintf(out, size, "%s=%s", key->name, any_word(rng));
        break;
    default: /* likely to be good */
        snprintf(out, size, "%s=%s", key->name, key->def ? key->def : "2");
        break;
    }
}

int main(int argc, char **argv)
{
    uint64_t inputs = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint64_t accepted[2] = {0, 0}, tried[2] = {0, 0};
    if (inputs == 0) {
        fprintf(stderr, "usage: fuzz_yaml [inputs, > 0] [seed]\n");
        return 64;
    }
    open_directory();
    for (uint64_t i = 0; i < inputs; i++) {
        pcg rng = pcg_at((pcg_stream){seed, PCG_TEST, 3}, i, 1024);
        bool as_set = i % 3 == 2;
        char set[256];
        input mutant;
        if (as_set) {
            make_set(set, sizeof set, &rng);
        } else {
            make_input(&mutant, &rng);
            write_file(input_path, mutant.bytes, mutant.len);
        }
        tried[as_set]++;
        accepted[as_set] +=
            (uint64_t)try_sources(as_set ? good_path : input_path, as_set ? set : NULL);
    }
    close_directory();
    printf("fuzz_yaml: seed %" PRIu64 "; files %" PRIu64 " accepted, %" PRIu64
           " refused; --set %" PRIu64 " accepted, %" PRIu64 " refused\n",
           seed, accepted[0], tried[0] - accepted[0], accepted[1], tried[1] - accepted[1]);
    for (size_t i = 0; i < 2; i++)
        if (accepted[i] == 0 || accepted[i] == tried[i])
            return 1; /* mutations that all fail, or never do, test nothing */
    return 0;
}

#endif
