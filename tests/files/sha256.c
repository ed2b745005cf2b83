/* The digest of a file, against the examples of the standard and another program's. */
#include "files/sha256.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void check(const void *bytes, size_t n, const char *want)
{
    flow_err err = FLOW_ERR_INIT;
    char got[FILE_SHA256];
    cr_assert_eq(file_sha256(got, temp_write("it", bytes, n), &err), 0, "%s", err.text);
    cr_assert_str_eq(got, want, "of %zu bytes", n);
}

Test(sha256, examples_of_the_standard, .fini = temp_close)
{
    temp_open();
    const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    check("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check(two, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* Around the ends of blocks and of what is read at a time; `sha256sum` says the same. */
Test(sha256, any_length, .fini = temp_close)
{
    static const struct {
        size_t n;
        const char *want;
    } cases[] = {
        {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
        {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
        {65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
        {119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"},
        {16383, "2e1023f5ad46df0d01aa4b73ce3db452ed0a768387949efa5a858b532b763012"},
        {16384, "f3336bea752b5a28743033dd2c844a4a63fba08871aaee2586a2bf2d69be83a2"},
        {16385, "608b801060d579a7b659a01755259a13dec8853b97d3d8062763c97ffac6ddae"},
        {1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    temp_open();
    char *bytes = malloc(1000000);
    memset(bytes, 'a', 1000000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(bytes, cases[i].n, cases[i].want);
    free(bytes);
}

Test(sha256, what_cannot_be_read, .fini = temp_close)
{
    flow_err err = FLOW_ERR_INIT;
    char got[FILE_SHA256];
    const char *dir = temp_open();
    cr_assert_eq(file_sha256(got, "/nowhere/at/all", &err), FLOW_ENOINPUT);
    cr_assert(strstr(err.text, "/nowhere/at/all: No such file"), "%s", err.text);
    err = (flow_err)FLOW_ERR_INIT;
    cr_assert_eq(file_sha256(got, dir, &err), FLOW_ENOINPUT);
    cr_assert(strstr(err.text, "Is a directory"), "%s", err.text);
}
