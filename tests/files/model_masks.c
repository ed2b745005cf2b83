/* Model files whose masked weights are not zero: made for other degrees than the reader's, so that they
 * mean another model. Refused, with the place; on a nested layer, too. */
#include "files/model.h"
#include "files/safetensors.h"
#include "tests/common/examples.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define NET                                                                                        \
    "{\"kind\": \"autoregressive\", \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [6]}, "       \
    "\"groups\": 2}"

static flow *make_flow(void)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *layers = json_loads(
        "[" NET ", {\"kind\": \"part\", \"first\": 1, \"count\": 4, \"layers\": [" NET "]}]", 0,
        NULL);
    json_t *d = describe_one(5, 0, "data_to_noise", layers);
    flow *f = flow_create(d, FLOW_F64, &err);
    cr_assert(f, "%s", err.text);
    randomise_parameters(f, 0.7, 3);
    json_decref(d);
    return f;
}

static const char *write_model(flow *f)
{
    flow_err err = FLOW_ERR_INIT;
    flow_units *units = flow_units_create(5, NULL);
    flow_model model = {.flow = f, .units = units, .role = "teacher"};
    model.names = json_pack("[s, s, s, s, s]", "a", "b", "c", "d", "e");
    const char *path = temp_path("model.safetensors");
    cr_assert_eq(flow_model_write(&model, path, &err), 0, "%s", err.text);
    json_decref(model.names);
    flow_units_free(units);
    return path;
}

/* The file once more, with one number of one tensor changed. */
static const char *change(const char *path, const char *tensor, size_t at, double value)
{
    file_tensors *in = file_tensors_read(path, NULL), *out = file_tensors_create(NULL);
    const char *key, *to = temp_path("changed.safetensors");
    json_t *text;
    json_object_foreach((json_t *)(uintptr_t)file_tensors_metadata_all(in), key, text)
    {
        file_tensors_set_metadata(out, key, json_string_value(text), NULL);
    }
    for (size_t i = 0; i < file_tensors_count(in); i++) {
        file_tensors_entry entry;
        file_tensors_info(in, &entry, i);
        double *values = malloc(entry.count * sizeof *values);
        file_tensors_get(in, values, i);
        if (strcmp(entry.name, tensor) == 0)
            values[at] = value;
        file_tensors_add(out, entry.name, entry.dtype, entry.dims, entry.rank, values, NULL);
        free(values);
    }
    cr_assert_eq(file_tensors_write(out, to, NULL), 0);
    file_tensors_free(in);
    file_tensors_free(out);
    return to;
}

static void check_refused(const char *path, const char *words)
{
    flow_err err = FLOW_ERR_INIT;
    flow_model *model = flow_model_read(path, &err);
    cr_assert_null(model, "read: %s", words);
    cr_assert_eq(err.code, FLOW_EDATA);
    cr_assert(strstr(err.text, words), "'%s' is not '%s'", err.text, words);
}

/* Five coordinates in groups of three and two: hidden units see the first three, and the first three
 * outputs see nothing. In the part, four: two and two. */
Test(model_masks, are_zero)
{
    flow *f = make_flow();
    const char *path = (temp_open(), write_model(f));
    flow_model *good = flow_model_read(path, NULL);
    cr_assert(good && flow_n_weights(good->flow) == flow_n_weights(f));
    flow_model_free(good);
    check_refused(change(path, "layers.0.conditioner.0.weight", 3 * 5 + 4, 1e-30),
                  "tensor layers.0.conditioner.0.weight: row 3, column 4 is masked and not 0");
    check_refused(change(path, "layers.1.layers.0.conditioner.1.weight", 5, -2.385),
                  "tensor layers.1.layers.0.conditioner.1.weight: row 0, column 5 is masked");
    good = flow_model_read(change(path, "layers.0.conditioner.0.weight", 3 * 5 + 4, -0.0), NULL);
    cr_assert(good, "a masked -0 was refused");
    flow_model_free(good);
    good = flow_model_read(change(path, "layers.0.conditioner.0.weight", 3 * 5 + 2, 2.5), NULL);
    cr_assert(good, "a weight that is not masked was refused");
    flow_model_free(good);
    flow_free(f);
    temp_close();
}
