#!/bin/sh
# The manual page distill.h(3), made of the header: what its first comment says, and then the header as it is.
#   packaging/header_man.sh VERSION <library/distill.h >distill.h.3
version=$1
sed 's/\\/\\e/g; s/^\([.'"'"']\)/\\\&\1/; s/-/\\-/g' | awk -v version="$version" '
NR == 1 {
    print ".TH DISTILL.H 3 \"\" \"distill " version "\" \"distill\""
    print ".SH NAME\ndistill.h \\- samples and densities of a model that distill has made"
    print ".SH SYNOPSIS\n.EX\n#include <distill.h>\n\ncc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs distill)\n.EE"
    print ".SH DESCRIPTION\n.EX"
    next
}
!open { line = $0; sub(/^ \*\/?/, "", line); sub(/ \*\/$/, "", line); sub(/^ /, "", line); print line }
!open && / \*\/$/ { open = 1; print ".EE\n.SH DECLARATIONS\n.EX"; next }
open { print }
END { print ".EE\n.SH SEE ALSO\n.BR distill (1)" }'
