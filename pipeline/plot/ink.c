#include "pipeline/plot/ink.h"

#include <math.h>
#include <stdlib.h>

const plot_tone plot_tones[PLOT_INKS] = {
    [PLOT_INK] = {"ink", "#1f2328", "#e6e8eb"},
    [PLOT_PAPER] = {"paper", "#ffffff", "#16191d"},
    [PLOT_FAINT] = {"faint", "#6a7078", "#9aa2ac"},
    [PLOT_GRID] = {"grid", "#e3e6ea", "#2d3239"},
    [PLOT_PALE] = {"pale", "#d3d8de", "#3a414a"},
    [PLOT_DATA] = {"data", "#30363d", "#d0d6dd"},
    [PLOT_TEACHER] = {"teacher", "#d55e00", "#e69f00"},
    [PLOT_STUDENT] = {"student", "#0072b2", "#56b4e9"},
    [PLOT_THIRD] = {"third", "#009e73", "#2ec79b"},
    [PLOT_ALARM] = {"alarm", "#b8478a", "#e089bd"},
};

void plot_ink_light(double rgb[3], plot_ink ink)
{
    unsigned long value = strtoul(plot_tones[ink].light + 1, NULL, 16);
    for (int k = 0; k < 3; k++)
        rgb[k] = (double)(value >> (16 - 8 * k) & 0xff) / 255;
}

void plot_ink_mark(double rgb[3], plot_ink ink)
{
    rgb[0] = ((double)ink + 1) / 100;
    rgb[1] = rgb[2] = 0;
}

plot_ink plot_ink_marked(double red, double green, double blue)
{
    double ink = red * 100 - 1;
    if (green != 0 || blue != 0 || !(ink > -0.5) || ink >= PLOT_INKS - 0.5)
        return PLOT_INKS;
    return (plot_ink)lround(ink);
}
