/* flow/err.h -- how a failure of the world (file, memory, number) travels up to the caller.
 *
 * Conventions of the whole project, stated once:
 *   Order      self, outputs, in-outs, inputs, sizes, workspace, err.
 *   Returns    0, or a negative flow_code together with one line of text in *err. A function that
 *              returns a pointer returns NULL instead. After a failure the outputs are unspecified,
 *              nothing has leaked, and no file is half-written.
 *   Misuse     that a program outside can make through a function that returns a code is FLOW_EUSAGE. What
 *              only this library's own code can get wrong, and NULL where none is allowed, is asserted.
 *   Library    code (flow, teacher, student) never prints and never exits.
 *   Ownership  x_create / x_free for objects on the heap; x_free accepts NULL. Arrays belong to the
 *              caller unless the declaration says otherwise.
 *   Shapes     n rows of a batch, D dimensions, C context columns. Public arrays are double,
 *              row-major: x is (n, D). */
#ifndef FLOW_ERR_H
#define FLOW_ERR_H

typedef enum flow_code {
    FLOW_OK = 0,
    FLOW_EDIVERGED = -1, /* training stopped on numbers that are not finite */
    FLOW_EUSAGE = -2,    /* a request that makes no sense: wrong arguments */
    FLOW_EDATA = -3,     /* a file's content is wrong */
    FLOW_ENOINPUT = -4,  /* a file is missing or cannot be opened */
    FLOW_EBUG = -5,      /* cannot happen */
    FLOW_ECREATE = -6,   /* an output cannot be created */
    FLOW_EIO = -7,       /* reading or writing failed half-way, disk full */
    FLOW_ECONFIG = -8,   /* a setting is wrong */
    FLOW_ENOMEM = -9,    /* out of memory, or a size that overflows */
    FLOW_ENOCONV = -10,  /* an iteration did not converge */
    FLOW_ESTOPPED = -11, /* the user asked to stop */
    FLOW_ELOCKED = -12   /* another process is at work there */
} flow_code;

typedef struct flow_err {
    int code;        /* a flow_code; FLOW_OK after FLOW_ERR_INIT */
    char text[1024]; /* one line, no newline, names the file, key, row or step */
} flow_err;

#define FLOW_ERR_INIT                                                                              \
    {                                                                                              \
        FLOW_OK, ""                                                                                \
    }

/* Sets *err (err may be NULL) to code and the formatted text, and returns code. */
__attribute__((format(printf, 3, 4))) int flow_fail(flow_err *err, flow_code code, const char *fmt,
                                                    ...);

/* Puts "prefix: " in front of the text of an error that already happened; returns err->code. */
int flow_fail_prefix(flow_err *err, const char *prefix);

#endif
