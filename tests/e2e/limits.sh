#!/bin/bash
# Time to start and memory to run.
. tests/e2e/lib.sh

# The machine may be busy: the best of five medians.
best=1000
for _ in 1 2 3 4 5; do
    median=$("$PROBE" time 9 "$DISTILL" --help)
    best=$(echo "$best $median" | awk '{ print ($2 < $1) ? $2 : $1 }')
    awk -v ms="$best" 'BEGIN { exit !(ms < 20) }' && break
done
check "--help in $best ms, under 20" awk -v ms="$best" 'BEGIN { exit !(ms < 20) }'

kib=$("$PROBE" memory "$DISTILL" run configs/two_moons.yaml --quiet --out "$T/moons" --threads 2 \
    --set teacher.train.epochs=1 --set student.train.steps=100 --set student.layerwise.steps=100)
check "two moons in $((kib / 1024)) MB of memory, under 50" test "${kib:-0}" -gt 1000 -a "${kib:-0}" -lt 51200
student=$T/moons/student/model.safetensors
kib=$("$PROBE" memory "$DISTILL" sample "$student" -n 2000000 -o "$T/x.npy")
check "2e6 samples in $((kib / 1024)) MB of memory, under 30" test "${kib:-0}" -gt 1000 -a "${kib:-0}" -lt 30720
