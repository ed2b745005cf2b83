/* teacher/phase_space.h -- momenta of n outgoing particles out of points of the unit hypercube, one for one.
 *
 * Particles 1 .. n come off one after the other: what is left of the system, the cluster of i .. n with mass M_i, decays
 * into particle i and the cluster of i+1 .. n. u (3n - 4) are, in this order, n-2 numbers for M_2 .. M_(n-1), then for
 * i = 1 .. n-1 the cosine of particle i in the rest frame of its cluster, as (1 + cos) / 2, and its azimuth over 2 pi.
 * M_1 is the energy, M_n = m_n. Without masses, with v = (M_(i+1) / M_i)^2, k = n - 1 - i and number r,
 *
 *   r = (k+1) v^k - k v^(k+1),      weight (2 pi)^(4-3n) (pi/2)^(n-1) s^(n-2) / (Gamma(n) Gamma(n-1)),   s = M_1^2,
 *
 * the same at all points: density is that of phase space. With masses the same of K_i = M_i - (m_i + .. + m_n), and
 *
 *   weight = that of K_1  prod_(i < n) 2 (q_i / M_i) / (1 - K_(i+1)^2 / K_i^2)  prod_(1 < i < n) M_i / K_i,
 *
 * q_i the momentum of particle i in its cluster's rest frame.
 *
 * Source: Plaetzer 2013, RAMBO on diet (arXiv:1308.2922), sections 2 and 4; Kleiss, Stirling, Ellis 1986 for the volume.
 * Natural units: energies, momenta and masses in one unit, GeV. A share (M_(i+1) / M_i)^2 nearer to an end than 1e-40 (0)
 * or 2^-50 (1) is taken to be that far off, so that the weight is finite. */
#ifndef TEACHER_PHASE_SPACE_H
#define TEACHER_PHASE_SPACE_H

#include "flow/err.h"

#include <stddef.h>

enum { PHASE_SPACE_LEAST = 2, PHASE_SPACE_MOST = 16 }; /* outgoing particles */

typedef struct phase_space {
    size_t n;
    double energy;                     /* in the frame of the centre of mass */
    double mass[PHASE_SPACE_MOST];     /* (n) */
    double rest[PHASE_SPACE_MOST + 1]; /* (n + 1) m_i + .. + m_n */
    double log_volume;                 /* log of the weight without masses, of s = K_1^2 */
} phase_space;

typedef struct momentum {
    double e, x, y, z;
} momentum;

/* FLOW_EDATA if the masses (n), >= 0, leave no energy for motion. n is in LEAST .. MOST. */
int phase_space_init(phase_space *self, double energy, const double *mass, size_t n, flow_err *err);

size_t phase_space_dim(size_t n); /* 3n - 4 */

/* p (n) at the point u (3n - 4) of [0, 1]; returns the log of the weight, dPhi / du,
 *   dPhi = (2 pi)^4 delta^4(P - sum p) prod d^3p / ((2 pi)^3 2 e). */
double phase_space_momenta(const phase_space *self, momentum *p, const double *u);

/* Momentum of two particles of these masses at rest together with this energy: q. 0 below the threshold. */
double phase_space_two(double energy, double m1, double m2);

#endif
