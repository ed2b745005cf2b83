/* ---- exp and log without branches or calls, so that loops over them vectorise */

typedef float real;
typedef int32_t whole;
typedef uint32_t bits;

#define ROUND 12582912.0f /* 1.5 * 2^23: adding it rounds to a whole number */
#define MANTISSA 23
#define BIAS 127
#define LN2_HIGH 0.693145751953125f
#define LN2_LOW 1.42860682030941723e-6f
#define SQRT_HALF 0x3f3504f3
#define EXP_HIGH 89.0f
#define EXP_LOW (-104.0f)
#define ROOT_MAGIC 0x5f375a86u
#define PI 3.14159274101257324f /* the nearest there is; pi = PI + PI_LOW */
#define PI_LOW (-8.74227765734758577e-8f)

/* Coefficients from the highest power on. */
static const real exp_series[] = {1.98412698e-4f, 1.38888889e-3f, 8.33333333e-3f,
                                  4.16666667e-2f, 1.66666667e-1f, 0.5f};
static const real log_series[] = {2.0f / 9, 2.0f / 7, 2.0f / 5, 2.0f / 3};
