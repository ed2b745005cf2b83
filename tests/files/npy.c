/* .npy files: what NumPy writes is read, and every way in which a file can be wrong is refused with a message
 * that says how. */
#include "files/npy.h"

#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const file_wish all = {.head = false};

/* ---- images of files */

typedef struct image {
    char bytes[4096];
    size_t len;
} image;

/* Format `major`, the header text as it is, then len bytes of data. */
static image make_image(int major, const char *header, const void *data, size_t len)
{
    image out = {.bytes = "\x93NUMPY"};
    size_t text = strlen(header), at = 8;
    out.bytes[6] = (char)major;
    for (size_t i = 0; i < (major == 1 ? 2u : 4u); i++)
        out.bytes[at++] = (char)(text >> 8 * i);
    cr_assert_lt(at + text + len, sizeof out.bytes);
    memcpy(out.bytes + at, header, text);
    memcpy(out.bytes + at + text, data, len);
    out.len = at + text + len;
    return out;
}

static file_table *read_image(const image *file, flow_err *err)
{
    return file_npy_read(temp_write("x.npy", file->bytes, file->len), &all, err);
}

/* The same bytes through a stream of unknown length. */
static file_table *stream_image(const image *file, flow_err *err)
{
    FILE *in = fmemopen((void *)(uintptr_t)file->bytes, file->len, "rb");
    cr_assert_not_null(in);
    file_table *table = file_npy_read_stream(in, "pipe", &all, err);
    fclose(in);
    return table;
}

static const double six[] = {2.385, -0.713, 1e-310, -0.0, 1e300, 0.1};

static void check_six(file_table *table, const flow_err *err, size_t rows, size_t cols)
{
    cr_assert_not_null(table, "%s", err->text);
    cr_assert_eq(table->rows, rows);
    cr_assert_eq(table->cols, cols);
    cr_assert_null(table->names);
    cr_assert_eq(memcmp(table->values, six, rows * cols * sizeof *six), 0);
    file_table_free(table);
}

Test(npy, reads_every_format_and_shape)
{
    static const struct {
        int major;
        const char *header;
        size_t rows, cols;
    } cases[] = {
        {1, "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }           \n", 3, 2},
        {2, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }           \n", 2, 3},
        {3, "{'descr': '<f8', 'fortran_order': False, 'shape': (6, 1), }\n", 6, 1},
        {1, "{'descr': '<f8', 'fortran_order': False, 'shape': (6,), }", 6, 1},
        {1, "{\"shape\": (1,6),\"descr\":\"<f8\",\"fortran_order\":False}", 1, 6},
        {1, " { 'fortran_order' : False , 'shape' : ( 2 , 3 , ) , 'descr' : '<f8' } ", 2, 3},
    };
    temp_open();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        flow_err err = FLOW_ERR_INIT;
        image file = make_image(cases[i].major, cases[i].header, six, sizeof six);
        check_six(read_image(&file, &err), &err, cases[i].rows, cases[i].cols);
        check_six(stream_image(&file, &err), &err, cases[i].rows, cases[i].cols);
    }
    temp_close();
}

Test(npy, reads_single_precision)
{
    static const float values[] = {2.385f, -0.713f, 1e-42f, INFINITY};
    image file = make_image(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n",
                            values, sizeof values);
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    file_table *table = read_image(&file, &err);
    cr_assert_not_null(table, "%s", err.text);
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(table->values[i], (double)values[i], "value %zu", i);
    file_table_free(table);
    temp_close();
}

