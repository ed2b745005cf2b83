#!/bin/bash
# Places where nothing can be written, and disks that are full.
. tests/e2e/lib.sh

printf 'schema: 1\nseed: 1\ndata: {generator: rings, rows: 3000}\nexport: {samples: 20000}\n' >"$T/c.yaml"
fit=(run "$T/c.yaml" "${QUICK[@]}")
run "${fit[@]}" --out "$T/good"
model=$T/good/student/model.safetensors

# ---- no place

echo text >"$T/file"
refused "a run below a file" 73 "$T/file" "${fit[@]}" --out "$T/file/run"
refused "samples below a file" 73 "$T/file/x.npy" sample "$model" -n 5 -o "$T/file/x.npy"
refused "samples in a directory that is not there" 73 "$T/none/x.npy" sample "$model" -n 5 -o "$T/none/x.npy"
mkdir "$T/x.npy"
refused "samples onto a directory" 73 "$T/x.npy" sample "$model" -n 5 -o "$T/x.npy"
mkdir "$T/mine" && echo 1 >"$T/mine/thesis.tex"
refused "a run in a directory of other files" 73 "$T/mine" "${fit[@]}" --out "$T/mine"
check "leaves them as they were" test "$(ls "$T/mine")" = thesis.tex

# Root may write everywhere: then somebody else tries.
mkdir -m 555 "$T/locked"
as=()
[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if "${as[@]}" true 2>/dev/null; then
    mkdir "$T/home" && chmod 755 "$T" && cp "$DISTILL" "$T/c.yaml" "$model" "$T/home" && chmod 644 "$T/home/"*.* # what they need
    cat >"$T/as" <<S
#!/bin/sh
cd "$T/home" && exec ${as[@]} ./${DISTILL##*/} "\$@"
S
    chmod 755 "$T/as"
    own=$DISTILL DISTILL=$T/as
    refused "a run in a directory that is read-only" 73 "$T/locked/run" run c.yaml "${QUICK[@]}" --out "$T/locked/run"
    refused "samples in a directory that is read-only" 73 "$T/locked/x.npy" sample model.safetensors -n 5 -o "$T/locked/x.npy"
    DISTILL=$own
else
    skip "a run in a directory that is read-only" "setpriv(1) does not work here"
fi

# ---- no room

"$DISTILL" sample "$model" -n 100000 >/dev/full 2>"$T/err"
check "stdout on a full disk: exit code 74" test $? -eq 74 -a "$(grep -c '^distill: error: ' "$T/err")" -eq 1
"$DISTILL" --help >/dev/full 2>"$T/err"
check "even of --help" test $? -eq 74 -a -s "$T/err"

# A limit of the size of files is a disk that is full, as far as a program can see.
limited() {
    local blocks=$1
    shift
    (trap '' XFSZ && ulimit -f "$blocks" && exec "$DISTILL" "$@") >"$T/out" 2>"$T/err"
}
limited 100 sample "$model" -n 100000 -o "$T/large.npy"
check "samples that are too large: exit code 74" test $? -eq 74
check "name the file" grep -q "^distill: error: .*$T/large.npy" "$T/err"
check "and leave nothing" test ! -e "$T/large.npy" -a -z "$(find "$T" -name '*.tmp.*')"
limited 100 "${fit[@]}" --out "$T/limited"
check "an export that is too large: exit code 74" test $? -eq 74
check "names the file" grep -q "^distill: error: .*$T/limited/export/samples.npy" "$T/err"
check "leaves none" test -z "$(find "$T/limited" -name '*samples*')"
check "and the manifest tells of an error" test "$(value "$T/limited/manifest.json" end)" = '"error"'

mkdir "$T/disk"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=200k,nr_inodes=100 none "$T/disk" 2>/dev/null; then
    "$DISTILL" "${fit[@]}" --out "$T/disk/run" >"$T/out" 2>"$T/err"
    check "a run on a disk too small for its export: exit code 74" test $? -eq 74
    check "names the file" grep -q "^distill: error: $T/disk/run/export/samples.npy" "$T/err"
    check "leaves no part of it" test -z "$(find "$T/disk" -name '*.tmp.*' -o -name 'samples*')"
    expect "the student is good all the same" 0 sample "$T/disk/run/student/model.safetensors" -n 5
    dd if=/dev/zero of="$T/disk/filler" bs=1k 2>/dev/null
    "$DISTILL" "${fit[@]}" --out "$T/disk/second" >"$T/out" 2>"$T/err"
    status=$?
    check "a run on a full disk: exit code 73 or 74, one line" test "$status" -ge 73 -a "$status" -le 74 \
        -a "$(grep -c "^distill: error: .*$T/disk" "$T/err")" -eq 1
    umount "$T/disk"
else
    skip "a run on a full disk" "only root may mount one"
fi
