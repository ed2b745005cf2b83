#include "files/npy_header.h"

#include "files/npy_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_HEADER = 1 << 20 }; /* bytes; NumPy's own headers have about 100 */

/* ---- the header, a Python dictionary: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }
 *
 * Each parse_ function moves the cursor behind what it understood, or returns false. */

typedef struct cursor {
    const char *at, *end;
} cursor;

typedef struct span {
    const char *at;
    int len;
} span;

/* What the dictionary says, as it stands there. */
typedef struct dictionary {
    span descr, shape_text; /* inside the text of the header */
    bool quoted;            /* descr is a string, not the list that describes a structured type */
    bool fortran, has_fortran;
    size_t rank, shape[2];
} dictionary;

static void skip_space(cursor *in)
{
    while (in->at < in->end && *in->at == ' ')
        in->at++;
}

static bool parse_char(cursor *in, char c)
{
    skip_space(in);
    if (in->at == in->end || *in->at != c)
        return false;
    in->at++;
    return true;
}

static bool parse_word(cursor *in, const char *word)
{
    size_t len = strlen(word);
    skip_space(in);
    if ((size_t)(in->end - in->at) < len || memcmp(in->at, word, len) != 0)
        return false;
    in->at += len;
    return true;
}

/* 'text' or "text", without escapes. */
static bool parse_string(cursor *in, span *text)
{
    skip_space(in);
    if (in->at == in->end || (*in->at != '\'' && *in->at != '"'))
        return false;
    char quote = *in->at++;
    text->at = in->at;
    while (in->at < in->end && *in->at != quote && *in->at != '\\')
        in->at++;
    if (in->at == in->end || *in->at != quote)
        return false;
    text->len = (int)(in->at++ - text->at);
    return true;
}

static bool parse_size(cursor *in, size_t *value)
{
    skip_space(in);
    const char *start = in->at;
    for (*value = 0; in->at < in->end && *in->at >= '0' && *in->at <= '9'; in->at++)
        if (__builtin_mul_overflow(*value, (size_t)10, value) ||
            __builtin_add_overflow(*value, (size_t)(*in->at - '0'), value))
            return false;
    return in->at > start;
}

/* (), (3,), (3, 4), (3, 4, 5); numbers after the second are counted only. */
static bool parse_shape(cursor *in, dictionary *header)
{
    skip_space(in);
    header->shape_text.at = in->at;
    if (!parse_char(in, '('))
        return false;
    while (!parse_char(in, ')')) {
        size_t value;
        if (!parse_size(in, &value))
            return false;
        if (header->rank < 2)
            header->shape[header->rank] = value;
        header->rank++;
        skip_space(in);
        bool last = in->at < in->end && *in->at == ')';
        if (last ? header->rank == 1 : !parse_char(in, ','))
            return false; /* (3) is a number in Python, not a tuple */
    }
    header->shape_text.len = (int)(in->at - header->shape_text.at);
    return true;
}

static bool parse_descr(cursor *in, dictionary *header)
{
    skip_space(in);
    if (in->at == in->end || *in->at != '[')
        return header->quoted = parse_string(in, &header->descr);
    /* A structured type: refused later, so only its end is of interest. */
    header->descr.at = in->at;
    int depth = 0;
    do {
        depth += (*in->at == '[') - (*in->at == ']');
        in->at++;
    } while (depth > 0 && in->at < in->end);
    header->descr.len = (int)(in->at - header->descr.at);
    return depth == 0;
}

static bool span_is(span text, const char *word)
{
    return (size_t)text.len == strlen(word) && memcmp(text.at, word, (size_t)text.len) == 0;
}

static bool parse_entry(cursor *in, dictionary *header)
{
    span key;
    if (!parse_string(in, &key) || !parse_char(in, ':'))
        return false;
    if (span_is(key, "descr"))
        return !header->descr.at && parse_descr(in, header);
    if (span_is(key, "shape"))
        return !header->shape_text.at && parse_shape(in, header);
    if (!span_is(key, "fortran_order") || header->has_fortran)
        return false;
    header->has_fortran = true;
    header->fortran = parse_word(in, "True");
    return header->fortran || parse_word(in, "False");
}

/* The whole dictionary: three keys in any order, each once; then spaces and one newline. */
static bool parse_header(dictionary *header, const char *text, size_t len)
{
    *header = (dictionary){0};
    if (len > 0 && text[len - 1] == '\n')
        len--;
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false; /* so that parts of it can be shown in a message */
    cursor in = {text, text + len};
    if (!parse_char(&in, '{'))
        return false;
    while (!parse_char(&in, '}'))
        if (!parse_entry(&in, header) ||
            (!parse_char(&in, ',') && (in.at == in.end || *in.at != '}')))
            return false;
    skip_space(&in);
    return in.at == in.end && header->descr.at && header->shape_text.at && header->has_fortran;
}

