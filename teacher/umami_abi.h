/* teacher/umami_abi.h -- what a library of a matrix element has to have, and how its functions are called: UMAMI, the
 * unified matrix element interface of MadGraph and MadNIS, version 1.
 *
 * Written from the public description of madspace/umami.h (MadGraph7, version 1.1; 1.0 has less): the same numbers and
 * types, so that libraries of both are spoken to. Only what is the same in all of 1.x, and needed here, is here. An
 * enumeration is an int.
 *
 * Batches  number k of a row r stands at [offset + r + stride k]; of momenta k = particle + particles component, the
 *          components e, x, y, z, incoming particles first, in GeV. offset + count <= stride. Other arrays have one
 *          number a row.
 * Threads  each handle is independent, one thread at a time in it. */
#ifndef TEACHER_UMAMI_ABI_H
#define TEACHER_UMAMI_ABI_H

#include <stdbool.h>
#include <stddef.h>

enum { UMAMI_MAJOR = 1 };

/* What a function returns: 0, or why not. From 5 on versions differ in what is meant. */
enum {
    UMAMI_SUCCESS,
    UMAMI_ERROR,
    UMAMI_ERROR_NOT_IMPLEMENTED,
    UMAMI_ERROR_UNSUPPORTED_INPUT,
    UMAMI_ERROR_UNSUPPORTED_OUTPUT
};

enum { UMAMI_DEVICE_CPU };

/* Keys of get_meta, and what *result is. */
enum {
    UMAMI_META_DEVICE = 0,    /* int */
    UMAMI_META_PARTICLES = 1, /* int: incoming ones and outgoing ones */
    UMAMI_META_MASSES =
        5,               /* double (particles); not in all of 1.0, in some after initialize alone */
    UMAMI_META_MAJOR = 6 /* int: the version; since 1.1 */
};

/* Inputs; momenta and alpha_s are double, the others int. */
enum {
    UMAMI_IN_MOMENTA,
    UMAMI_IN_ALPHA_S,
    UMAMI_IN_FLAVOR,
    UMAMI_IN_RANDOM_COLOR,
    UMAMI_IN_RANDOM_HELICITY,
    UMAMI_IN_RANDOM_DIAGRAM,
    UMAMI_IN_HELICITY,
    UMAMI_IN_DIAGRAM,
    UMAMI_IN_CHANNEL
};

enum { UMAMI_OUT_MATRIX_ELEMENT }; /* double: |M|^2, averaged over incoming spins and colours */

typedef struct umami_functions {
    int (*get_meta)(int key, void *result);
    int (*initialize)(void **handle, const char *card);
    int (*matrix_element)(void *handle, size_t count, size_t stride, size_t offset, size_t n_inputs,
                          const int *input_keys, const void *const *inputs, size_t n_outputs,
                          const int *output_keys, void *const *outputs);
    int (*free)(void *handle);
    /* These may be NULL: not every library has them. real and imaginary parts of a parameter by its name; which inputs
     * are taken and which must be given, (count) by their keys. */
    int (*set_parameter)(void *handle, const char *name, double real, double imaginary);
    int (*get_parameter)(void *handle, const char *name, double *real, double *imaginary);
    int (*supported_inputs)(const bool **supported, int *count);
    int (*required_inputs)(const bool **required, int *count);
} umami_functions;

#endif
