/* Mutated .npy, .csv and safetensors files: a reader must accept or refuse each, cleanly. Meant for
 * the address and undefined-behaviour sanitizers, which make an unclean answer fatal.
 *
 *   fuzz_files [inputs per format] [seed]     deterministic; prints what was tried
 *
 * With -DFUZZ_LIBFUZZER it is a libFuzzer target instead (clang -fsanitize=fuzzer); the first byte
 * of an input chooses the format. */
#include "files/csv.h"
#include "files/npy.h"
#include "files/safetensors.h"
#include "flow/pcg.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the readers under test. 1: accepted, 0: refused with a message of one line. */

static bool refused(const flow_err *err)
{
    if (err->code < 0 && err->text[0] && !strpbrk(err->text, "\n\r"))
        return true;
    fprintf(stderr, "refused without a proper message: code %d, '%s'\n", err->code, err->text);
    abort();
}

static int finish_table(file_table *table, const flow_err *err)
{
    if (!table)
        return !refused(err);
    double sum = 0; /* touches every number */
    for (size_t i = 0; i < table->rows * table->cols; i++)
        sum += table->values[i];
    volatile double sink = sum;
    (void)sink;
    file_table_free(table);
    return 1;
}

/* As a file of known length if there is a descriptor for it, else as a stream. */
static FILE *open_bytes(const unsigned char *bytes, size_t len, int fd)
{
    if (fd < 0)
        return fmemopen((void *)(uintptr_t)bytes, len, "rb");
    FILE *in = NULL;
    if (ftruncate(fd, 0) == 0 && pwrite(fd, bytes, len, 0) == (ssize_t)len &&
        lseek(fd, 0, SEEK_SET) == 0)
        in = fdopen(dup(fd), "rb");
    return in;
}

/* Every other column, whatever they are called. */
static int choose_odd(bool *wanted, file_table *head, const void *asker, flow_err *err)
{
    (void)asker;
    (void)err;
    for (size_t col = 0; col < head->cols; col++)
        wanted[col] = head->cols == 1 || col % 2;
    return 0;
}

/* One of several, by the length of the input. */
static file_wish wish_for(size_t len)
{
    return (file_wish){.header = (file_header)(len % 3),
                       .choose = len % 4 == 0 ? choose_odd : NULL,
                       .head = len % 8 == 1,
                       .remedy = len % 2 ? "leave it out" : NULL};
}

static int try_npy(const unsigned char *bytes, size_t len, int fd)
{
    flow_err err = FLOW_ERR_INIT;
    FILE *in = open_bytes(bytes, len, fd);
    const file_wish wish = wish_for(len);
    assert(in);
    file_table *table = file_npy_read_stream(in, "fuzz.npy", &wish, &err);
    fclose(in);
    return finish_table(table, &err);
}

static int try_csv(const unsigned char *bytes, size_t len, int fd)
{
    flow_err err = FLOW_ERR_INIT;
    FILE *in = open_bytes(bytes, len, fd);
    const file_wish wish = wish_for(len);
    assert(in);
    file_table *table = file_csv_read_stream(in, "fuzz.csv", &wish, &err);
    fclose(in);
    return finish_table(table, &err);
}

/* What is accepted must survive being written and read again. */
static int try_safetensors(const unsigned char *bytes, size_t len, int fd)
{
    (void)fd;
    flow_err err = FLOW_ERR_INIT;
    size_t again_len;
    file_tensors *tensors = file_tensors_read_bytes(bytes, len, "fuzz.safetensors", &err);
    if (!tensors)
        return !refused(&err);
    unsigned char *again = file_tensors_write_bytes(tensors, &again_len, &err);
    file_tensors *back = again ? file_tensors_read_bytes(again, again_len, "again", &err) : NULL;
    if (!back || file_tensors_count(back) != file_tensors_count(tensors)) {
        fprintf(stderr, "accepted, but not after writing it: %s\n", err.text);
        abort();
    }
    file_tensors_free(back);
    file_tensors_free(tensors);
    free(again);
    return 1;
}

