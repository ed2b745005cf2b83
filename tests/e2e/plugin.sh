#!/bin/bash
# A density from a shared library: built as its header says, learnt from, held to its word; and whatever it may do wrong.
. tests/e2e/lib.sh

FAULTY=$PWD/$BUILD/tests/plugins/faulty.so
case $DISTILL in */distill) FAULTY=$PWD/${DISTILL%/distill}/tests/plugins/faulty.so ;; esac

# ---- the header and the example, as a user has them
line=$(sed -n 's/^ \* *\(cc .*banana.c -lm\).*/\1/p' plugin/banana.c)
cp -r plugin "$T/plugin"
check "the example is built by the line in it" sh -c "cd '$T' && ${line/#cc/${CC:-gcc} -Wall -Wextra -Wpedantic -Werror}"
check "the header is short" test "$(wc -l <plugin/distill_target.h)" -lt 60
if type g++ >/dev/null 2>&1; then
    cat >"$T/plus.cc" <<'C'
#include "distill_target.h"
static int open_it(void **, distill_about *about, const char *, char *) { about->dim = 1; return DISTILL_GOOD; }
static int row(void *, double *logp, double *, const double *x, char *) { *logp = -x[0] * x[0] / 2; return DISTILL_GOOD; }
const distill_target distill_plugin = {DISTILL_TARGET_VERSION, open_it, nullptr, nullptr, row};
C
    check "it is C++, too" g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -fvisibility=hidden -shared -fPIC -Iplugin -o "$T/plus.so" "$T/plus.cc"
    expect "and such a library is one" 0 check-target "$T/plus.so"
else
    skip "it is C++, too" "there is no g++"
fi

cat >"$T/banana.yaml" <<Y
seed: 3
target: {kind: plugin, path: banana.so, options: "bend=0.3"}
student: {recipe: none, flow: {layers: 2, hidden: [16, 16]}, pilot_rows: 256, train: {steps: 150, warmup: 5}}
validate: {samples: 2000, require: {missed_mass: "< 0.1"}}
export: {samples: 100, file: x.csv}
Y
expect "check opens it, beside the config" 0 check "$T/banana.yaml"
expect "a student learns from it" 0 run "$T/banana.yaml" --quiet --out "$T/here"
check "its columns have its names" test "$(head -n 1 "$T/here/export/x.csv")" = x,y
check "its log Z is known" test "$(value "$T/here/validation.json" kl_reverse.value)" != null
expect "in two workers" 0 run "$T/banana.yaml" --quiet --set target.workers=2 --threads 2 --out "$T/there"
check "it is the same, bit for bit" cmp "$T/here/student/model.safetensors" "$T/there/student/model.safetensors"
refused "options that it does not take" 65 "wanted bend=NUMBER, got 'bent'" check "$T/banana.yaml" --set target.options=bent
refused "no such library" 66 "nix.so: No such file" check "$T/banana.yaml" --set target.path=nix.so
refused "no library" 65 "cannot be loaded" check "$T/banana.yaml" --set "target.path=$T/banana.yaml"
refused "another version" 65 "version 8 of distill_target.h" check "$T/banana.yaml" --set "target.path=${FAULTY%faulty.so}old.so"
refused "no gradient, and an objective that wants one" 78 "gradient" check "$T/banana.yaml" --set "target.path=${FAULTY%faulty.so}plain.so" --set student.train.gradient=path

