"""Models and runs of the program under test, made once: DISTILL_TEST is a directory with them, made by tests/e2e/python.sh."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

MADE = Path(os.environ["DISTILL_TEST"])
PROGRAM = os.environ["DISTILL_TEST_PROGRAM"]


@pytest.fixture
def run_directory():
    return MADE / "run"


@pytest.fixture
def given():
    """A model of two columns given one."""
    return MADE / "given" / "student" / "model.safetensors"


def table(*arguments):
    """What the program prints as a csv."""
    text = subprocess.run([PROGRAM, *map(str, arguments)], check=True, capture_output=True, text=True).stdout
    return np.array([[float(number) for number in line.split(",")] for line in text.splitlines()[1:]])


def by_program(model, *arguments):
    return table("sample", model, "--logp", *arguments)
