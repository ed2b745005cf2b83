/* Tables in HDF5 files, made here with its library: shapes, types, records, groups, wishes, and what is none. */
#include "files/hdf5.h"

#include "files/hdf5_path.h"
#include "files/read.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(hdf5, names_of_datasets)
{
    char room[FILE_OF_DATASET];
    cr_expect_str_eq(file_dataset_of("a/b.h5:/c/d"), "/c/d");
    cr_expect_str_eq(file_of_dataset(room, "a/b.HDF5:/c"), "a/b.HDF5");
    cr_expect_str_eq(file_of_dataset(room, "a/b.csv"), "a/b.csv");
    cr_expect_null(file_dataset_of("a:/b.csv"));
    cr_expect_null(file_dataset_of("a.h5"));
    cr_expect(file_is_hdf5("a.h5") && file_is_hdf5("a.hdf:/x") && !file_is_hdf5("a.h5:x"));
}

#if FILES_HDF5
#include <hdf5.h>

enum { ROWS = 70000, COLS = 3 };

static flow_err err;

/* A file of what is read and what is not. */
static char *make_file(void)
{
    typedef struct record {
        float eta;
        char tag[4];
        double pt;
        short id;
    } record;
    double *values = malloc(ROWS * COLS * sizeof *values);
    record *records = calloc(ROWS, sizeof *records);
    hsize_t dims[3] = {ROWS, COLS, 1}, chunk[2] = {1000, COLS};
    for (size_t i = 0; i < ROWS * COLS; i++)
        values[i] = 0.713 * (double)i;
    for (size_t r = 0; r < ROWS; r++)
        records[r] = (record){(float)r / 8, "ab", (double)r / 3, (short)(r % 9)};
    char *path = strdup(temp_path("t.h5"));
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t matrix = H5Screate_simple(2, dims, NULL), line = H5Screate_simple(1, dims, NULL);
    hid_t cube = H5Screate_simple(3, dims, NULL), packed = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(packed, 2, chunk);
    H5Pset_shuffle(packed);
    hid_t set =
        H5Dcreate2(file, "plain", H5T_IEEE_F32BE, matrix, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    hid_t group = H5Gcreate2(file, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    set = H5Dcreate2(group, "chunks", H5T_IEEE_F64LE, matrix, H5P_DEFAULT, packed, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    hid_t string = H5Tcopy(H5T_C_S1);
    H5Tset_size(string, 4);
    hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(record));
    H5Tinsert(type, "eta", offsetof(record, eta), H5T_NATIVE_FLOAT);
    H5Tinsert(type, "tag", offsetof(record, tag), string);
    H5Tinsert(type, "pt", offsetof(record, pt), H5T_NATIVE_DOUBLE);
    H5Tinsert(type, "id", offsetof(record, id), H5T_NATIVE_SHORT);
    set = H5Dcreate2(file, "events", type, line, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, records);
    H5Dclose(set);
    hid_t columns = H5Gcreate2(file, "columns", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < 2; i++) {
        set = H5Dcreate2(columns, i ? "b" : "a", i ? H5T_STD_I32LE : H5T_IEEE_F64LE, line,
                         H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
        H5Dclose(set);
    }
    H5Dclose(H5Dcreate2(file, "cube", H5T_IEEE_F64LE, cube, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Gclose(columns);
    H5Gclose(group);
    H5Fclose(file);
    free(values);
    free(records);
    return path;
}

static char *at(const char *file, const char *dataset)
{
    static char path[4][300];
    static int next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s:%s", file, dataset);
    return out;
}

static file_table *read(const char *path, const file_wish *wish)
{
    err = (flow_err)FLOW_ERR_INIT;
    file_table *out = file_read_wish(path, wish, &err);
    cr_assert(out, "%s", err.text);
    return out;
}

/* A stream gives the same rows, twice. */
static void check_stream(const file_table *want, const char *path, const file_wish *wish)
{
    file_stream *rows = file_stream_open(path, wish, &err);
    cr_assert(rows, "%s", err.text);
    for (int turn = 0; turn < 2; turn++) {
        size_t done = 0, n = 1;
        while (n > 0) {
            const double *block;
            cr_assert_eq(file_stream_next(rows, &block, &n, &err), 0, "%s", err.text);
            cr_assert(memcmp(block, want->values + done * want->cols,
                             n * want->cols * sizeof *block) == 0);
            done += n;
        }
        cr_assert_eq(done, want->rows);
    }
    file_stream_free(rows);
}

static int pick(bool *wanted, file_table *head, const void *asker, flow_err *unused)
{
    (void)unused;
    for (size_t i = 0; i < head->cols; i++)
        wanted[i] = strchr(asker, head->names ? head->names[i][0] : '0' + (int)i) != NULL;
    return 0;
}

Test(hdf5, matrices)
{
    temp_open();
    char *file = make_file();
    const file_wish all = {.header = FILE_HEADER_AUTO}, two = {.choose = pick, .asker = "02"};
    file_table *got = read(at(file, "/g/chunks"), &all), *plain = read(at(file, "/plain"), &all);
    cr_assert(got->rows == ROWS && got->cols == COLS && !got->names);
    for (size_t i = 0; i < ROWS * COLS; i++) {
        cr_assert_eq(got->values[i], 0.713 * (double)i);
        cr_assert_eq(plain->values[i], (double)(float)(0.713 * (double)i));
    }
    check_stream(got, at(file, "/g/chunks"), &all);
    file_table_free(got);
    got = read(at(file, "/g/chunks"), &two);
    cr_assert(got->cols == 2 && file_table_place(got, 1) == 2);
    cr_assert_eq(got->values[2 * ROWS - 1], 0.713 * (ROWS * COLS - 1));
    check_stream(got, at(file, "/g/chunks"), &two);
    file_table_free(got);
    file_table_free(plain);
    free(file);
    temp_close();
}

Test(hdf5, records_and_groups)
{
    temp_open();
    char *file = make_file();
    const file_wish wish = {.choose = pick, .asker = "ip"}, all = {.remedy = "leave it out"};
    file_table *got = read(at(file, "/events"), &wish);
    cr_assert(got->rows == ROWS && got->cols == 2);
    cr_assert_str_eq(got->names[0], "pt");
    cr_assert_str_eq(got->names[1], "id");
    for (size_t r = 0; r < ROWS; r++)
        cr_assert(got->values[2 * r] == (double)r / 3 && got->values[2 * r + 1] == (double)(r % 9));
    check_stream(got, at(file, "/events"), &wish);
    file_table_free(got);
    cr_assert_null(file_read_wish(at(file, "/events"), &all, &err));
    cr_assert(strstr(err.text, "column 'tag' does not hold one number a row; leave it out"), "%s",
              err.text);
    got = read(at(file, "/columns"), &all);
    cr_assert(got->cols == 2 && got->values[1] == 0 && got->values[2] == 0.713 &&
              got->values[5] == 1);
    cr_assert_str_eq(got->names[1], "b");
    check_stream(got, at(file, "/columns"), &all);
    file_table_free(got);
    got = file_read_head(at(file, "/columns"), FILE_HEADER_AUTO, &err);
    cr_assert(got->rows == 0 && got->cols == 2);
    file_table_free(got);
    free(file);
    temp_close();
}

static void refused(const char *path, int code, const char *text)
{
    err = (flow_err)FLOW_ERR_INIT;
    cr_expect_null(file_read(path, FILE_HEADER_AUTO, &err), "%s", path);
    cr_expect(err.code == code && strstr(err.text, text), "%s: %d, %s", path, err.code, err.text);
    cr_expect_null(file_stream_open(path, &(file_wish){.head = false}, &err));
}

Test(hdf5, what_is_none)
{
    temp_open();
    char *file = make_file(), bytes[5000] = {0};
    refused(at(file, "/cube"), FLOW_EDATA, "wants shape (n,) or (n, D)");
    refused(at(file, "/nothing"), FLOW_EDATA,
            "is not in the file; there are /columns, /cube, /events, /g, /plain");
    refused(at(file, "/g"), FLOW_EDATA, "is a group without a dataset of shape (n,)");
    refused(file, FLOW_EDATA, "wants a dataset, FILE.h5:/DATASET; there are /columns");
    refused(at(temp_path("none.h5"), "/x"), FLOW_ENOINPUT, "none.h5: cannot be opened");
    FILE *in = fopen(file, "rb");
    cr_assert_eq(fread(bytes, 1, sizeof bytes, in), sizeof bytes);
    fclose(in);
    refused(at(temp_write("cut.h5", bytes, sizeof bytes), "/plain"), FLOW_EDATA,
            "is no whole HDF5 file");
    memset(bytes, 'x', sizeof bytes);
    refused(at(temp_write("text.h5", bytes, sizeof bytes), "/plain"), FLOW_EDATA,
            "is no whole HDF5 file");
    free(file);
    temp_close();
}

Test(hdf5, a_file_that_changes_meanwhile)
{
    temp_open();
    char *file = make_file();
    const double *block;
    size_t n;
    file_stream *rows = file_stream_open(at(file, "/plain"), &(file_wish){.head = false}, &err);
    cr_assert_eq(file_stream_next(rows, &block, &n, &err), 0);
    FILE *more = fopen(file, "ab");
    fputc('x', more);
    fclose(more);
    file_stream_rewind(rows);
    cr_expect_eq(file_stream_next(rows, &block, &n, &err), FLOW_EDATA);
    cr_expect(strstr(err.text, "was changed while it was read"), "%s", err.text);
    file_stream_free(rows);
    free(file);
    temp_close();
}
#else
Test(hdf5, not_built_in)
{
    flow_err err = FLOW_ERR_INIT;
    cr_expect(!file_hdf5_is_built());
    cr_expect_null(file_read("x.h5:/y", FILE_HEADER_AUTO, &err));
    cr_expect(err.code == FLOW_EUSAGE && strstr(err.text, "libhdf5-dev"), "%s", err.text);
}
#endif
