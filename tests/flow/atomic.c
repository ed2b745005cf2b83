/* A file appears whole or not at all, also over an old one, a link or a device. */
#include "flow/atomic.h"

#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_content(const char *path, const char *want)
{
    char *bytes = temp_slurp(path, NULL);
    cr_assert_str_eq(bytes, want);
    free(bytes);
}

Test(atomic, old_file_until_commit)
{
    flow_err err = FLOW_ERR_INIT;
    const char *path = (temp_open(), temp_write("a", "old", 3));
    flow_atomic *file = flow_atomic_open(path, &err);
    cr_assert_not_null(file, "%s", err.text);
    fputs("new text", flow_atomic_file(file));
    fflush(flow_atomic_file(file));
    check_content(path, "old");
    cr_assert_eq(temp_count(), 2);
    cr_assert_eq(flow_atomic_commit(file, &err), 0, "%s", err.text);
    check_content(path, "new text");
    cr_assert_eq(temp_count(), 1);
    temp_close();
}

Test(atomic, discard_keeps_the_old_file)
{
    flow_err err = FLOW_ERR_INIT;
    const char *path = (temp_open(), temp_write("a", "old", 3));
    flow_atomic *file = flow_atomic_open(path, &err);
    fputs("new text", flow_atomic_file(file));
    flow_atomic_discard(file);
    flow_atomic_discard(NULL);
    check_content(path, "old");
    cr_assert_eq(temp_count(), 1);
    temp_close();
}

Test(atomic, a_failed_write_keeps_the_old_file)
{
    flow_err err = FLOW_ERR_INIT;
    const char *path = (temp_open(), temp_write("a", "old", 3));
    flow_atomic *file = flow_atomic_open(path, &err);
    FILE *out = flow_atomic_file(file);
    int full = fileno(fopen("/dev/full", "wb"));
    cr_assert_neq(dup2(full, fileno(out)), -1);
    fputs("new text", out);
    cr_assert_eq(flow_atomic_commit(file, &err), FLOW_EIO);
    cr_assert(strstr(err.text, "/a: cannot be written: No space left"), "%s", err.text);
    check_content(path, "old");
    cr_assert_eq(temp_count(), 1);
    temp_close();
}

Test(atomic, a_relative_name_and_no_bytes)
{
    flow_err err = FLOW_ERR_INIT;
    char before[4096];
    cr_assert_not_null(getcwd(before, sizeof before));
    cr_assert_eq(chdir(temp_open()), 0);
    cr_assert_eq(flow_atomic_write("a", NULL, 0, &err), 0, "%s", err.text);
    check_content("a", "");
    cr_assert_eq(chdir(before), 0);
    temp_close();
}

Test(atomic, a_link_stays_a_link)
{
    flow_err err = FLOW_ERR_INIT;
    struct stat status;
    const char *path = (temp_open(), temp_write("a", "old", 3)), *link = temp_path("link");
    cr_assert_eq(symlink("a", link), 0);
    cr_assert_eq(flow_atomic_write(link, "new", 3, &err), 0, "%s", err.text);
    cr_assert_eq(lstat(link, &status), 0);
    cr_assert(S_ISLNK(status.st_mode));
    check_content(path, "new");
    temp_close();
}

Test(atomic, a_device_stays_a_device)
{
    flow_err err = FLOW_ERR_INIT;
    struct stat status;
    cr_assert_eq(flow_atomic_write("/dev/null", "new", 3, &err), 0, "%s", err.text);
    cr_assert_eq(stat("/dev/null", &status), 0);
    cr_assert(S_ISCHR(status.st_mode));
    cr_assert_eq(flow_atomic_write("/dev/full", "new", 3, &err), FLOW_EIO);
    cr_assert(strstr(err.text, "/dev/full: cannot be written: No space left"), "%s", err.text);
}

Test(atomic, no_place_for_it)
{
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    cr_assert_null(flow_atomic_open(temp_path("."), &err));
    cr_assert_eq(err.code, FLOW_ECREATE);
    cr_assert(strstr(err.text, "is a directory"), "%s", err.text);
    cr_assert_eq(flow_atomic_write(temp_path("none/a"), "new", 3, &err), FLOW_ECREATE);
    cr_assert(strstr(err.text, "none/a: cannot be created: No such file"), "%s", err.text);
    temp_close();
}
