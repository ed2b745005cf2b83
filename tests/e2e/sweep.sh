#!/bin/bash
# distill sweep: every point is a run of its own, by a plain command that others may start as well; what is done is not done again.
. tests/e2e/lib.sh
set -m # so that background jobs do not ignore SIGINT
program=$(realpath "$DISTILL")
mkdir "$T/work" "$T/path" && ln -s "$program" "$T/path/distill"
PROBE=$(realpath "$PROBE") configs=$PWD/configs
cd "$T/work" || exit 1
DISTILL=$program

cat >s.yaml <<'Y'
seed: 3
data: {generator: rings, rows: 2000}
teacher: {flow: {layers: 2, hidden: [8]}, train: {epochs: 1, warmup: 0}}
student: {flow: {kind: iaf, layers: 2, hidden: [8]}, train: {steps: 20, warmup: 0}}
validate: {samples: 500}
sweep:
  grid: {student.flow.layers: [1, 2], "student.flow.hidden": [[8], [4, 4]]}
  select: {metric: ess_reverse}
Y
run check s.yaml
check "a run takes no notice of the section" test "$status" -eq 0
run sweep s.yaml --list --csv
check "--list: all points are left" test "$status" -eq 0 -a "$(grep -c ',left,' "$T/out")" -eq 4 -a ! -e runs
run sweep s.yaml --commands
cp "$T/out" commands
check "--commands: plain commands" test "$(head -n 1 commands)" = \
    "distill run s.yaml --set student.flow.layers=1 --set 'student.flow.hidden=[8]' --out runs/s-sweep/student.flow.layers=1,student.flow.hidden=_8_-$(sed -n '1s/.*-//p' commands)"

# One point by its command, then the others, two at a time.
check "a command runs its point" env PATH="$T/path:$PATH" sh -c "$(head -n 1 commands)"
run sweep s.yaml --list --csv
check "which is done then" test "$(grep -c ',done,' "$T/out")" -eq 1
run sweep s.yaml -j 2 --json
cp "$T/out" table.json
check "the sweep runs the others" test "$status" -eq 0 -a "$(grep -c '^\[./4\] ' "$T/err")" -eq 3
check "its table has them all" test "$(grep -c '"state": "done"' table.json)" -eq 4
best=$(grep -B3 -A12 '"best": true' table.json | sed -n 's/.*"dir": "\(.*\)".*/\1/p')
most=$(for d in runs/s-sweep/student*/; do value "$d/validation.json" ess_reverse.value; done | sort -g | tail -n 1)
check "the best has the most" test "$(value runs/s-sweep/best/validation.json ess_reverse.value)" = "$most" -a -n "$best"
check "results.csv has a row for each" test "$(wc -l <runs/s-sweep/results.csv)" -eq 5
check "one teacher is trained, and is all of theirs" test "$(stat -c %h runs/s-sweep/student*/stages/teacher-*/model.safetensors | tr '\n' ' ')" = "4 4 4 4 "
before=$(cat runs/s-sweep/*/validation.json | cksum)
run sweep s.yaml
check "again: nothing is run" test "$status" -eq 0 -a ! -s "$T/err" -a "$before" = "$(cat runs/s-sweep/*/validation.json | cksum)"
run sweep s.yaml --set validate.samples=600 --list --csv
check "with another config, no point is done" test "$(grep -c ',left,' "$T/out")" -eq 4
"$DISTILL" run s.yaml --set student.flow.layers=2 --set 'student.flow.hidden=[4, 4]' --quiet --out alone >/dev/null
check "a point is what its command alone makes" cmp -s alone/student/model.safetensors "$(echo runs/s-sweep/student.flow.layers=2*_4,_4_*[0-9a-f]/student/model.safetensors)"

