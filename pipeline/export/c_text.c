/* pipeline/export/c_text.c -- numbers, tables and strings of C. */
#include "pipeline/export/c_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- pieces */

static const c_piece *find(const char *name)
{
    const c_piece *piece = c_pieces;
    while (piece->name && strcmp(piece->name, name) != 0)
        piece++;
    return piece->name ? piece : NULL;
}

int c_piece_exists(const char *name)
{
    return find(name) != NULL;
}

void c_piece_write(FILE *out, const char *name)
{
    const c_piece *piece = find(name);
    for (const char *const *line = piece ? piece->lines : NULL; line && *line; line++)
        fputs(*line, out);
    fputc('\n', out);
}

int c_uses(const c_file *self, const char *name)
{
    size_t i = 0;
    while (i < self->n_used && strcmp(self->used[i], name) != 0)
        i++;
    return i < self->n_used;
}

void c_use(c_file *self, const char *name)
{
    if (!c_uses(self, name) && self->n_used < C_PIECES)
        self->used[self->n_used++] = name;
}

/* ---- numbers */

/* digits: as many as tell the number from its neighbours. */
static void literal(FILE *out, double value, int digits, const char *suffix)
{
    char text[64];
    if (isnan(value) || isinf(value)) {
        fputs(isnan(value) ? "NAN" : value > 0 ? "INFINITY" : "-INFINITY", out);
        return;
    }
    snprintf(text, sizeof text, "%.*g", digits, value);
    fprintf(out, "%s%s%s", text, strpbrk(text, ".e") ? "" : ".0", suffix);
}

void c_real(const c_file *self, double value)
{
    int single = flow_get_precision(self->flow) == FLOW_F32;
    literal(self->out, value, single ? 9 : 17, single ? "f" : "");
}

void c_double(FILE *out, double value)
{
    literal(out, value, 17, "");
}

/* ---- tables */

static void between(FILE *out, size_t i, size_t n, size_t a_line)
{
    if (i + 1 < n)
        fputs((i + 1) % a_line ? ", " : ",\n    ", out);
}

void c_reals(const c_file *self, const char *name, size_t id, const double *values, size_t n)
{
    fprintf(self->out, "static const real %s_%zu[] = {\n    ", name, id);
    for (size_t i = 0; i < n; i++) {
        c_real(self, values[i]);
        between(self->out, i, n, 6);
    }
    fputs(n ? "};\n\n" : "0};\n\n", self->out);
}

void c_doubles(FILE *out, const char *name, const double *values, size_t n)
{
    fprintf(out, "static const double %s[] = {\n    ", name);
    for (size_t i = 0; i < n; i++) {
        c_double(out, values[i]);
        between(out, i, n, 4);
    }
    fputs(n ? "};\n\n" : "0};\n\n", out);
}

void c_ints(const c_file *self, const char *name, size_t id, const size_t *values, size_t n)
{
    fprintf(self->out, "static const int %s_%zu[] = {\n    ", name, id);
    for (size_t i = 0; i < n; i++) {
        fprintf(self->out, "%zu", values[i]);
        between(self->out, i, n, 16);
    }
    fputs(n ? "};\n\n" : "0};\n\n", self->out);
}

void c_bytes(FILE *out, const char *name, const unsigned char *values, size_t n)
{
    fprintf(out, "static const unsigned char %s[] = {\n    ", name);
    for (size_t i = 0; i < n; i++) {
        fprintf(out, "%u", values[i]);
        between(out, i, n, 24);
    }
    fputs("};\n\n", out);
}

/* Octal, three digits: what follows cannot become part of it. '?' too, because of trigraphs. */
void c_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)text; *at; at++)
        if (*at < 32 || *at > 126 || strchr("\"\\?", *at))
            fprintf(out, "\\%03o", *at);
        else
            fputc(*at, out);
    fputc('"', out);
}

double *c_next_tensor(c_file *self, flow_tensor_info *info)
{
    flow_tensor(self->flow, info, self->tensor);
    double *values = malloc((info->rows * (info->cols ? info->cols : 1) + 1) * sizeof *values);
    if (values)
        flow_tensor_get(self->flow, values, self->tensor);
    self->tensor++;
    return values;
}
