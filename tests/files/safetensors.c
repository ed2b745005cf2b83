/* safetensors: bits survive the trip, equal content gives equal bytes, and a file that does not
 * hold together is refused with the name of what is wrong. */
#include "files/safetensors.h"

#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static file_tensors *make(void)
{
    flow_err err = FLOW_ERR_INIT;
    file_tensors *self = file_tensors_create(&err);
    cr_assert_not_null(self, "%s", err.text);
    return self;
}

static void add(file_tensors *self, const char *name, flow_precision dtype, const size_t *dims,
                size_t rank, const double *values)
{
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(file_tensors_add(self, name, dtype, dims, rank, values, &err), 0, "%s", err.text);
}

static void set(file_tensors *self, const char *key, const char *value)
{
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(file_tensors_set_metadata(self, key, value, &err), 0, "%s", err.text);
}

static const double odd[] = {2.385, -0.713, -0.0, 0x1p-1074, INFINITY, 0.1, 1e300, -17.25};
static const size_t no_dims[1] = {0}, two[] = {2}, empty[] = {3, 0, 2}, grid[] = {2, 4},
                    deep[] = {1, 2, 1, 1, 2, 1, 1, 2};

/* Each of these has its own place in the order of the file. */
static void add_one(file_tensors *self, size_t which)
{
    switch (which) {
    case 0:
        add(self, "layers.0.weight", FLOW_F64, grid, 2, odd);
        break;
    case 1:
        add(self, "scalar", FLOW_F64, no_dims, 0, odd + 5);
        break;
    case 2:
        add(self, "bias", FLOW_F32, two, 1, odd);
        break;
    case 3:
        add(self, "nothing", FLOW_F32, empty, 3, odd);
        break;
    case 4:
        add(self, "deep \"\xc3\xa9\" \n", FLOW_F64, deep, 8, odd);
        break;
    case 5:
        set(self, "units", "{\"columns\": []}");
        break;
    default:
        set(self, "format", "distill 1");
    }
}
enum { THINGS = 7, TENSORS = 5 };

static file_tensors *make_all(size_t start, size_t step)
{
    file_tensors *self = make();
    for (size_t i = 0; i < THINGS; i++)
        add_one(self, (start + i * step) % THINGS);
    cr_assert_eq(file_tensors_count(self), TENSORS);
    return self;
}

static void check_tensor(const file_tensors *self, const char *name, flow_precision dtype,
                         const size_t *dims, size_t rank, const double *values)
{
    file_tensors_entry info;
    double got[8];
    size_t index = file_tensors_find(self, name), count = 1;
    cr_assert_neq(index, FILE_TENSORS_NONE, "'%s' is gone", name);
    file_tensors_info(self, &info, index);
    cr_assert_str_eq(info.name, name);
    cr_assert_eq(info.dtype, dtype, "'%s'", name);
    cr_assert_eq(info.rank, rank, "'%s'", name);
    for (size_t i = 0; i < rank; i++) {
        cr_assert_eq(info.dims[i], dims[i], "'%s', dimension %zu", name, i);
        count *= dims[i];
    }
    cr_assert_eq(info.count, count, "'%s'", name);
    file_tensors_get(self, got, index);
    for (size_t i = 0; i < count; i++) {
        double want = dtype == FLOW_F32 ? (double)(float)values[i] : values[i];
        cr_assert_eq(memcmp(&got[i], &want, sizeof want), 0, "'%s'[%zu] = %g", name, i, got[i]);
    }
}

static void check_all(const file_tensors *self)
{
    cr_assert_eq(file_tensors_count(self), TENSORS);
    check_tensor(self, "layers.0.weight", FLOW_F64, grid, 2, odd);
    check_tensor(self, "scalar", FLOW_F64, no_dims, 0, odd + 5);
    check_tensor(self, "bias", FLOW_F32, two, 1, odd);
    check_tensor(self, "nothing", FLOW_F32, empty, 3, odd);
    check_tensor(self, "deep \"\xc3\xa9\" \n", FLOW_F64, deep, 8, odd);
    cr_assert_str_eq(file_tensors_metadata(self, "units"), "{\"columns\": []}");
    cr_assert_str_eq(file_tensors_metadata(self, "format"), "distill 1");
    cr_assert_null(file_tensors_metadata(self, "none"));
    cr_assert_eq(json_object_size(file_tensors_metadata_all(self)), 2);
}

