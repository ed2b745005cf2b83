/* files/csv_fields.h -- a line cut into fields. */
#ifndef FILES_CSV_FIELDS_H
#define FILES_CSV_FIELDS_H

#include <stddef.h>

typedef struct csv_fields {
    char **at; /* (n), into the line; the caller frees the array in the end */
    size_t n, room;
} csv_fields;

typedef enum csv_cut { CSV_CUT, CSV_NO_MEMORY, CSV_OPEN_QUOTE, CSV_BEHIND_QUOTE } csv_cut;

/* Cuts line in place. delimiter ' ' is any number of spaces and tabs, also before the first field and
 * behind the last. A field may be quoted, with "" for a quote inside (RFC 4180). If a quote is wrong,
 * the last field is the one. */
csv_cut csv_fields_cut(csv_fields *self, char *line, char delimiter);

#endif
