#!/bin/bash
# Numbers that are functions of a row: a Stan model's parameters in samples, export and estimates; those of a plug-in and of
# a library that has nothing else; where there is no library; rows that have none.
. tests/e2e/lib.sh

PLUGINS=$PWD/$BUILD
case $DISTILL in */distill) PLUGINS=$PWD/${DISTILL%/distill} ;; esac
STAN=$PLUGINS/tests/plugins/stan.so

cat >"$T/stan.yaml" <<Y
seed: 3
target: {kind: plugin, path: $STAN, data: d.json, log_z: 0}
student: {recipe: none, flow: {layers: 1, hidden: [8]}, pilot_rows: 256, train: {steps: 100, warmup: 5}}
validate: {samples: 1000, chain: off}
export: {samples: 500, file: x.csv}
Y
echo '{"mu": 1.5, "sd": 0.3}' >"$T/d.json"
run=$T/stan
student=$run/student/model.safetensors

# ---- the run, and samples
expect "a student of a Stan model" 0 run "$T/stan.yaml" --quiet --out "$run"
check "the run's samples have its parameters" test "$(head -n 1 "$run/export/x.csv")" = tau,theta.1,theta.2
check "and tau is above 0" awk -F, 'NR > 1 && !($1 > 0) { bad = 1 } END { exit bad || NR != 501 }' "$run/export/x.csv"
expect "a run is a model" 0 sample "$run" -n 500 --seed 3
check "whose samples those are" cmp "$T/out" "$run/export/x.csv"
expect "the model's own columns" 0 sample "$run" -n 500 --quantities none --seed 3 -o "$T/u.csv"
check "are as many" awk -F, 'NR > 1 && $1 < 0 { n++ } END { exit !(n > 100 && NR == 501) }' "$T/u.csv"
check "of which they are functions" sh -c 'paste -d, "$1" "$2" | awk -F, '\''NR > 1 { d = $1 / exp($4) - 1; if (d > 1e-12 || d < -1e-12 || $2 != $5 || $3 != $6) exit 1 }'\' - "$run/export/x.csv" "$T/u.csv"
expect "all of them" 0 sample "$run" -n 500 --quantities all --logp --weights --seed 3 -o "$T/all.csv"
check "by Stan's names" test "$(head -n 1 "$T/all.csv")" = tau,theta.1,theta.2,gap,guess,log_q,log_w
check "follow from each other" awk -F, 'NR > 1 { d = $4 * $1 - ($3 - $2); if (d > 1e-9 || d < -1e-9 || $5 < $2 || $5 > $2 + $1) exit 1 }' "$T/all.csv"
expect "the same with three threads" 0 sample "$run" -n 500 --quantities all --logp --weights --seed 3 --threads 3
check "is the same, bit for bit" cmp "$T/out" "$T/all.csv"
expect "the rows from 200 on" 0 sample "$run" -n 300 --first 200 --seed 3
check "are those" sh -c 'head -n 1 "$1"; tail -n 300 "$1"' - "$run/export/x.csv"
check "bit for bit" sh -c '{ head -n 1 "$1"; tail -n 300 "$1"; } | cmp - "$2"' - "$run/export/x.csv" "$T/out"
expect "a .npy" 0 sample "$run" -n 500 --quantities all -o "$T/x.npy"
expect "on stdout, too" 0 sample "$run" -n 500 --quantities all --format npy
check "the same bytes" cmp "$T/out" "$T/x.npy"
check "of five columns" sh -c 'head -c 128 "$1" | grep -aq "(500, 5)"' - "$T/x.npy"
expect "in workers" 0 run "$T/stan.yaml" --quiet --set target.workers=2 --out "$T/workers"
check "the same samples" cmp "$T/workers/export/x.csv" "$run/export/x.csv"
expect "none in the export" 0 run "$T/stan.yaml" --quiet --set export.quantities=none --out "$T/none"
check "are the columns" sh -c 'cmp "$1" "$2"' - "$T/none/export/x.csv" "$T/u.csv"
expect "all in the export" 0 run "$T/stan.yaml" --quiet --set export.quantities=all --out "$T/every"
check "with their names" test "$(head -n 1 "$T/every/export/x.csv")" = tau,theta.1,theta.2,gap,guess

