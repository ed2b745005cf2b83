/* student/term_kl.h -- the two directions of KL as terms, for batches of up to most_rows rows. */
#ifndef STUDENT_TERM_KL_H
#define STUDENT_TERM_KL_H

#include "student/term.h"

extern const term_ops term_reverse_kl, term_forward_kl;

/* NULL: FLOW_ENOMEM. */
objective_term *term_reverse_kl_create(const distill_options *options, size_t most_rows,
                                       flow_err *err);
objective_term *term_forward_kl_create(const distill_options *options, size_t most_rows,
                                       flow_err *err);

#endif