/* What NumPy writes for these three numbers, or what they become, in each of its plain types. */
Test(npy, reads_every_type)
{
    static const struct {
        const char *header, *bytes;
        double want[3];
    } cases[] = {
#define OF(DTYPE) "{'descr': '" DTYPE "', 'fortran_order': False, 'shape': (3,), }\n"
        {OF("|b1"), "\0\1\1", {0, 1, 1}},
        {OF("|i1"), "\200\377\177", {-128, -1, 127}},
        {OF("|u1"), "\200\377\1", {128, 255, 1}},
        {OF("<i2"), "\1\0\377\377\0\200", {1, -1, -32768}},
        {OF(">i2"), "\0\1\377\377\200\0", {1, -1, -32768}},
        {OF("<u2"), "\1\0\377\377\0\200", {1, 65535, 32768}},
        {OF("<i4"), "\1\0\0\0\377\377\377\377\0\0\0\200", {1, -1, -2147483648.0}},
        {OF(">u4"), "\0\0\0\1\377\377\377\377\200\0\0\0", {1, 4294967295.0, 2147483648.0}},
        {OF("<i8"),
         "\1\0\0\0\0\0\0\0\377\377\377\377\377\377\377\377\0\0\0\0\0\0\0\200",
         {1, -1, -0x1p63}},
        {OF("<u8"),
         "\1\0\0\0\0\0\0\0\377\377\377\377\377\377\377\377\0\0\0\0\0\0\0\200",
         {1, 0x1p64, 0x1p63}},
        {OF("<f2"), "\0\74\1\0\0\374", {1, 0x1p-24, -INFINITY}},
        {OF(">f2"), "\300\0\173\377\65\125", {-2, 65504, 0.333251953125}},
        {OF(">f4"), "\77\200\0\0\300\0\0\0\177\200\0\0", {1, -2, INFINITY}},
        {OF(">f8"), "\77\360\0\0\0\0\0\0\300\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", {1, -2, 0x1p-1074}},
        {OF("=f4"), "\0\0\200\77\0\0\0\300\0\0\200\177", {1, -2, INFINITY}},
    };
    temp_open();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        flow_err err = FLOW_ERR_INIT;
        size_t size = (size_t)(cases[i].header[13] - '0');
        image file = make_image(1, cases[i].header, cases[i].bytes, 3 * size);
        file_table *table = read_image(&file, &err);
        cr_assert_not_null(table, "case %zu: %s", i, err.text);
        for (size_t j = 0; j < 3; j++)
            cr_assert_eq(table->values[j], cases[i].want[j], "case %zu: %zu is %.17g", i, j,
                         table->values[j]);
        file_table_free(table);
    }
    temp_close();
}

/* numpy.asfortranarray: columns one after the other, from a file and from a pipe. */
Test(npy, reads_fortran_order)
{
    static const double turned[] = {2.385, 1e-310, 1e300, -0.713, -0.0, 0.1};
    image file = make_image(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 2), }\n",
                            turned, sizeof turned);
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    check_six(read_image(&file, &err), &err, 3, 2);
    check_six(stream_image(&file, &err), &err, 3, 2);
    file = make_image(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (0, 2), }\n", "", 0);
    check_six(read_image(&file, &err), &err, 0, 2);
    check_six(stream_image(&file, &err), &err, 0, 2);
    temp_close();
}

/* Longer than what is converted at a time. */
enum { TALL = 5000 };

Test(npy, reads_fortran_order_in_chunks)
{
    static double turned[2 * TALL];
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    for (size_t i = 0; i < 2 * TALL; i++)
        turned[i] = (double)i;
    cr_assert_eq(file_npy_write(temp_path("x.npy"), turned, TALL, 2, FLOW_F64, &err), 0);
    size_t len;
    char *bytes = temp_slurp(temp_path("x.npy"), &len);
    memcpy(strstr(bytes + 10, "False"), "True ", 5);
    file_table *table = file_npy_read(temp_write("y.npy", bytes, len), &all, &err);
    cr_assert_not_null(table, "%s", err.text);
    for (size_t i = 0; i < TALL; i++)
        cr_assert(table->values[2 * i] == (double)i &&
                      table->values[2 * i + 1] == (double)(TALL + i),
                  "row %zu", i);
    file_table_free(table);
    free(bytes);
    temp_close();
}

Test(npy, reads_no_rows)
{
    static const char *const headers[] = {
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }\n"};
    temp_open();
    for (size_t i = 0; i < 2; i++) {
        flow_err err = FLOW_ERR_INIT;
        image file = make_image(1, headers[i], "", 0);
        file_table *table = read_image(&file, &err);
        cr_assert_not_null(table, "%s", err.text);
        cr_assert_eq(table->rows, 0);
        cr_assert_eq(table->cols, i == 0 ? 3 : 1);
        file_table_free(table);
    }
    temp_close();
}