# mean of tau exp(.5), of gap 0, of guess 1.5 + exp(.5) / 2: within 4.5 standard errors (a false alarm in 2e-5). Of gap the
# sd is .3 sqrt(2) exp(1), of guess sqrt(.09 + var(tau) / 4 + E[tau^2] / 12).
means() {
    awk -F, -v n="$2" 'NR > 1 { a += $1; b += $4; c += $5; k++ }
        function far(sum, want, sd) { return (sum / k - want) / sd * sqrt(n) > 4.5 || (sum / k - want) / sd * sqrt(n) < -4.5 }
        END { exit k == 0 || far(a, exp(.5), sqrt((exp(1) - 1) * exp(1))) || far(b, 0, .3 * sqrt(2) * exp(1)) || far(c, 1.5 + exp(.5) / 2, sqrt(.09 + (exp(1) - 1) * exp(1) / 4 + exp(2) / 12)) }' "$1"
}
for how in sir imh rejection; do
    expect "$how" 0 sample "$run" -n 4000 --exact "$how" --quantities all -o "$T/$how.csv"
    check "$how: means that are known" means "$T/$how.csv" "$([ $how = imh ] && echo 1500 || echo 3200)"
done

# ---- estimates
near() { # KEY WANT: within 4.5 of its errors, which are small
    awk -v got="$(value "$T/out" "columns.$1.value")" -v se="$(value "$T/out" "columns.$1.se")" -v want="$2" \
        'BEGIN { d = got - want; exit !(se > 0 && se < .2 && d < 4.5 * se && d > -4.5 * se) }'
}
expect "estimates are of the parameters" 0 estimate "$run" -n 40000 --json
check "mean of exp(u)" near tau.mean 1.6487212707
check "its sd" near tau.sd 2.1611974158
check "its median" near tau.quantiles.2 1
check "its upper quantile" near tau.quantiles.4 7.0994785
check "no more than these" sh -c '! grep -q gap "$1"' - "$T/out"
cp "$T/out" "$T/before"
expect "with three threads" 0 estimate "$run" -n 40000 --json --threads 3
check "the same" cmp "$T/out" "$T/before"
expect "by name, others than the usual ones, too" 0 estimate "$run" -n 40000 --of gap,tau,guess --json
check "of gap" near gap.mean 0
check "of guess" near guess.mean 2.3243606354
expect "of the columns" 0 estimate "$run" -n 40000 --quantities none --json
check "log tau" near tau.mean 0
expect "a name that is none" 64 estimate "$run" --of tau,nix
check "is named" grep -q "no column or quantity 'nix'; the first is 'tau'" "$T/err"
expect "a word that is none" 64 sample "$run" -n 3 --quantities some
check "is told from those that are" grep -q "none, usual or all, got 'some'" "$T/err"

