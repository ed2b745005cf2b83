#include "pipeline/stages/trained.h"

#include "pipeline/console/progress.h"
#include "pipeline/stages/checkpoint.h"
#include "pipeline/stages/rung_file.h"

#include <stdio.h>

flow_model trained_frame(const data_product *data)
{
    return (flow_model){.units = data->set->units,
                        .context_units = data->set->context_units,
                        .names = data->names,
                        .context_names = data->set->n_context ? data->context_names : NULL,
                        .ranges = data->ranges,
                        .context_ranges = data->context_ranges};
}

flow_model trained_model(flow *f, const flow_model *frame, const char *role)
{
    flow_model out = *frame;
    out.flow = f;
    snprintf(out.role, sizeof out.role, "%s", role);
    return out;
}

int trained_end(course *told, const flow_model *model, const stage_work *work, const char *name,
                int code, flow_err *err)
{
    char path[RUNDIR_PATH];
    flow_err late = FLOW_ERR_INIT;
    bool failed = code && code != FLOW_ESTOPPED; /* by what is said already */
    if (course_end(told, &late) && !failed) {
        *err = late;
        return err->code;
    }
    if (failed) {
        progress_clear();
        return flow_fail_prefix(err, model->role);
    }
    if (!model->flow) /* stopped before there was any */
        return code;
    if (!rundir_path(work->dir, path, name, &late) || flow_model_write(model, path, &late)) {
        *err = late;
        return err->code;
    }
    code = code ? code : checkpoint_remove(work->dir, err);
    return code ? code : rung_file_remove(work->dir, err);
}

int trained_load(flow_model *out, const flow_model *frame, const char *role, const stage_work *work,
                 const char *name, flow_err *err)
{
    char path[RUNDIR_PATH];
    flow_model *read = rundir_path(work->dir, path, name, err) ? flow_model_read(path, err) : NULL;
    if (!read)
        return err->code;
    *out = trained_model(read->flow, frame, role);
    read->flow = NULL;
    flow_model_free(read);
    return 0;
}
