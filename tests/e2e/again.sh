#!/bin/bash
# Stages with memory: what runs again and what does not, why, and that nothing of an older run is lost.
. tests/e2e/lib.sh
set -m

dir=$T/run
cat >"$T/c.yaml" <<'END'
schema: 1
seed: 3
data: {path: t.csv}
END
awk 'BEGIN { srand(7); print "a,b"; for (i = 0; i < 2000; i++) printf "%.6f,%.6f\n", rand() + rand(), rand() * rand() }' >"$T/t.csv"
config=("$T/c.yaml" "${QUICK[@]}" --out "$dir" --set export.samples=50)

# plan [OPTION ...]: "stage action" of each stage, in one line; a plan writes nothing.
plan() {
    sums "$dir" >"$T/sums"
    run plan "$@"
    cmp "$T/sums" <(sums "$dir") || return 1
    awk '{ printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2 }' "$T/out"
}
# sums DIR: of all that is there, links as what they lead to.
sums() { (cd "$1" 2>/dev/null && find . ! -type d ! -name .lock | sort | xargs -r cksum); }
# seen DIR: of what users see.
seen() { (cd "$1" && find . -name stages -prune -o ! -type d ! -name .lock -print | sort | xargs cksum); }
kept() { sed -n 's/^\([a-z]*\) *kept, with key .*/\1/p' "$T/err" | tr '\n' ' '; }
of() { readlink "$dir/$1/model.safetensors"; }

# ---- once, and nothing to do

config=("$T/c.yaml" "${QUICK[@]:1}" --out "$dir" --set export.samples=50) # without --quiet
check "a plan where nothing is: every stage runs" test \
    "$(plan "${config[@]}")" = "data run, teacher run, target run, student run, validate run, export run, report run"
check "says why" grep -q '^teacher *run *never ran$' "$T/out"
check "and makes no directory" test ! -e "$dir"
expect "a run" 0 run "${config[@]}"
sums "$dir" >"$T/first"
expect "the same again" 0 run "${config[@]}"
check "says that there is nothing to do" grep -q '^run  *nothing to do.*; verdict: \(pass\|unverified\|fail\)$' "$T/err"
check "prints the directory" test "$(cat "$T/out")" = "$dir"
check "and touches nothing" cmp "$T/first" <(sums "$dir")
start=$(date +%s%N)
run run "${config[@]}"
check "which takes next to no time" test $(($(date +%s%N) - start)) -lt 500000000
check "threads and checkpoints are not in the keys" test "$(plan "${config[@]}" --set compute.threads=2 --set checkpoint.every=0)" = \
    "data skip, teacher skip, target skip, student skip, validate skip, export skip, report skip"
check "a plan of the directory is one of what its run was told" test "$(plan "$dir")" = \
    "data skip, teacher skip, target skip, student skip, validate skip, export skip, report skip"
check "with a key changed, of that" test "$(plan "$dir" --set validate.samples=1500)" = \
    "data skip, teacher skip, target skip, student skip, validate run, export skip, report run"
expect "a run of it" 0 run "$dir"
check "has nothing to do, and touches nothing" cmp "$T/first" <(sums "$dir")
expect "it can be checked" 0 check "$dir"
expect "and its table looked at" 0 inspect "$dir"
mkdir "$T/no run"
refused "a directory without a run, with a command that can be pasted" 66 "distill run FILE --out '$T/no run'" plan "$T/no run"
expect "but it is no sweep" 66 sweep "$dir"
check "and what to give is said" grep -q 'help: give the YAML file' "$T/err"
refused "check-target of one without a target" 78 "there is no target" check-target "$dir"
check "SHA256SUMS is for sha256sum" bash -c "cd '$dir' && sha256sum --quiet -c SHA256SUMS"

# ---- a key, and what hangs on it

expect "another number of samples to validate" 0 run "${config[@]}" --set validate.samples=1500
check "leaves teacher, student and export" test "$(kept)" = "teacher student export "
student=$(of student)
check "a plan says what changed, and what that changes" test "$(plan "${config[@]}" --set student.flow.layers=3)" = \
    "data skip, teacher skip, target skip, student run, validate run, export run, report run"
check "with the values before and now" grep -q '^student *run *student.flow.layers: 2 -> 3$' "$T/out"
check "and the inputs" grep -q "^export *run *input 'student' changed$" "$T/out"
run plan "${config[@]}" --set validate.samples=1500 --json --set "validate.require.khat=< 0.9"
cp "$T/out" "$T/plan.json"
check "as JSON" test "$(value "$T/plan.json" 4.why)" = '"validate.require.khat: none -> < 0.9"'
expect "more samples to export" 0 run "${config[@]}" --set validate.samples=1500 --set export.samples=60
check "export them alone" test "$(kept)" = "teacher student validate report "
check "the student is the same file" test "$(of student)" = "$student"
expect "back at the first config" 0 run "${config[@]}"
check "there is nothing to run" grep -q 'nothing to do.*shown again' "$T/err"
check "and the first results are shown" cmp <(grep -v ' ./stages/\|manifest' "$T/first") <(seen "$dir" | grep -v manifest)

