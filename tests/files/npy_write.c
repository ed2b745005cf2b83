/* .npy files: what is written is what NumPy writes, and comes back; what cannot be written leaves nothing. */
#include "files/npy.h"

#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const file_wish all = {.head = false};
static const double six[] = {2.385, -0.713, 1e-310, -0.0, 1e300, 0.1};

/* numpy.save(f, numpy.array([[2.385, -0.713, 0.1]])) and its float32 and 1-D forms. */
Test(npy_write, writes_what_numpy_writes)
{
    static const struct {
        size_t rows, cols;
        flow_precision precision;
        const char *dictionary;
    } cases[] = {
        {2, 3, FLOW_F64, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"},
        {6, 0, FLOW_F64, "{'descr': '<f8', 'fortran_order': False, 'shape': (6,), }"},
        {0, 3, FLOW_F32, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }"},
    };
    temp_open();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len, count = cases[i].rows * (cases[i].cols ? cases[i].cols : 1);
        flow_err err = FLOW_ERR_INIT;
        const char *path = temp_path("x.npy");
        cr_assert_eq(
            file_npy_write(path, six, cases[i].rows, cases[i].cols, cases[i].precision, &err), 0,
            "%s", err.text);
        char *bytes = temp_slurp(path, &len);
        size_t text = strlen(cases[i].dictionary);
        cr_assert_eq(len, 128 + count * 8, "case %zu", i);
        cr_assert_eq(memcmp(bytes, "\x93NUMPY\x01\x00\x76\x00", 10), 0, "case %zu", i);
        cr_assert_eq(memcmp(bytes + 10, cases[i].dictionary, text), 0, "case %zu: %.80s", i,
                     bytes + 10);
        for (size_t at = 10 + text; at < 127; at++)
            cr_assert_eq(bytes[at], ' ', "case %zu, byte %zu", i, at);
        cr_assert_eq(bytes[127], '\n');
        cr_assert_eq(memcmp(bytes + 128, six, count * 8), 0);
        free(bytes);
    }
    cr_assert_eq(temp_count(), 1, "a temporary file is left");
    temp_close();
}

static double odd_value(size_t i)
{
    static const double special[] = {NAN, INFINITY, -INFINITY, -0.0, 0x1p-1074, 0x1.fffffep127};
    return i % 7 < 6 ? special[i % 7] : 2.385 * (double)i - 713;
}

/* 5000 x 3 numbers: several chunks, the last one partial. */
enum { LONG_ROWS = 5000, LONG_COLS = 3, LONG_COUNT = LONG_ROWS * LONG_COLS };

static double *long_values(void)
{
    double *values = malloc(LONG_COUNT * sizeof *values);
    cr_assert_not_null(values);
    for (size_t i = 0; i < LONG_COUNT; i++)
        values[i] = odd_value(i);
    return values;
}

Test(npy_write, round_trip_keeps_bits)
{
    double *values = long_values();
    flow_err err = FLOW_ERR_INIT;
    const char *path = (temp_open(), temp_path("x.npy"));
    cr_assert_eq(file_npy_write(path, values, LONG_ROWS, LONG_COLS, FLOW_F64, &err), 0, "%s",
                 err.text);
    file_table *table = file_npy_read(path, &all, &err);
    cr_assert_not_null(table, "%s", err.text);
    cr_assert_eq(table->rows, LONG_ROWS);
    cr_assert_eq(memcmp(table->values, values, LONG_COUNT * sizeof *values), 0);
    file_table_free(table);
    free(values);
    temp_close();
}

Test(npy_write, round_trip_rounds_to_single)
{
    double *values = long_values();
    flow_err err = FLOW_ERR_INIT;
    const char *path = (temp_open(), temp_path("x.npy"));
    cr_assert_eq(file_npy_write(path, values, LONG_ROWS, LONG_COLS, FLOW_F32, &err), 0, "%s",
                 err.text);
    file_table *table = file_npy_read(path, &all, &err);
    cr_assert_not_null(table, "%s", err.text);
    for (size_t i = 0; i < LONG_COUNT; i++) {
        double want = (double)(float)values[i];
        cr_assert(table->values[i] == want || (isnan(want) && isnan(table->values[i])),
                  "value %zu: %g", i, table->values[i]);
    }
    file_table_free(table);
    free(values);
    temp_close();
}

