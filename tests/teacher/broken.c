/* Rows where a target broke: counting, naming, refusing. */
#include "teacher/broken.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

Test(broken, first_is_remembered)
{
    const double a[] = {0.5, -2.25}, b[] = {7, 8, 9, 10, 11};
    char text[BROKEN_TEXT];
    broken_rows early = {0}, late = {0}, none = {0};
    broken_note(&late, 31, INFINITY, b, 5);
    cr_assert_str_eq(broken_text(text, &late), "log p is inf at row 31, x = (7, 8, 9, 10, ...)");
    broken_note(&late, 40, NAN, a, 2);
    broken_note(&early, 12, -3.5, a, 2);
    cr_assert_str_eq(broken_text(text, &early),
                     "log p is -3.5 and its gradient broke at row 12, x = (0.5, -2.25)");
    broken_add(&early, &late);
    cr_assert(early.count == 3 && early.row == 12);
    broken_add(&early, &none);
    broken_add(&none, &early);
    cr_assert(none.count == 3 && none.row == 12 && early.count == 3);
}

Test(broken, points)
{
    cr_assert(broken_is_point((const double[]){1, -2, 0}, 3));
    cr_assert(!broken_is_point((const double[]){1, NAN, 0}, 3));
    cr_assert(!broken_is_point((const double[]){1, 2, -INFINITY}, 3));
}

/* The share itself is allowed: 5 of 100, not 6. */
Test(broken, share)
{
    broken_rows first = {0};
    flow_err err = FLOW_ERR_INIT;
    broken_note(&first, 3, NAN, (const double[]){1.5}, 1);
    cr_assert_eq(broken_check(&first, 0, 0, "here", &err), 0);
    cr_assert_eq(broken_check(&first, 5, 100, "here", &err), 0);
    cr_assert_eq(broken_check(&first, 6, 100, "here", &err), FLOW_EDATA);
    cr_assert_str_eq(err.text,
                     "here: the target broke at 6 of 100 rows, more than a share of 0.05; the "
                     "first: log p is nan at row 3, x = (1.5)");
}

/* The longest text that there can be has room. */
Test(broken, text_has_room)
{
    const double x[] = {-1.23456e-300, -1.23456e-300, -1.23456e-300, -1.23456e-300, 0};
    char text[BROKEN_TEXT];
    broken_rows b = {0};
    broken_note(&b, UINT64_MAX, -1.23456e-300, x, 5);
    broken_text(text, &b);
    cr_assert(strlen(text) < BROKEN_TEXT - 1 && text[strlen(text) - 1] == ')', "%s", text);
}
