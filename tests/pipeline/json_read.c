/* Files of JSON as runs leave them: whole, growing, wrong. */
#include "pipeline/console/json_read.h"

#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <string.h>

static json_t *lines(const char *text, bool growing, flow_err *err)
{
    *err = (flow_err)FLOW_ERR_INIT;
    return json_read_lines(temp_write("a.jsonl", text, strlen(text)), growing, err);
}

/* So many lines are read. */
static void holds(const char *text, bool growing, size_t n)
{
    flow_err err;
    json_t *list = lines(text, growing, &err);
    cr_assert_not_null(list, "%s", err.text);
    cr_expect_eq(json_array_size(list), n, "%s", text);
    json_decref(list);
}

static void refused(const char *text, bool growing, const char *says)
{
    flow_err err;
    cr_assert_null(lines(text, growing, &err));
    cr_expect_eq(err.code, FLOW_EDATA);
    cr_expect_not_null(strstr(err.text, says), "%s", err.text);
}

Test(json_read, a_line_that_is_being_written_is_left_out_where_files_grow)
{
    temp_open();
    for (int growing = 0; growing < 2; growing++) {
        holds("", growing, 0);
        holds("{\"a\":1}\n\n[2]\n", growing, 2);
        refused("{\"a\":1}\n{\"b\n{\"c\":3}\n", growing, "a.jsonl:2: ");
        refused("{\"a\":1}\n{\"b\":1,\"b\":2}\n", growing, "a.jsonl:2: ");
    }
    holds("{\"a\":1}\n{\"b\"", true, 1);
    holds("{\"a\":1}\n{\"b\":2}", true, 1);
    refused("{\"a\":1}\n{\"b\"", false, "a.jsonl:2: ");
    holds("{\"a\":1}\n{\"b\":2}", false, 2);
    temp_close();
}

Test(json_read, one_document)
{
    static const char good[] = "{\"a\":\n 1}\n", bad[] = "{\"a\":\n }\n",
                      twice[] = "{\"a\":1,\"a\":2}";
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    json_t *read = json_read_file(temp_write("a.json", good, strlen(good)), &err);
    cr_assert_not_null(read, "%s", err.text);
    json_decref(read);
    cr_expect_null(json_read_file(temp_write("b.json", bad, strlen(bad)), &err));
    cr_expect(err.code == FLOW_EDATA && strstr(err.text, "b.json:2: "), "%s", err.text);
    cr_expect_null(json_read_file(temp_write("c.json", twice, strlen(twice)), &err));
    cr_expect_eq(err.code, FLOW_EDATA);
    cr_expect_null(json_read_file(temp_path("none.json"), &err));
    cr_expect_eq(err.code, FLOW_ENOINPUT);
    temp_close();
}
