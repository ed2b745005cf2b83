/* pipeline/report/picture_colour.c -- a line through OKLCH, the cylinder of the colour space OKLab
 * (Ottosson 2020, "A perceptual color space for image processing"), in which equal distances look
 * about equally large. Lightness falls and hue turns at constant rates, from a pale yellow through
 * green and teal to a dark violet, so that the picture also works in grey. Chroma is low where the
 * screen has little, at teal. Every colour of the line is one that sRGB has. */
#include "pipeline/report/picture_colour.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

/* Linear light to the byte of IEC 61966-2-1. */
static unsigned char encoded(double linear)
{
    double v = linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055;
    return (unsigned char)lround(255 * fmin(1, fmax(0, v)));
}

static double cube(double v)
{
    return v * v * v;
}

/* The two matrices are those of the publication. */
static picture_rgb from_oklab(double lightness, double a, double b)
{
    double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
    double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
    double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
    return (picture_rgb){encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
                         encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
                         encoded(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

picture_rgb picture_colour(double t)
{
    t = fmin(1, fmax(0, t));
    double lightness = 0.95 - 0.70 * t, hue = (105 + 180 * t) * PI / 180;
    double chroma = 0.105 + 0.025 * cos(2 * PI * t);
    return from_oklab(lightness, chroma * cos(hue), chroma * sin(hue));
}
