#include "files/csv_text.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>

/* First bytes of files that are often taken for a table of text, and what to do about them. */
static const struct {
    const char *bytes;
    size_t len;
    const char *what;
} strangers[] = {
    {"\xff\xfe", 2, "is UTF-16 text; iconv -f utf-16 -t utf-8 FILE converts it"},
    {"\xfe\xff", 2, "is UTF-16 text; iconv -f utf-16 -t utf-8 FILE converts it"},
    {"\x1f\x8b", 2, "is compressed by gzip; gunzip it first"},
    {"BZh", 3, "is compressed by bzip2; bunzip2 it first"},
    {"\xfd"
     "7zXZ",
     5, "is compressed by xz; unxz it first"},
    {"\x28\xb5\x2f\xfd", 4, "is compressed by zstd; unzstd it first"},
    {"PK\x03\x04", 4, "is a zip archive, or a spreadsheet; export it as CSV"},
    {"PAR1", 4, "is a Parquet file; write it as CSV, or its numbers by numpy.save"},
    {"\x89HDF", 4, "is an HDF5 file; write its numbers by numpy.save"},
    {"[{", 2, "is JSON; write its numbers as lines of CSV"},
    {"{\"", 2, "is JSON; write its numbers as lines of CSV"},
    {"<!DOCTYPE", 9, "is a page of HTML; the download may have failed"},
    {"<html", 5, "is a page of HTML; the download may have failed"},
    {"<?xml", 5, "is XML; write its numbers as lines of CSV"},
    {"\x93NUMPY", 6, "is a .npy file; its name wants to end in .npy"},
};

static int refuse_strangers(const csv_text *self, size_t len, flow_err *err)
{
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        if (len >= strangers[i].len &&
            memcmp(self->line, strangers[i].bytes, strangers[i].len) == 0)
            return flow_fail(err, FLOW_EDATA, "%s: %s", self->name, strangers[i].what);
    return FLOW_OK;
}

static int refuse_bytes(const csv_text *self, size_t len, flow_err *err)
{
    if (strlen(self->line) != len)
        return flow_fail(err, FLOW_EDATA, "%s:%zu: holds a zero byte: not a text file", self->name,
                         self->number);
    if (memchr(self->line, '\r', len))
        return flow_fail(err, FLOW_EDATA,
                         "%s:%zu: has line ends of CR alone; tr '\\r' '\\n' <FILE mends them",
                         self->name, self->number);
    return FLOW_OK;
}

/* A mark of UTF-8 at the start of the file is no text. */
static size_t without_mark(csv_text *self, size_t len)
{
    if (self->number > 1 || strncmp(self->line, "\xef\xbb\xbf", 3) != 0)
        return len;
    memmove(self->line, self->line + 3, len - 3 + 1);
    return len - 3;
}

int csv_text_next(csv_text *self, flow_err *err)
{
    errno = 0;
    ssize_t got = getline(&self->line, &self->size, self->in);
    if (got < 0 && feof(self->in))
        return 0;
    self->number++;
    if (got < 0)
        return flow_fail(err, FLOW_EIO, "%s:%zu: cannot be read: %s", self->name, self->number,
                         strerror(errno));
    size_t len = (size_t)got;
    int code = self->number == 1 ? refuse_strangers(self, len, err) : FLOW_OK;
    if (code)
        return code;
    if (len > 0 && self->line[len - 1] == '\n')
        self->line[--len] = '\0';
    if (len > 0 && self->line[len - 1] == '\r')
        self->line[--len] = '\0';
    len = without_mark(self, len);
    code = refuse_bytes(self, len, err);
    return code ? code : 1;
}

bool csv_is_blank(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}