typedef struct format {
    const char *name;
    int (*try)(const unsigned char *bytes, size_t len, int fd);
} format;

static const format formats[] = {
    {"npy", try_npy}, {"csv", try_csv}, {"safetensors", try_safetensors}};
enum { FORMATS = 3 };

#ifdef FUZZ_LIBFUZZER

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len >= 2) /* fmemopen wants a byte */
        formats[bytes[0] % FORMATS].try(bytes + 1, len - 1, -1);
    return 0;
}

#else

/* ---- valid files to start from, and fragments that mean something to a reader */

enum { MAX_LEN = 4096, SEEDS = 14 };

typedef struct input {
    unsigned char bytes[MAX_LEN];
    size_t len;
} input;

static input text_input(const char *text)
{
    input out = {.len = strlen(text)};
    memcpy(out.bytes, text, out.len);
    return out;
}

static input npy_input(size_t rows, size_t cols, flow_precision precision)
{
    static const double values[] = {2.385, -0.713, 1e-310, -0.0, 1e30, 0.1, 17, -5, 3, 4, 5, 6};
    input out = {.len = 0};
    char *text = NULL;
    FILE *file = open_memstream(&text, &out.len);
    file_npy_writer *writer = file_npy_open_stream(file, "seed", rows, cols, precision, NULL);
    assert(writer);
    if (file_npy_append(writer, values, rows, NULL) || file_npy_close(writer, NULL))
        abort();
    fclose(file);
    memcpy(out.bytes, text, out.len);
    free(text);
    return out;
}

/* Other words of the same length in the header of a .npy file. */
static void rewrite_header(input *self, const char *dtype, bool fortran)
{
    for (size_t i = 10; i + 5 < self->len && i < 120; i++) {
        if (dtype && memcmp(self->bytes + i, "<f", 2) == 0)
            memcpy(self->bytes + i, dtype, 3);
        if (fortran && memcmp(self->bytes + i, "False", 5) == 0)
            memcpy(self->bytes + i, "True ", 5);
    }
}

static input safetensors_input(size_t tensors)
{
    static const double values[12] = {2.385, -0.713, 1e-30, -0.0, 1e30, 0.1};
    input out = {.len = 0};
    file_tensors *set = file_tensors_create(NULL);
    for (size_t i = 0; i < tensors; i++) {
        char name[48];
        size_t dims[] = {i, 2, 1 + i % 2};
        snprintf(name, sizeof name, "layers.%zu.weight", i);
        if (file_tensors_add(set, name, i % 2 ? FLOW_F32 : FLOW_F64, dims, i % 4, values, NULL))
            abort();
    }
    if (file_tensors_set_metadata(set, "format", "distill", NULL))
        abort();
    unsigned char *bytes = file_tensors_write_bytes(set, &out.len, NULL);
    memcpy(out.bytes, bytes, out.len);
    free(bytes);
    file_tensors_free(set);
    return out;
}

