/* pipeline/config/number.h -- decimal numbers as YAML files and command lines may write them.
 *
 * 12, +12, .5, 1e-4; no hexadecimal, no leading zeros (010 is eight in YAML 1.1 and ten in 1.2), no
 * '_', no inf or nan, no units. The program never calls setlocale, so the point is a point. */
#ifndef PIPELINE_CONFIG_NUMBER_H
#define PIPELINE_CONFIG_NUMBER_H

#include <stdint.h>

typedef enum number_fault {
    NUMBER_GOOD,
    NUMBER_NONE, /* not a decimal number */
    NUMBER_NOT_WHOLE,
    NUMBER_NEGATIVE,
    NUMBER_TOO_LARGE /* whole: above 2^63 - 1; real: infinite, or not 0 but rounded to it */
} number_fault;

/* Any spelling of a whole number will do: 12, 2e5, 1.5e3, 3.0. Exact. */
number_fault number_parse_whole(uint64_t *out, const char *text);

number_fault number_parse_real(double *out, const char *text);

#endif
