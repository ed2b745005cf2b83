/* files/csv_number.h -- a field as a number. */
#ifndef FILES_CSV_NUMBER_H
#define FILES_CSV_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

typedef enum csv_kind {
    CSV_NUMBER,  /* nan and inf are numbers */
    CSV_MISSING, /* empty, or a word for that: NA, null, ...; its value is nan */
    CSV_TEXT,
    CSV_RANGE /* a number too large for a double */
} csv_kind;

/* What marks decimals: 0 as long as that is not known. Semicolons let commas be read as such, as long
 * as no field has a point; the first that has either decides for the file. */
typedef struct csv_decimals {
    char mark;
    bool commas; /* may be read */
} csv_decimals;

/* A decimal number with spaces around it; no hexadecimal. In the "C" locale. */
csv_kind csv_parse(double *value, csv_decimals *decimals, const char *field);

/* Digits alone: the number of a row or a column, a year. */
bool csv_is_count(const char *field);

/* Why a field is not a number, for a message; with what to write for it, if that is known. */
void csv_complain(char *out, size_t size, const csv_decimals *decimals, const char *field,
                  csv_kind kind);
bool csv_has_remedy(const csv_decimals *decimals, const char *field);

#endif
