#include "files/csv_number.h"

#include "files/csv_text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What R, pandas, SQL, spreadsheets and the old C library of Windows write; case is free. */
static const char *const missing[] = {"NA",      "N/A",    "#N/A",    "<NA>",     "null", "none",
                                      "1.#QNAN", "1.#IND", "-1.#IND", "-1.#QNAN", "?"};

static bool is_missing(const char *field, size_t len)
{
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (strncasecmp(field, missing[i], len) == 0 && !missing[i][len])
            return true;
    return false;
}

/* Decimals behind a comma, as strtod wants them; NULL: not a number of that form. */
static const char *with_point(char *out, size_t size, const char *field)
{
    size_t len = strlen(field);
    const char *comma = strchr(field, ',');
    if (len >= size || strchr(field, '.') || strchr(comma + 1, ','))
        return NULL;
    memcpy(out, field, len + 1);
    out[comma - field] = '.';
    return out;
}

static csv_kind parse(double *value, const char *field)
{
    char *end;
    errno = 0;
    *value = strtod(field, &end);
    if (end == field || !csv_is_blank(end) || strpbrk(field, "xX"))
        return CSV_TEXT;
    return errno == ERANGE && isinf(*value) ? CSV_RANGE : CSV_NUMBER;
}

static csv_kind parse_comma(double *value, csv_decimals *decimals, const char *field)
{
    char copy[64];
    const char *number = decimals->mark == '.' ? NULL : with_point(copy, sizeof copy, field);
    csv_kind kind = number ? parse(value, number) : CSV_TEXT;
    if (kind == CSV_NUMBER)
        decimals->mark = ',';
    return kind;
}

csv_kind csv_parse(double *value, csv_decimals *decimals, const char *field)
{
    field += strspn(field, " \t");
    if (decimals->commas && strchr(field, ','))
        return parse_comma(value, decimals, field);
    csv_kind kind = parse(value, field);
    if (kind == CSV_NUMBER && decimals->commas && strchr(field, '.')) {
        if (decimals->mark == ',')
            return CSV_TEXT;
        decimals->mark = '.';
    }
    size_t len = strcspn(field, " \t");
    if (kind == CSV_TEXT && csv_is_blank(field + len) && (len == 0 || is_missing(field, len))) {
        *value = NAN;
        return CSV_MISSING;
    }
    return kind;
}

bool csv_is_count(const char *field)
{
    field += strspn(field, " \t");
    size_t digits = strspn(field, "0123456789");
    return digits > 0 && csv_is_blank(field + digits);
}

/* A sign, digits, then `mark`, and digits, D and digits: Fortran's way. */
static bool is_fortran(const char *field)
{
    const char *d = strpbrk(field, "dD");
    return d && d > field && strspn(field, " +-.0123456789") == (size_t)(d - field) && d[1] &&
           strspn(d + 1, "+-0123456789") == strlen(d + 1);
}

/* Behind a pattern of # (a digit) and other characters as they are. */
static const char *behind(const char *field, const char *pattern)
{
    for (; *pattern; pattern++, field++)
        if (*pattern == '#' ? !(*field >= '0' && *field <= '9') : *field != *pattern)
            return NULL;
    return field;
}

static bool is_time(const char *field)
{
    static const char *const patterns[] = {"####-##-##", "####/##/##", "##/##/##",  "##.##.####",
                                           "##:##",      "#/#/####",   "##/#/####", "#/##/####"};
    bool found = false;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        found |= behind(field, patterns[i]) != NULL;
    return found;
}

static bool is_one_of(const char *field, const char *const *words)
{
    while (*words && strcasecmp(field, *words) != 0)
        words++;
    return *words != NULL;
}

/* Of text that people take for a number. */
static const char *remedy_of_text(const char *field)
{
    static const char *const truths[] = {"true", "false", "yes", "no", "t", "f", "y", "n", NULL};
    static const char minus[] = "\xe2\x88\x92"; /* U+2212 */
    if (is_time(field))
        return "; write dates and times as numbers, or leave the column out";
    if (is_one_of(field, truths))
        return "; write 1 and 0 for it, or leave the column out";
    if (strstr(field, minus))
        return "; it has a typographic minus sign: write -";
    if (*field == '$' || strncmp(field, "\xe2\x82\xac", 3) == 0 ||
        strncmp(field, "\xc2\xa3", 2) == 0)
        return "; write it without the sign of a currency";
    if (*field == '(' && field[strspn(field, "(0123456789.,")] == ')')
        return "; write - in place of brackets";
    return strchr(field, '|')
               ? "; a table is separated by commas, semicolons, tabs or blanks, not |"
               : "";
}

static const char *remedy(const csv_decimals *decimals, const char *field)
{
    size_t plain = strspn(field, " +-.,0123456789eE");
    const char *comma = strchr(field, ','), *point = strchr(field, '.');
    if (is_fortran(field))
        return "; write E for D";
    if (field[plain] == '%' && csv_is_blank(field + plain + 1))
        return "; write it without %";
    if (field[plain])
        return remedy_of_text(field + strspn(field, " "));
    if (comma && point)
        return "; take the thousands separators out";
    if (comma && decimals->mark == '.')
        return "; it has a decimal comma where fields before have a point";
    if (comma)
        return "; it has a decimal comma, or a thousands separator: write 1234.5";
    return point && decimals->mark == ',' ? "; fields before have a decimal comma" : "";
}

void csv_complain(char *out, size_t size, const csv_decimals *decimals, const char *field,
                  csv_kind kind)
{
    if (kind == CSV_RANGE)
        snprintf(out, size, "'%.40s' is too large for a double", field);
    else
        snprintf(out, size, "'%.40s' is not a number%s", field, remedy(decimals, field));
}

bool csv_has_remedy(const csv_decimals *decimals, const char *field)
{
    return *remedy(decimals, field) != '\0';
}