Test(safetensors, round_trip)
{
    flow_err err = FLOW_ERR_INIT;
    file_tensors *self = make_all(0, 1);
    const char *path = (temp_open(), temp_path("m.safetensors"));
    check_all(self);
    cr_assert_eq(file_tensors_write(self, path, &err), 0, "%s", err.text);
    cr_assert_eq(temp_count(), 1);
    file_tensors *back = file_tensors_read(path, &err);
    cr_assert_not_null(back, "%s", err.text);
    check_all(back);
    file_tensors_free(back);
    file_tensors_free(self);
    file_tensors_free(NULL);
    temp_close();
}

Test(safetensors, equal_content_equal_bytes)
{
    flow_err err = FLOW_ERR_INIT;
    size_t want_len, len;
    file_tensors *self = make_all(0, 1);
    unsigned char *want = file_tensors_write_bytes(self, &want_len, &err);
    cr_assert_not_null(want, "%s", err.text);
    file_tensors_free(self);
    for (size_t i = 0; i < THINGS * 3; i++) {
        self = make_all(i % THINGS, 1 + i / THINGS);
        unsigned char *bytes = file_tensors_write_bytes(self, &len, &err);
        cr_assert(bytes && len == want_len && memcmp(bytes, want, len) == 0, "order %zu", i);
        file_tensors_free(self);
        self = file_tensors_read_bytes(bytes, len, "bytes", &err);
        cr_assert_not_null(self, "%s", err.text);
        free(bytes);
        bytes = file_tensors_write_bytes(self, &len, &err);
        cr_assert(bytes && len == want_len && memcmp(bytes, want, len) == 0, "reread %zu", i);
        free(bytes);
        file_tensors_free(self);
    }
    free(want);
}

Test(safetensors, known_bytes)
{
    static const char header[] = "{\"__metadata__\":{\"a\":\"1\",\"b\":\"2\"},"
                                 "\"z\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]},"
                                 "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]},"
                                 "\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[16,20]}}";
    static const double values[] = {-0.713, 2.5};
    static const unsigned char data[] = {0x37, 0x89, 0x41, 0x60, 0xe5, 0xd0, 0xe6, 0xbf, /* F64 */
                                         0x2b, 0x87, 0x36, 0xbf, 0x00, 0x00, 0x20, 0x40, /* F32 */
                                         0x2b, 0x87, 0x36, 0xbf};
    static const size_t one[] = {1};
    flow_err err = FLOW_ERR_INIT;
    file_tensors *self = make();
    size_t len, text = strlen(header), padded = (text + 7) / 8 * 8;
    add(self, "b", FLOW_F32, no_dims, 0, values);
    add(self, "a", FLOW_F32, two, 1, values);
    add(self, "z", FLOW_F64, one, 1, values);
    set(self, "b", "2");
    set(self, "a", "0");
    set(self, "a", "1");
    unsigned char *bytes = file_tensors_write_bytes(self, &len, &err);
    cr_assert_not_null(bytes, "%s", err.text);
    cr_assert_neq(text % 8, 0, "this test wants padding");
    cr_assert_eq(len, 8 + padded + sizeof data);
    const unsigned char length[8] = {(unsigned char)padded, (unsigned char)(padded >> 8)};
    cr_assert_eq(memcmp(bytes, length, 8), 0);
    cr_assert_eq(memcmp(bytes + 8, header, text), 0, "%.*s", (int)padded, (char *)bytes + 8);
    for (size_t i = text; i < padded; i++)
        cr_assert_eq(bytes[8 + i], ' ');
    cr_assert_eq(memcmp(bytes + 8 + padded, data, sizeof data), 0);
    free(bytes);
    file_tensors_free(self);
}

Test(safetensors, nothing_at_all)
{
    flow_err err = FLOW_ERR_INIT;
    size_t len;
    file_tensors *self = make();
    unsigned char *bytes = file_tensors_write_bytes(self, &len, &err);
    file_tensors_free(self);
    cr_assert_eq(len, 16);
    cr_assert_eq(memcmp(bytes, "\x08\0\0\0\0\0\0\0{}      ", 16), 0);
    self = file_tensors_read_bytes(bytes, len, "bytes", &err);
    cr_assert_not_null(self, "%s", err.text);
    cr_assert_eq(file_tensors_count(self), 0);
    file_tensors_free(self);
    free(bytes);
}

/* ---- refusals: adding */

