#!/bin/bash
# The two moons through the program: what a run prints, writes and decides.
. tests/e2e/lib.sh

# Small, but large enough to be right: about 3 s.
moons=(run configs/two_moons.yaml --quiet --set teacher.train.epochs=8 --set student.train.steps=400 --set student.layerwise.steps=200
    --set teacher.flow.layers=2 --set "teacher.flow.hidden=[32, 32]" --set teacher.flow.linear=none
    --set validate.samples=20000 --set student.shrink.samples=20000 --set export.samples=1000
    --set 'validate.require={kl_reverse: "< 0.1", kl_forward: "< 0.1", ess_reverse: "> 0.5",
        ess_forward: "> 0.5", mode_share_error: "< 0.05", log_z_sigmas: "< 4", teacher_tail_factor: "< 5"}')
dir=$T/moons

expect "a run whose gates hold: exit code 0" 0 "${moons[@]}" --out "$dir"
check "stdout is the run directory and nothing else" cmp "$T/out" <(echo "$dir")

for file in config.yaml overrides.txt resolved.json manifest.json validation.json export/samples.npy \
    teacher/metrics.jsonl teacher/model.safetensors student/metrics.jsonl student/model.safetensors; do
    check "the run directory has $file" test -s "$dir/$file"
done
check "no temporary file is left" test -z "$(find "$dir" -name '*.tmp.*')"
check "config.yaml is the file as given" cmp configs/two_moons.yaml "$dir/config.yaml"
check "overrides.txt has every --set" test "$(grep -c = "$dir/overrides.txt")" -eq 10
check "resolved.json has what --set asked for" test "$(value "$dir/resolved.json" student.train.steps)" = 400
check "manifest.json says how it ended" test "$(value "$dir/manifest.json" end)" = '"good"'
check "manifest.json names versions, processor, seed, threads" "$PROBE" json "$dir/manifest.json" argv seed \
    seed_from threads versions.distill versions.compiler versions.openblas_core versions.commit versions.processor started ended seconds

verdict=$dir/validation.json
check "the verdict is pass" test "$(value "$verdict" verdict)" = '"pass"'
check "a pass has no reasons" test "$(value "$verdict" reasons)" = '[]'
check "every documented key of validation.json is there" "$PROBE" json "$verdict" verdict reasons \
    warnings figures.28.{key,value,limit,small_is_good,beyond} {kl_reverse,kl_forward,elbo,eubo,jeffreys,log_z}.{value,se} \
    {ess_reverse,ess_forward}.{value,se,ess_curve.0.1} acceptance.{value,se} unweighting.{efficiency,madnis,over_weight,kept} log_q_forward.{value,se} {khat,khat_forward}.{value,threshold,tail} \
    uncovered.{rows,worst,above.2.nats,above.2.count,above.2.share} \
    normalisation.{mean_w,mean_inverse_w}.{value,se,z} {zero_density,broken}.{reverse,forward} samples \
    roundtrip mode_share.1.{share,weight,se,teacher,partition} mode_share_worst.{partition,mode,error,p,chance} \
    moments.{mean,sd,correlation}.{column,other,student,teacher,z,p} \
    moments.{units,mean_error,sd_error,correlation_error} \
    two_sample.{sliced_w2,energy}.{value,teacher,null_mean,null_sd,p,rows} two_sample.{units,sigmas} \
    teacher.{test,train}_log_likelihood.{value,se,rows} teacher.{likelihood_gap,repeated_rows,data_rows,weights} \
    teacher.two_sample.{sliced_w2,energy}.{value,data,null_mean,null_sd,p,rows} \
    teacher.two_sample.{units,sigmas} teacher.moments.{mean,sd,correlation}.{column,other,teacher,data,z,p} \
    teacher.moments.{mean_error,sd_error,correlation_error} teacher.{outside,missed}.{column,value} \
    teacher.columns.1.{name,mean.teacher,mean.data,sd.teacher,sd.data,range.teacher.1,range.data.1,outside,missed} \
    speed.{student,teacher_incremental,teacher_naive}_{rows_per_s,row_seconds} gates.5.{key,bound,value,pass} \
    ladder.students.1.{iterations,width,trained,taken,wild,kl_reverse,kl_forward,ess_reverse,ess_forward,khat,rows_per_s,row_seconds} \
    ladder.teacher.{rows_per_s,row_seconds}

# What must hold among the figures, whatever they are.
relations() {
    awk -v kr="$(value "$verdict" kl_reverse.value)" -v kf="$(value "$verdict" kl_forward.value)" \
        -v j="$(value "$verdict" jeffreys.value)" -v e="$(value "$verdict" elbo.value)" \
        -v z="$(value "$verdict" log_z.value)" -v se="$(value "$verdict" log_z.se)" \
        -v a="$(value "$verdict" mode_share.0.share)" -v b="$(value "$verdict" mode_share.1.share)" '
        function near(x, y, by) { return x - y < by && y - x < by }
        BEGIN { exit !(kr > -0.01 && kr < 0.1 && kf > -0.01 && kf < 0.1 && near(j, kr + kf, 1e-12) &&
                       near(e, -kr, 1e-12) && near(z, 0, 4 * se) && near(a + b, 1, 1e-12) && near(a, 0.5, 0.03)) }'
}
check "the figures agree with each other" relations
check "metrics.jsonl of the teacher: a line of JSON per epoch" \
    cmp <("$PROBE" lines "$dir/teacher/metrics.jsonl" epoch) <(seq 8)
check "metrics.jsonl of the student ends at the last step" \
    test "$("$PROBE" lines "$dir/student/metrics.jsonl" step | tail -n 1)" = 400
check "no clock in metrics.jsonl" test -z "$(grep -E 'second|time|clock' "$dir"/*/metrics.jsonl)"

expect "gates that fail: exit code 1" 1 "${moons[@]}" --out "$T/strict" --set student.flow.iterations=1 \
    --set "validate.require.kl_reverse=< 1e-7" --set 'validate.require.ess_forward="> 0.99999"'
check "stdout is the run directory all the same" cmp "$T/out" <(echo "$T/strict")
check "the verdict is fail" test "$(value "$T/strict/validation.json" verdict)" = '"fail"'
check "the reasons name both gates, and only those" test "$(value "$T/strict/validation.json" reasons |
    grep -o '"[a-z_]* is [0-9.e-]*, wanted [<>] [0-9.e-]*"' | cut -d ' ' -f 1 | tr -d '\n')" \
    = '"kl_reverse"ess_forward'
check "manifest.json says that a gate failed" \
    test "$(value "$T/strict/manifest.json" end)" = '"gate failed"'

printf 'schema: 1\nseed: 3\ndata: {generator: rings, rows: 3000}\n' >"$T/open.yaml"
expect "a run without gates: exit code 0" 0 run "$T/open.yaml" "${QUICK[@]}" --out "$T/open"
check "its verdict is unverified, with a reason" grep -q unverified "$T/open/validation.json"

expect "without --quiet, progress goes to stderr" 0 run "$T/open.yaml" "${QUICK[@]:1}" --out "$T/loud"
check "stderr tells of every stage" test "$(grep -cE '^(data|teacher|student|validate|verdict) ' "$T/err")" -ge 5
check "stdout is one line all the same" cmp "$T/out" <(echo "$T/loud")
check "no escape sequence goes into a file" sh -c '! grep -q "$(printf "\033")" "$1"' - "$T/err"
