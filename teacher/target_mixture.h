/* teacher/target_mixture.h -- Gaussians of one width in several places, normalised: the density, draws and
 * modes of the kinds that are such mixtures.
 *
 *   p = sum_k w_k N(x; m_k, sd^2 I) */
#ifndef TEACHER_TARGET_MIXTURE_H
#define TEACHER_TARGET_MIXTURE_H

#include "teacher/target_density.h"

typedef struct target_mixture {
    target_density base;
    size_t n;
    double sd;
    double *means, *weights; /* (n, D), (n): of sum 1 */
    double *log_tops;        /* (n): log(w_k N(m_k; m_k)) */
} target_mixture;

enum { TARGET_MIXTURE_MAX = 4096 }; /* Gaussians */

/* For `begin`: n Gaussians in dim dimensions, of equal weights and all in the same place. Whoever asks fills in
 * means and weights, of any sum, and then settles. */
int target_mixture_begin(target_mixture *self, size_t n, size_t dim, double sd, flow_err *err);

/* The modes are known if the Gaussians are apart: if the share of rows that another Gaussian than their own claims
 * is below TARGET_MIXTURE_APART. It is at most sum_{k < l} sqrt(w_k w_l) e^-(d_kl / sd)^2 / 8
 * (Bhattacharyya). */
#define TARGET_MIXTURE_APART 1e-3
int target_mixture_settle(target_mixture *self, flow_err *err);

/* Operations of a target_density. The mode of x is the Gaussian that it is likeliest from. */
double target_mixture_log_p(const target_density *self, double *grad, const double *x,
                            double *room);
void target_mixture_draw(const target_density *self, double *x, const double *z, pcg *rng);
void target_mixture_modes_of(void *arg, size_t *mode, const double *x);

#endif
