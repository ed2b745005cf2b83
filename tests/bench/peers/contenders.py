"""A student of plain PyTorch in every setting in which PyTorch and ONNX Runtime can sample it: f32, bf16 and int8,
compiled or not. Run by rounded.py, after `verify` has held each against the same student in double precision."""

import copy
import logging
import os
import tempfile
import warnings

import torch
from masked import MaskedFlow, base_log_prob
from torch import nn

ALONE = 8  # rows that are also sent one by one
# How far a setting may be from double precision, as a share of what the networks do to a row; a map that is not the
# same one, such as one without its reversals, is off by most of it.
TOLERANCE = {"f32": 1e-3, "bf16": 0.05, "int8": 0.3}


class Student(nn.Module):
    """Noise to samples and their log q: what is compiled, quantised and exported."""

    def __init__(self, flow):
        super().__init__()
        self.flow = flow

    def forward(self, z):
        x, log_det = self.flow(z)
        return x, base_log_prob(z) - log_det


def new_student(size):
    torch.manual_seed(1)
    return Student(MaskedFlow(size["dim"], size["layers"], size["hidden"])).eval()


class Eager:
    """PyTorch as it is, in f32 or with weights that are kept in bf16 or int8, or under autocast. Parameters ask for
    gradients, which nothing takes: autocast keeps the rounded weights of those alone, as long as it is on."""

    def __init__(self, student, word, threads, autocast=False):
        self.student, self.word, self.threads, self.autocast = student, word, threads, autocast

    def __enter__(self):
        torch.set_num_threads(self.threads)
        self.modes = [torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.autocast)]
        for mode in self.modes:
            mode.__enter__()
        return self

    def __exit__(self, *error):
        for mode in reversed(self.modes):
            mode.__exit__(*error)

    def sample(self, n, dim):
        return self.student(torch.randn(n, dim))

    def map(self, z):
        return self.student(z)


class Session:
    """ONNX Runtime on an exported student; its session is kept, the noise is PyTorch's."""

    def __init__(self, path, word, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.word, self.threads = word, threads

    def __enter__(self):
        torch.set_num_threads(self.threads)
        return self

    def __exit__(self, *error):
        pass

    def sample(self, n, dim):
        return self.session.run(None, {"z": torch.randn(n, dim).numpy()})

    def map(self, z):
        return [torch.from_numpy(out) for out in self.session.run(None, {"z": z.numpy()})]


# ---- how each is made


def in_bf16(student):
    out = copy.deepcopy(student)
    for layer in out.flow.layers:
        layer.maps.bfloat16()
        layer.network = torch.bfloat16
    return out


def in_int8(student):
    from torch.ao.quantization import quantize_dynamic

    return quantize_dynamic(copy.deepcopy(student), {nn.Linear}, dtype=torch.qint8)


def compiled(student):
    """A copy, so that no two settings share what is compiled; weights are constants (freezing). What is compiled too
    often would run as it is, without a word: an error instead."""
    import torch._dynamo.config
    import torch._inductor.config

    torch._inductor.config.freezing = True
    torch._dynamo.config.recompile_limit = torch._dynamo.config.accumulated_recompile_limit = 256
    torch._dynamo.config.fail_on_recompile_limit_hit = True
    return torch.compile(copy.deepcopy(student), dynamic=False)


def export(student, directory, dim):
    path = os.path.join(directory, "student.onnx")
    torch.onnx.export(student, (torch.randn(2, dim),), path, opset_version=17, input_names=["z"],
                      output_names=["x", "log_q"], dynamic_axes={k: {0: "rows"} for k in ("z", "x", "log_q")},
                      dynamo=False)
    return path


def quantised(path, layers):
    """int8 weights with a scale for each row of them; every product must be one of integers."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    out = path.replace(".onnx", ".int8.onnx")
    quantize_dynamic(path, out, weight_type=QuantType.QInt8, per_channel=True)
    products = sum("MatMulInteger" in node.op_type for node in onnx.load(out).graph.node)
    if products != 3 * layers:
        raise ValueError(f"{products} products of integers, not {3 * layers}")
    return out


def makers(student, size, directory):
    """name: function of the threads."""
    onnx = os.path.join(directory, "student.onnx")
    return {
        "f32": lambda t: Eager(student, "f32", t),
        "f32 compiled": lambda t: Eager(compiled(student), "f32", t),
        "bf16 autocast": lambda t: Eager(student, "bf16", t, autocast=True),
        "bf16 autocast compiled": lambda t: Eager(compiled(student), "bf16", t, autocast=True),
        "bf16 weights": lambda t: Eager(in_bf16(student), "bf16", t),
        "int8 dynamic": lambda t: Eager(in_int8(student), "int8", t),
        "int8 dynamic compiled": lambda t: Eager(compiled(in_int8(student)), "int8", t),
        "ORT f32": lambda t: Session(export(student, directory, size["dim"]), "f32", t),
        "ORT int8": lambda t: Session(quantised(export(student, directory, size["dim"]), size["layers"]), "int8", t),
    }


# ---- the same map


def untouched(z, layers):
    """What a flow whose networks say nothing makes of z."""
    return z.flip(1) if layers % 2 == 0 else z


def rms(x):
    return float(x.double().square().mean().sqrt())


class Reference:
    """The student in double precision on rows of its own."""

    def __init__(self, student, size):
        exact = copy.deepcopy(student).double()
        self.z = torch.randn(size["rows"], size["dim"])  # shapes that are timed: nothing else is compiled
        with torch.inference_mode():
            self.x, self.log_q = exact(self.z.double())
        self.moved = rms(self.x - untouched(self.z.double(), size["layers"]))
        self.log_det = rms(self.log_q - base_log_prob(self.z.double()))

    def verify(self, contender):
        """Errors of x and log q, and how much a row's x hangs on the other rows of its call: shares of what the
        networks do. ValueError where it is another map."""
        x, log_q = contender.map(self.z)
        alone = torch.cat([contender.map(row[None])[0] for row in self.z[:ALONE]])
        errors = rms(x - self.x) / self.moved, rms(log_q - self.log_q) / self.log_det
        if not max(errors) <= TOLERANCE[contender.word]:
            raise ValueError(f"another map: x off by {errors[0]:.2g}, log q by {errors[1]:.2g}")
        return {"x": errors[0], "log_q": errors[1], "of_others": rms(alone - x[:ALONE]) / self.moved}


def build(size, threads, say):
    """{(name, threads): (contender, errors)} of all settings that work, warmed up."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    student, out = new_student(size), {}
    reference = Reference(student, size)
    with tempfile.TemporaryDirectory() as directory:
        for name, make in makers(student, size, directory).items():
            for t in threads:
                try:
                    with make(t) as contender:
                        errors = reference.verify(contender)
                        for n in (size["rows"], size["rows"], 1, 1):
                            contender.sample(n, size["dim"])
                    out[name, t] = contender, errors
                except Exception as error:  # of a library: the others go on
                    text = f"{type(error).__name__}: {error}".splitlines()[0][:200]
                    say(f"   {name}, {t} threads, is left out: {text}")
    return out


def versions():
    from importlib.metadata import PackageNotFoundError, version

    out = {"torch": torch.__version__, "torch's processor": torch.backends.cpu.get_cpu_capability()}
    for name in ("onnx", "onnxruntime"):
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            out[name] = "none"
    return out