# A list, points that fail a gate, and points that cannot run.
cat >l.yaml <<'Y'
seed: 3
data: {generator: rings, rows: 2000}
teacher: {flow: {layers: 1, hidden: [8]}, train: {epochs: 1, warmup: 0}}
student: {flow: {kind: iaf, layers: 1, hidden: [8]}, train: {steps: 10, warmup: 0}}
validate: {samples: 500}
sweep:
  list: [{seed: 4}, {seed: 5, validate.require.ess_reverse: "> 2"}]
Y
run sweep l.yaml
check "a gate that fails: exit code 1" test "$status" -eq 1 -a "$(grep -c 'gate failed' "$T/err")" -eq 1
check "and is not the best" grep -q '^best by kl_reverse: runs/l-sweep/seed=4$' "$T/out"
sed -i 's/seed: 4}/data.rows: 3}/' l.yaml
run sweep l.yaml
check "a point that cannot run: its exit code, its log, and the others all the same" test "$status" -eq 65 -a -s "runs/l-sweep/data.rows=3.log" -a -n "$(grep 'exit code 65, see ' "$T/err")"

# What is wrong is told before anything runs.
printf 'data: {generator: rings}\nsweep: {grid: {student.flow.layrs: [1]}}\n' >w.yaml
run sweep w.yaml
check "a key that is none" test "$status" -eq 78 -a -n "$(grep "did you mean 'layers'" "$T/err")"
printf 'data: {generator: rings}\nsweep: {grid: {seed: 1}, select: {metric: kl_revers, mode: most}}\n' >w.yaml
run check w.yaml
check "a section that is wrong, all at once" test "$status" -eq 78 -a "$(grep -c ' error: ' "$T/err")" -eq 3 -a -n "$(grep "did you mean 'kl_reverse'" "$T/err")"
run sweep "$configs/power.yaml"
check "a config without the section" test "$status" -eq 78
run explain sweep.grid
check "explain knows it" test "$status" -eq 0 -a -n "$(grep 'A run of the\|Keys, with dots' "$T/out")"

# Ctrl-C, and on with it.
sed 's/steps: 20,/steps: 100000000,/; s/\[1, 2\]/[1]/; s/\[\[8\], \[4, 4\]\]/[[8], [16]]/' s.yaml >long.yaml
"$DISTILL" sweep long.yaml -j 2 >"$T/out" 2>"$T/err" </dev/null &
job=$!
for _ in $(seq 600); do [ "$(cat runs/long-sweep/*/student/metrics.jsonl 2>/dev/null | wc -l)" -gt 0 ] && break; sleep 0.1; done
kill -INT $job
wait $job
check "SIGINT: exit code 130" test $? -eq 130
check "it says how to go on" grep -q 'the same command goes on' "$T/err"
check "no point is left at work" test -z "$(pgrep -f "run long.yaml .*--out runs/long-sweep" -P $job)"
run sweep long.yaml --list --csv
check "none is done" test "$(grep -c ',left,' "$T/out")" -eq 2

# The examples beside configs/sweeps/steps.yaml.
sed 's/\[1, 2\]/[1]/' s.yaml >p.yaml
export PATH=$T/path:$PATH
"$DISTILL" sweep p.yaml --commands >points.txt
SLURM_ARRAY_TASK_ID=2 bash "$configs/sweeps/slurm.sh" points.txt >/dev/null 2>&1
check "a task of a Slurm array runs its point" test "$("$DISTILL" sweep p.yaml --list --csv | sed -n 3p | grep -c ',done,')" -eq 1
if parallel --version 2>/dev/null | grep -q "^GNU parallel"; then
    check "GNU parallel runs them all" sh "$configs/sweeps/parallel.sh" p.yaml
    check "and the table is there" test "$("$DISTILL" sweep p.yaml --list --csv | grep -c ',done,')" -eq 2
else
    skip "the points by GNU parallel" "it is not installed"
fi
if command -v snakemake >/dev/null; then
    check "Snakemake runs them all" snakemake -j 1 -s "$configs/sweeps/Snakefile" --config sweep=p.yaml
else
    skip "the points by Snakemake" "it is not installed"
fi