Test(npy, reads_a_pipe)
{
    int ends[2];
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(pipe(ends), 0);
    FILE *in = fdopen(ends[0], "rb"), *out = fdopen(ends[1], "wb");
    file_npy_writer *writer = file_npy_open_stream(out, "pipe", 3, 2, FLOW_F64, &err);
    cr_assert_not_null(writer, "%s", err.text);
    cr_assert_eq(file_npy_append(writer, six, 3, &err), 0);
    cr_assert_eq(file_npy_close(writer, &err), 0);
    fclose(out);
    check_six(file_npy_read_stream(in, "pipe", &all, &err), &err, 3, 2);
    fclose(in);
}

/* ---- refusals */

static void refuse(file_table *table, const flow_err *err, const char *name, const char *what,
                   size_t index)
{
    cr_assert_null(table, "case %zu was accepted", index);
    cr_assert_eq(err->code, FLOW_EDATA, "case %zu: %s", index, err->text);
    cr_assert(strstr(err->text, name), "case %zu: '%s' lacks '%s'", index, err->text, name);
    cr_assert(strstr(err->text, what), "case %zu: '%s' lacks '%s'", index, err->text, what);
    cr_assert(!strchr(err->text, '\n'), "case %zu", index);
}

#define HEADER(descr, fortran, shape)                                                              \
    "{'descr': " descr ", 'fortran_order': " fortran ", 'shape': " shape ", }\n"
#define BAD "not a dictionary"

Test(npy, refuses_bad_headers)
{
    static const struct {
        const char *header, *what;
    } cases[] = {
        {HEADER("'<c16'", "False", "(3,)"),
         "dtype '<c16' is not supported; save it as real columns"},
        {HEADER("'<f16'", "False", "(3,)"), "x.astype('<f8')"},
        {HEADER("'<i3'", "False", "(6,)"), "dtype '<i3'"},
        {HEADER("'<U1'", "False", "(6,)"), "dtype '<U1'"},
        {HEADER("'|b2'", "False", "(6,)"), "dtype '|b2'"},
        {HEADER("'f8'", "False", "(6,)"), "dtype 'f8'"},
        {HEADER("'<f88'", "False", "(6,)"), "dtype '<f88'"},
        {HEADER("''", "False", "(6,)"), "dtype ''"},
        {HEADER("'|O'", "False", "(6,)"), "dtype '|O'"},
        {HEADER("[('a', '<f8'), ('b', '<f8', (2,))]", "False", "(6,)"), "structured array, [('a'"},
        {HEADER("'<f8'", "False", "()"), "shape (); wanted"},
        {HEADER("'<f8'", "False", "(1, 2, 3)"), "shape (1, 2, 3); wanted"},
        {HEADER("'<f8'", "False", "(6, 0)"), "shape (6, 0) has no columns"},
        {HEADER("'<f8'", "False", "(4294967296, 4294967296)"), "is too large"},
        {HEADER("'<f8'", "False", "(2305843009213693952,)"), "is too large"},
        {HEADER("'<f8'", "False", "(99999999999999999999999,)"), BAD},
        {HEADER("'<f8'", "False", "(6)"), BAD},
        {HEADER("'<f8'", "False", "(-6,)"), BAD},
        {HEADER("'<f8'", "False", "(6 6)"), BAD},
        {HEADER("'<f8'", "False", "(,)"), BAD},
        {HEADER("'<f8'", "False", "6"), BAD},
        {HEADER("'<f8'", "False", "(6,"), BAD},
        {HEADER("'<f8'", "0", "(6,)"), BAD},
        {HEADER("'<f8", "False", "(6,)"), BAD},
        {HEADER("'<f8\x1b[2J'", "False", "(6,)"), BAD},
        {HEADER("'\\x3cf8'", "False", "(6,)"), BAD},
        {HEADER("[('a', '<f8'", "False", "(6,)"), BAD},
        {HEADER("'<f8'", "False", "(6,), 'shape': (6,)"), BAD},
        {HEADER("'<f8', 'descr': '<f8'", "False", "(6,)"), BAD},
        {HEADER("'<f8'", "False, 'fortran_order': False", "(6,)"), BAD},
        {HEADER("'<f8'", "False", "(6,), 'extra': 1"), BAD},
        {HEADER("'<f8'", "False", "(6,), 1"), BAD},
        {HEADER("'<f8'", "False", "(6,)\t"), BAD},
        {"{'descr': '<f8', 'fortran_order': False, }\n", BAD},
        {"{'descr': '<f8', 'shape': (6,), }\n", BAD},
        {"{'fortran_order': False, 'shape': (6,), }\n", BAD},
        {"{'descr': '<f8' 'fortran_order': False, 'shape': (6,), }\n", BAD},
        {"'descr': '<f8', 'fortran_order': False, 'shape': (6,), }\n", BAD},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (6,), \n", BAD},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (6,), } x\n", BAD},
        {"{}", BAD},
        {"", BAD},
    };
    temp_open();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        flow_err err = FLOW_ERR_INIT;
        image file = make_image(1, cases[i].header, six, sizeof six);
        refuse(read_image(&file, &err), &err, "x.npy: ", cases[i].what, i);
        refuse(stream_image(&file, &err), &err, "pipe: ", cases[i].what, i);
    }
    temp_close();
}

