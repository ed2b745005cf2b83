#!/bin/bash
# Modes that are far from each other keep their shares: by students that start as their teacher, and by others.
. tests/e2e/lib.sh

# Three Gaussians forty standard deviations apart, of weights .6, .3, .1.
awk 'function normal() { return sqrt(-2 * log(1 - rand())) * cos(6.283185307 * rand()) }
    BEGIN { srand(5); print "x,y"
        for (i = 0; i < 8000; i++) { u = i % 10; printf "%.6f,%.6f\n", (u > 5 && u < 9) * 40 + normal(), (u > 8) * 40 + normal() } }' >"$T/far.csv"
cat >"$T/far.yaml" <<Y
schema: 1
seed: 4
data: {path: far.csv, split: seed}
teacher:
  flow: {layers: 3, hidden: [32, 32]}
  train: {epochs: 25, lr: 3e-3}
student:
  layerwise: {steps: 300}
  train: {steps: 300}
validate: {samples: 4000}
export: {samples: 20000, file: x.csv}
Y

# off DIR: the largest error of a share.
off() {
    awk -F , 'NR > 1 { n++; k[$1 > 20 ? 1 : $2 > 20 ? 2 : 0]++ }
        function far(share, want) { return share > want ? share - want : want - share }
        END { a = far(k[0] / n, .6); b = far(k[1] / n, .3); c = far(k[2] / n, .1); a = b > a ? b : a; print (c > a ? c : a) }' "$1/export/x.csv"
}
at_most() { awk -v v="$1" -v most="$2" 'BEGIN { exit !(v != "" && v < most) }'; }

expect "a student that starts as its teacher" 0 run "$T/far.yaml" --quiet --out "$T/follows"
check "has the shares of far modes, but for $(off "$T/follows")" at_most "$(off "$T/follows")" .02

sed -e '/layerwise/d' -e 's/^  train: {steps: 300}/  flow: {layers: 3, hidden: [32, 32]}\n  train: {steps: 2000, forward: 0.5}/' \
    "$T/far.yaml" >"$T/iaf.yaml"
expect "one of random weights, half on own samples" 0 run "$T/iaf.yaml" --quiet --out "$T/iaf"
check "has them, too, but for $(off "$T/iaf")" at_most "$(off "$T/iaf")" .02