/* ---- reading it */

static const char *ending_of(FILE *in)
{
    return ferror(in) ? strerror(errno) : "the file ends too early";
}

/* The text of the header, to be freed; the stream is then at the first number. */
static char *read_header_text(FILE *in, const char *name, size_t *len, flow_err *err)
{
    unsigned char fixed[MAGIC_LEN + 2], size[4] = {0};
    if (fread(fixed, 1, sizeof fixed, in) != sizeof fixed || memcmp(fixed, MAGIC, MAGIC_LEN) != 0) {
        flow_fail(err, FLOW_EDATA, "%s: not a .npy file: it does not start with \\x93NUMPY", name);
        return NULL;
    }
    unsigned major = fixed[MAGIC_LEN], minor = fixed[MAGIC_LEN + 1];
    if (major < 1 || major > 3 || minor != 0) {
        flow_fail(err, FLOW_EDATA, "%s: .npy format %u.%u is not known; 1.0, 2.0 and 3.0 are", name,
                  major, minor);
        return NULL;
    }
    size_t size_len = major == 1 ? 2 : 4;
    bool good = fread(size, 1, size_len, in) == size_len;
    *len = (size_t)size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
    if (good && *len > MAX_HEADER) {
        flow_fail(err, FLOW_EDATA, "%s: the header claims %zu bytes; %d are the limit", name, *len,
                  MAX_HEADER);
        return NULL;
    }
    char *text = good ? malloc(*len + 1) : NULL;
    if (good && !text) {
        flow_fail(err, FLOW_ENOMEM, "%s: no memory for its header", name);
        return NULL;
    }
    if (!good || fread(text, 1, *len, in) != *len) {
        flow_fail(err, FLOW_EDATA, "%s: the header cannot be read: %s", name, ending_of(in));
        free(text);
        return NULL;
    }
    return text;
}

static int check_dtype(npy_dtype *dtype, const dictionary *header, const char *name, flow_err *err)
{
    span descr = header->descr;
    int shown = descr.len < 80 ? descr.len : 80;
    if (!header->quoted)
        return flow_fail(err, FLOW_EDATA,
                         "%s: holds a structured array, %.*s; save its columns as one matrix: "
                         "numpy.lib.recfunctions.structured_to_unstructured(x)",
                         name, shown, descr.at);
    if (npy_dtype_parse(dtype, descr.at, (size_t)descr.len))
        return FLOW_OK;
    bool is_complex = descr.len > 1 && descr.at[1] == 'c';
    return flow_fail(
        err, FLOW_EDATA, "%s: dtype '%.*s' is not supported; save it as %s", name, shown, descr.at,
        is_complex ? "real columns: numpy.save(file, numpy.column_stack((x.real, x.imag)))"
                   : "float64: numpy.save(file, x.astype('<f8'))");
}

static int conclude(npy_header *out, const dictionary *header, const char *name, flow_err *err)
{
    int code = check_dtype(&out->dtype, header, name, err);
    if (code)
        return code;
    int shown = header->shape_text.len < 80 ? header->shape_text.len : 80;
    const char *shape = header->shape_text.at;
    if (header->rank < 1 || header->rank > 2)
        return flow_fail(err, FLOW_EDATA, "%s: shape %.*s; wanted (rows,) or (rows, columns)", name,
                         shown, shape);
    out->fortran = header->fortran;
    out->rows = header->shape[0];
    out->cols = header->rank == 2 ? header->shape[1] : 1;
    if (out->cols == 0)
        return flow_fail(err, FLOW_EDATA, "%s: shape %.*s has no columns", name, shown, shape);
    size_t bytes;
    if (__builtin_mul_overflow(out->rows, out->cols, &out->count) ||
        __builtin_mul_overflow(out->count, sizeof(double), &bytes))
        return flow_fail(err, FLOW_EDATA, "%s: shape %.*s is too large", name, shown, shape);
    return FLOW_OK;
}

int npy_header_read(npy_header *out, FILE *in, const char *name, flow_err *err)
{
    dictionary found;
    size_t len;
    char *text = read_header_text(in, name, &len, err);
    if (!text)
        return err ? err->code : FLOW_EDATA;
    int code =
        parse_header(&found, text, len)
            ? conclude(out, &found, name, err)
            : flow_fail(err, FLOW_EDATA,
                        "%s: its header is not a dictionary of descr, fortran_order and shape",
                        name);
    free(text);
    return code;
}