# A support is declared, and samples are inside. KL is absolute: log Z is known.
cat >"$T/bounded.yaml" <<Y
seed: 3
target: {kind: plugin, path: ${FAULTY%faulty.so}bounded.so}
student: {recipe: none, flow: {layers: 2, hidden: [16, 16]}, pilot_rows: 512, train: {steps: 400, warmup: 10}}
validate: {samples: 2000, require: {kl_reverse: "< 0.1"}}
export: {samples: 1000, file: x.csv}
Y
expect "a student of columns with ends" 0 run "$T/bounded.yaml" --quiet --out "$T/b"
check "whose samples are inside" awk -F, 'NR > 1 && !($1 > 0 && $2 < 5 && $3 > -1 && $3 < 3) { bad = 1 } END { exit bad || NR != 1001 }' "$T/b/export/x.csv"
"$DISTILL" sample "$T/b/student/model.safetensors" -n 20000 >"$T/x.csv"
check "and have its means" awk -F, 'NR > 1 { a += $1; b += $2; c += $3 } END { n = NR - 1; exit !(a / n > 2.9 && a / n < 3.1 && b / n > 3.9 && b / n < 4.1 && c / n > 0.55 && c / n < 0.65) }' "$T/x.csv"
printf '1,2,0,0\n1,2,7,0\n' >"$T/outside.csv"
refused "stored draws outside" 65 "is not between -1 and 3" check "$T/bounded.yaml" --set "target={kind: draws, path: $T/outside.csv, of: {kind: plugin, path: '${FAULTY%faulty.so}bounded.so'}}"

# ---- check-target
ends() { # NAME STATUS TEXT ARGUMENTS ...: ends so, and says that on stdout
    local name=$1 status=$2 text=$3 got
    shift 3
    "$DISTILL" check-target "$@" >"$T/out" 2>"$T/err"
    got=$?
    [ $got -eq "$status" ] && grep -q -- "$text" "$T/out" && ok "$name" && return
    not_ok "$name" "status $got, not $status, or not '$text'"
    tail -n 5 "$T/out" "$T/err"
}
ends "a good one" 0 "nothing is wrong" "$T/banana.so" --options bend=0.3
ends "of a config" 0 "nothing is wrong" "$T/banana.yaml" --set target.workers=1
ends "of columns with ends" 0 "nothing is wrong" "${FAULTY%faulty.so}bounded.so"
ends "any target" 0 "nothing is wrong" configs/targets/eight_schools.yaml
ends "a wrong gradient, with place and column" 65 "error: the gradient is wrong in .* in column 1 'v' at x = (" "$FAULTY" --options lie:1
ends "NaN" 65 "rows broke; the first: log p is nan at row" "$FAULTY" --options nan:1
ends "noise" 65 "error: asked again" "$FAULTY" --options noise
ends "rows that are not their own" 65 "error: asked for alone" "$FAULTY" --options position
ends "flat" 65 "error: flat" "$FAULTY" --options flat
ends "no density anywhere" 65 "no row has a density" "$FAULTY" --options nowhere
refused "options beside a config" 64 "target.options" check-target "$T/banana.yaml" --options x
refused "keys beside a library" 64 "for a config" check-target "$T/banana.so" --set seed=1
refused "no target" 78 "no target" check-target configs/power.yaml

# ---- a Stan model of BridgeStan's: its data from a file beside the config
sed "s|path: banana.so, options: \"bend=0.3\"|path: ${FAULTY%faulty.so}stan.so, data: d.json, log_z: 0|" "$T/banana.yaml" >"$T/stan.yaml"
echo '{"mu": 1.5, "sd": 0.3, "does": "throw", "edge": 2.9}' >"$T/d.json"
expect "a student learns from a Stan model" 0 run "$T/stan.yaml" --quiet --out "$T/stan"
check "its columns have the names of its parameters" test "$(head -n 1 "$T/stan/export/x.csv")" = tau,theta.1,theta.2
check "it is learnt" awk -v kl="$(value "$T/stan/validation.json" kl_reverse.value)" 'BEGIN {exit !(kl ~ /^-?[0-9]/ && kl < 0.05)}'
expect "in two workers" 0 run "$T/stan.yaml" --quiet --set target.workers=2 --threads 2 --out "$T/stans"
check "it is the same, bit for bit" cmp "$T/stan/student/model.safetensors" "$T/stans/student/model.safetensors"
sed 's/pilot_rows: 256/start: plain/' "$T/stan.yaml" >"$T/thrown.yaml"
expect "a run goes on where the model throws" 0 run "$T/thrown.yaml" --quiet --out "$T/thrown"
check "such points are counted" test "$(value "$T/thrown/validation.json" student.zero_density_rows)" -gt 0
check "and are not broken" test "$(value "$T/thrown/validation.json" student.broken_rows.count)" = 0
ends "it is looked at with its data" 0 "nothing is wrong" "${FAULTY%faulty.so}stan.so" --options "$T/d.json"
refused "no data" 66 "data: .*nix.json: No such file" check "$T/stan.yaml" --set target.data=nix.json
expect "data twice" 78 check "$T/stan.yaml" --set target.options=x
check "which the finding says" grep -q "data cannot stand beside options" "$T/err"
refused "another BridgeStan" 65 "built with BridgeStan 3" check "$T/stan.yaml" --set "target.path=${FAULTY%faulty.so}stan_new.so"

