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
#include "files/model.h"
#include "flow/blas.h"
#include "flow/pool.h"
#include "teacher/streams.h"

#include <cblas.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    flow_err err = FLOW_ERR_INIT;
    double x[6];
    if (openblas_get_num_threads() == 1 && sysconf(_SC_NPROCESSORS_ONLN) > 1) {
        fputs("the library changed the threads of BLAS when it was loaded\n", stderr);
        return 1;
    }
    flow_blas_one_thread();
    flow_model *model = argc > 1 ? flow_model_read(argv[1], &err) : NULL;
    flow_pool *pool = flow_pool_create(1, &err);
    pcg_stream stream = {.seed = 0, .stage = STREAM_EXPORT, .purpose = PCG_BASE};
    if (!model || !pool || flow_model_sample(model, pool, x, NULL, NULL, stream, 0, 3, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (int i = 0; i < 3; i++)
        printf("%.17g,%.17g\n", x[2 * i], x[2 * i + 1]);
    flow_pool_free(pool);
    flow_model_free(model);
    return 0;
}
C
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
# shellcheck disable=SC2046 # a list of flags
check "a program builds with the installed library" "${CC:-gcc}" -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror "$T/user.c" \
    -o "$T/user" $(pkg-config --cflags --libs distill)
run run configs/two_moons.yaml "${QUICK[@]}" --out "$T/run"
model=$T/run/student/model.safetensors
check "and samples what distill samples" same_numbers <(OPENBLAS_NUM_THREADS=2 "$T/user" "$model") <("$DISTILL" sample "$model" -n 3 | tail -n +2) 0
