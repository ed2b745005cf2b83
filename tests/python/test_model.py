"""Models: the numbers of the command line, whatever the arrays are like."""

import pickle
import threading

import numpy as np
import pytest
from conftest import by_program, table

import distill


def test_samples_are_those_of_the_program(run_directory):
    model = distill.load(run_directory)
    x, log_q = model.sample(300, seed=3, first=5)
    want = by_program(run_directory, "-n", 300, "--seed", 3, "--first", 5)
    assert np.allclose(x, want[:, :2], 1e-5, 1e-6) and np.allclose(log_q, want[:, 2], 1e-5, 1e-5)  # it has lu_linear
    assert np.mean(x == want[:, :2]) > 0.9
    assert model.names == ["x1", "x2"] and model.dim == 2 and model.context_dim == 0
    assert model.description["role"] == "student" and "x1" in repr(model)


def test_densities_are_those_of_the_program(run_directory, tmp_path):
    model = distill.load(run_directory)
    x, _ = model.sample(50, log_q=False)
    np.save(tmp_path / "x.npy", x)
    want = table("logp", run_directory, tmp_path / "x.npy")[:, -1]
    assert np.allclose(model.log_prob(x), want, 1e-11, 1e-11)


def test_rounded_networks(run_directory):
    model = distill.load(run_directory, network="int8", threads=2)
    want = by_program(run_directory, "-n", 200, "--network", "int8")
    assert np.array_equal(np.column_stack(model.sample(200)), want)


def test_bytes_and_files(run_directory):
    file = run_directory / "student" / "model.safetensors"
    one, two = distill.load(file), distill.load(file.read_bytes())
    assert np.array_equal(one.sample(20)[0], two.sample(20)[0])


def test_contexts(given):
    model = distill.load(given)
    want = by_program(given, "-n", 40, "--context", "c=0.5")
    assert model.context_names == ["c"]
    for context in ([0.5], np.full((40, 1), 0.5), np.full((80, 1), 0.5, dtype="f4")[::2]):
        x, log_q = model.sample(40, context=context)
        assert np.allclose(np.column_stack([x, log_q]), want, 1e-5, 1e-5)
    with pytest.raises(ValueError, match="context of 1 columns is missing"):
        model.sample(3)
    with pytest.raises(ValueError, match="context wants shape"):
        model.sample(3, context=np.zeros((2, 1)))


def test_any_strides(run_directory):
    model = distill.load(run_directory)
    want, log_q = model.sample(500)
    room = np.zeros((2, 1000)).T  # Fortran order, every other row
    got, _ = model.sample(500, out=room[::2])
    assert got.base is room.base and np.array_equal(got, want) and not room[1::2].any()
    assert np.array_equal(model.log_prob(got[::-1]), model.log_prob(want)[::-1])
    unaligned = np.frombuffer(b"x" + want.tobytes(), dtype="u1")[1:].view("f8").reshape(-1, 2)
    assert np.array_equal(model.log_prob(unaligned), model.log_prob(want))
    assert np.allclose(model.log_prob(want.astype("f4")), log_q, atol=1e-2)
    for out in (np.zeros((500, 3)), np.zeros((500, 2), "f4"), unaligned):
        with pytest.raises(ValueError, match="out "):
            model.sample(500, out=out)


def test_noise_transport_and_events(run_directory):
    model = distill.load(run_directory)
    x, log_q = model.sample(100, seed=2)
    again = model.transport(model.noise(100, seed=2))
    assert np.array_equal(again[0], x) and np.array_equal(again[1], log_q)
    z = model.noise(100, seed=2)
    turned, _ = model.transport(z, out=z[::-1])  # written where it is read
    assert np.array_equal(turned, again[0]) and turned.base is z
    u = np.random.default_rng(1).random((5000, 2))
    x, weight = model.event(u)
    assert np.allclose(np.log(weight), -model.log_prob(x), atol=0.02)
    inside = np.all(np.abs(x) < 1, axis=1)  # a square of area 4, of which the model covers a part at least
    assert 0 < np.mean(weight * inside) < 4.5


def test_what_makes_no_sense(run_directory, tmp_path):
    model = distill.load(run_directory)
    for rows in (np.zeros((3, 3)), np.zeros(2), np.zeros((2, 2, 2))):
        with pytest.raises(ValueError, match="x wants shape"):
            model.log_prob(rows)
    with pytest.raises(ValueError, match="no real number"):
        model.log_prob(np.zeros((3, 2)) + 1j)
    with pytest.raises(ValueError, match="x is masked"):
        model.log_prob(np.ma.masked_less(np.zeros((3, 2)), 1))
    with pytest.raises(ValueError, match="-1 rows"):
        model.sample(-1)
    with pytest.raises(distill.Error, match="network wants one of f32") as caught:
        distill.load(run_directory, network="int7")
    assert caught.value.code == 1
    with pytest.raises(distill.Error, match="nothing.safetensors: cannot be opened"):
        distill.load(tmp_path / "nothing.safetensors")
    with pytest.raises(distill.Error, match="the bytes given"):
        distill.load(b"no model")
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(model)
    assert model.sample(0)[0].shape == (0, 2)
    with model:
        pass
    with pytest.raises(ValueError, match="closed"):
        model.sample(1)
    assert "closed" in repr(model)


def test_threads(run_directory):
    model = distill.load(run_directory)
    want, _ = model.sample(2000)
    wrong = []

    def use(handle):
        for _ in range(10):
            if not np.array_equal(handle.sample(2000)[0], want):
                wrong.append(handle)

    workers = [threading.Thread(target=use, args=(h,)) for h in (model, model, model.share())]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
