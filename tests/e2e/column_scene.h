/* tests/e2e/column_scene.h -- one more scene: a flow of one column. */
#ifndef TESTS_E2E_COLUMN_SCENE_H
#define TESTS_E2E_COLUMN_SCENE_H

#include "flow/column_start.h"
#include "tests/e2e/scenes.h"

static flow *make_column(flow_err *err)
{
    static const flow_place one = {.dim = 1};
    json_t *name = json_string("maf");
    json_t *whole = name ? flow_kind_complete(&flow_presets, name, err) : NULL;
    flow *f = whole ? flow_preset_create(whole, FLOW_DATA_TO_NOISE, &one, FLOW_F32, err) : NULL;
    if (!name)
        flow_fail(err, FLOW_ENOMEM, "no name");
    json_decref(name);
    json_decref(whole);
    return f;
}

/* One column, which starts at quantiles of its rows, and a student at those of its teacher. */
static int play_column(uint64_t *sum, flow_err *err)
{
    double x[200];
    int known = 0;
    flow *f = make_column(err);
    for (int i = 0; i < 200; i++)
        x[i] = (i - 100) / 70.0;
    bool done = false;
    int code = f ? flow_start_column(f, &done, x, 200, err) : err->code;
    if (!code)
        code = flow_column_quantiles(x, &known, 200, f, err);
    if (!code && known)
        add(sum, x, sizeof x);
    flow_free(f);
    return code;
}

#endif
