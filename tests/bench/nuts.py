#!/usr/bin/env python3
"""Gradients that 10,000 draws of a posterior cost: by rstan's NUTS, and by a student that is trained first. Real Stan models, those of
tests/stan; both sides ask the same Stan (Debian's) for the same density.

    tests/bench/nuts.py [--models garch11 ...] [--seeds 1 2 3 4 5] [--keep FOLDER] [--set KEY=VALUE ...] [--student-only] [--threads N]

NUTS: four chains of 1000 steps of warm-up and 5000 draws; leapfrog steps of the warm-up, and those after it times 10,000 over the
least bulk effective size of any parameter. Student: all that was asked of the model until the verdict, and the part of it that is the
verdict's own (long chains beside the student, 50,000 samples); its draws are independent and cost none. Medians over the seeds.
Seconds are of a processor. A model must agree with posteriordb's golden log densities first. Needs r-cran-rstan, r-cran-posterior and
g++ of Debian; models are built in FOLDER (default build/stan) and found there the next time. A table in Markdown goes to stdout, a line a
run to stderr."""

import argparse
import csv
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE, GOLDEN = ROOT / "tests/stan", ROOT / "tests/teacher/golden"

# log Z: configs/data/posteriordb/README.md
LOG_Z = {
    "eight_schools_noncentered": -32.00449, "eight_schools_centered": -32.00449, "kidscore_momiq": -1882.35631,
    "garch11": -451.000, "arK": 57.89445, "blr": -195.66074, "logearn_interaction": -1553.35884, "nes": -1425.17250,
    "low_dim_gauss_mix": -2117.070,
}
DRAWS = 10000


