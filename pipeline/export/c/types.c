/* ---- types: a tile is W rows, feature-major; or one row alone, where ld = 1. */

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline, unused))
#else
#define INLINE static inline
#endif

typedef real lane[W];

typedef struct tile {
    real x[D * W];
    real context[C * W];
    double logdet[W];
    int ld; /* W or 1 */
} tile;