# ---- stdout is ours
"$DISTILL" check-target "$FAULTY" --options print >"$T/out" 2>"$T/err"
check "what it prints is not in the output" sh -c '! grep -q "a word on" "$1" && grep -q "a word on" "$2"' - "$T/out" "$T/err"
sed "s|banana.so|$FAULTY|; s|bend=0.3|print|" "$T/banana.yaml" >"$T/faulty.yaml"
check "nor in that of a run" test "$("$DISTILL" run "$T/faulty.yaml" --quiet --out "$T/p" 2>"$T/err")" = "$T/p"
check "nor from a worker" test "$("$DISTILL" run "$T/faulty.yaml" --quiet --set target.workers=1 --out "$T/p" 2>"$T/err")" = "$T/p"

# ---- a library that ends the process
refused "exit() is named" 65 "faulty.so: the plug-in called exit()" check-target "$FAULTY" --options exit
case $DISTILL in
*/address/*) ;; # a crash is the sanitizer's there
*)
    run check-target "$FAULTY" --options crash
    check "a crash is a crash" test "$status" -eq 139
    check "and is named" grep -q "faulty.so: the plug-in crashed (SIGSEGV)" "$T/err"
    ;;
esac

# ---- workers. Some ten rows of 40,000 are beyond the edge.
sed 's/pilot_rows: 256/start: plain/; s/, require: {[^}]*}//' "$T/faulty.yaml" >"$T/plain.yaml"
for word in crash exit; do
    expect "a run goes on after $word" 0 run "$T/plain.yaml" --quiet --set "target.options=$word:3.6" --set target.workers=2 --set validate.chain=off --out "$T/$word"
    check "the row is named" grep -q "warning: target: .*faulty.so: its worker .* at x = (" "$T/err"
    check "and counted" test "$(value "$T/$word/validation.json" student.broken_rows.count)" -gt 0
done
check "the same, however it ended" cmp "$T/crash/student/model.safetensors" "$T/exit/student/model.safetensors"
start=$SECONDS
expect "one that hangs ends in time" 65 run "$T/faulty.yaml" --quiet --set target.options=hang:0.5 --set target.workers=1 --set target.timeout=0.5 --out "$T/h"
check "and is named" grep -q "did not answer within 0.5 s at x = (" "$T/err"
check "with no time lost beyond that" test $((SECONDS - start)) -lt 60

"$DISTILL" run "$T/faulty.yaml" --quiet --set target.options=hang:0 --set target.workers=1 --set target.timeout=600 --out "$T/k" >"$T/out" 2>"$T/err" &
pid=$!
worker= before=
for _ in $(seq 100); do # the one that stays: another is there for the check before the run
    sleep 0.3
    worker=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null | tr -d ' ')
    [ -n "$worker" ] && [ "$worker" = "$before" ] && break
    before=$worker
done
{ kill -9 $pid && wait $pid; } 2>/dev/null
for _ in $(seq 50); do [ -d "/proc/$worker" ] && sleep 0.1; done
check "a worker does not outlive a run that is killed" test -n "$worker" -a ! -d "/proc/$worker"
