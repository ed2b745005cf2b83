/* teacher/umami_library.h -- a library of UMAMI (umami_abi.h): its functions found, what it says of itself, handles.
 * Failures are FLOW_EDATA unless something else is said. */
#ifndef TEACHER_UMAMI_LIBRARY_H
#define TEACHER_UMAMI_LIBRARY_H

#include "teacher/umami_abi.h"
#include "teacher/umami_options.h"

/* Finds them in a library of dlopen. It is of this version, and computes where we are. */
int umami_find(umami_functions *call, void *library, flow_err *err);

/* Particles, incoming ones and outgoing ones. */
int umami_particles(const umami_functions *call, size_t *n, flow_err *err);

/* mass (n): what the library says of its particles, after a handle was made; what was given, where it says nothing, or
 * where parameters were given that may have changed them. */
int umami_masses(const umami_functions *call, double *mass, size_t n, const umami_given *given,
                 flow_err *err);

/* Whether the library takes these inputs, and wants no others; n keys. */
int umami_check_inputs(const umami_functions *call, const int *key, size_t n, flow_err *err);

/* A new handle, with the parameters that were given. */
int umami_handle(const umami_functions *call, void **handle, const umami_given *given,
                 flow_err *err);

/* "status 3: this input is not supported"; out has UMAMI_TEXT bytes. Returns out. */
enum { UMAMI_TEXT = 80 };
const char *umami_status(char *out, int status);

/* "alpha_s", the key of the options for an input; NULL: there is none. */
const char *umami_input_name(int key);

#endif
