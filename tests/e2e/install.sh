#!/bin/bash
# make install: the program and the library work from where they are installed.
. tests/e2e/lib.sh

prefix=$T/usr
check "make install" make -s install BUILD="$BUILD" CC="${CC:-gcc}" PREFIX="$prefix"
check "the installed program runs" "$prefix/bin/distill" --version
check "the header for plug-ins is there" cmp plugin/distill_target.h "$prefix/include/distill_target.h"
check "and that for quantities" cmp plugin/distill_quantities.h "$prefix/include/distill_quantities.h"
check "manual pages, completions and the schema are there" cmp "$prefix/share/man/man1/distill.1" <("$DISTILL" man)
check "of configs" cmp "$prefix/share/man/man5/distill.yaml.5" <("$DISTILL" man 5)
for file in bash-completion/completions/distill zsh/site-functions/_distill fish/vendor_completions.d/distill.fish distill/distill.schema.json; do
    check "$file" test -s "$prefix/share/$file"
done
check "make install DESTDIR= puts it elsewhere" make -s install BUILD="$BUILD" CC="${CC:-gcc}" PREFIX=/usr DESTDIR="$T/stage"
check "for packagers" test -x "$T/stage/usr/bin/distill" -a -s "$T/stage/usr/lib/libdistill.a"
check "and does not name the stage" sh -c '! grep -r "$1" "$1/usr/lib/pkgconfig"' - "$T/stage"

# As an ordinary user, with nothing there: the whole command, whose first part a fresh machine cannot do without.
mkdir "$T/bin"
printf '#!/bin/sh\necho 1000\n' >"$T/bin/id"
printf '#!/bin/sh\nexit 1\n' >"$T/bin/pkg-config"
printf '#!/bin/sh\necho "it was run" >&2; exit 1\n' | tee "$T/bin/apt-get" >"$T/bin/sudo"
chmod +x "$T/bin"/*
check "a user without rights is told to update and install" sh -c \
    '! PATH=$1:$PATH tests/deps.sh openblas criterion 2>"$1/told" &&
        grep -q "^  sudo apt-get update && sudo apt-get install -y .*libopenblas-dev libcriterion-dev$" "$1/told"' - "$T/bin"
check "and nothing is run" sh -c '! grep "it was run" "$1"' - "$T/bin/told"

cat >"$T/user.c" <<'C'
#include <distill.h>
#include <distill_quantities.h>
#include <distill_target.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    distill_error why;
    distill_model *model = argc > 1 ? distill_load(argv[1], NULL, &why) : NULL;
    double x[6], log_q[3];
    if (!model || distill_sample(model, 0, 0, 3, x, log_q, NULL, NULL)) {
        fprintf(stderr, "%s\n", model ? distill_why(model) : why.text);
        return 1;
    }
    for (int i = 0; i < 3; i++)
        printf("%.17g,%.17g,%.17g\n", x[2 * i], x[2 * i + 1], log_q[i]);
    distill_free(model);
    return 0;
}
C
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
strict="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
run run configs/two_moons.yaml "${QUICK[@]}" --out "$T/run"
model=$T/run/student/model.safetensors

# samples NAME PROGRAM: what distill samples, to the last bit.
samples() {
    check "$1 samples what distill samples" cmp <(LD_LIBRARY_PATH=$prefix/lib "$2" "$model") <("$DISTILL" sample "$model" -n 3 --logp | tail -n +2)
}

# shellcheck disable=SC2046,SC2086 # lists of flags
{
    check "a program in C99 builds with the installed library" ${CC:-gcc} -std=c99 $strict "$T/user.c" -o "$T/user" $(pkg-config --cflags --libs distill)
    samples "it" "$T/user"
    check "and one that has the library in it" ${CC:-gcc} -std=c99 $strict "$T/user.c" -o "$T/static" $(pkg-config --cflags distill) "$prefix/lib/libdistill.a" -ljansson -lm -pthread
    samples "that" "$T/static"
    if command -v c++ >/dev/null; then
        check "a program in C++ builds with it" c++ -std=c++11 $strict -x c++ "$T/user.c" -o "$T/plus" $(pkg-config --cflags --libs distill)
        samples "in C++ it" "$T/plus"
    else
        skip "a program in C++" "there is no c++"
    fi
}

# The example of README.md, as it stands there.
sed -n '/^#include <distill.h>/,/^```/p' README.md | sed '$d' >"$T/example.c"
# shellcheck disable=SC2046,SC2086 # lists of words
check "the example of the README builds" ${CC:-gcc} -std=c99 $strict "$T/example.c" -o "$T/example" $(pkg-config --cflags --libs distill) -lm
check "and runs" sh -c 'LD_LIBRARY_PATH=$1 "$2" "$3" | grep -q "^mean of f "' - "$prefix/lib" "$T/example" "$model"

# What is in the library is its own, and it needs no BLAS, whose threads are the process's.
check "the library shows its own functions and no other" sh -c 'nm -D --defined-only "$1" | grep " T " | sed "s/.* T //; s/@.*//" | sort >"$2.seen" &&
    sed -n "s/^DISTILL_API [^(]*[ *]\(distill_[a-z_]*\)(.*/\1/p" library/distill.h | sort | cmp - "$2.seen"' - "$prefix/lib/libdistill.so" "$T/symbols"
check "and needs nothing but jansson" sh -c '! readelf -d "$1" | grep NEEDED | grep -Ev "jansson|libm\.|libc\.|pthread|ld-linux|libgcc_s|[au]san"' - "$prefix/lib/libdistill.so"
check "a manual page of the header is there" grep -q 'distill_sample(distill_model' "$prefix/share/man/man3/distill.h.3"

# ---- a Debian package
if command -v dpkg-deb >/dev/null && command -v readelf >/dev/null; then
    check "a Debian package is built" make -s deb BUILD="$BUILD" CC="${CC:-gcc}"
    deb=$(echo "$BUILD"/distill_*.deb)
    check "which holds the program, the library and the header" sh -c 'for f in usr/bin/distill usr/lib/libdistill.so usr/include/distill.h usr/lib/pkgconfig/distill.pc; do
        dpkg-deb -c "$1" | grep -q " \./$f\( ->.*\)\?$" || exit 1; done' - "$deb"
    check "and names what it needs" sh -c 'dpkg-deb -f "$1" Depends | grep libjansson4 | grep libyaml | grep -q libc6' - "$deb"
else
    skip "a Debian package" "there is no dpkg-deb or readelf"
fi
if [ -n "${DISTILL_CHROOT:-}" ] && command -v debootstrap >/dev/null; then
    check "a clean Debian" debootstrap --variant=minbase bookworm "$T/root"
    cp "$deb" "$T/root/distill.deb"
    cp "$model" "$T/root/model.safetensors"
    check "takes the package" chroot "$T/root" apt-get install -y --no-install-recommends ./distill.deb
    check "and samples what distill samples" cmp <(chroot "$T/root" distill sample model.safetensors -n 3) <("$DISTILL" sample "$model" -n 3)
else
    skip "a clean Debian that takes the package" "wants debootstrap, root, a mirror and DISTILL_CHROOT=1"
fi