static void make_seeds(input seeds[FORMATS][SEEDS])
{
    static const struct {
        size_t rows, cols;
        flow_precision precision;
        const char *dtype; /* NULL: as it was written */
        bool fortran;
    } arrays[SEEDS] = {{4, 3, FLOW_F64, NULL, false},  {12, 0, FLOW_F64, NULL, false},
                       {0, 3, FLOW_F64, NULL, false},  {3, 4, FLOW_F32, NULL, false},
                       {1, 1, FLOW_F32, NULL, false},  {6, 2, FLOW_F32, NULL, false},
                       {4, 3, FLOW_F64, NULL, true},   {3, 4, FLOW_F32, NULL, true},
                       {4, 3, FLOW_F64, ">f8", false}, {6, 2, FLOW_F32, ">f4", true},
                       {4, 3, FLOW_F64, "<i8", true},  {6, 2, FLOW_F32, "<u4", false},
                       {4, 3, FLOW_F64, ">u8", false}, {0, 2, FLOW_F32, "<f2", true}};
    static const char *const texts[SEEDS] = {"a,b,c\n1,2,3\n-0.5,1e-3,nan\n",
                                             "1;2\n3;4\n\n",
                                             "x\ty\r\n1\t2\r\n",
                                             "\"a \"\"q\"\"\",b\n\"1\",2\n",
                                             "\357\273\2771\n",
                                             "only,a,header",
                                             "# by X\n# a,b\n1.5,NA\n# again\n,2\n",
                                             "sep=;\na;b\n0,5;1,25\n-3;4,5\n",
                                             ",a,b\n0,1.5,2\n1,2.5,3\n",
                                             "\"a\",\"b\"\n\"1\",0.5,2\n\"2\",3,-4\n",
                                             "  1.5   2e3 \n\t-4  5\n",
                                             "2001,2002\n0.5,1.5\n",
                                             "a,1,b\n0.5,1,?\n",
                                             "a b\n1 0.5 2\n2 1.5 3\n"};
    for (size_t i = 0; i < SEEDS; i++) {
        seeds[0][i] = npy_input(arrays[i].rows, arrays[i].cols, arrays[i].precision);
        rewrite_header(&seeds[0][i], arrays[i].dtype, arrays[i].fortran);
        seeds[1][i] = text_input(texts[i]);
        seeds[2][i] = safetensors_input(i % 6);
    }
}

static const char *const fragments[] = {"'",
                                        "\"",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        "(",
                                        ")",
                                        ",",
                                        ":",
                                        "\n",
                                        "\r\n",
                                        ";",
                                        "\t",
                                        "-1",
                                        "0",
                                        "1",
                                        "3",
                                        "9223372036854775807",
                                        "18446744073709551615",
                                        "1e999",
                                        "nan",
                                        "inf",
                                        "0x1p3",
                                        "True",
                                        "False",
                                        "'descr': ",
                                        "'shape': ",
                                        "'fortran_order': ",
                                        "'<f8'",
                                        "'<f4'",
                                        "'>f8'",
                                        "'|u1'",
                                        "#",
                                        "NA",
                                        "sep=",
                                        "(4, 3)",
                                        "(0,)",
                                        "\"dtype\":",
                                        "\"F32\"",
                                        "\"F64\"",
                                        "\"shape\":",
                                        "\"data_offsets\":",
                                        "[0,8]",
                                        "\"__metadata__\":",
                                        "{}",
                                        "null",
                                        "\\u0000",
                                        "\\",
                                        "\xff",
                                        "\x93NUMPY"};
enum { FRAGMENTS = sizeof fragments / sizeof *fragments };

/* ---- mutations */

/* Replaces `cut` bytes at `at` by len others, as far as there is room. */
static void splice(input *self, size_t at, size_t cut, const void *bytes, size_t len)
{
    size_t tail = self->len - at - cut;
    if (at + len + tail > MAX_LEN)
        return;
    memmove(self->bytes + at + len, self->bytes + at + cut, tail);
    memcpy(self->bytes + at, bytes, len);
    self->len = at + len + tail;
}

static size_t pick(pcg *rng, size_t bound)
{
    return (size_t)pcg_below(rng, bound);
}

static void mutate(input *self, const input *other, pcg *rng)
{
    unsigned char copy[64];
    size_t at = pick(rng, self->len + 1), left = self->len - at;
    size_t cut = pick(rng, (left < 64 ? left : 64) + 1);
    const char *fragment = fragments[pick(rng, FRAGMENTS)];
    switch (pick(rng, 9)) {
    case 0: /* one bit */
        if (left > 0)
            self->bytes[at] ^= (unsigned char)(1u << pick(rng, 8));
        break;
    case 1: /* one byte */
        if (left > 0)
            self->bytes[at] = (unsigned char)pick(rng, 256);
        break;
    case 2: /* cut off */
        self->len = at;
        break;
    case 3: /* cut out */
        splice(self, at, cut, "", 0);
        break;
    case 4: /* repeat */
        memcpy(copy, self->bytes + at, cut);
        splice(self, at, 0, copy, cut);
        break;
    case 5: /* insert */
        splice(self, at, 0, fragment, strlen(fragment));
        break;
    case 6: /* replace */
        splice(self, at, cut % 8 < left ? cut % 8 : left, fragment, strlen(fragment));
        break;
    case 7: /* a digit, so that numbers disagree but still parse */
        while (at < self->len && (self->bytes[at] < '0' || self->bytes[at] > '9'))
            at++;
        if (at < self->len)
            self->bytes[at] = (unsigned char)('0' + pick(rng, 10));
        break;
    default: /* the end of another file */
        at = at < other->len ? at : other->len;
        splice(self, at < self->len ? at : self->len, self->len - (at < self->len ? at : self->len),
               other->bytes + at, other->len - at);
    }
}

