/* pipeline/stages/report.c -- the run as one page, and its figures beside it. */
#include "pipeline/report/report.h"

#include "pipeline/console/progress.h"
#include "pipeline/stages/shipped.h"
#include "pipeline/stages/stage.h"
#include "pipeline/stages/student.h"
#include "pipeline/stages/target.h"
#include "pipeline/stages/teacher.h"
#include "pipeline/stages/validate.h"

#include <string.h>

static const char PAGE[] = "report.html", PICTURE[] = "picture.png", LADDER[] = "ladder.png",
                  ENERGIES[] = "energies.png";

enum {
    READ_VERDICT,
    READ_CHAIN,
    READ_TEACHER,
    READ_STUDENT,
    WRITE_PAGE,
    WRITE_PICTURE,
    WRITE_LADDER,
    WRITE_ENERGIES,
    PATHS
};

typedef struct report_paths {
    char at[PATHS][RUNDIR_PATH], figures[RUNDIR_PATH];
} report_paths;

static int find_places(report_paths *out, const stage_work *work, flow_err *err)
{
    const struct {
        const rundir *dir;
        const char *name;
    } files[PATHS] = {
        [READ_VERDICT] = {&work->results[stage_index(&stage_validate)], STAGE_VERDICT},
        [READ_CHAIN] = {&work->results[stage_index(&stage_validate)], "chain.npy"},
        [READ_TEACHER] = {&work->results[stage_index(&stage_teacher)], "teacher/metrics.jsonl"},
        [READ_STUDENT] = {&work->results[stage_index(&stage_student)], "student/metrics.jsonl"},
        [WRITE_PAGE] = {work->dir, PAGE},
        [WRITE_PICTURE] = {work->dir, PICTURE},
        [WRITE_LADDER] = {work->dir, LADDER},
        [WRITE_ENERGIES] = {work->dir, ENERGIES}};
    for (int i = 0; i < PATHS; i++)
        if (files[i].dir->root[0] && !rundir_path(files[i].dir, out->at[i], files[i].name, err))
            return err->code;
    if (!rundir_path(work->dir, out->figures, "figures/any", err))
        return err->code;
    *strrchr(out->figures, '/') = 0;
    return FLOW_OK;
}

static report_input input_of(const stage_work *work, const report_paths *paths,
                             const flow_model *student, const void *const *inputs)
{
    const teacher_product *teacher = inputs[0];
    const target_product *from = inputs[1];
    const validate_product *figures = inputs[3];
    return (report_input){.config = work->config,
                          .verdict = paths->at[READ_VERDICT],
                          .chain = paths->at[READ_CHAIN],
                          .teacher_metrics = from->data ? paths->at[READ_TEACHER] : NULL,
                          .student_metrics = paths->at[READ_STUDENT],
                          .page = paths->at[WRITE_PAGE],
                          .figures = paths->figures,
                          .picture = paths->at[WRITE_PICTURE],
                          .ladder = paths->at[WRITE_LADDER],
                          .energies = paths->at[WRITE_ENERGIES],
                          .rows = {.data = from->data,
                                   .teacher = from->data ? &teacher->model : NULL,
                                   .student = student,
                                   .exact = from->exact,
                                   .exact_is_flow = from->flow != NULL,
                                   .names = from->names,
                                   .pool = work->pool,
                                   .seed = work->config->seed},
                          .teacher_note = figures->teacher_note,
                          .student_note = figures->student_note};
}

static int write(const flow_model *model, const stage_work *work, const report_paths *paths,
                 const void *const *inputs, flow_err *err)
{
    char shown[RUNDIR_PATH];
    distill_contexts contexts = target_contexts_held_out(inputs[1]);
    report_input in = input_of(work, paths, model, inputs);
    in.rows.contexts = &contexts;
    progress_begin(stage_report.name, 0);
    if (report_write(&in, err)) {
        progress_clear();
        return flow_fail_prefix(err, stage_report.name);
    }
    progress_end("%s", rundir_shown(work->dir, shown, PAGE));
    return FLOW_OK;
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    const student_product *student = inputs[2];
    report_paths paths = {.figures = ""};
    shipped as;
    (void)product;
    if (find_places(&paths, work, err) ||
        shipped_open(&as, &student->model, shipped_network(work->config, inputs[3]), err))
        return err->code;
    int code = write(&as.model, work, &paths, inputs, err);
    shipped_release(&as);
    return code;
}

const stage stage_report = {
    .name = "report",
    .doc = "writes the page that shows the run: report.html, and its figures",
    .abi = 2,
    .keys = (const char *const[]){"seed", "name", "report", "validate", NULL},
    .inputs = (const stage *const[]){&stage_teacher, &stage_target, &stage_student, &stage_validate,
                                     NULL},
    .outputs = (const char *const[]){PAGE, PICTURE, LADDER, ENERGIES, "figures/[!.]*.svg",
                                     "figures/[!.]*.pdf", NULL},
    .run = run};