Test(npy, refuses_other_formats)
{
    image good = make_image(1, HEADER("'<f8'", "False", "(6,)"), six, sizeof six);
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    image bad = good;
    bad.bytes[6] = 4;
    refuse(read_image(&bad, &err), &err, "x.npy: ", ".npy format 4.0 is not known", 0);
    bad.bytes[6] = 0;
    refuse(read_image(&bad, &err), &err, "x.npy: ", ".npy format 0.0 is not known", 1);
    bad.bytes[6] = 1;
    bad.bytes[7] = 1;
    refuse(read_image(&bad, &err), &err, "x.npy: ", ".npy format 1.1 is not known", 2);
    bad = good;
    bad.bytes[5] = 'X';
    refuse(read_image(&bad, &err), &err, "x.npy: ", "not a .npy file", 3);
    bad = make_image(2, HEADER("'<f8'", "False", "(6,)"), six, sizeof six);
    bad.bytes[11] = 1; /* a header of 16 MiB */
    refuse(read_image(&bad, &err), &err, "x.npy: ", "the header claims 16777", 4);
    temp_close();
}

Test(npy, refuses_every_wrong_length)
{
    image good = make_image(1, HEADER("'<f8'", "False", "(3, 2)"), six, sizeof six);
    temp_open();
    for (size_t len = 0; len <= good.len + 1; len++) {
        flow_err err = FLOW_ERR_INIT;
        image cut = good;
        cut.len = len;
        if (len == good.len)
            continue;
        refuse(read_image(&cut, &err), &err, "x.npy: ", "", len);
        if (len > 0) /* fmemopen wants a byte */
            refuse(stream_image(&cut, &err), &err, "pipe: ", "", len);
    }
    flow_err err = FLOW_ERR_INIT;
    good.len -= 8;
    refuse(read_image(&good, &err), &err, "x.npy: ", "promises 48 bytes of numbers, but 40 follow",
           0);
    refuse(stream_image(&good, &err), &err, "pipe: ", "5 numbers of the 6 its header promises", 0);
    good.len += 9;
    refuse(stream_image(&good, &err), &err, "pipe: ", "bytes behind the 6 numbers", 0);
    temp_close();
}

/* A header that promises 64 TB must not take 64 TB: the message is about the file, not about
 * memory. */
Test(npy, believes_only_bytes_that_are_there)
{
    image file = make_image(1, HEADER("'<f8'", "False", "(8796093022208,)"), six, sizeof six);
    flow_err err = FLOW_ERR_INIT;
    refuse(stream_image(&file, &err), &err, "pipe: ", "6 numbers of the 8796093022208", 0);
}

Test(npy, refuses_what_is_no_file)
{
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    cr_assert_null(file_npy_read(temp_path("none.npy"), &all, &err));
    cr_assert_eq(err.code, FLOW_ENOINPUT);
    cr_assert(strstr(err.text, "none.npy: cannot be opened: No such file"), "%s", err.text);
    cr_assert_null(file_npy_read(temp_path("."), &all, &err));
    cr_assert_eq(err.code, FLOW_ENOINPUT);
    cr_assert(strstr(err.text, "is a directory"), "%s", err.text);
    temp_close();
}
