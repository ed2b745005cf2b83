"""Student sampling of build/bench in f32 and int8 against PyTorch and ONNX Runtime in every precision and setting
(contenders.py), in turns. Run by tests/bench/peers.sh --rounded; tests/bench/README.md explains."""

import argparse
import json
import os
import statistics
import sys
import time

import compare
import contenders
import torch
from compare import say, short

OPS = {  # what is timed: a reader's words, and the two of ours, keys of `bench --ops`
    "batch": ("student sampling", "student", "int8"),
    "one": ("1 row a call", "one", "int8-one"),
}
OURS = ("distill f32", "distill int8")


def rate_of(contender, rows, dim, seconds):
    with contender:
        contender.sample(rows, dim)  # after others have used the caches
        done, start = 0, time.perf_counter()
        while True:
            contender.sample(rows, dim)
            done += rows
            took = time.perf_counter() - start
            if took >= seconds:
                return done / took


def our_rates(bench, size, seconds):
    found = bench.run(size["number"], [key for _, *keys in OPS.values() for key in keys], seconds)
    found = found["sizes"][0]["ops"]
    return {(op, who): found[key]["rows_per_s"]
            for op, (_, *keys) in OPS.items() for who, key in zip(OURS, keys)}


def their_rates(built, size, seconds):
    rows = {"batch": size["rows"], "one": 1}
    return {(op, name): rate_of(contender, rows[op], size["dim"], seconds)
            for name, (contender, _) in built.items() for op in OPS}


def measure_size(bench, built, size, args):
    """rates[op, who] of all rounds; who is one of OURS or (setting, threads)."""
    rates = {}
    for turn in range(args.rounds):
        sides = [lambda: our_rates(bench, size, args.seconds), lambda: their_rates(built, size, args.seconds)]
        for side in sides if turn % 2 == 0 else sides[::-1]:
            for key, rate in side().items():
                rates.setdefault(key, []).append(rate)
    return rates


# ---- printing


def best_of(rates, op, who):
    return max(who, key=lambda name: statistics.median(rates[op, name]))


def words(who):
    return who if isinstance(who, str) else f"{who[0]}, {who[1]} thread{'s' if who[1] > 1 else ''}"


def versus(rates, op, ours, theirs):
    ratios = [a / b for a, b in zip(rates[op, ours], rates[op, theirs])]
    return {"best_peer": words(theirs), "ratio": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}


def print_setting(name, rates, built):
    """A setting with the threads that serve it best, for each operation."""
    settings = [key for key in built if key[0] == name]
    cells = ""
    for op in OPS:
        best = best_of(rates, op, settings)
        cells += f"{short(statistics.median(rates[op, best])):>12} ({best[1]})"
    worst = {key: max(built[s][1][key] for s in settings) for key in built[settings[0]][1]}
    say(f"   {name:<24}{cells}   x {worst['x']:.1e}, log q {worst['log_q']:.1e}, "
        f"other rows {worst['of_others']:.1e}")


def print_size(size, rates, built):
    say(f"\n{size['number']}. D = {size['dim']}, {size['layers']} layers of {size['hidden']} x 2, "
        f"{size['rows']} rows a call")
    say(" " * 27 + "".join(f"{op:>12}    " for op in OPS) + " off from double precision, as a share of what networks do")
    for who in OURS:
        say(f"   {who:<24}" + "".join(f"{short(statistics.median(rates[op, who])):>12}    " for op in OPS))
    for name in dict.fromkeys(name for name, _ in built):
        print_setting(name, rates, built)
    found = {}
    for op, (title, *_) in OPS.items():
        for who in OURS:
            found[op, who] = v = versus(rates, op, who, best_of(rates, op, list(built)))
            say(f"   {title}: {who} is {v['ratio']:.2f} x {v['best_peer']} ({v['low']:.2f} .. {v['high']:.2f})")
    return found


def as_json(size, rates, built, found):
    return {**size,
            "rates": [{"op": op, "who": words(who), "rounds": r} for (op, who), r in rates.items()],
            "errors": {words(who): errors for who, (_, errors) in built.items()},
            "ratios": [{"op": op, "who": who, **v} for (op, who), v in found.items()]}


# ---- the whole


def arguments():
    parser = argparse.ArgumentParser(prog="make bench-peers PEERS_ARGS='--rounded ...'")
    parser.add_argument("--rounded", action="store_true", help="low precision, and not the flow libraries: this list")
    parser.add_argument("--bench", default="build/bench", help="the program (build/bench)")
    parser.add_argument("--threads", type=int, default=2, help="ours; peers are given 1 and this (2)")
    parser.add_argument("--sizes", default="2,3,4,5,6", help="by number (2,3,4,5,6)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is printed (3)")
    parser.add_argument("--seconds", type=float, default=0.3, help="a setting in a round, at least (0.3)")
    parser.add_argument("--json", help="results, every round (beside the program)")
    args = parser.parse_args()
    args.json = args.json or args.bench + "-peers-rounded.json"
    return args


def print_machine(bench, args):
    busy, out = compare.busy_processors(), bench.run(1, ["int8"], 0.01)
    say(f"{out['processor']}; ours on {args.threads} threads ({out['backend']}), each peer on the best of 1 and "
        f"{args.threads}")
    say("   " + "; ".join(f"{key} {value}" for key, value in contenders.versions().items()))
    if busy > 0.2:
        say(f"   WARNING: {busy:.1f} processors are busy: do not quote these ratios")
    return {"processor": out["processor"], "backend": out["backend"], "busy_processors_before": round(busy, 2)}


def main():
    args = arguments()
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < args.threads:
        sys.exit(f"--threads {args.threads}: this process may use {len(processors)} processors")
    os.sched_setaffinity(0, processors[: args.threads])
    torch.set_num_threads(args.threads)
    bench = compare.Bench(args.bench, args.threads)
    chosen = {int(n) for n in args.sizes.split(",")}
    out = {**print_machine(bench, args), "threads": args.threads, "versions": contenders.versions(), "sizes": []}
    for size in (s for s in compare.all_sizes(bench) if s["number"] in chosen):
        built = contenders.build(size, sorted({1, args.threads}), say)
        rates = measure_size(bench, built, size, args)
        out["sizes"].append(as_json(size, rates, built, print_size(size, rates, built)))
        torch._dynamo.reset()
    with open(args.json, "w", encoding="utf-8") as file:
        json.dump(out, file, indent=2)
        file.write("\n")
    say(f"\n{args.json}")


if __name__ == "__main__":
    main()