Test(npy_write, appending_in_pieces_gives_the_same_file)
{
    double *values = long_values();
    flow_err err = FLOW_ERR_INIT;
    size_t whole_len, pieces_len;
    temp_open();
    cr_assert_eq(
        file_npy_write(temp_path("whole.npy"), values, LONG_ROWS, LONG_COLS, FLOW_F32, &err), 0);
    FILE *out = fopen(temp_path("pieces.npy"), "wb");
    file_npy_writer *writer =
        file_npy_open_stream(out, "pieces", LONG_ROWS, LONG_COLS, FLOW_F32, &err);
    cr_assert_not_null(writer, "%s", err.text);
    for (size_t row = 0, n = 0; row < LONG_ROWS; row += n, n = (n + 1) % 700) {
        size_t part = n < LONG_ROWS - row ? n : LONG_ROWS - row;
        cr_assert_eq(file_npy_append(writer, values + row * LONG_COLS, part, &err), 0);
        n = part;
    }
    cr_assert_eq(file_npy_close(writer, &err), 0, "%s", err.text);
    cr_assert_eq(fclose(out), 0, "the stream stays the caller's");
    char *whole = temp_slurp(temp_path("whole.npy"), &whole_len);
    char *pieces = temp_slurp(temp_path("pieces.npy"), &pieces_len);
    cr_assert_eq(whole_len, pieces_len);
    cr_assert_eq(memcmp(whole, pieces, whole_len), 0);
    free(whole);
    free(pieces);
    free(values);
    temp_close();
}

Test(npy_write, failed_writes_leave_nothing)
{
    static const double big[] = {1, 2, 3, 0x1.ffffffp127, 5, 6};
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    cr_assert_eq(file_npy_write(temp_path("x.npy"), big, 3, 2, FLOW_F32, &err), FLOW_EDATA);
    cr_assert(strstr(err.text, "x.npy: row 1, column 1"), "%s", err.text);
    cr_assert(strstr(err.text, "3.40282e+38 is too large for float32"), "%s", err.text);
    cr_assert_eq(temp_count(), 0);

    file_npy_writer *writer = file_npy_open(temp_path("x.npy"), 3, 2, FLOW_F64, &err);
    cr_assert_not_null(writer);
    cr_assert_eq(file_npy_append(writer, six, 2, &err), 0);
    cr_assert_eq(file_npy_close(writer, &err), FLOW_EIO);
    cr_assert(strstr(err.text, "x.npy: 2 of 3 rows were written"), "%s", err.text);
    cr_assert_eq(temp_count(), 0);

    writer = file_npy_open(temp_path("x.npy"), 3, 2, FLOW_F64, &err);
    cr_assert_eq(temp_count(), 1, "the temporary file");
    file_npy_discard(writer);
    cr_assert_eq(temp_count(), 0);

    cr_assert_eq(file_npy_write(temp_path("none/x.npy"), six, 3, 2, FLOW_F64, &err), FLOW_ECREATE);
    cr_assert(strstr(err.text, "none/x.npy: cannot be created: No such file"), "%s", err.text);
    temp_disk_full(1);
    int code = file_npy_write(temp_path("x.npy"), six, 3, 2, FLOW_F64, &err);
    temp_disk_full(0);
    cr_assert_eq(code, FLOW_EIO);
    cr_assert(strstr(err.text, "x.npy: cannot be written: File too large"), "%s", err.text);
    cr_assert_eq(temp_count(), 0);
    temp_close();
}

Test(npy_write, full_disk_is_noticed_on_a_stream)
{
    flow_err err = FLOW_ERR_INIT;
    FILE *out = fopen("/dev/full", "wb");
    file_npy_writer *writer = file_npy_open_stream(out, "stdout", 3, 2, FLOW_F64, &err);
    cr_assert_not_null(writer, "the header fits the buffer");
    cr_assert_eq(file_npy_append(writer, six, 3, &err), 0);
    cr_assert_eq(file_npy_close(writer, &err), FLOW_EIO);
    cr_assert(strstr(err.text, "stdout: cannot be written: the disk is full"), "%s", err.text);
    fclose(out);
}