/* After most mutations of the header's length both formats are lost at once: set it right again. */
static void repair_length(input *self, size_t which, pcg *rng)
{
    if (pick(rng, 2) == 0 || self->len < 16)
        return;
    const unsigned char *end = NULL;
    size_t start = which == 0 ? 10 : 8;
    for (size_t i = start; i < self->len; i++)
        if (self->bytes[i] == '}' &&
            (which == 0 || i + 1 == self->len || self->bytes[i + 1] != ','))
            end = self->bytes + i + 1;
    if (!end)
        return;
    while (end < self->bytes + self->len && (*end == ' ' || *end == '\n'))
        end++;
    size_t len = (size_t)(end - self->bytes) - start;
    for (size_t i = 0; i < (which == 0 ? 2u : 8u); i++)
        self->bytes[(which == 0 ? 8 : 0) + i] = (unsigned char)((uint64_t)len >> 8 * i);
}

/* The numbers of inputs that were accepted. */
static uint64_t fuzz(size_t which, const input seeds[SEEDS], uint64_t inputs, uint64_t seed, int fd)
{
    uint64_t accepted = 0;
    for (uint64_t i = 0; i < inputs; i++) {
        pcg rng = pcg_at((pcg_stream){seed, PCG_TEST, (uint32_t)which}, i, 1024);
        input mutant = seeds[pick(&rng, SEEDS)];
        for (size_t times = pick(&rng, 6); times > 0; times--)
            mutate(&mutant, &seeds[pick(&rng, SEEDS)], &rng);
        if (which != 1)
            repair_length(&mutant, which, &rng);
        unsigned char *exact = malloc(mutant.len + 1); /* so that a sanitizer sees a read too far */
        assert(exact);
        memcpy(exact, mutant.bytes, mutant.len);
        exact = realloc(exact, mutant.len > 0 ? mutant.len : 1);
        bool as_file = mutant.len == 0 || pick(&rng, 4) == 0;
        accepted += (uint64_t)formats[which].try(exact, mutant.len, as_file ? fd : -1);
        free(exact);
    }
    return accepted;
}

int main(int argc, char **argv)
{
    static input seeds[FORMATS][SEEDS];
    uint64_t inputs = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint64_t accepted[FORMATS];
    FILE *scratch = tmpfile();
    if (!scratch || inputs == 0) {
        fprintf(stderr, "usage: fuzz_files [inputs per format, > 0] [seed]\n");
        return 64;
    }
    make_seeds(seeds);
    for (size_t which = 0; which < FORMATS; which++)
        accepted[which] = fuzz(which, seeds[which], inputs, seed, fileno(scratch));
    fclose(scratch);
    printf("fuzz_files: seed %" PRIu64 ", %" PRIu64 " inputs a format;", seed, inputs);
    for (size_t which = 0; which < FORMATS; which++)
        printf(" %s %" PRIu64 " accepted, %" PRIu64 " refused%s", formats[which].name,
               accepted[which], inputs - accepted[which], which + 1 < FORMATS ? ";" : "\n");
    for (size_t which = 0; which < FORMATS; which++)
        if (accepted[which] == 0 || accepted[which] == inputs)
            return 1; /* mutations that all fail, or never do, test nothing */
    return 0;
}

#endif
