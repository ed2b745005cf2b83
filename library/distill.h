/* distill.h -- samples and densities of a model that distill has made, inside of your program.
 *
 *     distill_error why;
 *     distill_model *m = distill_load("runs/events/student/model.safetensors", NULL, &why);
 *     if (!m || distill_sample(m, 1, 0, 1000, x, log_q, NULL, NULL))
 *         fprintf(stderr, "%s\n", m ? distill_why(m) : why.text);
 *     distill_free(m);
 *
 * C99 and C++. Link with -ldistill (pkg-config: distill). The library starts no thread unless it is asked to, prints nothing,
 * never ends the process, and changes nothing that belongs to the whole of it.
 *
 * Rows     A model is a density over D = distill_dim columns, given C = distill_context_dim others. Rows are double, in the
 *          units of the table or the density that the model was made for: x is (n, D), context (n, C), log-densities are
 *          (n), in nats. All memory is yours; an output shares none with an input, and of it the rows asked
 *          for are written, and nothing else.
 * Strides  NULL is dense and row-major. Otherwise see distill_strides; a `context` stride of rows 0 gives all the same row.
 * Numbers  The same seed, row and model give the same numbers, whatever n, the number of threads and the way of the call:
 *          those of `distill sample --seed S --first F` and `distill logp`, to the last bit but for models with an
 *          lu_linear layer, which differ by rounding. NaN in, NaN out; a row where there is no density has -inf.
 * Errors   A function that can fail returns 0 or a distill_code; its text is distill_why of the model (but for DISTILL_EBUSY,
 *          when that is another thread's). Nothing is left half-made; outputs are then unspecified.
 * Threads  A handle is for one thread at a time: a second one in the same handle gets DISTILL_EBUSY. distill_share makes
 *          another handle of the same weights, for which the memory is that of a few shards of rows. */
#ifndef DISTILL_H
#define DISTILL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DISTILL_API __attribute__((visibility("default")))
#else
#define DISTILL_API
#endif

/* Of this header. What is there keeps its meaning while the first number stays. */
#define DISTILL_MAJOR 0
#define DISTILL_MINOR 1

typedef struct distill_model distill_model;

typedef enum distill_code {
    DISTILL_OK = 0,
    DISTILL_EUSAGE = 1,  /* arguments that make no sense: NULL, out of range, no context */
    DISTILL_ENOFILE = 2, /* it cannot be opened or read */
    DISTILL_EFILE = 3,   /* its content is wrong */
    DISTILL_ECANNOT = 4, /* this model has no such thing: the text names the layer */
    DISTILL_ENOMEM = 5,  /* there is not enough */
    DISTILL_EBUSY = 6,   /* another thread is in this handle */
    DISTILL_EBUG = 7     /* a fault of this library */
} distill_code;

typedef struct distill_error {
    int code;       /* a distill_code */
    char text[508]; /* one line, without its end */
} distill_error;

/* Of the library: "0.1.0". */
DISTILL_API const char *distill_version(void);

/* ---- a model, and handles of it */

typedef struct distill_load_options {
    size_t size; /* sizeof(distill_load_options): what comes later stays 0 */
    /* What networks compute in: "f32" or NULL, as trained; "bf16", "int16", "int8": rounded, as
     * of `distill sample --network`. */
    const char *network;
    size_t threads; /* that share a call's rows, the caller's own among them; 0 and 1: that alone */
} distill_load_options;

/* From a model file, as runs write them (runs/NAME/student/model.safetensors), or from its bytes, which may go away
 * afterwards. Files are taken for hostile. options NULL: all as trained, one thread. NULL: *error (which may be NULL) says
 * why. */
DISTILL_API distill_model *distill_load(const char *path, const distill_load_options *options,
                                        distill_error *error);
DISTILL_API distill_model *distill_load_memory(const void *bytes, size_t length,
                                               const distill_load_options *options,
                                               distill_error *error);

/* Another handle of the same weights, with the same options; freed on its own, in any order. The model may be in use. */
DISTILL_API distill_model *distill_share(const distill_model *model, distill_error *error);
DISTILL_API void distill_free(distill_model *model); /* accepts NULL */

/* What went wrong in the last call of this handle that did; "" before. Stays until the next such call. */
DISTILL_API const char *distill_why(const distill_model *model);
/* What a distill_code means. */
DISTILL_API const char *distill_code_text(int code);

/* ---- looking at it. 0 or NULL of a NULL model, and of an index that is none. */

DISTILL_API size_t distill_dim(const distill_model *model);
DISTILL_API size_t distill_context_dim(const distill_model *model);
/* Names of columns, in UTF-8; they live as long as a handle does. */
DISTILL_API const char *distill_name(const distill_model *model, size_t column);
DISTILL_API const char *distill_context_name(const distill_model *model, size_t column);
/* The flow, its layers and its base, as JSON. */
DISTILL_API const char *distill_description(const distill_model *model);

/* ---- using it */

/* How far apart in memory, in numbers (8 bytes each), an array's rows are and its columns. Any number: negative ones and 0
 * for inputs, too. Elements of outputs must not overlap. */
typedef struct distill_stride {
    ptrdiff_t row, column;
} distill_stride;

typedef struct distill_strides {
    distill_stride x;       /* the rows that go in or come out */
    distill_stride z;       /* noise, or points of a hypercube */
    distill_stride context; /* {0, 1}: one row for all */
    ptrdiff_t log_q;
} distill_strides;

/* Those that NULL stands for, to begin with. */
DISTILL_API distill_strides distill_dense(const distill_model *model);

/* x (n, D): rows first .. first + n - 1 of the samples of this seed; log_q (n) their log-density, NULL: not wanted. context
 * NULL without any. */
DISTILL_API int distill_sample(distill_model *model, uint64_t seed, uint64_t first, size_t n,
                               double *x, double *log_q, const double *context,
                               const distill_strides *strides);

/* z (n, D): the noise that distill_sample makes those rows of. */
DISTILL_API int distill_noise(distill_model *model, uint64_t seed, uint64_t first, size_t n,
                              double *z, const distill_strides *strides);

/* x (n, D) of the noise z (n, D). */
DISTILL_API int distill_transport(distill_model *model, const double *z, size_t n, double *x,
                                  double *log_q, const double *context,
                                  const distill_strides *strides);

/* x (n, D) of points u of the unit hypercube, 0 < u < 1 (n, D), and weight (n) = 1/q(x), so that the mean of f(x) weight
 * over uniform u is the integral of f: the call of an event generator. u has the strides of z, weight that of log_q. Batches
 * that keep a column's numbers together, as UMAMI's do, are {1, batch}. */
DISTILL_API int distill_event(distill_model *model, const double *u, size_t n, double *x,
                              double *weight, const double *context,
                              const distill_strides *strides);

/* log_p (n) of the rows x (n, D); computed in double, unless networks are rounded. */
DISTILL_API int distill_log_prob(distill_model *model, const double *x, size_t n, double *log_p,
                                 const double *context, const distill_strides *strides);

#ifdef __cplusplus
}
#endif
#endif