# ---- of a library
expect "a function of the columns" 0 estimate "$run" -n 40000 --function "$PLUGINS/plugin/radius.so" --options theta.1,theta.2 --of radius --json
check "has a line of its own alone" sh -c '! grep -q tau "$1"' - "$T/out"
check "mean square of a radius" awk -v mean="$(value "$T/out" columns.radius.mean.value)" -v sd="$(value "$T/out" columns.radius.sd.value)" 'BEGIN { d = mean * mean + sd * sd - 4.68; exit !(d < .05 && d > -.05) }'
expect "is given the parameters" 0 estimate "$run" -n 40000 --function "$PLUGINS/tests/plugins/derived.so" --options of=tau --of square,tau --json
check "mean of tau^2" awk -v got="$(value "$T/out" columns.square.mean.value)" -v se="$(value "$T/out" columns.square.mean.se)" 'BEGIN { d = got - exp(2); exit !(se > 0 && se < .5 && d < 4.5 * se && d > -4.5 * se) }'
expect "or the columns" 0 estimate "$run" -n 40000 --quantities none --function "$PLUGINS/tests/plugins/derived.so" --options of=tau --of exp --json
check "whose exp is known" near exp.mean 1.6487212707
expect "in samples" 0 sample "$run" -n 20 --function "$PLUGINS/plugin/radius.so" --options theta.1
check "it stands behind" test "$(head -n 1 "$T/out")" = tau,theta.1,theta.2,radius
check "and is right" awk -F, 'NR > 1 && ($4 - $2 > 1e-15 || $4 - $2 < -1e-15) { exit 1 }' "$T/out"
refused "a column that is none" 65 "radius.so: its quantities could not be opened: options: there is no column 'phi'" sample "$run" -n 3 --function "$PLUGINS/plugin/radius.so" --options phi
refused "no such library" 66 "nix.so: No such file" sample "$run" -n 3 --function nix.so
refused "no quantities in it" 65 "no symbol 'distill_quantities'" sample "$run" -n 3 --function "$PLUGINS/plugin/banana.so"
expect "options for nothing" 64 sample "$run" -n 3 --options x
check "have no effect" grep -q "has no effect without --function" "$T/err"
expect "names that are there twice" 65 sample "$run" -n 3 --quantities none --function "$PLUGINS/tests/plugins/derived.so" --options does=column
# Any model, and a plug-in with quantities of its own.
sed "s|path: .*|path: $PLUGINS/tests/plugins/both.so}|" "$T/stan.yaml" >"$T/both.yaml"
expect "a student of a plug-in with quantities" 0 run "$T/both.yaml" --quiet --out "$T/both"
check "which stand behind its columns" test "$(head -n 1 "$T/both/export/x.csv")" = x,y,radius
check "and are right" awk -F, 'NR > 1 { d = sqrt($1 * $1 + $2 * $2) - $3; if (d > 1e-9 || d < -1e-9) exit 1 }' "$T/both/export/x.csv"
expect "all" 0 sample "$T/both" -n 3 --quantities all
check "are more" test "$(head -n 1 "$T/out")" = x,y,radius,angle
expect "a function beside them" 65 sample "$T/both" -n 3 --function "$PLUGINS/plugin/radius.so"
check "has other names" grep -q "are called 'radius'" "$T/err"
expect "none" 0 sample "$T/both" -n 3 --quantities none --function "$PLUGINS/plugin/radius.so"
check "and the same made elsewhere" test "$(head -n 1 "$T/out")" = x,y,radius

# ---- where the library is not
cp "$student" "$T/alone.safetensors"
refused "a model that lies nowhere" 64 "say --target FILE; the quantities of its target (tau, theta.1, theta.2) .* --quantities none takes the model's own columns" sample "$T/alone.safetensors" -n 3
expect "which can be had" 0 sample "$T/alone.safetensors" -n 500 --quantities none --seed 3
check "as ever" cmp "$T/out" "$T/u.csv"
expect "or with the config" 0 sample "$T/alone.safetensors" -n 500 --target "$T/stan.yaml" --seed 3
check "as in the run" cmp "$T/out" "$run/export/x.csv"
refused "another target" 64 "this target has no quantities; .*tau" sample "$run" -n 3 --weights --target <(echo 'target: {kind: gaussian, dim: 3}')
sed "s|/stan.so|/stan_simplex.so|" "$T/stan.yaml" >"$T/simplex.yaml"
expect "quantities of another target" 64 sample "$run" -n 3 --target "$T/simplex.yaml"
check "are not these" grep -q "error: the model was made for a target with 3 quantities, and this one has 4" "$T/err"
mv "$T/d.json" "$T/gone.json"
refused "a run whose data are gone" 66 "d.json: No such file.*--quantities none" sample "$run" -n 3
mv "$T/gone.json" "$T/d.json"
cat >"$T/gauss.yaml" <<Y
seed: 3
target: {kind: gaussian, dim: 2}
student: {recipe: none, flow: {layers: 1, hidden: [8]}, start: plain, train: {steps: 2, warmup: 0}}
validate: {samples: 1000}
export: {samples: 5, file: x.csv}
Y
refused "all of a target that has none" 78 "export.quantities: all: the target has none" check "$T/gauss.yaml" --set export.quantities=all
expect "quantities of no samples" 78 check "$T/gauss.yaml" --set export.samples=0 --set export.quantities=none
check "have no effect" grep -q "export.quantities has no effect" "$T/err"
expect "a student without" 0 run "$T/gauss.yaml" --quiet --out "$T/gauss"
refused "all of it" 64 "the target has none" sample "$T/gauss" -n 3 --quantities all
expect "a function of it" 0 estimate "$T/gauss" -n 40000 --function "$PLUGINS/tests/plugins/derived.so" --json
check "whose mean is known" near exp.mean 1.6487212707
check "and mean square" near square.mean 1

