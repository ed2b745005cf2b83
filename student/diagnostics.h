/* student/diagnostics.h -- how far a student q is from a teacher p = p~ / Z, from log weights
 * alone.
 *
 * Input: l = log p~(x) - log q(x), in nats, at draws of the student (x ~ q, "reverse") and, when
 * the teacher can be sampled, at draws of the teacher (x ~ p, "forward"). Draws are independent
 * rows.
 *
 *   elbo        E_q l                                        <= log Z
 *   eubo        E_p l                                        >= log Z
 *   jeffreys    eubo - elbo = KL(q||p) + KL(p||q), whatever Z
 *   log_z       log mean_q e^l
 *   kl_reverse  log Z - elbo         Z exact when it is known, else e^log_z from the same rows
 *   kl_forward  eubo - log Z         likewise
 *   ess_reverse (sum w)^2 / (N sum w^2), w = e^l, rows from q: a share of N, between 1/N and 1
 *   ess_forward 1 / (mean_p w * mean_p 1/w), rows from p: the same number in the limit, but it sees
 *               modes that the student misses
 *   mean_w      E_q w / Z = 1 and, from p, E_p Z / w = 1: exact checks of the whole program, when Z
 *               is known (a flow teacher is normalised: log Z = 0)
 *
 * Every se is one standard error to first order (delta method) from the sample variance;
 * differences of figures from the same rows account for their correlation. NaN: the figure or its
 * error is not defined (no rows, one row, Z unknown), or the error means nothing, because the weights have no variance
 * that the rows could show: an ESS's above STUDENT_KHAT_OF_ERRORS; those of log_z, mean_w and what is made of log_z above
 * the threshold of k-hat (psis.h), unless the weights are even (STUDENT_EVEN).
 *
 * Bias, to be read with the numbers: the reverse ESS, log_z's error and k-hat know only the rows
 * that were drawn. At small N the largest weights have not been seen yet: ESS is too high (by a
 * factor of 2.9 at N = 1000 in one published case), log_z and kl_reverse with an estimated Z are
 * too low. The curves show it: an ESS that still falls as N grows has not converged. When a mode is
 * missing, reverse figures stay perfect for ever.
 *
 * Zero density. l = -inf at x ~ q: the teacher excludes a point that the student proposes. It is a
 * weight of zero in log_z, ess, k-hat and mean_w, and counts in N; elbo is then -inf and kl_reverse
 * +inf, as they are in truth. l = +inf at x ~ p: the student cannot reach the point; eubo and
 * kl_forward are +inf, ess_forward 0, and the row is a zero in mean_inverse_w. Both are counted.
 *
 * All sums are compensated and in log space, in the order of the rows; adding a constant to every l
 * shifts elbo, eubo and log_z and nothing else. */
#ifndef STUDENT_DIAGNOSTICS_H
#define STUDENT_DIAGNOSTICS_H

#include "flow/err.h"
#include "student/psis.h"
#include "student/unweighting.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct student_estimate {
    double value, se;
} student_estimate;

/* What the rounding of single precision may put into a mean log weight, nats: a student that is its teacher
 * to the last bits is judged by this and not by a standard error of next to nothing. */
#define STUDENT_ROUNDING 1e-5

/* value should be 1; z = (value - 1) / sqrt(se^2 + STUDENT_ROUNDING^2) */
typedef struct student_check {
    double value, se, z;
} student_check;

/* The ESS share that N / 64, N / 16, N / 4 and N rows give: the mean over the disjoint blocks of
 * that many successive rows. Sizes ascend; those below 1 are left out, so len is 0 .. 4. */
enum { STUDENT_CURVE_MAX = 4 };
typedef struct student_curve {
    size_t len;
    size_t rows[STUDENT_CURVE_MAX];
    double ess[STUDENT_CURVE_MAX];
} student_curve;

/* Draws of the teacher where log p - log q is above so many nats: the student has too little density there by more than
 * that factor. A forward ESS is ruined by one of them in 50,000, and does not say so. */
enum { STUDENT_UNCOVERED = 3 };
extern const double student_uncovered_nats[STUDENT_UNCOVERED];

/* Above this k-hat of its own weights an ESS, which averages w at x ~ p or w^2 at x ~ q, has no standard error: NaN.
 * (That of a forward ESS was then off by a factor of 3 to 76.) */
#define STUDENT_KHAT_OF_ERRORS 0.5

/* Weights of at least this reverse ESS are so even that the index of their tail is of no matter: a k-hat above its
 * threshold there is that of rounding. */
#define STUDENT_EVEN 0.99

typedef struct student_log_weights {
    const double *reverse; /* (n_reverse): l at x ~ q; NULL if n_reverse = 0 */
    const double *forward; /* (n_forward): l at x ~ p; NULL if n_forward = 0 */
    size_t n_reverse, n_forward;
    double log_z;    /* 0 for a normalised teacher; NaN: unknown */
    double log_z_se; /* its standard error; 0: it is exact */
} student_log_weights;

typedef struct student_diagnostics {
    student_estimate elbo, eubo, jeffreys, log_z, kl_reverse, kl_forward;
    student_estimate ess_reverse, ess_forward;
    student_estimate
        acceptance; /* of independence Metropolis (acceptance.h), from draws of the student */
    student_unweighting unweighting; /* of draws of the student */
    student_curve curve_reverse, curve_forward;
    psis_fit psis, psis_forward;          /* of w at x ~ q, and at x ~ p */
    student_check mean_w, mean_inverse_w; /* E_q w / Z, E_p Z / w */
    double log_z_se;                      /* of the log Z that they are held against */
    size_t n_reverse, n_forward;
    size_t zero_reverse, zero_forward;   /* rows of zero density: l = -inf, l = +inf */
    size_t uncovered[STUDENT_UNCOVERED]; /* of the n_forward rows; see above */
} student_diagnostics;

/* Errors: FLOW_EDIVERGED names the first row that is NaN, +inf at x ~ q or -inf at x ~ p (a draw of
 * the teacher where the teacher has no density); FLOW_ENOMEM. */
int student_diagnose(student_diagnostics *out, const student_log_weights *weights, flow_err *err);

/* The target's own log Z; or, where that is not known (NaN), what the student's weights say. */
double student_best_log_z(double log_z, const student_diagnostics *weights);

#endif
