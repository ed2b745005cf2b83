/* pipeline/export/c_file.h -- internal to the C export: a file in the making.
 *
 * Text that does not depend on the model stands in c/ as C, and is taken where it is needed. What does are
 * constants, tables of weights and two functions for each list of layers. Layers are written first, into memory, since
 * what is above them (the constants, the pieces that they need) follows from them. */
#ifndef PIPELINE_EXPORT_C_FILE_H
#define PIPELINE_EXPORT_C_FILE_H

#include "files/model.h"

#include <stdio.h>

enum { C_TILE = 16, C_PIECES = 64 };

typedef struct c_file {
    FILE *out; /* of what is being written */
    const flow_model *model;
    const flow *flow;
    const char *stem;
    size_t tensor; /* the next one of the flow */
    size_t n_ids;  /* names of tables end in numbers */
    size_t values, parameters,
        steps; /* the most that a layer has: rows of values, outputs of a tau, unrolled steps */
    const char *used[C_PIECES]; /* pieces of c/ */
    size_t n_used;
} c_file;

/* ---- pieces (the Makefile makes c_pieces of c/) */

typedef struct c_piece {
    const char *name;
    const char *const *lines; /* NULL-terminated */
} c_piece;

extern const c_piece c_pieces[]; /* ends in a NULL name */

int c_piece_exists(const char *name);
void c_piece_write(FILE *out, const char *name);
/* Notes that the file needs it; name is static. */
void c_use(c_file *self, const char *name);
int c_uses(const c_file *self, const char *name);

/* ---- numbers and tables */

/* As a literal of the flow's precision, or a double. */
void c_real(const c_file *self, double value);
void c_double(FILE *out, double value);

/* static const TYPE NAME_id[] = {...}; of an empty one, a zero. */
void c_reals(const c_file *self, const char *name, size_t id, const double *values, size_t n);
void c_doubles(FILE *out, const char *name, const double *values, size_t n);
void c_ints(const c_file *self, const char *name, size_t id, const size_t *values, size_t n);
void c_bytes(FILE *out, const char *name, const unsigned char *values, size_t n);

/* text as a string of C, whatever is in it. */
void c_string(FILE *out, const char *text);

/* The values of the next tensor in new memory, or NULL: no memory. */
double *c_next_tensor(c_file *self, flow_tensor_info *info);

/* ---- what the model is made of. All return 0, FLOW_ECONFIG or FLOW_ENOMEM. */

/* Tables and functions of a list of layers on dim dimensions; *id: its functions are stack_ID_forward and _inverse. */
int c_stack(c_file *self, size_t *id, const json_t *layers, size_t dim, flow_err *err);

/* The networks of a conditioned layer, copies of them, as nets_ID. */
typedef struct c_shape {
    size_t dim, groups, bare;
    const size_t *group;   /* (groups + 1) first dimensions */
    const size_t *inputs;  /* (dim + 1) before each */
    const size_t *outputs; /* (dim + 1) before each, with none in a bare group */
} c_shape;

/* *output_row: where the outputs begin among the values. */
int c_networks(c_file *self, size_t id, size_t *output_row, const json_t *conditioner,
               const c_shape *shape, size_t copies, flow_err *err);

int c_conditioned(c_file *self, size_t id, const json_t *layer, size_t dim, flow_err *err);

/* The base, whole. */
int c_base(c_file *self, FILE *out, const json_t *base, flow_err *err);

int c_units(c_file *self, FILE *out, flow_err *err);
/* Of a row in the user's units: c_units has been written. */
int c_points(const c_file *self, FILE *out, flow_err *err);

#endif
