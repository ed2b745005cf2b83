/* pipeline/stages/picture.c -- data, teacher and student side by side; students of several sizes over their
 * speed; energies beside those of long chains. */
#include "pipeline/console/progress.h"
#include "pipeline/report/picture_energies.h"
#include "pipeline/report/picture_ladder.h"
#include "pipeline/report/picture_run.h"
#include "pipeline/stages/stage.h"
#include "pipeline/stages/student.h"
#include "pipeline/stages/target.h"
#include "pipeline/stages/teacher.h"
#include "pipeline/stages/validate.h"

static const char PICTURE[] = "picture.png", LADDER[] = "ladder.png", ENERGIES[] = "energies.png";

static int draw_sides(const char *path, const stage_work *work, const void *const *inputs,
                      flow_err *err)
{
    const teacher_product *teacher = inputs[0];
    const target_product *from = inputs[1];
    const student_product *student = inputs[2];
    const validate_product *figures = inputs[3];
    uint64_t seed = work->config->seed;
    distill_contexts contexts = target_contexts_held_out(from);
    if (!from->data)
        return picture_of_target(path, from->exact, &contexts, &student->model, from->names,
                                 figures->student_note, work->pool, seed, err);
    return picture_of_run(path, from->data, &teacher->model, &student->model, figures->teacher_note,
                          figures->student_note, work->pool, seed, err);
}

/* Of a student that starts as its teacher. */
static int draw_ladder(const stage_work *work, const student_product *student, flow_err *err)
{
    const rungs_report *ladder = &student->ladder;
    char path[RUNDIR_PATH];
    if (ladder->rungs.n == 0)
        return FLOW_OK;
    if (!rundir_path(work->dir, path, LADDER, err))
        return err->code;
    return picture_ladder(path, ladder->rungs.at, ladder->rungs.n, ladder->teacher_rows_per_s, err);
}

/* Of a target that chains were run on. */
static int draw_energies(const stage_work *work, const validate_product *figures, flow_err *err)
{
    char path[RUNDIR_PATH];
    if (figures->chain.rows == 0)
        return FLOW_OK;
    if (!rundir_path(work->dir, path, ENERGIES, err))
        return err->code;
    return picture_energies(path, &figures->chain, err);
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    const student_product *student = inputs[2];
    char path[RUNDIR_PATH];
    (void)product;
    if (!rundir_path(work->dir, path, PICTURE, err))
        return err->code;
    progress_begin(stage_picture.name, 0);
    int code = draw_sides(path, work, inputs, err);
    if (!code)
        code = draw_ladder(work, student, err);
    if (!code)
        code = draw_energies(work, inputs[3], err);
    if (code) {
        progress_clear();
        return flow_fail_prefix(err, stage_picture.name);
    }
    progress_end("%s and student in %s", work->config->target ? "target" : "data, teacher",
                 rundir_shown(work->dir, path, PICTURE));
    return FLOW_OK;
}

const stage stage_picture = {
    .name = "picture",
    .doc = "draws data, teacher and student side by side, students of several sizes, and energies",
    .abi = 1,
    .keys = (const char *const[]){"seed", NULL},
    .inputs = (const stage *const[]){&stage_teacher, &stage_target, &stage_student, &stage_validate,
                                     NULL},
    .outputs = (const char *const[]){PICTURE, LADDER, ENERGIES, NULL},
    .run = run};
