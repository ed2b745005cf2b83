/* ---- exp and log without branches or calls, so that loops over them vectorise */

typedef double real;
typedef int64_t whole;
typedef uint64_t bits;

#define ROUND 6755399441055744.0 /* 1.5 * 2^52: adding it rounds to a whole number */
#define MANTISSA 52
#define BIAS 1023
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10
#define SQRT_HALF 0x3fe6a09e667f3bcd
#define EXP_HIGH 710.0
#define EXP_LOW (-746.0)
#define ROOT_MAGIC 0x5fe6eb50c7b537a9u
#define PI 3.14159265358979312 /* the nearest there is; pi = PI + PI_LOW */
#define PI_LOW 1.22464679914735318e-16

/* Coefficients from the highest power on. */
static const real exp_series[] = {
    1.6059043836821613e-10, 2.08767569878681e-9,   2.505210838544172e-8,  2.755731922398589e-7,
    2.7557319223985893e-6,  2.48015873015873e-5,   1.984126984126984e-4,  1.388888888888889e-3,
    8.333333333333333e-3,   4.1666666666666664e-2, 1.6666666666666666e-1, 0.5};
static const real log_series[] = {2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13,
                                  2.0 / 11, 2.0 / 9,  2.0 / 7,  2.0 / 5,  2.0 / 3};
