#include "pipeline/config/number.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct decimal {
    const char *digits; /* of the mantissa; a '.' may be among them */
    size_t size;
    bool negative;
    long exponent; /* of the last digit */
} decimal;

/* [+-] digits [. digits] [e [+-] digits], with at least one digit before the e and none but a
 * single 0 before further digits: 010 is eight in YAML 1.1 and ten in 1.2. */
static bool parse_decimal(decimal *out, const char *text)
{
    const char *at = text;
    *out = (decimal){.negative = *at == '-'};
    at += *at == '+' || *at == '-';
    out->digits = at;
    size_t whole = strspn(at, "0123456789"), fraction = 0;
    if (whole > 1 && *at == '0')
        return false;
    at += whole;
    if (*at == '.') {
        fraction = strspn(at + 1, "0123456789");
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    out->size = (size_t)(at - out->digits);

    long exponent = 0;
    if (*at == 'e' || *at == 'E') {
        at++;
        bool minus = *at == '-';
        at += *at == '+' || *at == '-';
        size_t size = strspn(at, "0123456789");
        if (!size)
            return false;
        for (size_t i = 0; i < size; i++)
            exponent = exponent < 100000 ? 10 * exponent + (at[i] - '0') : exponent;
        exponent = minus ? -exponent : exponent;
        at += size;
    }
    out->exponent = exponent - (long)fraction;
    return !*at;
}

number_fault number_parse_whole(uint64_t *out, const char *text)
{
    decimal number;
    if (!parse_decimal(&number, text))
        return NUMBER_NONE;
    uint64_t value = 0, limit = INT64_MAX;
    long pending = 0; /* zeros seen and not yet multiplied in */
    for (size_t i = 0; i < number.size; i++) {
        char c = number.digits[i];
        if (c == '.')
            continue;
        pending++;
        if (c == '0')
            continue;
        for (; pending > 0 && value > 0; pending--) {
            if (value > limit / 10)
                return NUMBER_TOO_LARGE;
            value *= 10;
        }
        pending = 0;
        value += (uint64_t)(c - '0');
    }
    if (value && number.negative)
        return NUMBER_NEGATIVE;
    number.exponent += pending;
    if (value && number.exponent < 0)
        return NUMBER_NOT_WHOLE;
    for (; value && number.exponent > 0; number.exponent--) {
        if (value > limit / 10)
            return NUMBER_TOO_LARGE;
        value *= 10;
    }
    *out = value;
    return value > limit ? NUMBER_TOO_LARGE : NUMBER_GOOD;
}

number_fault number_parse_real(double *out, const char *text)
{
    decimal number;
    if (!parse_decimal(&number, text))
        return NUMBER_NONE;
    errno = 0;
    *out = strtod(text, NULL);
    bool lost = errno == ERANGE && (fabs(*out) == HUGE_VAL || *out == 0);
    return lost ? NUMBER_TOO_LARGE : NUMBER_GOOD;
}
