#include "pipeline/report/numbers.h"

#include "flow/json.h"

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
