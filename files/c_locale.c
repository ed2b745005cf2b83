#include "files/c_locale.h"

c_locale c_locale_enter(void)
{
    c_locale self = {newlocale(LC_ALL_MASK, "C", (locale_t)0), (locale_t)0};
    if (self.mine)
        self.before = uselocale(self.mine);
    return self;
}

void c_locale_leave(c_locale self)
{
    if (!self.mine)
        return;
    uselocale(self.before);
    freelocale(self.mine);
}
