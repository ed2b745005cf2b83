/* data.columns with what is known of each: read, kept, and read again. */
#include "pipeline/config/config.h"

#include "tests/common/temp.h"
#include "tests/pipeline/load.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a run keeps is read again as what it was, the order of the columns too, though keys are sorted. */
Test(config, kinds_of_columns_keep_their_order)
{
    load_open();
    config *self = load_good("schema: 1\ndata: {path: ok.csv, columns: {z: positive, m: [-inf, 3], "
                             "a: {support: [0, inf], "
                             "step: 1, link: softplus}}}\n");
    json_t *json = config_to_json(self);
    json_t *some = json_pack("{s:i, s:{s:s, s:O}}", "schema", 1, "data", "path", "ok.csv",
                             "columns", json_object_get(json_object_get(json, "data"), "columns"));
    char *kept = json_dumps(some, JSON_SORT_KEYS);
    json_decref(some);
    config *back = load_good(kept);
    static const char *const names[] = {"z", "m", "a"};
    cr_assert(back->data.kinds && back->data.columns.n == 3);
    for (size_t i = 0; i < 3; i++) {
        const data_kind *a = &self->data.kinds[i], *b = &back->data.kinds[i];
        cr_expect_str_eq(back->data.columns.at[i], names[i]);
        cr_expect(a->lo == b->lo && a->hi == b->hi && a->step == b->step && a->link == b->link);
    }
    free(kept);
    json_decref(json);
    config_free(back);
    config_free(self);
    temp_close();
}

/* data.columns as a mapping, and what a later source makes of it. */
Test(config, kinds_of_columns)
{
    load_open();
    static const char text[] =
        "schema: 1\ndata:\n  path: ok.csv\n  weights: 3\n  columns:\n"
        "    mass: {support: positive}\n    3x: {support: [-.5, 1e2], alpha: 1e-3, step: 0.5}\n"
        "    phi: {period: 360}\n    pt: [20, inf]\n    z: [-inf, -2.385]\n    t: {}\n    r:\n";
    config *self = load_good(text);
    const data_kind *k = self->data.kinds;
    cr_assert(k && self->data.columns.n == 7);
    cr_expect_str_eq(self->data.columns.at[1], "3x");
    cr_expect_str_eq(self->data.weights, "3");
    cr_expect(k[0].lo == 0 && isinf(k[0].hi) && k[0].step == 0 && !k[0].smear);
    cr_expect(k[1].lo == -0.5 && k[1].hi == 100 && k[1].alpha == 1e-3 && k[1].step == 0.5);
    cr_expect(k[2].period == 360 && isinf(k[2].lo) && isinf(k[2].hi));
    cr_expect(k[3].lo == 20 && isinf(k[3].hi) && isinf(k[4].lo) && k[4].hi == -2.385);
    for (size_t i = 5; i < 7; i++)
        cr_expect(isinf(k[i].lo) && isinf(k[i].hi) && k[i].step == 0 && k[i].period == 0);
    json_t *json = config_to_json(self),
           *list = json_object_get(json_object_get(json, "data"), "columns");
    json_t *want = json_pack("{s:[f, s], s:f, s:f, s:f, s:s}", "support", 20.0, "inf", "step", 0.0,
                             "period", 0.0, "alpha", 0.0, "link", "auto");
    cr_expect(json_equal(json_object_get(json_array_get(list, 3), "pt"), want));
    json_decref(want);
    json_decref(json);
    config_free(self);
    static const char *const later[] = {"data.columns=[a, b]", "data.columns=null"};
    for (size_t i = 0; i < 2; i++) {
        self = load_text(&(load_input){.text = text, .sets = {later[i]}}, NULL, NULL);
        cr_assert(self && !self->data.kinds && self->data.columns.n == 2 - 2 * i);
        config_free(self);
    }
    temp_close();
}

/* A list with more in an item, or less, is none. */
Test(config, a_list_has_one_column_in_each_item)
{
    static const char *const items[] = {"{a: positive, b: {}}", "b", "{}"};
    load_open();
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        char text[160], *said = NULL;
        int status = 0;
        snprintf(text, sizeof text,
                 "schema: 1\ndata: {path: ok.csv, columns: [{c: positive}, %s]}\n", items[i]);
        config *self = load_text(&(load_input){.text = text}, &said, &status);
        cr_expect_null(self, "%s", items[i]);
        cr_expect(said && strstr(said, "a list has one column in each item"), "%s", said);
        config_free(self);
        free(said);
    }
    temp_close();
}
