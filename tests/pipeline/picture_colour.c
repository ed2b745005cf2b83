/* The scale of colours is even to the eye, and sRGB has all of it. */
#include "pipeline/report/picture_colour.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

typedef struct lab {
    double l, a, b;
} lab;

static double linear(unsigned char byte)
{
    double v = byte / 255.0;
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

/* From sRGB to OKLab: the matrices of the publication for this direction, which the program does
 * not use. */
static lab seen_as(picture_rgb c)
{
    double r = linear(c.r), g = linear(c.g), b = linear(c.b);
    double l = cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    double m = cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    double s = cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return (lab){0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
                 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
                 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

/* A colour that sRGB does not have would come back with another lightness or chroma. */
Test(picture_colour, lightness_falls_evenly_and_chroma_is_kept)
{
    for (int i = 0; i <= 100; i++) {
        double t = i / 100.0, pi = acos(-1);
        lab c = seen_as(picture_colour(t));
        cr_assert_float_eq(c.l, 0.95 - 0.70 * t, 0.006, "t = %g: lightness %g", t, c.l);
        cr_assert_float_eq(hypot(c.a, c.b), 0.105 + 0.025 * cos(2 * pi * t), 0.008,
                           "t = %g: chroma %g", t, hypot(c.a, c.b));
    }
}

Test(picture_colour, equal_steps_look_equal)
{
    double least = INFINITY, most = 0;
    for (int i = 0; i < 20; i++) {
        lab a = seen_as(picture_colour(i / 20.0)), b = seen_as(picture_colour((i + 1) / 20.0));
        double step = sqrt(pow(a.l - b.l, 2) + pow(a.a - b.a, 2) + pow(a.b - b.b, 2));
        least = fmin(least, step);
        most = fmax(most, step);
    }
    cr_assert_lt(most / least, 1.25, "steps from %g to %g", least, most);
}

Test(picture_colour, ends)
{
    picture_rgb low = picture_colour(0), high = picture_colour(1);
    picture_rgb below = picture_colour(-3), above = picture_colour(7);
    cr_assert(low.r > low.b && high.b > high.r && high.b > high.g, "from yellow to violet");
    cr_assert(below.r == low.r && below.g == low.g && below.b == low.b);
    cr_assert(above.r == high.r && above.g == high.g && above.b == high.b);
}
