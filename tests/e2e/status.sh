#!/bin/bash
# distill status, metrics and diff: what they say is what the files of the runs say.
. tests/e2e/lib.sh
set -m # so that a background job has a group of its own

printf 'seed: 3\ndata: {generator: rings, rows: 4000}\nvalidate: {require: {kl_reverse: "< 100"}}\n' >"$T/a.yaml"
small=("${QUICK[@]}" --set teacher.train.epochs=4)
expect "a run" 0 run "$T/a.yaml" --out "$T/a" "${small[@]}"
expect "another, with other gates and steps" 1 run "$T/a.yaml" --out "$T/b" "${small[@]}" --set student.train.steps=150 \
    --set 'validate.require.ess_forward="> 2"'

# ---- status
run status "$T/a"
check "status names run and end" grep -q "^$T/a  done, [0-9]* s$" "$T/out"
check "has the verdict" grep -q "^  verdict   $(value "$T/a/validation.json" verdict | tr -d '"')" "$T/out"
check "has the gate with its figure" grep -q "^  gates     kl_reverse  *< 100 " "$T/out"
check "has the teacher's loss" grep -q "^  teacher .*_ valid_loss, last [-0-9.]*$" <(LC_ALL=C "$DISTILL" status "$T/a")
check "in bars where the locale has them" grep -q "^  teacher .*█" <(LC_ALL=C.UTF-8 "$DISTILL" status "$T/a")
run status "$T/a" --json
cp "$T/out" "$T/status.json"
check "status --json has the verdict" test "$(value "$T/status.json" verdict)" = "$(value "$T/a/validation.json" verdict)"
check "and the seconds of the manifest" test "$(value "$T/status.json" seconds.teacher)" = "$(value "$T/a/manifest.json" seconds.teacher)"
check "and as many losses as epochs" test "$(value "$T/status.json" losses.teacher.n)" = 4
run status "$T/b"
check "a failed gate is told, and looking at it is no failure" test "$status" -eq 0 -a -n "$(grep 'ess_forward .*  fails$' "$T/out")"
expect "status of a directory that is none of a run" 66 status "$T"
echo '{"end": ' >"$T/b/manifest.json"
expect "a manifest that is broken: bad data" 65 status "$T/b"
check "is named, with its line" grep -q "$T/b/manifest.json:" "$T/err"

"$DISTILL" run "$T/a.yaml" --out "$T/long" "${small[@]}" --set teacher.train.epochs=1e6 --set teacher.train.patience=0 >/dev/null 2>&1 </dev/null &
job=$!
for _ in $(seq 600); do [ -s "$T/long/teacher/metrics.jsonl" ] && break; sleep 0.1; done
run status "$T/long"
check "a run at work is running, and by whom" grep -q "^$T/long  running: pid $job on host " "$T/out"
check "without a verdict yet" grep -q "^  verdict   none yet" "$T/out"
run metrics "$T/long" --csv
check "its metrics can be read while it writes" test "$status" -eq 0
kill -KILL $job
wait $job 2>/dev/null
check "a run that was killed is" grep -q "^$T/long  killed" <("$DISTILL" status "$T/long")

# ---- metrics
run metrics "$T/a" --csv
check "metrics --csv: a row for every line" test "$(($(wc -l <"$T/out") - 1))" -eq "$(cat "$T"/a/*/metrics.jsonl | wc -l)"
first=$("$PROBE" lines "$T/a/teacher/metrics.jsonl" valid_loss | head -n 1)
check "all digits of a number" grep -q ",$first," "$T/out"
run metrics "$T/a" --stage teacher
check "metrics of one stage are a table" test "$(wc -l <"$T/out")" -eq 6 -a -z "$(grep student "$T/out")"
run metrics "$T/a" --json --stage student
check "metrics --json are the lines" test "$(value "$T/out" student | wc -c)" -gt 100
run metrics "$T/a" --stage studnet
check "a stage that is none: usage, with a suggestion" test "$status" -eq 64 -a -n "$(grep "did you mean 'student'" "$T/err")"
check "no clock is in metrics" test -z "$(cat "$T"/a/*/metrics.jsonl | grep -iE '"[a-z_]*(time|second|clock|date|ended|started)[a-z_]*"')"

# ---- diff
rm "$T/b/manifest.json"
run diff "$T/a" "$T/b" --json
keys=$("$PROBE" json "$T/out" config | grep -o '"key":"[a-z_.]*"' | tr '\n' ' ')
check "diff has the keys that differ, no others" test "$keys" = '"key":"student.train.steps" "key":"validate.require.ess_forward" '
check "and a figure of both" grep -q '"key": "kl_reverse"' "$T/out"
run diff "$T/a" "$T/b"
check "for people: a key" grep -q '^  student.train.steps  *100 -> 150$' "$T/out"
check "a gate that only one has" grep -q '^  validate.require.ess_forward  *null -> "> 2"$' "$T/out"
check "verdicts" grep -q "^b  $T/b  fail" "$T/out"
run diff "$T/a" "$T/a"
check "a run against itself" test "$status" -eq 0 -a -n "$(grep '^config: the same' "$T/out")"
check "has differences of 0 alone" test -z "$(sed -n '/^figures/,$p' "$T/out" | awk 'NF == 4 && $4 != 0 && $4 != "-"')"
expect "diff of one run: usage" 64 diff "$T/a"
