/* files/c_locale.h -- the "C" locale for this thread, so that 0.5 is read and written with a point in
 * a program that has chosen another one. */
#ifndef FILES_C_LOCALE_H
#define FILES_C_LOCALE_H

#include <locale.h>

typedef struct c_locale {
    locale_t mine, before;
} c_locale;

c_locale c_locale_enter(void);
void c_locale_leave(c_locale self);

#endif
