"""Runs: progress, results, densities that are written in Python."""

import numpy as np
import pytest

import distill

QUICK = {"validate.samples": 1000, "report": {"pairs": ["x0"]}, "validate.chain": False, "validate.hunt": False}


def normal(x):
    return -0.5 * np.sum(x**2, axis=1)


def test_a_run_and_what_it_tells(tmp_path):
    told = []
    result = distill.run({}, out=tmp_path / "run", energy=normal, dim=3, progress=told.append)
    assert result["exit_code"] == 0 and result["directory"] == str(tmp_path / "run")
    assert result["verdict"] == result["validation"]["verdict"] != "fail"
    assert any(line["level"] == "progress" and line["total"] > 0 for line in told)
    model = distill.load(result["directory"])
    x, log_q = model.sample(4000)
    assert model.names == ["x0", "x1", "x2"]
    assert np.max(np.abs(x.mean(0))) < 0.1 and np.allclose(log_q, normal(x) - 1.5 * np.log(2 * np.pi), atol=0.2)


def test_gradients_and_names(tmp_path):
    result = distill.run(
        {}, out=tmp_path / "run", energy=lambda x: (normal(x), -x), names=["a", "b"], gradient=True, log_z=np.log(2 * np.pi)
    )
    assert result["exit_code"] == 0 and distill.load(tmp_path / "run").names == ["a", "b"]
    assert abs(result["validation"]["kl_reverse"]["value"]) < 0.01


def broken(x):
    raise ZeroDivisionError("of mine")


@pytest.mark.parametrize(
    "energy, raised, text",
    [
        (broken, ZeroDivisionError, "of mine"),
        (lambda x: np.zeros(3), ValueError, "the log-density of .* rows wants shape"),
        (lambda x: "text", ValueError, "text"),
    ],
)
def test_an_energy_that_fails_ends_the_run(tmp_path, energy, raised, text):
    with pytest.raises(raised, match=text):
        distill.run({}, out=tmp_path / "run", energy=energy, dim=2)


def test_wrong_configs_and_arguments(tmp_path):
    with pytest.raises(distill.Error, match="unknown key 'pth' in data") as caught:
        distill.run({"data": {"pth": 3}}, out=tmp_path / "run")
    assert caught.value.code == 78
    with pytest.raises(ValueError, match="want out="):
        distill.run({"data": {"generator": "two_moons"}})
    with pytest.raises(ValueError, match="dim= or names="):
        distill.run({}, out=tmp_path / "run", energy=normal)
    with pytest.raises(ValueError, match="1 names for dim=2"):
        distill.run({}, out=tmp_path / "run", energy=normal, dim=2, names=["a"])


def test_a_callback_stops_a_run(tmp_path):
    def stop(told):
        if told["level"] == "progress":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        distill.run({"data": {"generator": "two_moons", "rows": 2000}, "seed": 1}, out=tmp_path / "run", progress=stop)
    assert (tmp_path / "run").is_dir()
