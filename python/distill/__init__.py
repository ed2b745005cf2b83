"""Samples and densities of models that distill has made, and runs of distill, from Python.

    import distill
    m = distill.load("runs/events")              # a run, or a model file
    x, log_q = m.sample(10**6, seed=1)           # the rows of: distill sample runs/events -n 1e6 --seed 1
    log_p = m.log_prob(x)

    result = distill.run("events.yaml", progress=print)
    result = distill.run({}, energy=f, dim=2)    # f: a log-density that is written in Python
"""

from ._library import Error, version
from .model import Model, load
from .running import run

__all__ = ["Error", "Model", "load", "run", "version"]
__version__ = version()
