"""One peer in a process of its own, driven by compare.py. Requests and replies are JSON, one a line:
    {"build": size}                                -> {}
    {"rate": op, "seconds": s, "longest": l}       -> {"rate": rows a second, "bound": flag}
    {"versions": 1}                                -> {...}
    {"gemm": 1}                                    -> {"flops": f}
A failure is {"error": text}. With --first-step SIZE: makes a teacher, does a step, prints a line, and
does 20 more."""

import argparse
import json
import os
import sys
import time


def make_peer(name, threads):
    if name == "flowjax":
        from jax_peers import FlowJax

        return FlowJax(threads)
    import torch_peers

    return {
        "plain": torch_peers.Plain,
        "zuko": torch_peers.Zuko,
        "nflows": torch_peers.NFlows,
        "normflows": torch_peers.NormFlows,
    }[name](threads)


def rate_of(peer, call, seconds):
    rows, start = 0, time.perf_counter()
    while True:
        rows += call()
        peer.wait()
        took = time.perf_counter() - start
        if took >= seconds:
            return rows / took


def sampling_rows(peer):
    """Rows of one call of the teacher's sampler: as many as of the others, unless each costs D
    passes."""
    size = peer.size
    return size["rows"] if peer.incremental else max(16, min(size["rows"], 16384 // size["dim"]))


def teacher_rate(peer, seconds, longest):
    """A library that samples by D passes and would take too long is given what it could reach at
    best, its density's rate over D."""
    n = sampling_rows(peer)
    if not peer.incremental:
        peer.density()
        peer.wait()
        at_best = rate_of(peer, peer.density, 0.1) / peer.size["dim"]
        if n / at_best > longest:
            return at_best, True
    if not getattr(peer, "warm_sampler", None) == peer.size:
        peer.teacher_sample(n)
        peer.wait()
        peer.warm_sampler = peer.size
    return rate_of(peer, lambda: peer.teacher_sample(n), seconds), False


def answer(peer, request):
    if "build" in request:
        peer.build(request["build"])
        for call in (peer.step, peer.density, peer.student_sample, peer.student_one, peer.distill):
            call()
            call()
            peer.wait()
        return {}
    if "versions" in request:
        return peer.versions()
    if "gemm" in request:
        return {"flops": peer.gemm_flops()}
    if request["rate"] == "sample":
        rate, bound = teacher_rate(peer, request["seconds"], request["longest"])
        return {"rate": rate, "bound": bound}
    call = {
        "step": peer.step,
        "density": peer.density,
        "student": peer.student_sample,
        "one": peer.student_one,
        "distill": peer.distill,
    }[request["rate"]]
    return {"rate": rate_of(peer, call, request["seconds"]), "bound": False}


def serve(peer, out):
    for line in sys.stdin:
        try:
            reply = answer(peer, json.loads(line))
        except Exception as error:  # of a library: the other peers go on
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        out.write(json.dumps(reply) + "\n")
        out.flush()


def first_step(peer, size, out):
    peer.build_training(size)
    peer.step()
    peer.wait()
    out.write("first step\n")
    out.flush()
    for _ in range(20):
        peer.step()
    peer.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--first-step", type=json.loads, metavar="SIZE")
    args = parser.parse_args()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints shall not be taken for a reply
    peer = make_peer(args.peer, args.threads)
    if args.first_step:
        first_step(peer, args.first_step, out)
    else:
        serve(peer, out)


if __name__ == "__main__":
    main()
