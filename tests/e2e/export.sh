#!/bin/bash
# A student as C: `export RUN --to c` and `c_header`, called from C and C++, and held against `sample`. tests/pipeline/export_c.c has
# every kind of layer; here is the command line, a program of a user's, sanitizers, and names that are none.
. tests/e2e/lib.sh

plain=$T/plain
run run configs/two_moons.yaml "${TEACH[@]:1}" --out "$plain" --set export.samples=50 --set export.file=s.csv
expect "a run's export stage, as ever" 0 export "$plain" --set export.samples=60
check "has written its rows" sh -c '[ "$(wc -l <"$1")" -eq 61 ]' - "$plain/export/s.csv"

expect "a run's student as C" 0 export "$plain" --to c -o "$T/moons.c"
expect "its header" 0 export "$plain" --to c_header -o "$T/moons.h"
expect "a model file as C" 0 export "$plain/student/model.safetensors" --to c -o "$T/again.c" --name moons
check "is the same" sh -c 'tail -n +2 "$1" | cmp - "$2"' - "$T/moons.c" <(tail -n +2 "$T/again.c")

cat >"$T/use.c" <<'C'
#include "moons.h"
#include <stdio.h>

int main(void)
{
    double x[100 * MOONS_DIM], logq[100], again[100];
    moons_sample(7, 3, 100, x, logq);
    moons_logq(x, 100, again);
    puts("x,y,logp");
    for (int r = 0; r < 100; r++)
        printf("%.17g,%.17g,%.17g\n", x[2 * r], x[2 * r + 1], logq[r]);
    for (int r = 0; r < 100; r++)
        if (!(again[r] - logq[r] < 1e-2 && logq[r] - again[r] < 1e-2))
            return 1;
    return 0;
}
C
cp "$T/use.c" "$T/use.cc"
strict="-Wall -Wextra -Werror -pedantic"
run sample "$plain" -n 100 --seed 7 --first 3 --logp -o "$T/tool.csv"

# built NAME COMPILER FLAG ...: compiled, run, and the rows of `sample`.
built() {
    local name=$1
    shift
    command -v "$1" >/dev/null || { skip "$name" "no $1"; return; }
    check "$name: compiles" "$@" $strict -I"$T" -o "$T/use" "$T/use.c" "$T/moons.c" -lm
    check "$name: densities come back" sh -c '"$1" >"$2"' - "$T/use" "$T/use.csv"
    check "$name: the rows of sample" same_numbers <(tail -n +2 "$T/tool.csv") <(tail -n +2 "$T/use.csv") 2e-4
}
built "gcc" gcc -std=c99 -O2 -Wconversion
built "gcc, sanitizers" gcc -std=c99 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
built "gcc, as fast as can be" gcc -O3 -march=native
built "clang" clang -std=c99 -O2 -Wconversion
if command -v g++ >/dev/null; then
    check "C++ includes the header" sh -c 'gcc -c -O1 -o "$1/moons.o" "$1/moons.c" && g++ '"$strict"' -I"$1" -o "$1/use" "$1/use.cc" "$1/moons.o" -lm && "$1/use" >"$1/cc.csv"' - "$T"
else
    skip "C++ includes the header" "no g++"
fi

OUTPUT=$T/no.c
refused_with_help() { # NAME TEXT ARGUMENT ...
    expect "$1" 64 "${@:3}"
    check "says so" grep -q -- "$2" "$T/err"
    check "writes nothing" test ! -e "$OUTPUT"
}
refused_with_help "a form that is none" "--to wants one of c, c_header, got 'fortran'" export "$plain" --to fortran -o "$OUTPUT"
refused_with_help "no output" "--to wants -o FILE" export "$plain" --to c
refused_with_help "keys of a run" "no --set" export "$plain" --to c -o "$OUTPUT" --set seed=1
refused_with_help "a name that is no name" "'2 moons' is no name" export "$plain" --to c -o "$OUTPUT" --name "2 moons"
refused_with_help "-o without --to" "unknown option" export "$plain" -o "$OUTPUT"
refused "a file that cannot name functions" 64 "'no-name' is no name" export "$plain" --to c -o "$T/no-name.c"
refused "networks in bytes" 78 "int8" export "$plain" --to c --network int8 -o "$OUTPUT"
refused "a directory that is not there" 73 "nowhere" export "$plain" --to c -o "$T/nowhere/no.c"
refused "a config" 65 "is no model file" export configs/two_moons.yaml --to c -o "$OUTPUT"
