#!/bin/bash
# A real Stan model, from its text to draws: built by Debian's packages, which `make test-deps` does not install (300 MB of R;
# apt-get install r-cran-rstan g++). Skipped without them. Of a minute of a processor two thirds are the compiler's.
. tests/e2e/lib.sh

MODEL=eight_schools_noncentered
GOLDEN=$PWD/tests/teacher/golden/$MODEL.csv
build() { tests/stan/build.sh tests/stan/$MODEL.stan "$T/$1.so" 2>"$T/err"; }
build one
case $? in
0) ok "a Stan model is built" ;;
69) skip "a real Stan model" "$(cat "$T/err")" && exit ;;
*) not_ok "a Stan model is built" "$(cat "$T/err")" && exit ;;
esac
export STAN_THREADS=true
check "and for several threads" build many
unset STAN_THREADS
tests/stan/data.sh $MODEL >"$T/d.json"

# ---- its density
for which in one many; do
    expect "nothing is wrong with it, of $which" 0 check-target "$T/$which.so" --options "$T/d.json"
    check "nor with its gradient" grep -q "central differences, 0 off by more" "$T/out"
    check "nor with its bits" grep -q "by three threads: all 512 rows" "$T/out"
done
check "the threads it is for are known" grep -q "any number of threads" "$T/out"
density() { "$BUILD/tests/e2e/density" "$@"; }
plugin="{\"kind\": \"plugin\", \"path\": \"$T/one.so\", \"data\": \"$T/d.json\"}"
density "$plugin" "$GOLDEN" >"$T/real"
density "{\"kind\": \"posterior\", \"model\": \"$MODEL\"}" "$GOLDEN" >"$T/ours"
tail -n +2 "$GOLDEN" | cut -d, -f 11- >"$T/golden"
check "log p and its gradient are those of the posterior that is built in" same_numbers "$T/ours" "$T/real" 1e-12
check "and those of another Stan, through BridgeStan itself" same_numbers "$T/golden" "$T/real" 1e-12
printf '0,0,0,0,0,0,0,0,4,800\n1,1,1,1,1,1,1,1,1,1\n' >"$T/far.csv"
check "where it throws there is no density" test "$(density "$plugin" "$T/far.csv" | cut -d ' ' -f 1 | head -n 1)" = -inf

# ---- its parameters
"$BUILD/tests/e2e/constrain" "$T/one.so" "$T/d.json" "$GOLDEN" >"$T/constrained.csv"
check "its parameters have their names" grep -q '^theta_trans.1,.*,mu,tau,theta.1,.*,theta.8,back$' "$T/constrained.csv"
paste -d, "$T/constrained.csv" "$GOLDEN" >"$T/both.csv"
check "theta = mu + tau theta_trans, tau = e^u, and back" awk -F, '
    function near(a, b) { return (a - b) ^ 2 <= 1e-18 * (1 + b * b) }
    NR > 1 { for (i = 1; i <= 8; i++) bad += !near($(10 + i), $9 + $10 * $i)
             bad += !near($10, exp($29)) || !near($19, 0) }
    END { exit bad > 0 || NR < 10 }' "$T/both.csv"

# ---- what its data may lack
stan() { refused "$1" "$2" "$3" check-target "$T/one.so" --options "$4"; }
stan "no data" 65 "variable name=J" '{}'
stan "too few of them" 65 "dims declared=(8); dims found=(2)" '{"J": 8, "y": [1, 2], "sigma": [1, 2]}'
stan "data beyond a bound" 65 "sigma\[2\] is -2" '{"J": 2, "y": [1, 2], "sigma": [1, -2]}'
stan "nowhere a density" 65 "throws at each of 100 points" '{"J": 2, "y": ["NaN", 2], "sigma": [1, 2]}'

# ---- a student. log Z of the built-in posterior, which computes it.
cat >"$T/stan.yaml" <<Y
seed: 1
target: {kind: plugin, path: one.so, data: d.json, log_z: -32.00449}
validate: {require: {kl_reverse: "< 0.03", log_z_sigmas: "< 5"}}
Y
expect "a student learns it as well as the posterior that is built in" 0 run "$T/stan.yaml" --quiet --threads 1 --out "$T/s"
check "of which only one side was seen" test "$(value "$T/s/validation.json" verdict)" = '"unverified"'
"$DISTILL" sample "$T/s" -n 100000 --quantities none -o "$T/x.csv" >"$T/out"
"$BUILD/tests/e2e/constrain" "$T/one.so" "$T/d.json" "$T/x.csv" >"$T/y.csv"
expect "its samples are of the parameters, transformed ones behind" 0 sample "$T/s" -n 100000 --quantities all -o "$T/z.csv"
check "as the library itself has them" sh -c 'cut -d, -f 1-18 "$1" | cmp - "$2"' - "$T/y.csv" "$T/z.csv"
# Means and spreads by quadrature over log tau, at which all else is Gaussian (posteriordb's 10,000 reference draws are within
# .027 sd of them). Of 100,000 draws a mean has a standard error of .003 sd, and a spread one of at most .006 (tau: kurtosis
# 15): false alarm of the 36 below 1e-5.
cat >"$T/exact" <<'M'
theta_trans.1,0.31666,0.98847
theta_trans.2,0.09726,0.93771
theta_trans.3,-0.08555,0.96831
theta_trans.4,0.06160,0.94400
theta_trans.5,-0.16076,0.93066
theta_trans.6,-0.07223,0.94379
theta_trans.7,0.35673,0.96042
theta_trans.8,0.07561,0.97412
mu,4.39682,3.31770
tau,3.59771,3.21996
theta.1,6.21189,5.59313
theta.2,4.94018,4.67427
theta.3,3.92700,5.26262
theta.4,4.75710,4.78030
theta.5,3.61548,4.65745
theta.6,4.04261,4.82687
theta.7,6.29673,5.07785
theta.8,4.85425,5.29080
M
check "its means and spreads are the integrals', within .03 sd" awk -F, '
    NR == FNR { mean[$1] = $2; sd[$1] = $3; left++; next }
    FNR == 1 { for (i = 1; i < NF; i++) name[i] = $i; next }
    { for (i in name) { sum[i] += $i; square[i] += $i * $i } n++ }
    END { for (i in name) { k = name[i]; left--; m = sum[i] / n; s = sqrt(square[i] / n - m * m)
              if (!((m - mean[k]) ^ 2 < (.03 * sd[k]) ^ 2 && (s / sd[k] - 1) ^ 2 < .03 ^ 2)) {
                  print k ": " m ", " s ", not " mean[k] ", " sd[k]; bad = 1 } }
          exit bad || left }' "$T/exact" "$T/y.csv"

# ---- the same bits, whoever calls it
short=(--quiet --set student.recipe=none --set 'student.flow={layers: 2, hidden: [16, 16]}' --set student.pilot_rows=256
    --set student.train.steps=150 --set validate.samples=2000 --set validate.require=null --set validate.chain=off)
expect "a short run, one thread" 0 run "$T/stan.yaml" "${short[@]}" --threads 1 --out "$T/1"
expect "two threads in turn" 0 run "$T/stan.yaml" "${short[@]}" --threads 2 --out "$T/2"
expect "two workers" 0 run "$T/stan.yaml" "${short[@]}" --threads 2 --set target.workers=2 --out "$T/3"
expect "two threads at once" 0 run "$T/stan.yaml" "${short[@]}" --threads 2 --set "target.path=$T/many.so" --out "$T/4"
for other in 2 3 4; do
    check "$other: it is the same, bit for bit" cmp "$T/1/student/model.safetensors" "$T/$other/student/model.safetensors"
done
