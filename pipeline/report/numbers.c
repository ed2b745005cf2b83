#include "pipeline/report/numbers.h"

#include "flow/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double number_at(const json_t *at, const char *path)
{
    const json_t *found = flow_json_below(at, path);
    return json_is_number(found) ? json_number_value(found) : NAN;
}

const char *text_at(const json_t *at, const char *path)
{
    const char *found = json_string_value(flow_json_below(at, path));
    return found ? found : "";
}

/* ---- as text */

const char *number_count(char out[NUMBER_TEXT], double value)
{
    char digits[32];
    size_t used = 0;
    if (!(fabs(value) < 1e15)) {
        snprintf(out, NUMBER_TEXT, "%.3g", value);
        return out;
    }
    int n = snprintf(digits, sizeof digits, "%.0f", value);
    for (int i = 0; i < n; i++) {
        if (i > (digits[0] == '-') && (n - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = 0;
    return out;
}

const char *number_text(char out[NUMBER_TEXT], double value)
{
    if (isnan(value))
        snprintf(out, NUMBER_TEXT, "not known");
    else if (fabs(value) >= 1e4 && fabs(value) < 1e12)
        number_count(out, value);
    else
        snprintf(out, NUMBER_TEXT, "%.4g", value);
    return out;
}

const char *number_with_error(char out[NUMBER_TEXT], double value, double se)
{
    if (isnan(value) || isnan(se) || !(se > 0) || !isfinite(value))
        return number_text(out, value);
    int digits = 1 - (int)floor(log10(se));
    if (digits > 7)
        snprintf(out, NUMBER_TEXT, "%.2g \xc2\xb1 %.1g", value, se);
    else {
        digits = digits < 0 ? 0 : digits;
        snprintf(out, NUMBER_TEXT, "%.*f \xc2\xb1 %.*f", digits, value, digits, se);
    }
    return out;
}

const char *number_percent(char out[NUMBER_TEXT], double share)
{
    if (isnan(share))
        snprintf(out, NUMBER_TEXT, "not known");
    else if (share > 0.995 && share < 1)
        snprintf(out, NUMBER_TEXT, share > 0.9999 ? "%.3f %%" : "%.2f %%", 100 * share);
    else
        snprintf(out, NUMBER_TEXT, "%.3g %%", 100 * share);
    return out;
}

/* ---- files */

static json_t *refused(const char *path, const json_error_t *why, flow_err *err)
{
    if (json_error_code(why) == json_error_out_of_memory)
        flow_fail(err, FLOW_ENOMEM, "out of memory for %s", path);
    else
        flow_fail(err, FLOW_EDATA, "%s: line %d: %s", path, why->line, why->text);
    return NULL;
}

static FILE *opened(const char *path, flow_err *err)
{
    FILE *file = fopen(path, "r");
    if (!file)
        flow_fail(err, FLOW_ENOINPUT, "%s: %s", path, strerror(errno));
    return file;
}

json_t *json_file(const char *path, flow_err *err)
{
    json_error_t why;
    FILE *file = opened(path, err);
    if (!file)
        return NULL;
    json_t *read = json_loadf(file, 0, &why);
    fclose(file);
    return read ? read : refused(path, &why, err);
}

static json_t *all_lines(FILE *file, const char *path, flow_err *err)
{
    json_t *list = json_array();
    json_error_t why;
    for (int c = fgetc(file); list && c != EOF; c = fgetc(file)) {
        if (c == '\n')
            continue;
        ungetc(c, file);
        json_t *row = json_loadf(file, JSON_DISABLE_EOF_CHECK, &why);
        if (!row || json_array_append_new(list, row)) {
            json_decref(list);
            return refused(path, &why, err);
        }
    }
    if (!list)
        flow_fail(err, FLOW_ENOMEM, "out of memory for %s", path);
    return list;
}

json_t *json_lines(const char *path, flow_err *err)
{
    FILE *file = opened(path, err);
    if (!file)
        return NULL;
    json_t *list = all_lines(file, path, err);
    fclose(file);
    return list;
}