def run(*command, **more):
    """Its output; seconds of a processor go to run.seconds."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    run.seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    run.clock = time.monotonic() - begun
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


# ---- the model

def in_r(value):
    if isinstance(value, list) and value and isinstance(value[0], list):
        return f"matrix(c({', '.join(str(v) for row in value for v in row)}), {len(value)}, byrow = TRUE)"
    return f"c({', '.join(map(str, value))})" if isinstance(value, list) else str(value)


def check_golden(model, target):
    """Relative to the largest number of a row: gradients cancel."""
    table = [[float(v) for v in row] for row in list(csv.reader(open(GOLDEN / f"{model}.csv")))[1:]]
    said = run(ROOT / "build/tests/e2e/density", json.dumps(target), GOLDEN / f"{model}.csv").split("\n")
    for row, line in zip(table, said):
        numbers = [float(v) for v in line.split()]
        wanted = row[-len(numbers):]
        if max(abs(a - b) for a, b in zip(numbers, wanted)) > 1e-10 * (1 + max(map(abs, wanted))):
            sys.exit(f"{model}: log p and gradient are {numbers}, not {wanted}")


def build(args, model):
    source, library, data = HERE / f"{model}.stan", args.keep / f"{model}.so", args.keep / f"{model}.json"
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        run(HERE / "build.sh", source, library)
    data.write_text(run(HERE / "data.sh", model))
    target = {"kind": "plugin", "path": str(library), "data": str(data)}
    check_golden(model, target)
    return {**target, "log_z": LOG_Z[model]}


# ---- both sides

def nuts(args, model):
    source, data = args.keep / f"{model}.stan", args.keep / f"{model}.R"
    if not source.exists() or source.read_text() != (HERE / f"{model}.stan").read_text():
        source.write_text((HERE / f"{model}.stan").read_text())
    lists = json.loads((args.keep / f"{model}.json").read_text())
    data.write_text(f"list({', '.join(f'{k} = {in_r(v)}' for k, v in lists.items())})\n")
    lines = run("Rscript", ROOT / "tests/bench/nuts.R", source, data, *args.seeds).splitlines()
    print(f"{model}: {lines[0]}", *lines[1:], sep="\n", file=sys.stderr, flush=True)
    runs = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(lines[1:])]
    for r in runs:
        r["each"] = r["sampling"] / r["bulk"]
        r["total"] = r["warmup"] + DRAWS * r["each"]
    return runs


def student(args, model, target, seed):
    at = args.keep / f"{model}-{seed}"
    at.with_suffix(".yaml").write_text(json.dumps({"seed": seed, "target": target}))
    settings = [word for setting in args.set for word in ("--set", setting)]
    run(args.distill, "run", at.with_suffix(".yaml"), "--quiet", "--threads", args.threads, "--out", at, *settings)
    seconds, clock = run.seconds, run.clock
    run(args.distill, "sample", at / "student/model.safetensors", "-n", DRAWS, "-o", at / "draws.npy")
    verdict = json.loads((at / "validation.json").read_text())
    hunt = verdict.get("hunt") or {}
    own = (verdict["chain"]["evaluations"] if verdict.get("chain") else 0) + hunt.get("evaluations", 0)
    out = {"total": verdict["student"]["densities"] + own + verdict["samples"], "own": own + verdict["samples"],
           "kl": verdict["kl_reverse"]["value"], "ess": verdict["ess_reverse"]["value"], "seconds": seconds + run.seconds, "clock": clock + run.clock,
           "gradients": verdict["student"]["gradients"] + own,
           "us": 1e6 * verdict["speed"]["training_target_row_seconds"]}
    print(f"{model} seed {seed}: {json.dumps(out)}", file=sys.stderr, flush=True)
    return out


def middle(runs, key):
    return statistics.median(r[key] for r in runs)


def student_row(model, students):
    kls = sorted(r["kl"] for r in students)
    cells = [f"{middle(students, k):.2g}" for k in ("total", "gradients", "own")]
    return (f"| {model} | {cells[0]} ({cells[1]} with gradient; {cells[2]}) | {kls[0]:.4f} to {kls[-1]:.4f} | {middle(students, 'ess'):.3f} "
            f"| {middle(students, 'us'):.1f} | {middle(students, 'seconds'):.0f} | {middle(students, 'clock'):.0f} |")


def row(model, chains, students):
    total, each, warmup = middle(chains, "total"), middle(chains, "each"), middle(chains, "warmup")
    asked, kls = middle(students, "total"), sorted(r["kl"] for r in students)
    faults = int(middle(chains, "divergent")), middle(chains, "rhat")
    return (f"| {model} | {total:.2g} ({warmup:.1g} + {each:.3g} a draw) | {faults[0]}, {faults[1]:.3f} | {middle(chains, 'seconds'):.1f} "
            f"| {asked:.2g} ({middle(students, 'own'):.1g}) | {kls[0]:.4f} to {kls[-1]:.4f} | {middle(students, 'ess'):.3f} "
            f"| {middle(students, 'us'):.1f} | {middle(students, 'seconds'):.0f} | {(asked - warmup) / each:.1g} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=LOG_Z, default=list(LOG_Z))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--keep", type=pathlib.Path, default=ROOT / "build/stan")
    parser.add_argument("--set", action="append", default=[], help="a key of the student's runs, such as student.train.steps=1000")
    parser.add_argument("--student-only", action="store_true", help="no NUTS: our side alone")
    parser.add_argument("--threads", type=int, default=1, help="of our side; for more than one, models are to be built with STAN_THREADS=true")
    parser.add_argument("--distill", default=str(ROOT / "build/distill"))
    args = parser.parse_args()
    args.keep.mkdir(parents=True, exist_ok=True)
    args.keep = args.keep.resolve()
    if args.student_only:
        print("| model | rows asked for 10,000 draws (the verdict's) | KL r | ESS r | us a gradient | s of a processor | s of the clock |\n|---|---|---|---|---|---|---|")
        for model in args.models:
            target = build(args, model)
            print(student_row(model, [student(args, model, target, s) for s in args.seeds]), flush=True)
        return
    print("| model | NUTS: gradients for an effective 10,000 | divergent, R-hat | s | student: asked for 10,000 (the verdict's) | KL r | ESS r "
          "| us a gradient | s | the same at draws |\n|---|---|---|---|---|---|---|---|---|---|")
    for model in args.models:
        target = build(args, model)
        print(row(model, nuts(args, model), [student(args, model, target, s) for s in args.seeds]), flush=True)


if __name__ == "__main__":
    main()