static void refuse_add(file_tensors *self, const char *name, const size_t *dims, size_t rank,
                       const double *values, int code, const char *what)
{
    flow_err err = FLOW_ERR_INIT;
    size_t before = file_tensors_count(self);
    cr_assert_eq(file_tensors_add(self, name, FLOW_F32, dims, rank, values, &err), code, "%s",
                 err.text);
    cr_assert(strstr(err.text, what), "'%s' lacks '%s'", err.text, what);
    cr_assert_eq(file_tensors_count(self), before);
}

Test(safetensors, refuses_to_add)
{
    static const size_t huge[] = {(size_t)1 << 32, (size_t)1 << 32}, edge[] = {(size_t)1 << 62},
                        past[] = {0, (size_t)1 << 63};
    static const double big[] = {1, -3.5e38};
    flow_err err = FLOW_ERR_INIT;
    file_tensors *self = make();
    add(self, "a", FLOW_F64, two, 1, odd);
    refuse_add(self, "a", two, 1, odd, FLOW_EUSAGE, "two tensors named 'a'");
    refuse_add(self, "", two, 1, odd, FLOW_EUSAGE, "cannot be named ''");
    refuse_add(self, "__metadata__", two, 1, odd, FLOW_EUSAGE, "cannot be named '__metadata__'");
    refuse_add(self, "\xff", two, 1, odd, FLOW_EUSAGE, "cannot be named");
    refuse_add(self, "b", two, 1, big, FLOW_EDATA, "'b': element 1, -3.5e+38, is too large");
    refuse_add(self, "b", huge, 2, odd, FLOW_ENOMEM, "'b' is too large");
    refuse_add(self, "b", edge, 1, odd, FLOW_ENOMEM, "'b' is too large");
    refuse_add(self, "b", past, 2, odd, FLOW_ENOMEM, "'b' is too large");
    cr_assert_eq(file_tensors_set_metadata(self, "\xff", "", &err), FLOW_EUSAGE);
    cr_assert_eq(file_tensors_set_metadata(self, "key", "\xff", &err), FLOW_EUSAGE);
    cr_assert(strstr(err.text, "metadata 'key' is not UTF-8"), "%s", err.text);
    cr_assert_eq(file_tensors_find(self, "b"), FILE_TENSORS_NONE);
    file_tensors_free(self);
}

/* ---- refusals: reading */

/* Length, header as it is, `data` zero bytes. */
static unsigned char *make_file(const char *header, size_t data, size_t *len)
{
    size_t text = strlen(header);
    *len = 8 + text + data;
    unsigned char *bytes = calloc(1, *len);
    cr_assert_not_null(bytes);
    bytes[0] = (unsigned char)text;
    bytes[1] = (unsigned char)(text >> 8);
    memcpy(bytes + 8, header, text);
    return bytes;
}

static void refuse_bytes(const unsigned char *bytes, size_t len, const char *what, size_t index)
{
    flow_err err = FLOW_ERR_INIT;
    cr_assert_null(file_tensors_read_bytes(bytes, len, "m.st", &err), "case %zu was accepted",
                   index);
    cr_assert_eq(err.code, FLOW_EDATA, "case %zu: %s", index, err.text);
    cr_assert_eq(strncmp(err.text, "m.st: ", 6), 0, "case %zu: %s", index, err.text);
    cr_assert(strstr(err.text, what), "case %zu: '%s' lacks '%s'", index, err.text, what);
    cr_assert(!strpbrk(err.text, "\n\r\x1b"), "case %zu", index);
}

#define T(name, dtype, shape, offsets)                                                             \
    "\"" name "\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define F32(shape, offsets) "{" T("a", "\"F32\"", shape, offsets) "}"
#define PAIR(one, other) "{" T("a", "\"F32\"", "[2]", one) "," T("b", "\"F32\"", "[2]", other) "}"
#define OFFSETS "wants [begin, end]"
#define WHOLE "'shape' wants whole numbers >= 0"

