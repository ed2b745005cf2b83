#!/bin/bash
# tests/bench/hunt.sh "SEED ..." CONFIG ... -- a student of every config and seed, and what a hunt says that it misses.
# Runs are below $OUT (default: a new directory), and are not made again where they are. One line each, then how many students
# there were, and how many are accused.
set -u
cd "$(dirname "$0")/../.." || exit 1
seeds=$1 out=${OUT:-$(mktemp -d)} students=0 accused=0
shift
for config; do
    for seed in $seeds; do
        run=$out/$(basename "$config" .yaml)-$seed
        model=$run/student/model.safetensors
        [ -f "$model" ] || build/distill run "$config" --quiet --set "seed=$seed" --out "$run" >/dev/null
        printf '%-24s ' "$(basename "$run")"
        build/distill hunt "$model" --seed "$seed" | head -n 1
        [ "${PIPESTATUS[0]}" -eq 1 ] && accused=$((accused + 1))
        students=$((students + 1))
    done
done
echo "$students students, $accused accused"
