#!/bin/bash
# Densities of public reports whose truth is known, small: what is fitted, sampled and written holds against it. Where
# the others are held: README.md of tests.
. tests/e2e/lib.sh

# table NAME ROWS STATEMENTS: $T/NAME.csv and a config of it; in awk, z() is a standard normal.
table() {
    awk -v n="$2" 'function z() { return sqrt(-2 * log(1 - rand())) * cos(6.283185307179586 * rand()) }
        BEGIN { srand(24); OFMT = CONVFMT = "%.17g"; for (i = 0; i < n; i++) { '"$3"' } }' >"$T/$1.csv"
    printf 'seed: 1\ndata: {path: %s.csv%s}\n' "$1" "${4:-}" >"$T/$1.yaml"
}
small=(--quiet --set "teacher.flow.hidden=[32, 32]" --set teacher.flow.layers=3 --set teacher.train.epochs=12
    --set teacher.train.lr=3e-3 --set student.train.steps=100 --set validate.samples=1000)
follows=(--set student.layerwise.steps=100)
fit() { # NAME ARGUMENT ...
    expect "$1" 0 run "$T/$1.yaml" "${small[@]}" --out "$T/$1" "${@:2}"
    teacher=$T/$1/teacher/model.safetensors student=$T/$1/student/model.safetensors
}
# awk over rows without their header: holds PROGRAM FILE; the program ends in an exit status of its own.
holds() { tail -n +2 "$2" | awk -F, "$1"; }
mean() { run logp "$1" "$2" && awk 'NR > 1 { s += $1 } END { printf "%.4f\n", s / (NR - 1) }' "$T/out"; }
near() { awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { exit !(a != "" && a - b <= t && b - a <= t) }'; }

# ---- three numbers that follow three others within a tenth of their spread: no sample far from where it should be

table narrow 9000 'if (!i) print "x,y,z,cx,cy,cz"; a = z(); b = z(); c = z()
    print a + .1 * z() "," b + .1 * z() "," c + .1 * z() "," a "," b "," c' ', context: [cx, cy, cz]'
iaf=(--set student.flow.layers=3 --set "student.flow.hidden=[32, 32]" --set student.train.forward=1 --set student.train.forward_end=1
    --set student.train.steps=500)
fit narrow "${iaf[@]}"
mean=$(mean "$teacher" "$T/narrow.csv")
check "narrow: the density is $mean, 2.651 is right" near "$mean" 2.651 0.1
{ echo cx,cy,cz; tail -n +2 "$T/narrow.csv" | cut -d , -f 4-6; } >"$T/given.csv"
for model in "$teacher" "$student"; do
    name=$(basename "$(dirname "$model")")
    run sample "$model" -n 9000 --context "$T/given.csv" --logp -o "$T/drawn.csv"
    paste -d , "$T/drawn.csv" "$T/given.csv" >"$T/pairs.csv"
    check "narrow: $name: less than one in a thousand beyond five standard deviations" holds '
        { far += ($1 - $5) ^ 2 > .25 || ($2 - $6) ^ 2 > .25 || ($3 - $7) ^ 2 > .25 } END { print far; exit !(NR == 9000 && far < 9) }' \
        "$T/pairs.csv"
    cut -d , -f 1-3 "$T/drawn.csv" >"$T/points.csv"
    run logp "$model" "$T/points.csv" --context "$T/given.csv"
    check "narrow: $name: sampling and logp say the same" same_numbers <(tail -n +2 "$T/drawn.csv" | cut -d , -f 4) \
        <(tail -n +2 "$T/out") 1e-3
done

# ---- two peaks twenty standard deviations apart, in one column

table peaks 8000 'print (i % 2 ? -3 : 3) + .3 * z()'
fit peaks --set teacher.flow.layers=2 "${follows[@]}"
mean=$(mean "$teacher" "$T/peaks.csv")
check "peaks: the density is $mean, -.908 is right" near "$mean" -0.908 0.04
echo 0 >"$T/gap.csv"
between() { # NAME MODEL
    run logp "$2" "$T/gap.csv"
    check "$1: e^-8 at most between them" holds '{ good = $1 < -8; print } END { exit !good }' "$T/out"
}
between "peaks, teacher" "$teacher"
run sample "$student" -n 20000 -o "$T/drawn.csv"
check "peaks: half of the samples in each" holds '{ n += $1 > 0 } END { print n; exit !(n > 9700 && n < 10300) }' "$T/drawn.csv"
# Steps as large as these lead astray: what is kept is what was best.
fit peaks --set teacher.flow.layers=2 --set student.flow.kind=iaf --set student.flow.layers=2 --set "student.flow.hidden=[16]" \
    --set student.flow.bins=16 --set student.flow.linear=none --set student.train.lr=1e-2 --set student.train.steps=300
between "peaks, a student of its own shape" "$student"
mean=$(mean "$student" "$T/peaks.csv")
check "peaks, a student of its own shape: the density is $mean, -.908 is right" near "$mean" -0.908 0.04
run sample "$student" -n 20000 -o "$T/drawn.csv"
check "peaks, a student of its own shape: half of the samples in each" holds '{ n += $1 > 0 } END { print n; exit !(n > 9700 && n < 10300) }' \
    "$T/drawn.csv"

# ---- times of 1.7e9 seconds that differ by less than one: no digit is lost on the way

table times 6000 'if (!i) print "t,v"; u = rand(); print 1700000000 + u "," sin(6.283185307179586 * u) + .1 * z()' ', split: seed'
fit times "${follows[@]}"
run sample "$student" -n 5000 -o "$T/drawn.csv"
check "times: samples differ and spread as the rows do" holds '{ s += $1 - 1.7e9; q += ($1 - 1.7e9) ^ 2; different += !seen[$1]++ }
    END { sd = sqrt(q / NR - (s / NR) ^ 2); print sd, different; exit !(sd > .27 && sd < .31 && different > .99 * NR) }' "$T/drawn.csv"
run sample "$student" -n 5000 -o "$T/drawn.npy"
check "times: .npy has the same digits" same_numbers <(npy_rows "$T/drawn.npy" 2) <(tail -n +2 "$T/drawn.csv") 0
like=$(value "$T/times/validation.json" teacher.test_log_likelihood.value)
check "times: the log-likelihood is $like in seconds, .884 is right" near "$like" 0.8 0.2

# ---- the unit square, and what is outside of it

table square 6000 'print rand() "," rand()' ', logit: {alpha: 1e-6}'
fit square "${follows[@]}"
mean=$(mean "$teacher" "$T/square.csv")
check "square: the density is $mean, 0 is right" near "$mean" 0 0.06
printf '0,.5\n1,.5\n-.01,.5\n1.01,.5\n.5,.5\n' >"$T/edge.csv"
run logp "$teacher" "$T/edge.csv"
check "square: none outside, a number or none at the edge, never nan" holds 'NR == 3 || NR == 4 { bad += $1 != "-inf" }
    /nan/ || $1 == "inf" { bad++ } NR == 5 { bad += $1 ^ 2 > .1 } END { exit bad > 0 || NR != 5 }' "$T/out"
run sample "$teacher" -n 20000 -o "$T/drawn.csv"
check "square: every sample is inside" holds '!($1 >= 0 && $1 <= 1 && $2 >= 0 && $2 <= 1) { bad++ } END { exit bad > 0 || NR != 20000 }' \
    "$T/drawn.csv"

# ---- tails of two degrees of freedom: far rows, and none of them a nan

table tails 8000 'a = z() / sqrt(-log(1 - rand())); b = z() / sqrt(-log(1 - rand())); print a "," b' ', split: seed'
fit tails "${follows[@]}"
run logp "$teacher" "$T/tails.csv"
check "tails: a density everywhere, -3.92 on average" holds '$1 == "-inf" || /nan/ { bad++ } { s += $1 }
    END { print s / NR; exit bad > 0 || !(s / NR > -4.15 && s / NR < -3.75) }' "$T/out"

# ---- one epoch, and a student of a hundred steps: nothing flies away

table short 3000 'print 25 * z() "," 25 * z()'
fit short "${follows[@]}" --set teacher.train.epochs=1 --set teacher.train.warmup=0
for model in "$teacher" "$student"; do
    run sample "$model" -n 100000 -o "$T/drawn.csv"
    check "short: $(basename "$(dirname "$model")"): all of 100,000 within eight standard deviations" holds '
        !($1 > -200 && $1 < 200 && $2 > -200 && $2 < 200) { print; bad++ } END { exit bad > 0 || NR != 100000 }' "$T/drawn.csv"
done
