/* tests/e2e/faults.c -- every call that writes fails once: a verb is played in a directory as often as it writes, and each time
 * another of its calls to the disk fails, by a full disk or by an error of it. Each time
 *
 *   the exit code is that of the error, and one line names the file, and says of a full disk that it is one
 *   no temporary file is left
 *   what the directory showed is as it was, or all of it is as it becomes
 *   the same command then comes to the same end as one that nothing ever failed in
 *
 * What the disk refuses and nobody needs, the directory's fsync and the signature in a lock, may go unnoticed; then the end is the same.
 * The last of these is asked for once for each kind of call and file.
 *
 * faults FOLDER [SCENE ...]: works below FOLDER. Prints a line per scene as the end-to-end scripts do; status 1 if one failed. */
#include "tests/e2e/failing_disk.h"

#include "flow/blas.h"
#include "pipeline/command/cli.h"

#include <dirent.h>
#include <stdint.h>
#include <sys/wait.h>

enum { PATH = 4200, WORDS = 48, MOST_FAULTS = 20 };

#define TINY                                                                                       \
    " --quiet --threads 1 --set teacher.flow.layers=1 --set teacher.flow.hidden=[8] --set "        \
    "teacher.train.epochs=2 --set student.train.steps=5 --set student.train.batch=32 --set "       \
    "student.train.warmup=0 --set teacher.train.warmup=0 --set student.layerwise.steps=0 --set "   \
    "student.shrink.samples=200 --set validate.samples=200 --set export.samples=50"

/* Commands of the program: to prepare the folder, and the one whose calls fail. */
static const struct scene {
    const char *name, *before[4], *command;
    const char *shows; /* the run that must stay as it was; NULL: there is none before */
} scenes[] = {
    {"teacher", {NULL}, "run c.yaml --out run --until teacher" TINY, NULL},
    {"student",
     {"run c.yaml --out run --until teacher" TINY},
     "run c.yaml --out run --until student" TINY,
     NULL},
    {"validate",
     {"run c.yaml --out run --until student" TINY},
     "run c.yaml --out run --until validate" TINY,
     NULL},
    {"report",
     {"run one.yaml --out run --until validate" TINY},
     "run one.yaml --out run" TINY,
     NULL},
    {"again",
     {"run c.yaml --out run" TINY, "run c.yaml --out run --set report.pairs=[0,1]" TINY},
     "run c.yaml --out run" TINY,
     "run"},
    {"export",
     {"run c.yaml --out run" TINY},
     "export run --quiet --set export.file=samples.csv",
     "run"},
    {"sample", {"run c.yaml --out run" TINY}, "sample run -n 300 --quiet -o out.npy", "run"},
    {"sample to text",
     {"run c.yaml --out run" TINY},
     "sample run -n 2000 --quiet --logp -o out.csv",
     "run"},
    {"logp",
     {"run c.yaml --out run" TINY, "sample run -n 300 --quiet -o out.npy"},
     "logp run out.npy --quiet -o logp.npy",
     "run"},
    {"gc",
     {"run c.yaml --out run" TINY, "run c.yaml --out run --set export.file=samples.csv" TINY},
     "gc run",
     "run"},
    {"sweep", {"sweep s.yaml --out sweep", "forget sweep"}, "sweep s.yaml --out sweep", NULL},
    {"init", {NULL}, "init moons", NULL},
};

static char root[PATH];
static size_t faults; /* of the scene */

static void fail(const char *scene, size_t at, const char *why)
{
    if (++faults <= MOST_FAULTS)
        printf("%s: call %zu (%s %s, %s): %s\n", scene, at, disk.what, disk.path,
               strerror(disk.reason), why);
}

/* ---- the program, in a process of its own */

static int split(char *argv[WORDS], char *text)
{
    int n = 0;
    argv[n++] = "distill";
    for (char *word = strtok(text, " "); word && n < WORDS - 1; word = strtok(NULL, " "))
        argv[n++] = word;
    argv[n] = NULL;
    return n;
}

/* What the child leaves of the call that failed, for its parent. */
static void tell_parent(int to)
{
    if (__real_write(to, &disk, sizeof disk) != sizeof disk)
        abort();
}

static void be_program(const char *command, int to)
{
    char text[4096], *argv[WORDS];
    snprintf(text, sizeof text, "%s", command);
    int argc = split(argv, text);
    if (chdir("work") || !freopen("../out", "w", stdout) || !freopen("../err", "w", stderr))
        abort();
    int status = cli_main(argc, argv);
    fflush(stderr);
    tell_parent(to);
    _exit(status);
}

