/* pipeline/stages/picture.c -- data, teacher and student side by side. */
#include "pipeline/console/progress.h"
#include "pipeline/report/picture_run.h"
#include "pipeline/stages/data.h"
#include "pipeline/stages/stage.h"
#include "pipeline/stages/student.h"
#include "pipeline/stages/teacher.h"

static const char PICTURE[] = "picture.png";

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    const data_product *data = inputs[0];
    const teacher_product *teacher = inputs[1];
    const student_product *student = inputs[2];
    char path[RUNDIR_PATH];
    (void)product;
    if (!rundir_path(work->dir, path, PICTURE, err))
        return err->code;
    progress_begin(stage_picture.name, 0);
    int code = picture_of_run(path, data->set, &teacher->model, &student->model, work->pool,
                              work->config->seed, err);
    if (code) {
        progress_clear();
        return flow_fail_prefix(err, stage_picture.name);
    }
    progress_end("data, teacher and student in %s", path);
    return FLOW_OK;
}

const stage stage_picture = {
    .name = "picture",
    .doc = "draws data, teacher and student side by side",
    .keys = (const char *const[]){"seed", NULL},
    .inputs = (const stage *const[]){&stage_data, &stage_teacher, &stage_student, NULL},
    .outputs = (const char *const[]){PICTURE, NULL},
    .run = run};