Test(safetensors, refuses_bad_headers)
{
    static const struct {
        const char *header;
        size_t data;
        const char *what;
    } cases[] = {
        {"", 0, "does not start with '{'"},
        {" {}", 0, "does not start with '{'"},
        {"[]", 0, "does not start with '{'"},
        {"{", 0, "not the JSON it should be"},
        {"{} {}", 0, "not the JSON it should be"},
        {"{\"a\":\"\xff\"}", 0, "not the JSON it should be"},
        {"{\"a\\u0000\":1}", 0, "not the JSON it should be"},
        {"{" T("a", "\"F32\"", "[2]", "[0,8]") "," T("a", "\"F32\"", "[2]", "[8,16]") "}", 16,
         "duplicate object key"},
        {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "duplicate object key"},
        {"{\"__metadata__\":[]}", 0, "wants a map of strings"},
        {"{\"__metadata__\":{\"k\":1}}", 0, "'k' wants a string"},
        {"{" T("", "\"F32\"", "[2]", "[0,8]") "}", 8, "has no name"},
        {"{\"a\":1}", 0, "'a' wants dtype, shape and data_offsets, and nothing else"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 0, "wants dtype, shape and data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8,
         "and nothing else"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"offsets\":[0,8]}}", 8, OFFSETS},
        {"{\"a\":{\"type\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "'dtype' wants"},
        {"{\"a\":{\"dtype\":\"F32\",\"dims\":[2],\"data_offsets\":[0,8]}}", 8, "'shape' wants a"},
        {"{" T("a", "\"BF16\"", "[2]", "[0,4]") "}", 4, "dtype 'BF16'; only F32 and F64"},
        {"{" T("a\\n\\u001b", "\"f32\"", "[2]", "[0,8]") "}", 8, "'a?\?': dtype 'f32'; only"},
        {"{" T("a", "32", "[2]", "[0,8]") "}", 8, "'dtype' wants a string"},
        {F32("2", "[0,8]"), 8, "'shape' wants a list"},
        {F32("[2.0]", "[0,8]"), 8, WHOLE},
        {F32("[-2]", "[0,8]"), 8, WHOLE},
        {F32("[\"2\"]", "[0,8]"), 8, WHOLE},
        {F32("[true]", "[0,4]"), 4, WHOLE},
        {F32("[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "9 dimensions, 8 are the limit"},
        {F32("[4294967296,4294967296]", "[0,0]"), 0, "its shape is too large"},
        {F32("[4611686018427387904]", "[0,0]"), 0, "its shape is too large"},
        {F32("[4294967296,4294967296,0]", "[0,0]"), 0, "its shape is too large"},
        {F32("[99999999999999999999]", "[0,8]"), 8, "not the JSON it should be"},
        {F32("[2]", "8"), 8, OFFSETS},
        {F32("[2]", "[0]"), 8, OFFSETS},
        {F32("[2]", "[0,8,8]"), 8, OFFSETS},
        {F32("[2]", "[0,8.0]"), 8, OFFSETS},
        {F32("[2]", "[8,0]"), 8, OFFSETS},
        {F32("[2]", "[-8,0]"), 8, OFFSETS},
        {F32("[2]", "[0,4]"), 4, "its shape needs 8 bytes, its offsets enclose 4"},
        {F32("[2]", "[0,9]"), 9, "its shape needs 8 bytes, its offsets enclose 9"},
        {F32("[2]", "[8,16]"), 16, "'a' begins at byte 8, not at 0: a gap"},
        {F32("[2]", "[0,8]"), 7, "'a' ends at byte 8 of 7: cut off"},
        {F32("[2]", "[0,8]"), 9, "1 bytes follow the last tensor"},
        {F32("[0]", "[4,4]"), 4, "'a' begins at byte 4, not at 0: a gap"},
        {"{}", 1, "1 bytes follow the last tensor"},
        {PAIR("[0,8]", "[12,20]"), 20, "'b' begins at byte 12, not at 8: a gap"},
        {PAIR("[0,8]", "[4,12]"), 12, "'b' begins at byte 4, not at 8: an overlap"},
        {PAIR("[0,8]", "[0,8]"), 16, "begins at byte 0, not at 8: an overlap"},
        {PAIR("[8,16]", "[4,12]"), 16, "'b' begins at byte 4, not at 0: a gap"},
        {F32("[2]", "[9223372036854775799,9223372036854775807]"), 8, "a gap"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len;
        unsigned char *bytes = make_file(cases[i].header, cases[i].data, &len);
        refuse_bytes(bytes, len, cases[i].what, i);
        free(bytes);
    }
}

Test(safetensors, refuses_every_wrong_length)
{
    flow_err err = FLOW_ERR_INIT;
    size_t len;
    file_tensors *self = make_all(0, 1);
    unsigned char *bytes = file_tensors_write_bytes(self, &len, &err);
    for (size_t cut = 0; cut < len; cut++) {
        unsigned char *exact = malloc(cut + 1); /* so that a sanitizer sees a read too far */
        memcpy(exact, bytes, cut);
        unsigned char *smallest = realloc(exact, cut > 0 ? cut : 1);
        refuse_bytes(smallest, cut, cut < 8 ? "too short" : "", cut);
        free(smallest);
    }
    free(bytes);
    file_tensors_free(self);
}

Test(safetensors, refuses_a_header_longer_than_the_file)
{
    static const unsigned char lengths[][9] = {"\x03\0\0\0\0\0\0\0",
                                               "\xff\xff\xff\xff\xff\xff\xff\xff",
                                               "\0\0\0\0\0\0\0\x80", "\0\xe1\xf5\x05\0\0\0\0"};
    for (size_t i = 0; i < 4; i++) {
        unsigned char bytes[10] = {0};
        memcpy(bytes, lengths[i], 8);
        memcpy(bytes + 8, "{}", 2);
        refuse_bytes(bytes, sizeof bytes, "its header claims ", i);
    }
}

Test(safetensors, refuses_a_table)
{
    static const unsigned char table[] = "height,weight\n1,2\n";
    refuse_bytes(table, sizeof table - 1, "is no model file", 0);
}

/* 100 MB are the limit also when the file has them. */
Test(safetensors, refuses_a_header_over_the_limit)
{
    size_t text = 100000001, len = 8 + text;
    unsigned char *bytes = calloc(1, len);
    cr_assert_not_null(bytes);
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(text >> 8 * i);
    refuse_bytes(bytes, len, "its header claims 100000001 bytes", 0);
    free(bytes);
}

Test(safetensors, padding_by_others_is_read)
{
    flow_err err = FLOW_ERR_INIT;
    size_t len;
    unsigned char *bytes = make_file(PAIR("[8,16]", "[0,8]") "    ", 16, &len);
    file_tensors *self = file_tensors_read_bytes(bytes, len, "m", &err);
    cr_assert_not_null(self, "%s", err.text);
    cr_assert_eq(file_tensors_count(self), 2);
    file_tensors_free(self);
    free(bytes);
}

/* An empty tensor begins where its neighbour does, whichever the header names first. */
Test(safetensors, an_empty_tensor_beside_another)
{
    static const char *const headers[] = {
        "{" T("a", "\"F32\"", "[2]", "[0,8]") "," T("b", "\"F32\"", "[0]", "[0,0]") "}",
        "{" T("b", "\"F32\"", "[0]", "[0,0]") "," T("a", "\"F32\"", "[2]", "[0,8]") "}"};
    for (size_t i = 0; i < 2; i++) {
        flow_err err = FLOW_ERR_INIT;
        size_t len;
        unsigned char *bytes = make_file(headers[i], 8, &len);
        file_tensors *self = file_tensors_read_bytes(bytes, len, "m", &err);
        cr_assert_not_null(self, "%s", err.text);
        file_tensors_free(self);
        free(bytes);
    }
}

Test(safetensors, files_that_cannot_be)
{
    flow_err err = FLOW_ERR_INIT;
    file_tensors *self = make_all(0, 1);
    temp_open();
    cr_assert_null(file_tensors_read(temp_path("none"), &err));
    cr_assert_eq(err.code, FLOW_ENOINPUT);
    cr_assert(strstr(err.text, "none: cannot be opened: No such file"), "%s", err.text);
    cr_assert_null(file_tensors_read(temp_path("."), &err));
    cr_assert_eq(err.code, FLOW_ENOINPUT);
    cr_assert_null(file_tensors_read("/dev/zero", &err));
    cr_assert_eq(err.code, FLOW_ENOINPUT);
    cr_assert(strstr(err.text, "/dev/zero: is not a regular file"), "%s", err.text);
    cr_assert_null(file_tensors_read(temp_write("short", "{}", 2), &err));
    cr_assert_eq(err.code, FLOW_EDATA);
    cr_assert(strstr(err.text, "short: is too short"), "%s", err.text);
    cr_assert_eq(file_tensors_write(self, temp_path("none/m"), &err), FLOW_ECREATE);
    temp_disk_full(1);
    int code = file_tensors_write(self, temp_path("m"), &err);
    temp_disk_full(0);
    cr_assert_eq(code, FLOW_EIO);
    cr_assert(strstr(err.text, "/m: cannot be written: File too large"), "%s", err.text);
    cr_assert_eq(temp_count(), 1);
    file_tensors_free(self);
    temp_close();
}
