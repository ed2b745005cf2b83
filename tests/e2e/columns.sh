#!/bin/bash
# Columns with kinds through the program: what is sampled is of its kind, to the last digit written, and what
# logp gives is a probability of counts and the same on both sides of a seam. Weights.
. tests/e2e/lib.sh

# A table of events: an energy with a heavy tail, a share, a count, an angle, a mass above 20, a weight. Angles gather
# at the seam, and weights shift the count from a mean of 2 to one of 3.2.
events() { # SEED ROWS
    awk -v seed="$1" -v rows="$2" 'function normal() { return sqrt(-2 * log(1 - rand())) * cos(6.283185307 * rand()) }
        function count(p, l, k) { p = rand(); l = exp(-2); for (k = 0; p > l; k++) p *= rand(); return k }
        BEGIN { srand(seed); OFS = ","; print "energy", "share", "n", "phi", "mass", "w"
            for (i = 0; i < rows; i++) {
                n = count(); phi = 3.14159265 + .7 * normal(); if (phi > 3.14159265) phi -= 6.2831853
                print exp(1.5 * normal()), 1 / (1 + exp(-2 * normal() - n / 4)), n, phi, 20 - 5 * log(1 - rand()), 1.6 ^ n
            } }'
}
events 5 2500 >"$T/events.csv"
cat >"$T/events.yaml" <<'YAML'
schema: 1
seed: 5
data:
  path: events.csv
  columns:
    energy: positive
    share: {support: [0, 1]}
    n: {support: [0, inf], step: 1}
    phi: {period: 6.283185307}
    mass: {support: [20, inf]}
  weights: w
YAML
sed 's/    mass:/    maas:/' "$T/events.yaml" >"$T/wrong.yaml"
refused "a column that there is not, with its place" 78 "wrong.yaml:10:5: data.columns: .*/events.csv: there is no column 'maas'; did you mean 'mass'" \
    check "$T/wrong.yaml"
sed 's/  weights: w/  weights: ww/' "$T/events.yaml" >"$T/wrong.yaml"
refused "a weight likewise" 78 "wrong.yaml:11:12: data.weights: .*there is no column 'ww'" inspect "$T/wrong.yaml"
refused "and context that is set" 78 "--set 'data.context=\\[v\\]': data.context: .*there is no column 'v'" check "$T/events.yaml" --set 'data.context=[v]'
printf 'data:\n  generator: two_moons\n  context:\n    - x1\n    - x3\n' >"$T/wrong.yaml"
refused "a list of names one below the other, of data that are made" 78 "wrong.yaml:5:7: data.context: two_moons: there is no column 'x3'" \
    run "$T/wrong.yaml" --out "$T/wrong"
expect "a table of events runs" 0 run "$T/events.yaml" "${TEACH[@]}" --set teacher.train.epochs=20 --out "$T/run" \
    --set export.samples=3000 --set export.file=x.csv
refused "a hunt on counts: where to look instead" 64 "column 'n' is a grid .*uncovered" hunt "$T/run"
teacher=$T/run/teacher/model.safetensors student=$T/run/student/model.safetensors
check "weights are no column" test "$(head -n 1 "$T/run/export/x.csv")" = energy,share,n,phi,mass
of_kind() { # FILE
    awk -F , 'NR > 1 && !($1 > 0 && $2 >= 0 && $2 <= 1 && $3 >= 0 && $3 ~ /^[0-9]+$/ && $4 >= -3.1415926535 &&
        $4 < 3.1415926536 && $5 >= 20) { print; bad = 1 } END { exit bad || NR < 1000 }' "$1"
}
check "samples are of their kinds" of_kind "$T/run/export/x.csv"
run sample "$teacher" -n 20000 --seed 3 -o "$T/many.csv"
check "those of the teacher, too, and of a seed" of_kind "$T/many.csv"
check "weights move the mean of the count to 3.2" awk -F , 'NR > 1 { s += $3 } END { m = s / (NR - 1); print m; exit !(m > 2.7 && m < 3.7) }' \
    "$T/many.csv"
