/* files/csv_opening.h -- what the first lines of a table of text say: delimiter, names, row names. */
#ifndef FILES_CSV_OPENING_H
#define FILES_CSV_OPENING_H

#include "files/csv_fields.h"
#include "files/csv_number.h"
#include "files/csv_text.h"
#include "files/wish.h"

/* How names were found, or not, that may surprise. */
typedef enum csv_doubt {
    CSV_NO_DOUBT,
    CSV_NAMES_IN_COMMENT,
    CSV_TAKEN_AS_DATA, /* the first line, of numbers that could be names: 2001, 2002 */
    CSV_TAKEN_AS_NAMES /* the first line, of words and numbers */
} csv_doubt;

/* Comments, lines that start with #, may stand anywhere; "sep=;" may be the first line. */
typedef struct csv_opening {
    char *
        lines[2]; /* the first two lines that are neither; the second NULL at the end of the file */
    size_t numbers[2];
    char *comment; /* the last comment before them, or NULL */
    size_t comment_number;
    size_t comments; /* between the lines */
    char delimiter;
    csv_decimals decimals;
    size_t n_columns;
    char *names;         /* the line that names the columns, of lines or comment; NULL: none does */
    size_t names_number; /* of that line */
    bool row_names;      /* rows begin with a field that no column is for, as R writes them */
    csv_doubt doubt;
    size_t last_number; /* of the last line read */
} csv_opening;

/* Reads up to two lines and judges them; the text is then behind the second. csv_opening_free, also
 * after a failure. */
int csv_opening_read(csv_opening *self, csv_text *text, file_header header, flow_err *err);
void csv_opening_free(csv_opening *self);

bool csv_is_comment(const char *line);

#endif
