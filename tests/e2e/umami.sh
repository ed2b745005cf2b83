#!/bin/bash
# A matrix element, whole: learnt from, unweighted, and its cross section, which is known; cuts; and what is refused.
. tests/e2e/lib.sh

LIBRARIES=$PWD/$BUILD/tests/plugins
case $DISTILL in */distill) LIBRARIES=$PWD/${DISTILL%/distill}/tests/plugins ;; esac

# ---- e+ e- -> mu+ mu- at 10 GeV: the config, what the library does not say itself, and a card beside it
echo "aEWM1 127.9" >"$T/card.dat"
echo '{"energy": 10, "card": "card.dat"}' >"$T/muons.json"
cat >"$T/muons.yaml" <<Y
seed: 3
target: {kind: plugin, path: $LIBRARIES/umami.so, data: muons.json}
student:
  flow: {kind: iaf, layers: 2, hidden: [24, 24], transformer: {kind: spline, bins: 8}}
  train: {steps: 600}
validate:
  samples: 20000
  chain: off
  require: {unweighting_efficiency: "> 0.75", unweighting_madnis: "> 0.75", over_weight: "< 0.001", ess_reverse: "> 0.99"}
Y
expect "a student learns from a matrix element" 0 run "$T/muons.yaml" --quiet --out "$T/m"
verdict=$T/m/validation.json
check "nothing is cut, so both efficiencies are one" test "$(value "$verdict" unweighting.efficiency)" = "$(value "$verdict" unweighting.madnis)"
check "they are figures" sh -c "grep -q unweighting_efficiency '$verdict' && grep -q unweighting_madnis '$verdict' && grep -q over_weight '$verdict'"
"$DISTILL" sample "$T/m/student/model.safetensors" -n 3 >"$T/x.csv" 2>/dev/null
check "samples are momenta" grep -q '^e3,px3,py3,pz3,e4,px4,py4,pz4$' "$T/x.csv"
"$DISTILL" sample "$T/m/student/model.safetensors" -n 3 --quantities none >"$T/x.csv" 2>/dev/null
check "columns have names" grep -q '^cos1,phi1$' "$T/x.csv"
expect "with one thread, in a worker" 0 run "$T/muons.yaml" --quiet --threads 1 --set target.workers=1 --out "$T/w"
check "it is the same, bit for bit" cmp "$T/m/student/model.safetensors" "$T/w/student/model.safetensors"
check "and so is what is measured" test "$(value "$verdict" unweighting.over_weight)" = "$(value "$T/w/validation.json" unweighting.over_weight)"

# ---- the cross section: 4 pi alpha^2 / (3 s) in pb, within 4.5 of its own standard errors (one seed in 150,000)
"$DISTILL" estimate "$T/m/student/model.safetensors" -n 50000 --json >"$T/e.json" 2>"$T/err"
sigma() { # FILE NUMBER: its integral is that
    awk -v z="$(value "$1" weights.z.value)" -v se="$(value "$1" weights.z.se)" -v want="$2" 'BEGIN {
        off = z - want; exit !(se > 0 && se < 0.01 * want && off < 4.5 * se && off > -4.5 * se) }'
}
exact=$(awk 'BEGIN { print 4 * atan2(0, -1) / (3 * 100 * 127.9 ^ 2) * 3.893793721e8 }')
check "estimate has the cross section, $exact pb" sigma "$T/e.json" "$exact"

