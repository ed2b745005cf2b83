/* A file appears whole or not at all, also over an old one, a link or a device. */
#include "files/atomic.h"

#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <fcntl.h>
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
    file_atomic *file = file_atomic_open(path, &err);
    cr_assert_not_null(file, "%s", err.text);
    fputs("new text", file_atomic_file(file));
    fflush(file_atomic_file(file));
    check_content(path, "old");
    cr_assert_eq(temp_count(), 2);
    cr_assert_eq(file_atomic_commit(file, &err), 0, "%s", err.text);
    check_content(path, "new text");
    cr_assert_eq(temp_count(), 1);
    temp_close();
}

Test(atomic, discard_keeps_the_old_file)
{
    flow_err err = FLOW_ERR_INIT;
    const char *path = (temp_open(), temp_write("a", "old", 3));
    file_atomic *file = file_atomic_open(path, &err);
    fputs("new text", file_atomic_file(file));
    file_atomic_discard(file);
    file_atomic_discard(NULL);
    check_content(path, "old");
    cr_assert_eq(temp_count(), 1);
    temp_close();
}

Test(atomic, a_failed_write_keeps_the_old_file)
{
    flow_err err = FLOW_ERR_INIT;
    const char *path = (temp_open(), temp_write("a", "old", 3));
    temp_disk_full(1);
    int code = file_atomic_write(path, "new text", 8, &err);
    temp_disk_full(0);
    cr_assert_eq(code, FLOW_EIO);
    cr_assert(strstr(err.text, "/a: cannot be written: File too large"), "%s", err.text);
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
    cr_assert_eq(file_atomic_write("a", NULL, 0, &err), 0, "%s", err.text);
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
    cr_assert_eq(file_atomic_write(link, "new", 3, &err), 0, "%s", err.text);
    cr_assert_eq(lstat(link, &status), 0);
    cr_assert(S_ISLNK(status.st_mode));
    check_content(path, "new");
    temp_close();
}

/* What is no regular file is written to, not replaced. */
Test(atomic, a_pipe_stays_a_pipe)
{
    flow_err err = FLOW_ERR_INIT;
    struct stat status;
    char got[8] = "";
    const char *path = (temp_open(), temp_path("pipe"));
    cr_assert_eq(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    cr_assert_geq(reader, 0);
    cr_assert_eq(file_atomic_write(path, "new", 3, &err), 0, "%s", err.text);
    cr_assert_eq(lstat(path, &status), 0);
    cr_assert(S_ISFIFO(status.st_mode), "the pipe was replaced");
    cr_assert_eq(read(reader, got, sizeof got), 3);
    cr_assert_str_eq(got, "new");
    cr_assert_eq(temp_count(), 1);
    close(reader);
    temp_close();
}

Test(atomic, no_place_for_it)
{
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    cr_assert_null(file_atomic_open(temp_path("."), &err));
    cr_assert_eq(err.code, FLOW_ECREATE);
    cr_assert(strstr(err.text, "is a directory"), "%s", err.text);
    cr_assert_eq(file_atomic_write(temp_path("none/a"), "new", 3, &err), FLOW_ECREATE);
    cr_assert(strstr(err.text, "none/a: cannot be created: No such file"), "%s", err.text);
    temp_close();
}

/* As in a signal handler: what is open goes, what is done stays, and nothing is removed twice. */
Test(atomic, abandoned_files_leave_nothing)
{
    flow_err err = FLOW_ERR_INIT;
    const char *path = (temp_open(), temp_write("a", "old", 3));
    file_atomic *file = file_atomic_open(path, &err);
    file_atomic *other = file_atomic_open(temp_path("b"), &err);
    cr_assert(file && other, "%s", err.text);
    cr_assert_eq(file_atomic_commit(other, &err), 0, "%s", err.text);
    cr_assert_eq(temp_count(), 3);
    file_atomic_abandon();
    cr_assert_eq(temp_count(), 2);
    check_content(path, "old");
    file_atomic_discard(file);
    file_atomic_abandon();
    cr_assert_eq(temp_count(), 2);
    temp_close();
}

Test(atomic, more_open_files_than_are_remembered)
{
    enum { MANY = 40 };
    flow_err err = FLOW_ERR_INIT;
    file_atomic *files[MANY];
    char name[16];
    temp_open();
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "f%d", i);
        cr_assert(files[i] = file_atomic_open(temp_path(name), &err), "%s", err.text);
    }
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(file_atomic_commit(files[i], &err), 0, "%s", err.text);
    cr_assert_eq(temp_count(), MANY);
    temp_close();
}
