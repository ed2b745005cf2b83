#!/bin/bash
# Model files that are wrong: one line, a good exit code, and no output.
. tests/e2e/lib.sh

run run configs/two_moons.yaml "${QUICK[@]}" --out "$T/run"
good=$T/run/student/model.safetensors bad=$T/bad.safetensors
size=$(stat -Lc %s "$good")
header=$(od -An -tu8 -N8 "$good")
header=$((header + 8)) # bytes before the weights
expect "the model that is spoiled below is good" 0 sample "$good" -n 5

# spoil NAME STATUS TEXT: $bad is refused by sample and by logp.
printf '0,0\n' >"$T/points.csv"
OUTPUT=$T/output.csv
spoilt() {
    refused "sample: $1" "$2" "$3" sample "$bad" -n 5 -o "$OUTPUT"
    refused "logp: $1" "$2" "$3" logp "$bad" "$T/points.csv" -o "$OUTPUT"
}
# poke OFFSET BYTES: overwrites bytes of $bad, given as printf has them.
poke() { printf "$2" | dd of="$bad" bs=1 seek="$1" conv=notrunc status=none; }

spoilt "a model that is not there" 66 bad.safetensors
mkdir "$bad" && spoilt "a directory" 66 bad.safetensors
rmdir "$bad"
: >"$bad" && spoilt "an empty file" 65 bad.safetensors
head -c $((size - 1)) "$good" >"$bad" && spoilt "a model without its last byte" 65 bad.safetensors
head -c $header "$good" >"$bad" && spoilt "a model without weights" 65 bad.safetensors
head -c 100 "$good" >"$bad" && spoilt "a model cut off in its header" 65 bad.safetensors
{ cat "$good" && printf x; } >"$bad" && spoilt "a model with a byte too many" 65 bad.safetensors
cp $POWER "$bad" && spoilt "a table of data" 65 bad.safetensors
cp "$good" "$bad" && poke 0 '\377\377\377\377\377\377\377\177' && spoilt "a header of 2^63 bytes" 65 bad.safetensors
cp "$good" "$bad" && poke 8 '[' && spoilt "a header that is no object" 65 bad.safetensors
cp "$good" "$bad" && poke $((size - 4)) '\000\000\300\177' && spoilt "a weight that is nan" 65 'not finite\|nan'
cp "$good" "$bad" && poke $((size - 4)) '\000\000\200\377' && spoilt "a weight that is -inf" 65 'not finite\|inf'

# One flipped bit anywhere in the header: accepted (a name of a column, say) or refused, cleanly.
clean() {
    local at status
    for at in $(seq 0 13 $((header - 1))); do
        cp "$good" "$bad"
        byte=$(od -An -tu1 -j"$at" -N1 "$good")
        poke "$at" "\\$(printf %o $((byte ^ 4)))"
        "$DISTILL" sample "$bad" -n 2 -o "$OUTPUT" 2>"$T/err" </dev/null
        status=$?
        case $status in
        0) rm "$OUTPUT" || return 1 ;;
        65) [ "$(wc -l <"$T/err")" -eq 1 ] && [ ! -e "$OUTPUT" ] || { echo "byte $at: $(cat "$T/err")"; return 1; } ;;
        *) echo "byte $at: status $status: $(cat "$T/err")"; return 1 ;;
        esac
    done
}
check "a flipped bit in the header, one in 13 bytes of it" clean
