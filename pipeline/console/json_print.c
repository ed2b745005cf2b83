#include "pipeline/console/json_print.h"

#include "flow/json.h"

#include <stdlib.h>
#include <string.h>

int json_print(const json_t *document, flow_err *err)
{
    if (document && json_dumpf(document, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) == 0) {
        putchar('\n');
        return 0;
    }
    return flow_fail(err, FLOW_ENOMEM, "out of memory for JSON");
}

static void put_text(FILE *to, const char *text)
{
    if (!strpbrk(text, ",\"")) {
        fputs(text, to);
        return;
    }
    putc('"', to);
    for (; *text; text++)
        fprintf(to, *text == '"' ? "\"\"" : "%c", *text);
    putc('"', to);
}

static void put_number(FILE *to, const json_t *value)
{
    char *text = flow_json_text(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    fputs(text ? text : "", to);
    free(text);
}

void json_print_field(FILE *to, const json_t *value)
{
    if (json_is_string(value))
        put_text(to, json_string_value(value));
    else if (json_is_number(value))
        put_number(to, value);
    else if (json_is_boolean(value))
        putc(json_is_true(value) ? '1' : '0', to);
}