echo '0.5,0.25' >>"$T/t.csv"
check "data with one more row: all runs again" test "$(plan "${config[@]}")" = \
    "data run, teacher run, target run, student run, validate run, export run, report run"
check "and the plan says so" grep -q '^data *run *data.path: its content is another$' "$T/out"
sed -i '$d' "$T/t.csv"
check "as they were: nothing does" test "$(plan "${config[@]}" | grep -c run)" = 0

# ---- the same bits from what was kept

cp "$dir/picture.png" "$T/picture.png" && cp "$dir/validation.json" "$T/validation.json" && cp "$dir/export/samples.npy" "$T/samples.npy"
expect "a report again" 0 report "$dir"
check "draws what it drew, from models that were read" cmp "$T/picture.png" "$dir/picture.png"
expect "validating again" 0 validate "$dir"
clock() { grep -v 'second\|rows_per_s' "$1"; }
check "measures what it measured, the clock apart" cmp <(clock "$T/validation.json") <(clock "$dir/validation.json")
expect "an export again, of more" 0 export "$dir" --set export.samples=80
check "begins with the same samples" cmp <(npy_rows "$T/samples.npy" 2) <(npy_rows "$dir/export/samples.npy" 2 | head -n 50)
check "and is on the record" test "$(tail -n 1 "$dir/overrides.txt")" = export.samples=80
refused "a key of the student is for run" 64 "stage student would have to run before validate: student.train.steps: 100 -> 101" \
    validate "$dir" --set student.train.steps=101
refused "no run is there" 66 "no run with a memory" validate "$T"
program=$(realpath "$DISTILL")
(cd / && "$program" plan "$dir/resolved.json" --out "$dir" >"$T/out" 2>"$T/err") || cat "$T/err"
check "resolved.json is a config, from anywhere: nothing runs" test "$(grep -c skip "$T/out")" = 7

# ---- wishes

before=$(cksum <"$dir/teacher/model.safetensors")
echo part >"$dir/stages/memory.json.tmp.4711" && ln -s stages/none "$dir/report.html.tmp.4711" && echo mine >"$dir/mine.tmp.4711"
expect "--force teacher" 0 run "$dir/resolved.json" --out "$dir" --force teacher
check "what a killed run was about to write is gone, and a file of the user's is not" test "$(find "$dir" -name '*.tmp.*')" = "$dir/mine.tmp.4711"
rm "$dir/mine.tmp.4711"
check "runs it alone, to the same bits" test "$(kept)" = "student validate export report " -a "$(cksum <"$dir/teacher/model.safetensors")" = "$before"
check "--from validate" test "$(plan "$dir/resolved.json" --out "$dir" --from validate)" = \
    "data skip, teacher skip, target skip, student skip, validate run, export run, report run"
seen "$dir" >"$T/seen"
expect "--until student, of another student" 0 run "$dir/resolved.json" --out "$dir" --set student.train.steps=120 --until student
check "changes nothing that users see, which belongs together" cmp "$T/seen" <(seen "$dir")
check "but is there for the next run" test "$(plan "$dir/resolved.json" --out "$dir" --set student.train.steps=120)" = \
    "data skip, teacher skip, target skip, student skip, validate run, export run, report run"
refused "a stage that does not exist" 64 "no stage 'teachr'; did you mean 'teacher'" run "${config[@]}" --force teachr
refused "two wishes" 64 "exclude each other" run "${config[@]}" --force teacher --from student

# ---- stopped over an older run

"$DISTILL" run "$dir/resolved.json" --out "$dir" --set student.train.steps=1e8 >"$T/long.out" 2>"$T/long.err" </dev/null &
job=$!
for _ in $(seq 300); do
    ls "$dir"/stages/student-*.part/metrics.jsonl >"$T/working" 2>/dev/null && break
    rm -f "$T/working"
    sleep 0.1
done
kill -KILL $job
wait $job 2>/dev/null
check "it was at work" test -e "$T/working"
check "a run that was killed over an older one leaves that as it was" cmp "$T/seen" <(seen "$dir")
expect "verify" 0 verify "$dir"

# ---- verify and gc

