#include "pipeline/command/sweep_share.h"

#include "pipeline/stages/store.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 4096 };

static bool join(char out[PATH], const char *folder, const char *name)
{
    int n = snprintf(out, PATH, "%s/%s", folder, name);
    return n > 0 && n < PATH;
}

static bool link_file(const char *to, const char *from, const char *name)
{
    char there[PATH], here[PATH];
    return join(there, to, name) && join(here, from, name) && link(here, there) == 0;
}

/* All files of a folder but the entry, then that: it says that the result is whole. */
static void link_folder(const char *to, const char *from)
{
    DIR *in = mkdir(to, 0777) == 0 ? opendir(from) : NULL;
    bool good = in != NULL;
    for (struct dirent *at; in && (at = readdir(in));)
        if (at->d_name[0] != '.' && strcmp(at->d_name, STORE_ENTRY) != 0)
            good &= link_file(to, from, at->d_name);
    if (in)
        closedir(in);
    if (good)
        link_file(to, from, STORE_ENTRY);
}

static bool is_whole(const char *folder)
{
    char entry[PATH];
    return join(entry, folder, STORE_ENTRY) && access(entry, R_OK) == 0;
}

void sweep_share(const char *to, const char *from, const char *name)
{
    char here[PATH], there[PATH], source[PATH], own[PATH];
    size_t size = strlen(name);
    if (!join(here, from, "stages") || !join(there, to, "stages"))
        return;
    DIR *in = opendir(here);
    bool open = in && (mkdir(to, 0777) == 0 || access(to, W_OK) == 0) && mkdir(there, 0777) == 0 &&
                link_file(to, from, RUNDIR_MEMORY);
    for (struct dirent *at; open && (at = readdir(in));)
        if (strncmp(at->d_name, name, size) == 0 && at->d_name[size] == '-' &&
            join(source, here, at->d_name) && join(own, there, at->d_name) && is_whole(source))
            link_folder(own, source);
    if (in)
        closedir(in);
    if (in && !open)
        rmdir(there); /* as it was: one that was there before is not empty */
}