# ---- unweighted events: 1 + cos^2 has E cos^2 = 2/5 with a standard deviation of .3117, E cos^4 = 9/35 with .3112; in phi they
# are even, E phi^2 = 1/3 with .2981. 4.5 standard errors of three figures: a false alarm in one of 50,000 seeds.
expect "events are unweighted" 0 sample "$T/m/student/model.safetensors" -n 20000 --exact rejection -o "$T/events.csv"
check "by rejection, of which it is told what is kept" grep -q 'rejection: 0\.[89].* of the proposals are kept' "$T/err"
moments() {
    awk -F, 'function far(sum, want, sd) { return (sum / n - want) / sd * sqrt(n) > 4.5 || (sum / n - want) / sd * sqrt(n) < -4.5 }
        NR > 1 { c = $4 / $1; f = atan2($3, $2) / (2 * atan2(0, -1)); f += f < 0; a += c * c; b += c ^ 4; d += f * f; n++
                 if ($1 + $5 > 10 + 1e-12 || $1 + $5 < 10 - 1e-12 || $4 + $8 > 1e-12 || $4 + $8 < -1e-12) bad = 1 }
        END { print n, a / n, b / n, d / n; exit bad || n != 20000 || far(a, 2 / 5, .3117) || far(b, 9 / 35, .3112) || far(d, 1 / 3, .2981) }' "$1"
}
check "they have the angles of the matrix element" moments "$T/events.csv"
expect "with three threads" 0 sample "$T/m/student/model.safetensors" -n 20000 --exact rejection --threads 3 -o "$T/again.csv"
check "the same events, bit for bit" cmp "$T/events.csv" "$T/again.csv"
expect "a bound that is too low" 0 sample "$T/m/student/model.safetensors" -n 1000 --exact rejection --bound 6.89 -o "$T/low.csv"
check "is told, with the weight above it" grep -q 'weigh more than the bound, and 0\.[0-9]* of all weight is above it' "$T/err"

# ---- a cut on the transverse momentum, 4 of 5 GeV: sin > .8, |cos| < .6
echo '{"energy": 10, "card": "card.dat", "pt_min": 4}' >"$T/cut.json"
expect "a student learns with a cut" 0 run "$T/muons.yaml" --quiet --set target.data="$T/cut.json" --set 'validate.require.unweighting_efficiency="> 0.5"' \
    --set 'validate.require.ess_reverse="> 0.6"' --out "$T/c"
check "efficiency after cuts is that before, over the share that is not cut" awk -v a="$(value "$T/c/validation.json" unweighting.efficiency)" \
    -v b="$(value "$T/c/validation.json" unweighting.madnis)" -v kept="$(value "$T/c/validation.json" unweighting.kept)" \
    'BEGIN { d = b * kept - a; exit !(kept < 0.95 && kept > 0.5 && d < 1e-12 && d > -1e-12) }'
"$DISTILL" estimate "$T/c/student/model.safetensors" -n 50000 --json >"$T/e.json" 2>"$T/err"
check "the cross section within the cut" sigma "$T/e.json" "$(awk -v all="$exact" 'BEGIN { print all * (.6 + .6 ^ 3 / 3) / (4 / 3) }')"
expect "a gate that it does not keep" 1 run "$T/muons.yaml" --quiet --set target.data="$T/cut.json" --set student.train.steps=10 --set student.train.warmup=0 --out "$T/g"
check "fails by its name" grep -q 'unweighting_efficiency is 0\.[0-9]*, wanted > 0.75' "$T/g/validation.json"

# ---- looked at, and refused
expect "check-target" 0 check-target "$LIBRARIES/umami_flat.so" --options '{"energy": 10}'
check "tells its columns" grep -q '5 dimensions (mass2, cos1, phi1, cos2, phi2); without gradient; any number of threads' "$T/out"
refused "no energy" 78 "energy' is missing" check-target "$LIBRARIES/umami.so"
refused "no such card" 66 "card: .*nix.dat: No such file" check-target "$LIBRARIES/umami.so" --options '{"energy": 10, "card": "nix.dat"}'
refused "a symbol that is missing" 65 "no symbol 'umami_free'" check "$T/muons.yaml" --set "target.path=$LIBRARIES/umami_missing.so"
refused "another version" 65 "version 2 of UMAMI" check "$T/muons.yaml" --set "target.path=$LIBRARIES/umami_new.so"
echo '{"energy": 10, "parameters": {"status": 0.9}}' >"$T/bad.json"
refused "a status in the middle of a run" 65 "umami_matrix_element failed: status 1: an error" run "$T/muons.yaml" --quiet --set target.data="$T/bad.json" --out "$T/b"
echo '{"energy": 10, "parameters": {"nan": 0.999}}' >"$T/nan.json"
expect "a run goes on where some rows are not a number" 0 run "$T/muons.yaml" --quiet --set target.data="$T/nan.json" --set validate.require=null --out "$T/n"
check "they are counted" test "$(value "$T/n/validation.json" broken.reverse.count)" -gt 0