"$DISTILL" gc "$dir" --dry-run >"$T/dry"
check "gc --dry-run removes nothing" cmp "$T/seen" <(seen "$dir")
check "and tells of the older results" grep -q 'stages/student-[0-9a-f]*$' "$T/dry"
expect "gc" 0 gc "$dir"
check "removes what it said" cmp <(sed 's/would go/are gone/' "$T/dry" | sort) <(sort "$T/out")
check "and nothing else" cmp "$T/seen" <(seen "$dir")
expect "a second time there is nothing" 0 gc "$dir"
check "left to remove" grep -q '^ *0  bytes of 0 results' "$T/out"
expect "verify after it" 0 verify "$dir"
cp "$dir/validation.json" "$T/v.json"
sed -i --follow-symlinks 's/"verdict": "[a-z]*"/"verdict": "pass"/' "$dir/validation.json"
expect "a verdict that was changed" 65 verify "$dir"
check "is named" grep -q "$dir/validation.json was changed since it was written" "$T/err"
cp "$T/v.json" "$dir/validation.json"
expect "put back" 0 verify "$dir"
rm "$dir/picture.png"
expect "a link that is gone" 65 verify "$dir"
run run "$dir/resolved.json" --out "$dir"
expect "is made again by the same run" 0 verify "$dir"
model=$(readlink -f "$dir/teacher/model.safetensors")
cp "$model" "$T/model" && printf x | dd of="$model" bs=1 seek=3000 conv=notrunc 2>/dev/null
refused "a model that was changed is not used" 64 "teacher/model.safetensors is missing or changed; that is for distill run" validate "$dir" --quiet
cp "$T/model" "$model"

# ---- what it remembers, spoilt

# spoil FILE: a byte of it is another.
spoil() { cp "$1" "$T/good" && sed -i '0,/": /s//":  /; 0,/[0-9]/s//x/' "$1"; }
current=$dir/stages/current.json entry=$(dirname "$model")/stage.json
seen "$dir" >"$T/seen"
spoil "$current"
refused "a set that was changed" 65 'current.json was changed since it was written' verify "$dir"
refused "has nothing removed" 65 'current.json was changed since it was written' gc "$dir"
expect "and is written again" 0 run "$dir/resolved.json" --quiet --out "$dir"
check "as it was" cmp "$current" "$T/good"
echo '{"stages": {}}' >"$current"
expect "one of no stages is not good, either" 65 verify "$dir"
run run "$dir/resolved.json" --quiet --out "$dir"
spoil "$entry"
expect "a stage.json that was changed" 65 verify "$dir"
check "is named" grep -q 'stages/teacher-[0-9a-f]*/stage.json is missing or changed' "$T/err"
check "its stage runs again, and it alone" test "$(plan "$dir/resolved.json" --out "$dir")" = \
    "data skip, teacher run, target skip, student skip, validate skip, export skip, report skip"
rm "$entry" && mkfifo "$entry"
check "a pipe in its place is not waited for" timeout 60 "$DISTILL" plan "$dir/resolved.json" --out "$dir"
expect "the same run" 0 run "$dir/resolved.json" --quiet --out "$dir"
expect "makes it anew" 0 verify "$dir"
check "to the same bits" cmp "$T/model" "$model"
spoil "$dir/stages/memory.json"
run plan "$dir/resolved.json" --out "$dir"
check "a memory that was changed is told" grep -q 'memory.json was changed since it was written' "$T/err"
rm "$dir/stages/memory.json" && mkfifo "$dir/stages/memory.json"
expect "a pipe where it shall be is not waited for" 73 run "$dir/resolved.json" --quiet --out "$dir" --force report
check "but named" grep -q 'memory.json: is in the way' "$T/err"
rm "$dir/stages/memory.json"
expect "without it" 0 run "$dir/resolved.json" --quiet --out "$dir" --force report

# ---- what stood in the way, and results that are gone

rm "$dir/validation.json" && mkdir "$dir/validation.json" && echo mine >"$dir/validation.json/mine"
expect "a directory in the way of a link" 0 run "$dir/resolved.json" --quiet --out "$dir"
expect "gc" 0 gc "$dir"
check "is the user's own, and stays" grep -q mine "$dir/stages/earlier/validation.json.0/mine"
cp "$dir/resolved.json" "$T/again.json" && rm -r "$dir/stages"
expect "without its stages/ a run is made anew" 0 run "$T/again.json" --quiet --out "$dir"
expect "whole" 0 verify "$dir"

# ---- gates, seeds, pipes

