#include "tests/pipeline/load.h"

#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void load_open(void)
{
    const char *directory = temp_open();
    temp_write("ok.csv", "", 0);
    temp_write("ok.npy", "", 0);
    temp_write("ok.txt", "", 0);
    cr_assert_eq(chdir(directory), 0);
}

config *load_text(const load_input *input, char **said, int *status)
{
    temp_write("t.yaml", input->text, input->size ? input->size : strlen(input->text));
    if (input->overlay)
        temp_write("o.yaml", input->overlay, strlen(input->overlay));
    size_t n_sets = 0;
    while (n_sets < LOAD_SETS && input->sets[n_sets])
        n_sets++;
    const char *overlay = "o.yaml";
    const config_sources sources = {.file = "t.yaml",
                                    .overlays = &overlay,
                                    .n_overlays = input->overlay != NULL,
                                    .sets = input->sets,
                                    .n_sets = n_sets};
    complaints *out = complaints_create();
    cr_assert_not_null(out);
    config *self = config_load(&sources, out);
    cr_assert_eq(self == NULL, complaints_count(out) > 0, "no config and no complaint, or both");
    if (said) {
        size_t size;
        FILE *to = open_memstream(said, &size);
        complaints_show(out, to, false);
        cr_assert_eq(fclose(to), 0);
    }
    if (status)
        *status = complaints_exit_code(out);
    complaints_free(out);
    return self;
}

config *load_good(const char *text)
{
    char *said;
    config *self = load_text(&(load_input){.text = text}, &said, NULL);
    cr_assert_str_empty(said, "%s\nsays: %s", text, said);
    free(said);
    return self;
}

void load_says(const char *text, const char *expected)
{
    char *said;
    config *self = load_text(&(load_input){.text = text}, &said, NULL);
    cr_expect_str_eq(said, expected, "%s\nsays:\n%s\nnot:\n%s", text, said, expected);
    free(said);
    config_free(self);
}

static bool has(const json_t *whole, const json_t *part)
{
    const char *key;
    json_t *value;
    if (!json_is_object(part))
        return json_equal(whole, part);
    json_object_foreach((json_t *)(uintptr_t)part, key,
                        value) if (!has(json_object_get(whole, key), value)) return false;
    return true;
}

bool load_has(const json_t *whole, const char *part)
{
    json_t *want = json_loads(part, 0, NULL);
    cr_assert(want, "%s", part);
    bool found = has(whole, want);
    json_decref(want);
    return found;
}