expect "one that prints" 0 sample "$T/gauss" -n 20 --function "$PLUGINS/tests/plugins/derived.so" --options does=print
check "is not in the samples" awk -F, 'NF != 5 || /word/ { exit 1 }' "$T/out"
check "but on stderr" grep -q "a word on stdout" "$T/err"
case $DISTILL in
*/address/*) ;; # a crash is the sanitizer's there
*)
    run sample "$T/gauss" -n 200 --function "$PLUGINS/tests/plugins/derived.so" --options does=crash
    check "a crash is a crash" test "$status" -eq 139
    check "and is named" grep -q "error: function: .*derived.so: the plug-in crashed (SIGSEGV)$" "$T/err"
    ;;
esac

# Where columns and quantities have the same names they must not be taken for each other.
expect "log q of rows" 0 logp "$run" "$T/u.csv"
check "says which they are" grep -q "rows are taken as the model's own columns" "$T/err"
expect "of a target without quantities" 0 logp "$T/gauss" "$T/gauss/export/x.csv"
check "nothing is said" sh -c '! grep -q "own columns" "$1"' - "$T/err"
sed "s|kind: plugin.*|kind: model, path: $student}|; s|pilot_rows: 256, ||" "$T/stan.yaml" >"$T/again.yaml"
expect "a student of the student" 0 run "$T/again.yaml" --out "$T/again"
check "has its columns" sh -c 'awk -F, "NR > 1 && \$1 < 0 { n++ } END { exit !(n > 100) }" "$1"' - "$T/again/export/x.csv"
check "which is said" grep -q "columns of the model that was learnt from" "$T/err"
expect "and with the config" 0 sample "$T/again" -n 500 --target "$T/stan.yaml"
check "the parameters" awk -F, 'NR > 1 && !($1 > 0) { exit 1 }' "$T/out"
sed "s|target: .*|target: {kind: draws, path: $T/u.csv, of: {kind: plugin, path: $STAN, data: d.json}}|" "$T/stan.yaml" >"$T/draws.yaml"
expect "a target with draws beside it" 0 run "$T/draws.yaml" --quiet --out "$T/draws"
check "has quantities, too" test "$(head -n 1 "$T/draws/export/x.csv")" = tau,theta.1,theta.2

# ---- rows that have none: theta.1 above 1.8 is where the model throws; a share of .16
echo '{"mu": 1.5, "sd": 0.3, "does": "limit", "edge": 1.8}' >"$T/d.json"
expect "rows without" 0 sample "$run" -n 1000 --quantities all
check "have nan" awk -F, 'NR > 1 { n += /nan,nan,nan,nan,nan/ } END { exit !(n > 80 && n < 260) }' "$T/out"
check "are counted" grep -q "warning: $(grep -c '^nan' "$T/out") of 1000 samples have no quantities of the target" "$T/err"
first=$(awk -F, 'NR > 1 && /nan/ { print NR - 2; exit }' "$T/out")
check "the first is named, with what the model says" grep -q "sample $first: validate transformed params: gap is 7" "$T/err"
expect "the parameters alone are there" 0 sample "$run" -n 1000
check "in all rows" sh -c '! grep -q nan "$1" && ! grep -q "no quantities" "$2"' - "$T/out" "$T/err"
expect "too many for an estimate" 65 estimate "$run" -n 20000 --of gap
check "it says how many" grep -q "'gap' is not finite at samples that have 0.1[0-9]* of the weight, more than 0.05; --of" "$T/err"
echo '{"mu": 1.5, "sd": 0.3, "does": "limit", "edge": 2.2}' >"$T/d.json"
expect "few of them" 0 estimate "$run" -n 20000 --of gap
check "are told" grep -q "'gap' is of the samples where it is finite" "$T/err"
echo '{"mu": 1.5, "sd": 0.3, "does": "infinite", "edge": 2.2}' >"$T/d.json"
expect "values that are infinite" 0 sample "$run" -n 1000
check "are told, with place and name" grep -q "in [0-9]* of 1000 samples a quantity is not finite; the first, sample [0-9]*: 'tau' is inf" "$T/err"
echo '{"mu": 1.5, "sd": 0.3, "does": "limit", "edge": -9}' >"$T/d.json"
expect "no row has any" 65 sample "$run" -n 50 --quantities all -o "$T/never.csv"
check "is an error" grep -q "error: not one of 50 samples has the quantities of the target: validate" "$T/err"
check "which leaves no file" test ! -e "$T/never.csv"
