/* pipeline/stages/report.c -- the run as one page, and its figures beside it. */
#include "pipeline/report/report.h"

#include "pipeline/console/progress.h"
#include "pipeline/stages/stage.h"
#include "pipeline/stages/student.h"
#include "pipeline/stages/target.h"
#include "pipeline/stages/teacher.h"
#include "pipeline/stages/validate.h"

#include <string.h>

static const char PAGE[] = "report.html", PICTURE[] = "picture.png", LADDER[] = "ladder.png",
                  ENERGIES[] = "energies.png";

static report_input input_of(const stage_work *work, const void *const *inputs)
{
    const teacher_product *teacher = inputs[0];
    const target_product *from = inputs[1];
    const student_product *student = inputs[2];
    const validate_product *figures = inputs[3];
    return (report_input){.config = work->config,
                          .root = work->dir->root,
                          .verdict = "validation.json",
                          .chain = "chain.npy",
                          .teacher_metrics = from->data ? "teacher/metrics.jsonl" : NULL,
                          .student_metrics = "student/metrics.jsonl",
                          .overrides = "overrides.txt",
                          .page = PAGE,
                          .picture = PICTURE,
                          .ladder = LADDER,
                          .energies = ENERGIES,
                          .rows = {.data = from->data,
                                   .teacher = from->data ? &teacher->model : NULL,
                                   .student = &student->model,
                                   .exact = from->exact,
                                   .exact_is_flow = from->flow != NULL,
                                   .names = from->names,
                                   .pool = work->pool,
                                   .seed = work->config->seed},
                          .teacher_note = figures->teacher_note,
                          .student_note = figures->student_note};
}

/* path: of a file in the directory of figures, which is made with it; its own name is cut off. */
static int write_report(report_input *in, const target_product *from, char *path, flow_err *err)
{
    distill_contexts contexts = target_contexts_held_out(from);
    *strrchr(path, '/') = 0;
    in->figures = path;
    in->rows.contexts = &contexts;
    return report_write(in, err);
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    char path[RUNDIR_PATH];
    report_input in = input_of(work, inputs);
    (void)product;
    if (!rundir_path(work->dir, path, "figures/any", err))
        return err->code;
    progress_begin(stage_report.name, 0);
    if (write_report(&in, inputs[1], path, err)) {
        progress_clear();
        return flow_fail_prefix(err, stage_report.name);
    }
    progress_end("%s/%s", work->dir->root, PAGE);
    return FLOW_OK;
}

const stage stage_report = {
    .name = "report",
    .doc = "writes the page that shows the run: report.html, and its figures",
    .keys = (const char *const[]){"seed", "name", "report", "validate", NULL},
    .inputs = (const stage *const[]){&stage_teacher, &stage_target, &stage_student, &stage_validate,
                                     NULL},
    .outputs = (const char *const[]){PAGE, PICTURE, LADDER, ENERGIES, "figures/[!.]*.svg",
                                     "figures/[!.]*.pdf", NULL},
    .run = run};