expect "a gate that fails" 1 run "$T/c.yaml" "${QUICK[@]}" --out "$T/strict" --set 'validate.require.roundtrip=< 1e-300'
expect "fails again, without running" 1 run "$T/c.yaml" "${QUICK[@]}" --out "$T/strict" --set 'validate.require.roundtrip=< 1e-300'
expect "verify says so, too" 1 verify "$T/strict"

sed 's/^a,b/éééééééééééééééééééé,aéééééééééééééééééééé/' "$T/t.csv" >"$T/u.csv"
printf 'schema: 1\nseed: 1\ndata: {path: u.csv}\n' >"$T/u.yaml"
expect "names that are not of ASCII" 0 run "$T/u.yaml" "${QUICK[@]}" --out "$T/u"
for name in éééééééééééééééééééé aéééééééééééééééééééé; do
    run plan "$T/u.yaml" "${QUICK[@]:1}" --out "$T/u" --json --set "data.columns={$name: {support: real}}"
    check "a letter is not cut in two" test "$(value "$T/out" 0.action)" = '"run"'
done

printf 'schema: 1\ndata: {generator: rings, rows: 2000}\n' >"$T/d.yaml"
expect "no seed" 0 run "$T/d.yaml" "${QUICK[@]}" --out "$T/drawn"
drawn=$(value "$T/drawn/manifest.json" seed)
expect "and again" 0 run "$T/d.yaml" "${QUICK[@]}" --out "$T/drawn" --set validate.samples=1100
check "has the one that was drawn" test "$(value "$T/drawn/manifest.json" seed)" = "$drawn"
check "and says that it was" test "$(value "$T/drawn/manifest.json" seed_from)" = '"drawn"'

mkfifo "$T/pipe.csv"
printf 'schema: 1\nseed: 1\ndata: {path: pipe.csv}\n' >"$T/p.yaml"
cat "$T/t.csv" >"$T/pipe.csv" &
expect "rows from a pipe" 0 run "$T/p.yaml" "${QUICK[@]}" --out "$T/piped"
check "are never known beforehand" grep -q 'pipe' <("$DISTILL" plan "$T/p.yaml" "${QUICK[@]:1}" --out "$T/piped")

# ---- a target, with what a look at it settles

printf 'schema: 1\nseed: 2\ntarget: {kind: banana}\n' >"$T/b.yaml"
steps=(--quiet --set validate.samples=500 --set validate.chain_rows=256)
expect "a target" 0 run "$T/b.yaml" "${steps[@]}" --set student.train.steps=150 --out "$T/b"
cp "$T/b/student/model.safetensors" "$T/b.model" && cp "$T/b/picture.png" "$T/b.png"
run plan "$T/b.yaml" "${steps[@]:1}" --set student.train.steps=150 --out "$T/b"
check "is known again" test "$(grep -c skip "$T/out")" = 5
expect "its report, from what was kept" 0 report "$T/b"
check "is the same" cmp "$T/b.png" "$T/b/picture.png"
expect "its student again, from the rows of the look that was kept" 0 run "$T/b.yaml" "${steps[@]}" --set student.train.steps=150 --out "$T/b" --force student
check "is the same" cmp "$T/b.model" "$T/b/student/model.safetensors"
expect "its resolved.json in a new directory" 0 run "$T/b/resolved.json" --quiet --out "$T/b2"
check "gives the same student" cmp "$T/b.model" "$T/b2/student/model.safetensors"

# ---- a model that was changed on the disk

cp -r "$dir" "$T/edited"
edited=$T/edited
model=$(readlink -f "$edited/student/model.safetensors")
cp -p "$model" "$T/as-written"
printf 'X' | dd of="$model" bs=1 seek=$(($(stat -c %s "$model") - 3)) conv=notrunc 2>/dev/null
refused "sample of a model that was changed" 65 'student/model.safetensors was changed since its run wrote it: distill run --force student' \
    sample "$edited" -n 5
refused "logp of it" 65 'was changed since its run wrote it' logp "$edited" "$edited/export/samples.npy"
cp "$model" "$T/copy.safetensors"
expect "a copy elsewhere is taken as it is" 0 sample "$T/copy.safetensors" -n 5
now=("${config[@]}" --out "$edited")
check "a plan says what was changed" grep -q '^student *run *student/model.safetensors is missing or changed' <("$DISTILL" plan "${now[@]}")
expect "a run makes it anew" 0 run "${now[@]}"
check "as it was" cmp "$T/as-written" "$(readlink -f "$edited/student/model.safetensors")"
check "and nothing behind it" bash -c "[[ '$(kept)' == 'teacher validate '*report* ]]"
expect "sampled again" 0 sample "$edited" -n 5
touch "$model"
expect "one that was only touched" 0 run "${now[@]}"
check "is as it was" grep -q 'nothing to do' "$T/err"
