/* files/wish.h -- what is wanted of a data file: which columns, and how its first line is meant. */
#ifndef FILES_WISH_H
#define FILES_WISH_H

#include "files/table.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum file_header {
    FILE_HEADER_AUTO, /* as the first lines look; what could be either is refused, or noted */
    FILE_HEADER_YES,
    FILE_HEADER_NO
} file_header;

/* All zero: every column, and rows. */
typedef struct file_wish {
    file_header header; /* .csv only */
    bool head;          /* the columns and their names alone: a table of no rows */
    /* NULL, or changes wanted (head->cols): true for every column but those without a name in a
     * header. head is a table of no rows with all columns of the file; "" for a name that is
     * missing. It may be given names if it has none. */
    int (*choose)(bool *wanted, file_table *head, const void *asker, flow_err *err);
    const void *asker;  /* for choose */
    const char *remedy; /* how a column is left out, for messages: "leave it out of ..."; or NULL */
} file_wish;

#define FILE_UNWANTED ((size_t)-1)

/* Makes a table of no rows that has all columns of the file into one of the wanted columns.
 * *slots (columns of the file), the caller's to free: where each column goes, or FILE_UNWANTED. A
 * wanted name that cannot be shown, is not UTF-8 or is there twice is FLOW_EDATA. where, "x.csv:1",
 * comes first in messages but those of choose. */
int file_wish_apply(const file_wish *self, size_t **slots, file_table *table, const char *where,
                    flow_err *err);

/* FLOW_EDATA if the name of column col holds a control character or is not UTF-8. The message does
 * not show the name. */
int file_name_check(const char *name, size_t col, flow_err *err);

#endif
