#include "teacher/look_period.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

static const double turn = 6.283185307179586;

/* Part of a name, and the periods that it may have. */
static const struct {
    const char *word;
    double periods[3]; /* 0 ends them */
} words[] = {{"hour", {24}},         {"minute", {60, 1440}}, {"second", {60, 86400}},
             {"weekday", {7}},       {"month", {12}},        {"dayofyear", {365, 366}},
             {"angle", {turn, 360}}, {"phi", {turn, 360}},   {"azimuth", {turn, 360}},
             {"heading", {360}},     {"direction", {360}},   {"bearing", {360}},
             {"longitude", {360}},   {"lon", {360}},         {"phase", {1, turn, 360}}};

/* Whether text holds the word, in whatever case, not as a piece of a longer one. */
static bool says(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = text; *at; at++) {
        size_t i = 0;
        while (i < n && tolower((unsigned char)at[i]) == word[i])
            i++;
        if (i == n && !isalpha((unsigned char)at[n]) &&
            (at == text || !isalpha((unsigned char)at[-1])))
            return true;
    }
    return false;
}

/* The values fill a turn of this length but for a fiftieth, and do not go beyond it. */
static bool fills(const look_column *of, double period)
{
    double range = of->max - of->min + of->step;
    return range <= period * (1 + 1e-6) + of->step && range >= 0.98 * period;
}

/* A turn begins at 0 or half of it before. */
static bool begins(const look_column *of, double period)
{
    double near = 0.01 * period;
    return fabs(of->min) < near || fabs(of->min + period / 2) < near;
}

bool look_period_by_range(const look_column *of)
{
    return (fills(of, turn) && begins(of, turn)) || (fills(of, 360) && begins(of, 360));
}

double look_period(const look_column *of, const char *name)
{
    if (fills(of, turn) && begins(of, turn))
        return turn;
    if (fills(of, 360) && begins(of, 360))
        return 360;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (size_t k = 0; k < 3 && words[i].periods[k] > 0 && says(name, words[i].word); k++)
            if (fills(of, words[i].periods[k]))
                return words[i].periods[k];
    return 0;
}