refused "a value that is none of its kind" 65 "row 1, column 2 'n' .*2.5 is not at least 0, in steps of 1" \
    run "$T/events.yaml" "${TEACH[@]}" --out "$T/bad" --set "data.path=$(awk -F , -v OFS=, 'NR == 3 { $3 = 2.5 } { print }' \
        "$T/events.csv" >"$T/off.csv" && echo "$T/off.csv")"
refused "a weight below 0" 65 "row 3, column 5 'w' .*a weight of -1" run "$T/events.yaml" "${TEACH[@]}" --out "$T/bad" \
    --set "data.path=$(awk -F , -v OFS=, 'NR == 5 { $6 = -1 } { print }' "$T/events.csv" >"$T/off.csv" && echo "$T/off.csv")"

# What a run remembers has its columns in the order in which it was told of them.
was=$(value "$T/run/validation.json" teacher.test_log_likelihood.value)
expect "the run is validated again" 0 validate "$T/run"
check "to the same figures" test "$was" = "$(value "$T/run/validation.json" teacher.test_log_likelihood.value)"
check "which says how half lines are mapped" grep -q "half lines: energy by a logarithm, n by a .*, mass by a softplus of [34]" "$T/err"
run plan "$T/events.yaml" "${TEACH[@]:1}" --set teacher.train.epochs=20 --out "$T/run" --set export.samples=3000 --set export.file=x.csv \
    --set 'data.columns={share: [0, 1], energy: positive, n: {support: [0, inf], step: 1}, phi: {period: 6.283185307}, mass: {support: [20, inf]}}'
check "another order is another table" grep -q "teacher.*run" "$T/out"

# ---- links: a count whose logarithm goes far beyond the data

grid='data.columns={n: {step: 1, support: [0, inf], link: LINK}}'
largest() { # LINK: of 50000 samples
    run run "$T/events.yaml" "${TEACH[@]}" --set teacher.train.epochs=10 --set data.weights=null --set validate.samples=20000 --out "$T/$1" \
        --set "${grid/LINK/$1}" && run sample "$T/$1/teacher/model.safetensors" -n 50000 --seed 3 -o "$T/$1.csv" && sort -n "$T/$1.csv" | tail -n 1
}
far=$(largest log) near=$(largest softplus)
check "a count by a softplus ends near the data ($near), by a logarithm far beyond ($far)" test "$near" -lt 20 -a "$far" -gt $((2 * near))
check "the model file says which it is" grep -q softplus "$T/softplus/teacher/model.safetensors"
check "and old ones, and a logarithm, have no such number" sh -c '! grep -q "softplus" "$1"' - "$T/log/teacher/model.safetensors"
check "tails that are too heavy are warned of" grep -q 'teacher_tail_factor is .*column n, above' "$T/log/validation.json"
check "and those that are not are not" sh -c '! grep -q "teacher_tail_factor is" "$1"' - "$T/softplus/validation.json"
run check "$T/events.yaml" --set 'data.columns={share: {support: [0, 1], link: log}}'
check "a link wants a support with one end" test "$status" -eq 78 -a -n "$(grep "data.columns.share: link needs a support with one end" "$T/err")"

# ---- densities

{ echo energy,share,n,phi,mass; printf '%s\n' 1,.5,2,3.14159,25 1,.5,2,-3.141595307,25 1,.5,2,3.141590,25 \
    -1,.5,2,0,25 1,1.01,2,0,25 1,.5,2.5,0,25 1,.5,2,0,19; } >"$T/rows.csv"
run logp "$teacher" "$T/rows.csv"
check "both sides of the seam are alike, and what is outside has none" awk 'NR == 2 { a = $1 } NR == 3 && ($1 - a) ^ 2 > 1e-12 { bad = 1 }
    NR == 4 && ($1 - a) ^ 2 > 1e-6 { bad = 1 } NR > 4 && $1 != "-inf" { bad = 1 } END { exit bad || NR != 8 }' "$T/out"
check "which is said" grep -q "4 of 7 rows .* row 3, column 'energy'.*-1 is not above 0" "$T/err"

# ---- circles: as many as one likes, and flows that have none

