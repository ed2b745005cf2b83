/* Numbers of a struct as JSON text and back: every bit of them, and no word that is not one. */
#include "pipeline/stages/kept.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct sample {
    double x, y[2][3];
    size_t n;
    int i;
    bool b;
} sample;

static const kept_field fields[] = {KEPT(sample, x, KEPT_REAL),  KEPT_LIST(sample, y, KEPT_REAL, 6),
                                    KEPT(sample, n, KEPT_WHOLE), KEPT(sample, i, KEPT_INT),
                                    KEPT(sample, b, KEPT_BOOL),  {NULL, KEPT_REAL, 0, 0}};

/* Through the text of a file. */
static int there_and_back(sample *out, const sample *in, flow_err *err)
{
    json_t *json = kept_json(fields, in);
    char *text = json_dumps(json, JSON_SORT_KEYS);
    json_t *read = json_loads(text, 0, NULL);
    int code = kept_read(out, fields, read, err);
    json_decref(json);
    json_decref(read);
    free(text);
    return code;
}

Test(kept, the_same_bits)
{
    const sample in = {
        .x = 0.1 + 0.2,
        .y = {{-0.0, 5e-324, 1.7976931348623157e308}, {1. / 3, -1e-17, 12345678901.25}},
        .n = (size_t)1 << 53,
        .i = -3,
        .b = true};
    sample out;
    flow_err err = FLOW_ERR_INIT;
    memset(&out, 0, sizeof out);
    cr_assert_eq(there_and_back(&out, &in, &err), 0, "%s", err.text);
    cr_expect_eq(memcmp(&in.x, &out.x, sizeof in.x), 0);
    cr_expect_eq(memcmp(in.y, out.y, sizeof in.y), 0);
    cr_expect(out.n == in.n && out.i == -3 && out.b);
}

Test(kept, what_is_not_finite)
{
    const sample in = {.x = NAN, .y = {{INFINITY, -INFINITY}}};
    sample out;
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(there_and_back(&out, &in, &err), 0, "%s", err.text);
    cr_expect(isnan(out.x) && out.y[0][0] == INFINITY && out.y[0][1] == -INFINITY);
}

Test(kept, what_is_no_number_is_named)
{
    static const char *const texts[] = {"{}", "{\"x\": \"abc\"}", "{\"x\": null}", "{\"x\": true}",
                                        "{\"x\": [1]}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        sample out;
        flow_err err = FLOW_ERR_INIT;
        json_t *json = json_loads(texts[i], 0, NULL);
        cr_expect_eq(kept_read(&out, fields, json, &err), FLOW_EDATA, "%s", texts[i]);
        cr_expect(strstr(err.text, "'x'"), "%s", err.text);
        json_decref(json);
    }
    sample out;
    flow_err err = FLOW_ERR_INIT;
    json_t *json = json_loads("{\"x\": 1, \"y\": [1, 2]}", 0, NULL);
    cr_expect_eq(kept_read(&out, fields, json, &err), FLOW_EDATA);
    cr_expect(strstr(err.text, "'y'"), "%s", err.text);
    json_decref(json);
}
