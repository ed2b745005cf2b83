#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];

const char *temp_open(void)
{
    cr_assert_eq(directory[0], '\0', "a test has one directory");
    snprintf(directory, sizeof directory, "/tmp/distill-test-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    return directory;
}

const char *temp_path(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

const char *temp_write(const char *name, const void *bytes, size_t len)
{
    const char *path = temp_path(name);
    FILE *out = fopen(path, "wb");
    cr_assert_not_null(out, "%s", path);
    cr_assert_eq(fwrite(bytes, 1, len, out), len);
    cr_assert_eq(fclose(out), 0);
    return path;
}

char *temp_slurp(const char *path, size_t *len)
{
    struct stat status;
    cr_assert_eq(stat(path, &status), 0, "%s is not there", path);
    size_t size = (size_t)status.st_size;
    char *bytes = malloc(size + 1);
    FILE *in = fopen(path, "rb");
    cr_assert(bytes && in, "%s", path);
    cr_assert_eq(fread(bytes, 1, size, in), size);
    fclose(in);
    bytes[size] = '\0';
    if (len)
        *len = size;
    return bytes;
}

void temp_disk_full(int full)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = full ? 0 : limit.rlim_max;
    signal(SIGXFSZ, SIG_IGN); /* so that write fails instead */
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Counts the files, and removes them if asked to. */
static size_t walk(int remove_them)
{
    size_t count = 0;
    DIR *dir = opendir(directory);
    cr_assert_not_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        count++;
        if (remove_them)
            cr_assert_eq(remove(temp_path(entry->d_name)), 0, "%s", entry->d_name);
    }
    closedir(dir);
    return count;
}

size_t temp_count(void)
{
    return walk(0);
}

void temp_close(void)
{
    walk(1);
    cr_assert_eq(rmdir(directory), 0);
    directory[0] = '\0';
}
