/* Model files of flows on every base: all that a base is comes back, and the name of a base that older
 * files carry is read. */
#include "files/model.h"
#include "tests/common/backends.h"
#include "tests/common/bases.h"
#include "tests/common/check.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const pcg_stream noise = {.seed = 271, .stage = PCG_TEST, .purpose = PCG_BASE};

static flow_model *written_and_read(flow *f)
{
    flow_err err = FLOW_ERR_INIT;
    flow_model model = {.role = "teacher", .flow = f, .units = flow_units_create(2, &err)};
    for (size_t i = 0; i < 2 && flow_circles(f); i++)
        if (flow_circles(f)[i]) {
            model.units->column[i].period = 360;
            flow_unit_set_angle(&model.units->column[i], 90);
        }
    model.names = json_pack("[s, s]", "a", "b");
    cr_assert(model.units, "%s", err.text);
    cr_assert_eq(flow_model_write(&model, temp_path("m.safetensors"), &err), 0, "%s", err.text);
    flow_model *back = flow_model_read(temp_path("m.safetensors"), &err);
    cr_assert(back, "%s", err.text);
    flow_units_free(model.units);
    json_decref(model.names);
    return back;
}

Test(model_base, every_base_comes_back)
{
    enum { N = 9 };
    temp_open();
    flow_pool *pool = flow_pool_create(1, NULL);
    for (size_t e = 0; e < base_count(); e++) {
        double x[2 * N], logp[N], again[2 * N], logp_again[N];
        flow *f = flow_on_base(first_f64_backend(), e, 2, 1, FLOW_NOISE_TO_DATA);
        flow_model *back = written_and_read(f);
        flow_sample(f, pool, x, logp, NULL, noise, 3, N, NULL);
        flow_sample(back->flow, pool, again, logp_again, NULL, noise, 3, N, NULL);
        check_same(again, x, 2 * N, "samples, %s", base_text(e));
        check_same(logp_again, logp, N, "log q, %s", base_text(e));
        flow_model_free(back);
        flow_free(f);
    }
    flow_pool_free(pool);
    temp_close();
}

Test(model_base, older_descriptions_name_the_base)
{
    json_t *d = json_pack("{s:i, s:s, s:s, s:[]}", "dim", 2, "direction", "data_to_noise", "base",
                          "normal", "layers");
    flow *f = flow_create(d, FLOW_F64, NULL);
    json_t *now = flow_describe(f), *want = base_example(0);
    cr_assert(json_equal(json_object_get(now, "base"), want));
    json_decref(want);
    json_decref(now);
    json_decref(d);
    flow_free(f);
}