/* Its exit code; 128 + n after a signal. */
static int play(const char *command, size_t fails_at, int reason)
{
    int ends[2], status;
    fflush(stdout);
    if (pipe(ends))
        abort();
    pid_t child = fork();
    if (child == 0) {
        disk.done = 0;
        disk.fails_at = fails_at;
        disk.reason = reason;
        disk.what[0] = '\0';
        be_program(command, ends[1]);
    }
    __real_close(ends[1]);
    disk.what[0] = '\0';
    for (size_t got = 0, n; got < sizeof disk; got += n)
        if ((n = (size_t)read(ends[0], (char *)&disk + got, sizeof disk - got)) == 0)
            break;
    __real_close(ends[0]);
    if (waitpid(child, &status, 0) < 0)
        abort();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Without a failure; the one before stays on record. */
static int play_well(const char *command)
{
    char what[sizeof disk.what], path[sizeof disk.path];
    bool folder = disk.folder;
    strcpy(what, disk.what);
    strcpy(path, disk.path);
    int status = play(command, 0, disk.reason);
    strcpy(disk.what, what);
    strcpy(disk.path, path);
    disk.folder = folder;
    return status;
}

/* ---- folders */

static void shell(const char *command)
{
    if (system(command))
        abort();
}

/* A digest of what a folder shows, links followed: of every file but those with the time in them, and what belongs to the store. */
typedef struct look {
    uint64_t sum;
    size_t temporary;
    bool stages; /* the store as well */
} look;

static void add(look *self, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        self->sum = (self->sum ^ ((const unsigned char *)from)[i]) * 0x100000001b3u;
}

static void add_file(look *self, const char *path)
{
    char block[65536];
    FILE *in = __real_fopen(path, "rb");
    add(self, in ? "file" : "gone", 4);
    for (size_t n; in && (n = fread(block, 1, sizeof block, in)) > 0;)
        add(self, block, n);
    if (in)
        fclose(in);
}

/* Its seconds are those of the calls that were made, and its links are of the folder. */
static bool has_time(const char *name)
{
    static const char *const names[] = {"manifest.json",   "report.html", ".lock",
                                        "validation.json", "ladder.png",  "speed.svg",
                                        "speed.pdf",       "ladder.svg",  "ladder.pdf",
                                        "SHA256SUMS",      "points.json", "results.csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void look_into(look *self, const char *folder);

static void look_at(look *self, const char *folder, const char *name)
{
    char path[PATH];
    struct stat is;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    self->temporary += strstr(name, ".tmp.") != NULL || strstr(name, ".new") != NULL;
    if (stat(path, &is) == 0 && S_ISDIR(is.st_mode)) {
        look_into(self, path);
        return;
    }
    if (strcmp(name, ".lock") == 0 || strstr(folder, "/stages"))
        return;
    add(self, path, strlen(path));
    if (has_time(name))
        add(self, stat(path, &is) ? "gone" : "file", 4);
    else
        add_file(self, path);
}

static void look_into(look *self, const char *folder)
{
    struct dirent **all = NULL;
    int n = scandir(folder, &all, NULL, alphasort);
    for (int i = 0; i < n; free(all[i++]))
        if (strcmp(all[i]->d_name, ".") && strcmp(all[i]->d_name, ".."))
            look_at(self, folder, all[i]->d_name);
    free(all);
}

static look look_of(const char *folder)
{
    look out = {.sum = 0xcbf29ce484222325u};
    look_into(&out, folder);
    return out;
}

/* ---- a call that fails */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The file's own name: without what makes it a temporary one. */
static void stem_of(char out[PATH], const char *path)
{
    snprintf(out, PATH, "%s", last_part(path));
    char *end = strstr(out, ".tmp.");
    end = end ? end : strstr(out, ".old");
    end = end ? end : strstr(out, ".new");
    if (end)
        *end = '\0';
}

static size_t read_err(char *out, size_t size)
{
    FILE *in = __real_fopen("err", "rb");
    size_t n = in ? fread(out, 1, size - 1, in) : 0;
    out[n] = '\0';
    if (in)
        fclose(in);
    return n;
}

static bool may_go_unnoticed(void)
{
    return strcmp(last_part(disk.path), ".lock") == 0 ||
           (strcmp(disk.what, "fsync") == 0 && disk.folder);
}

static const char *wrong_words(void)
{
    static char text[8192];
    char stem[PATH];
    size_t n = read_err(text, sizeof text);
    char *line = strstr(text, "distill: error: ");
    stem_of(stem, disk.path);
    if (!line || (line > text && line[-1] != '\n'))
        return "no line says so";
    if (strchr(line, '\n') != text + n - 1)
        return "more than a line";
    if (!may_go_unnoticed() && !strstr(line, stem)) /* else it is the next one on a full disk */
        return line;
    return disk.reason == ENOSPC && !strstr(line, "the disk is full") ? line : NULL;
}

static const char *wrong_code(int status)
{
    static char out[64];
    bool right = status == 74 || (disk.reason != ENOSPC && status == 73);
    snprintf(out, sizeof out, "exit code %d", status);
    return right ? NULL : out;
}

/* What is seen before, and in the end. */
typedef struct ends {
    const struct scene *of;
    look before, after;
    int status; /* of one that nothing fails in */
} ends;

static void check_state(const ends *e, size_t at)
{
    char command[PATH];
    look now = look_of("work");
    if (now.temporary)
        fail(e->of->name, at, "a temporary file is left");
    if (!e->of->shows)
        return;
    if (now.sum != e->before.sum && now.sum != e->after.sum)
        fail(e->of->name, at, "what was there is another, and not what it becomes");
    snprintf(command, sizeof command, "verify %s", e->of->shows);
    int status = play_well(command);
    if (status > 1)
        fail(e->of->name, at, "verify finds fault with what is left");
}

static void check_end(const ends *e, size_t at)
{
    int status = play_well(e->of->command);
    look now = look_of("work");
    if (status != e->status || now.sum != e->after.sum)
        fail(e->of->name, at, "the same command comes to another end");
    if (now.temporary)
        fail(e->of->name, at, "a temporary file is left then");
}

/* Calls of one name on files of one make are of one kind. */
static bool is_new(const ends *e, int reason)
{
    enum { MOST = 1024 };
    static uint64_t seen[MOST];
    static size_t n;
    char stem[PATH], kind[PATH];
    stem_of(stem, disk.path);
    const char *dot = strrchr(stem, '.');
    snprintf(kind, sizeof kind, "%s %.100s %s %d", disk.what, dot ? dot : "", e->of->name, reason);
    look sum = {.sum = 0xcbf29ce484222325u};
    add(&sum, kind, strlen(kind));
    for (size_t i = 0; i < n; i++)
        if (seen[i] == sum.sum)
            return false;
    seen[n++ % MOST] = sum.sum;
    return true;
}

/* Whether it ended well all the same, where it may. */
static bool went_unnoticed(const ends *e, size_t at, int status)
{
    if (status != e->status || !may_go_unnoticed())
        return false;
    if (look_of("work").sum != e->after.sum)
        fail(e->of->name, at, "it went unnoticed, and the end is another");
    return true;
}

/* False: there is no such call any more. Of one of a new kind: *fresh. */
static bool fail_at(const ends *e, bool *fresh, size_t at, int reason)
{
    shell("rm -rf work && cp -a ready work");
    int status = play(e->of->command, at, reason);
    *fresh = *disk.what && is_new(e, reason);
    if (!*disk.what || went_unnoticed(e, at, status))
        return *disk.what != '\0';
    const char *why = wrong_code(status);
    why = why ? why : wrong_words();
    if (why)
        fail(e->of->name, at, why);
    check_state(e, at);
    if (*fresh)
        check_end(e, at);
    return true;
}

/* Of each kind both ways, of the others one. */
static bool fail_both(const ends *e, size_t at)
{
    static const int reasons[] = {ENOSPC, EIO};
    bool fresh, there = fail_at(e, &fresh, at, reasons[at % 2]);
    return there && (!fresh || fail_at(e, &fresh, at, reasons[(at + 1) % 2]));
}

/* ---- a scene */

static void prepare(const struct scene *s)
{
    shell("rm -rf work && cp -a start work");
    for (size_t i = 0; i < 4 && s->before[i]; i++)
        if (strncmp(s->before[i], "forget", 6) == 0)
            shell("rm -f work/sweep/points.json work/sweep/results.csv work/sweep/best");
        else if (play(s->before[i], 0, 0) > 1)
            fail(s->name, 0, s->before[i]);
    shell("rm -rf ready && cp -a work ready");
}

static size_t play_all(const struct scene *s)
{
    ends e = {.of = s};
    size_t n = 1;
    prepare(s);
    e.before = look_of("work");
    e.status = play(s->command, 0, 0);
    e.after = look_of("work");
    if (e.status > 1)
        fail(s->name, 0, "it does not even end without a failure");
    while (faults < MOST_FAULTS && fail_both(&e, n))
        n++;
    return n - 1;
}

static bool asked_for(int argc, char **argv, const char *name)
{
    bool found = argc < 3;
    for (int i = 2; i < argc; i++)
        found = found || strcmp(argv[i], name) == 0;
    return found;
}

int main(int argc, char **argv)
{
    bool all = true;
    flow_blas_one_thread();
    if (argc > 1 && strcmp(argv[1], "run") == 0) { /* a point of a sweep; by hand */
        disk.fails_at = getenv("FAILS_AT") ? strtoul(getenv("FAILS_AT"), NULL, 10) : 0;
        disk.reason = getenv("FULL") ? ENOSPC : EIO;
        return cli_main(argc, argv);
    }
    if (argc < 2 || chdir(argv[1]) || !getcwd(root, sizeof root))
        return 64;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        if (!asked_for(argc, argv, scenes[i].name))
            continue;
        faults = 0;
        size_t n = play_all(&scenes[i]);
        printf(!faults ? "ok %s: each of %zu calls to the disk failed\n"
                       : "not ok %s: each of %zu calls to the disk failed\n",
               scenes[i].name, n);
        all = all && !faults;
    }
    return !all;
}
