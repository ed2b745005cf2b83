#!/bin/bash
# The page that a run ends in: whole, by itself, the same whatever the threads, with every figure in it and beside it.
. tests/e2e/lib.sh
PAGE=$BUILD/tests/e2e/page

# page NAME DIR FIGURE ...: the page is sound and has all of these, and each is beside it in both forms.
page() {
    local name=$1 dir=$2 figure
    shift 2
    check "$name: the page is whole, and fetches nothing" "$PAGE" "$dir/report.html"
    "$PAGE" "$dir/report.html" >"$T/figures" 2>/dev/null
    check "$name: it has the figures that it should have" cmp "$T/figures" <(printf '%s\n' "$@")
    check "$name: below 2 MB" test "$(wc -c <"$dir/report.html")" -lt 2000000
    for figure in "$@"; do
        head -c 5 "$dir/figures/$figure.pdf" | grep -q '%PDF-' && grep -q '</svg>' "$dir/figures/$figure.svg" || echo "$figure"
    done >"$T/lost"
    check "$name: each is beside it as SVG and PDF" test ! -s "$T/lost"
    check "$name: and nothing else" test "$(find -L "$dir/figures" -type f | wc -l)" -eq $((2 * $#))
}

# timeless FILE: without what the clock says, and without the letters that are kept for it: other letters are numbered on from them.
timeless() { sed '/<!-- clock -->/,/<!-- \/clock -->/d; /<symbol /,/<\/symbol>/d; s/"#g[0-9]*"/"#g"/g' "$1"; }

# ---- data with names of all sorts, a grid, a circle and a column that ends

awk 'BEGIN {
    srand(5); print "<script>alert(1)</script>,\"a&b \"\"c\"\"\",\317\207\302\262 \342\206\222 GeV,angle"
    for (i = 0; i < 3000; i++) {
        u = rand() + rand() + rand() - 1.5
        printf "%.6f,%.6f,%d,%.5f\n", u, exp(u + rand()), int(10 * rand() * rand()), 360 * rand() * rand()
    }
}' >"$T/odd.csv"
cat >"$T/odd.yaml" <<'EOF'
name: odd
seed: 3
data:
  path: odd.csv
  columns: {"<script>alert(1)</script>": {}, 'a&b "c"': {support: positive}, "χ² → GeV": {step: 1}, angle: {period: 360}}
report: {pairs: [0, angle, "χ² → GeV"]}
validate: {samples: 1000, require: {kl_reverse: "< 50"}}
EOF
for threads in 1 2; do
    expect "a run with $threads threads" 0 run "$T/odd.yaml" "${TEACH[@]}" --threads $threads --out "$T/$threads"
done
columns=(column-0--script-alert-1---script- column-1-a-b--c- column-2----------GeV column-3-angle)
page odd "$T/1" loss-teacher loss-student "${columns[@]}" pair-0-3 pair-0-2 pair-3-2 picture weights ess ladder speed
check "names are text in it, and no elements" sh -c '! grep -q "<script" "$1" && grep -q "&lt;script&gt;alert" "$1" && grep -q "a&amp;b &quot;c&quot;" "$1" && grep -q "χ² → GeV" "$1"' \
    - "$T/1/report.html"
check "the same page for any number of threads, but for the clock" cmp <(timeless "$T/1/report.html") <(timeless "$T/2/report.html")
for file in "$T"/1/figures/*; do
    case $file in */ladder.*|*/speed.*) continue ;; esac
    cmp -s "$file" "$T/2/figures/${file##*/}" || echo "$file"
done >"$T/differ"
check "and the same figures beside it" test ! -s "$T/differ"
check "what a figure is ends where its sentence does" test -z "$(grep -o '<td class="note">[^<]*' "$T/1/report.html" | grep -v '[.)]$\|>nats a row, in' | head -1)"
check "tails are in it, and how many rows they are of" grep -q "teacher against data: 1,000 samples, 3,000 rows" "$T/1/report.html"
check "the clock is in it" grep -q '<!-- /clock -->' "$T/1/report.html"
check "the command that repeats it is in it" grep -q "distill run resolved.json --out again" "$T/1/report.html"

# ---- a target: no data, and where it has no sampler weighed samples and chains stand in

target="$T/t.yaml"
printf 'seed: 2\ntarget: {kind: gaussian, mean: [1, 2], covariance: [[1, 0.5], [0.5, 2]]}\n' >"$target"
small=(--quiet --set student.recipe=none --set student.flow=iaf --set student.flow.layers=2 --set "student.flow.hidden=[8]"
    --set student.train.steps=100 --set validate.samples=500 --set validate.chain_rows=256)
expect "a run of a target with a sampler" 0 run "$target" "${small[@]}" --out "$T/t"
page target "$T/t" loss-student column-0-x0 column-1-x1 pair-0-1 picture weights ess speed
check "what does not apply is told" grep -q 'No course of a teacher' "$T/t/report.html"
printf 'seed: 2\ntarget: {kind: phi4, side: 2, m2: 1, lambda: 1}\n' >"$target"
expect "a run of one without" 0 run "$target" "${small[@]}" --out "$T/t"
mapfile -t figures < <("$PAGE" "$T/t/report.html")
check "has energies of its chains" grep -qx energies <(printf '%s\n' "${figures[@]}")
check "and weighed samples in place of a teacher" grep -q 'The target has no sampler' "$T/t/report.html"
page chains "$T/t" "${figures[@]}"

# ---- what is wrong

refused "a column that there is not, before anything is done" 78 "report.pairs: there is no column 'nobody'" \
    run "$T/odd.yaml" "${TEACH[@]}" --out "$T/3" --set 'report.pairs=[0, nobody]'
refused "one that is there twice" 78 "report.pairs: column 'angle' is there twice" check "$T/odd.yaml" --set 'report.pairs=[3, angle]'
refused "of a target, too" 78 "report.pairs: there is no column 'x9'" check "$target" --set 'report.pairs=[x0, x9]'

# ---- in a browser

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -z "$browser" ]; then
    skip "the page opens in a browser" "there is no chromium"
else
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$T/browser" --enable-logging=stderr \
        --window-size=1200,3000 --screenshot="$T/page.png" "file://$T/1/report.html" >"$T/browser.log" 2>&1
    if [ ! -s "$T/page.png" ]; then
        skip "the page opens in a browser" "chromium does not run here"
    else
        check "the page opens in a browser" test -s "$T/page.png"
        check "without a word on its console" sh -c '! grep -i "CONSOLE" "$1"' - "$T/browser.log"
        cat >"$T/phone.html" <<'EOF'
<iframe id="phone" src="1/report.html" width="390" height="800"></iframe>
<script>
onload = () => {
    const tables = [...document.getElementById('phone').contentDocument.querySelectorAll('table.stack')];
    const wide = tables.filter(table => table.scrollWidth > table.parentElement.clientWidth);
    document.body.append(`tables ${tables.length}, too wide ${wide.length}`);
};
</script>
EOF
        timeout 120 "$browser" --headless --no-sandbox --disable-gpu --allow-file-access-from-files --user-data-dir="$T/browser" \
            --window-size=500,900 --dump-dom "file://$T/phone.html" >"$T/phone.txt" 2>/dev/null
        check "tables of words fit on a phone" grep -q "^tables 2, too wide 0" "$T/phone.txt"
    fi
fi
