/* student/trust.h -- the next density on the way from q to p that is near enough to q to be learned.
 *
 *   q' = argmin KL(q' | p)  with  KL(q' | q) <= trust  and  H(q) - H(q') <= cooling   (von Klitzing 2026)
 *
 * The first keeps the weights of q's own draws even, the second keeps q' from getting narrow before the mass is
 * where it belongs. With multipliers lam and eta, q' is proportional to (p q^(lam))^(1 / (1 + lam + eta)),
 * and on n draws of q, with P = log p~, Q = log q (mathematics-layers 9)
 *
 *   r = (P - (1 + eta) Q) / (1 + lam + eta), om = softmax(r) = q' / (n q), log Z = lse(r) - log n,
 *   KL = sum om r - log Z,  H' = log Z - sum om (Q + r),  H = -mean Q.
 *
 * The dual is concave: lam(eta) is where KL = trust, eta where H - H'(lam(eta), eta) = cooling; either is 0
 * where its bound does not bind. With both 0, om are plain importance weights. */
#ifndef STUDENT_TRUST_H
#define STUDENT_TRUST_H

#include <stddef.h>

typedef struct trust_bounds {
    double trust, cooling; /* nats, > 0; INFINITY: none */
} trust_bounds;

typedef struct trust_step {
    double lam, eta;
    double kl, cooled; /* KL(q' | q) and H(q) - H(q'), on these draws */
    double ess;        /* effective share of the draws under om */
} trust_step;

/* From p (n), -inf: no density, and q (n), finite, at least one p finite. A bound on KL is at most half of
 * what n draws can show, log n. */
void trust_solve(trust_step *step, const trust_bounds *bounds, const double *p, const double *q,
                 size_t n);

/* om (n), sum 1, of all the draws with the multipliers of the step: p = -inf or q not finite gives 0. Returns
 * what they add up to before they are normalised, as a log; -inf, and om = 0, where none has a weight. */
double trust_weights(double *om, const trust_step *step, const double *p, const double *q,
                     size_t n);

#endif
