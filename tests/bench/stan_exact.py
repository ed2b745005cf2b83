#!/usr/bin/env python3
"""Students of real Stan models whose posterior is known on paper (tests/stan/exact: a simplex, a positive vector, one between bounds,
a line with its width), against it: reverse KL through the exact log Z, means and sds of the *constrained* parameters in the samples.

    tests/bench/stan_exact.py [--seeds 1 2 3 4 5] [--keep FOLDER] [--threads N]

Needs r-cran-rstan and g++ of Debian; models are built in FOLDER (default build/stan) and found there the next time. A table in Markdown
goes to stdout, a line a run to stderr."""

import argparse
import csv
import json
import math
import pathlib
import resource
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRAWS = 50000


def log_beta(values):
    return sum(math.lgamma(v) for v in values) - math.lgamma(sum(values))


# ---- on paper: data, log Z, and mean and sd of each parameter

def shares():
    a, y = [2.0] * 5, [120, 30, 7, 3, 0]
    n, after = sum(y), [u + v for u, v in zip(a, y)]
    total = sum(after)
    log_z = math.lgamma(n + 1) - sum(math.lgamma(v + 1) for v in y) + log_beta(after) - log_beta(a)
    moments = {f"share.{i + 1}": (v / total, math.sqrt(v * (total - v) / total**2 / (total + 1))) for i, v in enumerate(after)}
    return {"a": a, "y": y}, log_z, moments


def rates():
    a, b, y = 2.0, 0.5, [0, 3, 11, 40]
    log_z = sum(math.lgamma(a + k) - math.lgamma(a) - math.lgamma(k + 1) + a * math.log(b) - (a + k) * math.log(b + 1) for k in y)
    moments = {f"rate.{i + 1}": ((a + k) / (b + 1), math.sqrt(a + k) / (b + 1)) for i, k in enumerate(y)}
    return {"a": a, "b": b, "y": y}, log_z, moments


def chances():
    n, y, log_z, moments = [10, 50, 4], [7, 2, 0], 0.0, {}
    for i, (m, k) in enumerate(zip(n, y)):
        p, q = 1 + k, 1 + m - k
        log_z += math.lgamma(m + 1) - math.lgamma(k + 1) - math.lgamma(m - k + 1) + log_beta([p, q])
        moments[f"chance.{i + 1}"] = (p / (p + q), math.sqrt(p * q / (p + q + 1)) / (p + q))
    return {"n": n, "y": y}, log_z, moments


def line():
    """Normal-inverse-gamma: V = prior (I / 100) + X^T X, a' = 3 + N / 2, b' = 2 + (y^T y - m^T V m) / 2."""
    x = [20 + 0.25 * i for i in range(40)]
    y = [1.5 - 0.3 * v + 0.5 * math.sin(37 * v) for v in x]
    n, p = len(x), 0.01
    a, b, d = n + p, sum(x), sum(v * v for v in x) + p  # V = [[a, b], [b, d]]
    u, w = sum(y), sum(s * t for s, t in zip(x, y))
    det = a * d - b * b
    m0, m1 = (d * u - b * w) / det, (a * w - b * u) / det
    shape, scale = 3 + n / 2, 2 + (sum(v * v for v in y) - m0 * u - m1 * w) / 2
    log_z = (-n / 2 * math.log(2 * math.pi) + 0.5 * math.log(p * p / det) + 3 * math.log(2) - math.lgamma(3) + math.lgamma(shape)
             - shape * math.log(scale))
    variance = scale / (shape - 1)
    moments = {"intercept": (m0, math.sqrt(variance * d / det)), "slope": (m1, math.sqrt(variance * a / det)),
               "width2": (variance, variance / math.sqrt(shape - 2))}
    return {"N": n, "x": x, "y": y}, log_z, moments


MODELS = {"shares": shares, "rates": rates, "chances": chances, "line": line}


# ---- a run

def call(*command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode not in (0, 2):  # 2: the verdict is not pass
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def off_by(path, moments):
    """The worst mean and sd of any parameter, in sds of the posterior."""
    rows = list(csv.DictReader(open(path)))
    worst = 0.0
    for name, (mean, sd) in moments.items():
        values = [float(r[name]) for r in rows]
        m = sum(values) / len(values)
        s = math.sqrt(sum((v - m) ** 2 for v in values) / len(values))
        worst = max(worst, abs(m - mean) / sd, abs(s - sd) / sd)
    return worst


def student(args, model, target, moments, seed):
    out = args.keep / f"exact-{model}-{seed}"
    shutil.rmtree(out, ignore_errors=True)
    (args.keep / f"exact-{model}.yaml").write_text(json.dumps({"seed": seed, "target": target}))
    seconds = call(args.distill, "run", args.keep / f"exact-{model}.yaml", "--quiet", "--threads", args.threads, "--out", out)
    call(args.distill, "sample", out, "-n", DRAWS, "-o", out / "exact.csv")
    found = json.loads((out / "validation.json").read_text())
    got = {"seconds": seconds, "kl": found["kl_reverse"]["value"], "verdict": found["verdict"], "off": off_by(out / "exact.csv", moments)}
    print(model, seed, got, file=sys.stderr)
    return got


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--keep", type=pathlib.Path, default=ROOT / "build/stan")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--distill", default=str(ROOT / "build/distill"))
    args = parser.parse_args()
    args.keep.mkdir(parents=True, exist_ok=True)
    print("| model, parameters | KL r | moments off by, sd | verdicts | s |\n|---|---|---|---|---|")
    for model, on_paper in MODELS.items():
        data, log_z, moments = on_paper()
        library, at = args.keep / f"exact-{model}.so", args.keep / f"exact-{model}.json"
        if not library.exists():
            call(ROOT / "tests/stan/build.sh", ROOT / f"tests/stan/exact/{model}.stan", library)
        at.write_text(json.dumps(data))
        target = {"kind": "plugin", "path": str(library), "data": str(at), "log_z": log_z}
        runs = [student(args, model, target, moments, seed) for seed in args.seeds]
        kl, off = [r["kl"] for r in runs], [r["off"] for r in runs]
        print(f"| {model}, {len(moments)} | {min(kl):.4f} to {max(kl):.4f} | {max(off):.3f} | {', '.join(r['verdict'] for r in runs)} | "
              f"{max(r['seconds'] for r in runs):.0f} |", flush=True)


if __name__ == "__main__":
    main()
