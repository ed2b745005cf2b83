/* teacher/particles.h -- coordinates of N particles in the plane in which what an energy of distances does not know,
 * where they are as a whole and how they are turned, is apart from their shape:
 *
 *   z = (c_x, c_y, t, s, ...)       2 N numbers, any that there are
 *   x_k = c + R b_k                 positions, of N particles at rest at b, with mean 0
 *
 * R turns by the angle 2 pi Phi(t) / turns, Phi the distribution of a standard normal: of an angle that is even between
 * its ends t is a standard normal, and has no ends. s is the logarithm of a length. */
#ifndef TEACHER_PARTICLES_H
#define TEACHER_PARTICLES_H

#include <stddef.h>

/* Places in z; the length of a name. */
enum { PARTICLES_TURN = 2, PARTICLES_LENGTH, PARTICLES_REST, PARTICLES_NAME = 32 };

typedef struct particles_kind {
    /* Times that a whole turn goes into the angle of R: 1, or 0: as many as there are particles. */
    size_t turns;
    size_t most; /* particles */
    /* b (n, 2); NaN where numbers are too large. */
    void (*at_rest)(double *b, const double *z, size_t n);
    /* log of the volume of positions, of all orders of the particles that z does not tell apart, per volume of z. */
    double (*log_volume)(const double *b, const double *z, size_t n);
    /* out (2 n) = the derivative by z of f(b) + log_volume, from that of f by b, grad (n, 2), which is lost. */
    void (*pull)(double *out, double *grad, const double *b, const double *z, size_t n);
    const char *(*name)(char text[PARTICLES_NAME], size_t at); /* of number `at` of z */
} particles_kind;

/* Particles that are told apart (Jacobi coordinates), in particles_jacobi.c:
 *
 *   y_1 = (e^s, 0), y_2 .. y_{N-1} are the rest of z; m_N = 0
 *   m_k = m_{k+1} - y_k / (k + 1)        mean of the first k, k = N - 1 .. 1
 *   b_{k+1} = m_k + y_k, b_1 = m_1       so the first two lie along the first axis, e^s apart
 *
 * The angle is 2 pi Phi(t), the volume e^(2 s) 2 pi Phi'(t). Every x is met once, but for those with x_1 = x_2 or at
 * the angle 0, which have no volume. */
extern const particles_kind particles_jacobi;

/* A set of particles, of which nobody says which is which, in particles_unordered.c. With points of the plane as complex
 * numbers, N points without an order and the polynomial whose roots they are determine one another:
 *
 *   b^N + e_2 b^(N-2) + ... + e_{N-1} b + e^(N s) = 0
 *
 * e_2 .. e_{N-1} are the rest of z (real part, imaginary part), s is the mean logarithm of the distances from the mean,
 * and the angle is 2 pi Phi(t) / N. The volume is that of all N! orders, N! N^3 e^(2 N s) 2 pi Phi'(t) / product over
 * pairs of |b_i - b_j|^2. There are no N! copies of each state, and no edges in their stead. Every set is met once, but
 * for those with two in one place, one at the mean or one at the angle 0, which have no volume. The order of b
 * means nothing, so f must not depend on it. */
extern const particles_kind particles_unordered;

/* x (n, 2) of z (2 n). */
void particles_positions(const particles_kind *kind, double *x, const double *z, size_t n);

#endif