awk 'BEGIN { srand(8); OFS = ","; print "a", "b", "c", "d", "e", "f", "g", "x"
    for (i = 0; i < 1200; i++) { a = 360 * rand(); x = rand() + rand()
        print a, (a + 40 * rand()) % 360, 360 * rand(), 180 + 20 * rand(), (2 * a) % 360, 360 * rand(), 90 * rand(), x } }' >"$T/turns.csv"
circles='data.columns={a: {period: 360}, b: {period: 360}, c: {period: 360}, d: {period: 360}, e: {period: 360}, f: {period: 360}, g: {period: 360}, x: {}}'
printf 'schema: 1\nseed: 5\ndata: {path: turns.csv}\n' >"$T/turns.yaml"
expect "seven circles" 0 run "$T/turns.yaml" "${TEACH[@]}" --set "$circles" --out "$T/turns" --set export.samples=2000 --set export.file=x.csv
check "which samples keep to" awk -F , 'NR > 1 { for (i = 1; i <= 7; i++) if (!($i >= 0 && $i < 360)) { print; bad = 1 } } END { exit bad || NR != 2001 }' \
    "$T/turns/export/x.csv"
{ head -n 1 "$T/turns.csv"; echo 0,10,20,185,0,7,9,1; echo 360,370,-340,545,-360,367,369,1; } >"$T/two.csv"
run logp "$T/turns/student/model.safetensors" "$T/two.csv"
check "turns do not matter to the student either" awk 'NR == 2 { a = $1 } NR == 3 && ($1 - a) ^ 2 > 1e-8 { bad = 1 } END { exit bad || NR != 3 }' "$T/out"
expect "a coupling student on its teacher's circles" 0 run "$T/turns.yaml" "${FIT[@]}" --set "$circles" --out "$T/coupled" \
    --set student.flow.kind=realnvp --set student.flow.layers=2 --set student.train.warmup=10
expect "layers that know of lines alone" 0 run "$T/events.yaml" "${TEACH[@]:5}" --out "$T/lines" --set student.flow.iterations=1 \
    --set 'teacher.flow={layers: [{kind: part, count: 2, layers: [actnorm]}, {kind: autoregressive, conditioner: {hidden: [16]}}]}'
check "have the density wrapped, which is said" grep -q "columns with a period: the layers of teacher.flow" "$T/err"
run sample "$T/lines/student/model.safetensors" -n 2000 -o "$T/many.csv"
check "and their samples are of their kinds, too" of_kind "$T/many.csv"

# Of counts alone, whose probabilities sum to 1 and are those of the samples.
expect "a count alone" 0 run "$T/events.yaml" "${TEACH[@]}" --set teacher.train.epochs=20 --out "$T/count" \
    --set 'data.columns={n: {step: 1, support: [0, inf]}}'
{ echo n; seq 0 60; } >"$T/n.csv"
run logp "$T/count/teacher/model.safetensors" "$T/n.csv"
cp "$T/out" "$T/logp"
check "probabilities of counts sum to 1" awk 'NR > 1 { s += exp($1) } END { print s; exit !(s > .995 && s < 1.005) }' "$T/logp"
run sample "$T/count/teacher/model.safetensors" -n 20000 -o "$T/counts.csv"
check "and are those of samples" awk 'NR == FNR { if (FNR > 1) p[FNR - 2] = exp($1); next } FNR > 1 { n[$1]++ }
    END { for (k = 0; k < 6; k++) { d = n[k] / 20000 - p[k]; if (d > .02 || d < -.02) { print k, p[k], n[k]; exit 1 } } }' \
    "$T/logp" "$T/counts.csv"
run sample "$T/count/student/model.safetensors" -n 50 --logp -o "$T/both.csv"
cut -d , -f 1 "$T/both.csv" >"$T/n.csv"
run logp "$T/count/student/model.safetensors" "$T/n.csv"
check "beside a sample stands the probability of it" sh -c 'paste -d , "$1" "$2" | awk -F , "NR > 1 && (\$2 - \$3) ^ 2 > 1e-6 { bad = 1 }
    NR > 1 && \$2 > 0 { bad = 1 } END { exit bad || NR != 51 }"' - "$T/both.csv" "$T/out"
