/* pipeline/plot/ink.h -- the colours that pictures are drawn in, by what they stand for.
 *
 * Okabe and Ito's palette (2008, "Color universal design"), which people tell apart whatever cones they have; series differ in
 * their dashes, too. Each has a tone for white paper and one for dark. A page leaves the choice to whoever looks at it: there
 * an ink is written as a variable of CSS. */
#ifndef PIPELINE_PLOT_INK_H
#define PIPELINE_PLOT_INK_H

typedef enum plot_ink {
    PLOT_INK,     /* text, frames */
    PLOT_PAPER,   /* what is drawn on */
    PLOT_FAINT,   /* notes, ticks */
    PLOT_GRID,    /* lines to read values by */
    PLOT_PALE,    /* areas behind lines */
    PLOT_DATA,    /* data, or chains */
    PLOT_TEACHER, /* or a target */
    PLOT_STUDENT,
    PLOT_THIRD, /* a student that is weighed */
    PLOT_ALARM, /* what is missed */
    PLOT_INKS
} plot_ink;

typedef struct plot_tone {
    const char *name;         /* of the variable */
    const char *light, *dark; /* #rrggbb */
} plot_tone;

extern const plot_tone plot_tones[PLOT_INKS];

/* Red, green, blue on white paper, 0 to 1. */
void plot_ink_light(double rgb[3], plot_ink ink);

/* In a drawing that is to become a page each ink has a colour that stands for it: the red of so many percent, and nothing else.
 * The ink of such a colour; PLOT_INKS: none. */
void plot_ink_mark(double rgb[3], plot_ink ink);
plot_ink plot_ink_marked(double red, double green, double blue);

#endif
