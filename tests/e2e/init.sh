#!/bin/bash
# distill init: every config that it writes is accepted, and runs in an empty directory with nothing beside it.
. tests/e2e/lib.sh
program=$(realpath "$DISTILL")
DISTILL=$program
mkdir "$T/empty" && cd "$T/empty" || exit 1
PROBE=${PROBE/#build/$OLDPWD/build}

for kind in moons mixture posterior; do
    run init $kind
    check "init $kind: writes $kind.yaml, and says so" test "$status:$(cat "$T/out")" = "0:$kind.yaml"
    check "init $kind: an editor finds its schema" grep -q '^# yaml-language-server: \$schema=' $kind.yaml
    check "init $kind: and what to do next" grep -q "^next: distill run $kind.yaml$" "$T/err"
    expect "init $kind: is accepted" 0 check $kind.yaml
done

cp moons.yaml before.yaml
OUTPUT= refused "a file that is there is not written over" 73 "moons.yaml is there already" init moons
check "and stays as it was" cmp -s moons.yaml before.yaml
expect "-o: another name" 0 init -o other.yaml
check "the schema beside it is told of once" test "$(grep -c schema.json "$T/err")" -eq 0
mkdir apart
expect "a name that a shell would cut, elsewhere" 0 init -o "apart/m'y own.yaml"
check "is told as a shell wants it" grep -qF "next: distill run 'apart/m'\\''y own.yaml'" "$T/err"
check "and what else was made" grep -q '^beside it: apart/distill.schema.json,' "$T/err"
check "without a word: moons" cmp -s other.yaml moons.yaml
run init mooons
check "a word that is none: usage, with a suggestion" grep -q "did you mean 'moons'" "$T/err"
run init table
check "a table wants --data" test "$status" -eq 64 -a -n "$(grep -e --data "$T/err")"
run init --data none.csv
check "a table that is not there: exit code 66, no config" test "$status" -eq 66 -a ! -e none.yaml
run init moons -o no/such/place.yaml
check "a place that is not there: exit code 73" test "$status" -eq 73

awk 'BEGIN { srand(3); print "size,\"b c\",count"; for (i = 0; i < 2000; i++)
    print -log(1 - rand()) "," rand() + rand() "," int(10 * rand()) }' >events.csv
expect "a table" 0 init --data events.csv
check "has what inspect found" grep -q "columns: {size: .*positive.*, 'b c': {}, count: {step: 1, support: \[0, inf\]}}" events.yaml
expect "is accepted" 0 check events.yaml
mkdir sub
expect "a config elsewhere names the table in full" 0 init --data events.csv -o sub/e.yaml
expect "and is accepted" 0 check sub/e.yaml
printf 'a,b\n1,2\nNA,3\n%s\n' "$(awk 'BEGIN { for (i = 0; i < 300; i++) print i * i % 71 + i / 7 "," i % 13 + i / 9 }')" >gaps.csv
expect "a table with gaps" 0 init --data gaps.csv
check "says that they are left out" grep -q 'nonfinite: drop' gaps.yaml
awk 'BEGIN { srand(4); print "t,x"; for (i = 0; i < 1000; i++) print i + rand() "," rand() + i / 2000 }' >drifts.csv
expect "a table that is sorted" 0 init --data drifts.csv
run inspect drifts.yaml
check "is split at random, and its parts are alike" sh -c 'grep -q "^  split: seed" drifts.yaml && ! grep -q "sorted\|drifts along" "$1"' - "$T/out"
check "one that is not is split as it is" sh -c '! grep -q split events.yaml'

# The whole of it; its size is its own.
run run moons.yaml --quiet
check "moons runs and passes" test "$status:$(cat "$T/out")" = "0:runs/moons"
check "its verdict is pass" test "$(value runs/moons/validation.json verdict)" = '"pass"'
run run events.yaml --quiet --set teacher.train.epochs=2 --set student.train.steps=20 --set student.layerwise.steps=20 \
    --set validate.samples=1000 --set validate.require=null \
    --set teacher.train.warmup=0 --set student.train.warmup=0
check "the table runs" test "$status" -eq 0 -a -s runs/events/export/samples.npy
