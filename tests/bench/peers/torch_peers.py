"""The peers that run on PyTorch. Each says how it makes a teacher (MAF) and a student (IAF), takes
densities and draws samples; the operations that are timed are the same for all."""

import time

import torch

BATCHES = 8  # in the data set
LEARNING_RATE = 1e-4


def adam(parameters):
    """PyTorch's fastest Adam on this machine."""
    parameters = list(parameters)
    try:
        return torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
    except (RuntimeError, TypeError):
        return torch.optim.Adam(parameters, lr=LEARNING_RATE)


class TorchPeer:
    incremental = False  # whether sampling a teacher costs about one pass and not D

    def __init__(self, threads):
        torch.set_num_threads(threads)
        torch.manual_seed(1)

    # ---- what a library supplies

    def make(self, size, student):
        raise NotImplementedError

    def log_prob(self, flow, x):
        raise NotImplementedError

    def sample(self, flow, n):
        """n rows with their log-density, in the flow's parallel direction or not."""
        raise NotImplementedError

    def after_step(self, flow):
        pass

    # ---- one call of each operation; returns the rows that it has done

    def build_training(self, size):
        self.size, self.batch = size, 0
        self.trained = self.make(size, student=False)
        self.trained_adam = adam(self.trained.parameters())
        self.data = torch.randn(BATCHES * size["batch"], size["dim"])
        self.order = torch.randperm(len(self.data))

    def build(self, size):
        self.build_training(size)
        self.teacher = self.make(size, student=False).requires_grad_(False)
        self.student = self.make(size, student=True)
        self.pupil = self.make(size, student=True)
        self.pupil_adam = adam(self.pupil.parameters())
        self.rows = torch.randn(size["rows"], size["dim"])

    def step(self):
        n = self.size["batch"]
        x = self.data[self.order[self.batch * n : (self.batch + 1) * n]]
        self.batch = (self.batch + 1) % BATCHES
        self.trained_adam.zero_grad(set_to_none=True)
        (-self.log_prob(self.trained, x).mean()).backward()
        self.trained_adam.step()
        self.after_step(self.trained)
        return n

    @torch.inference_mode()
    def density(self):
        self.log_prob(self.teacher, self.rows)
        return len(self.rows)

    @torch.inference_mode()
    def teacher_sample(self, n):
        self.sample(self.teacher, n)
        return n

    @torch.inference_mode()
    def student_sample(self):
        self.sample(self.student, self.size["rows"])
        return self.size["rows"]

    @torch.inference_mode()
    def student_one(self):
        self.sample(self.student, 1)
        return 1

    def distill(self):
        """Reverse KL by its total gradient: forward twice, one backward."""
        n = self.size["batch"]
        self.pupil_adam.zero_grad(set_to_none=True)
        x, log_q = self.sample(self.pupil, n)
        (log_q - self.log_prob(self.teacher, x)).mean().backward()
        self.pupil_adam.step()
        self.after_step(self.pupil)
        return n

    def wait(self):
        pass

    def gemm_flops(self):
        """The best rate of a large square product."""
        best = 0.0
        for n in (512, 1024, 1536):
            a, b, out = torch.rand(n, n), torch.rand(n, n), torch.empty(n, n)
            end = time.perf_counter() + 0.2
            while time.perf_counter() < end:
                start = time.perf_counter()
                torch.mm(a, b, out=out)
                best = max(best, 2 * n**3 / (time.perf_counter() - start))
        return best

    def versions(self):
        blas = "MKL" if torch.backends.mkl.is_available() else "no MKL"
        core = torch.backends.cpu.get_cpu_capability()
        return {"torch": torch.__version__, "blas": f"{blas}, {core}"}


class Plain(TorchPeer):
    incremental = True

    def build(self, size):
        super().build(size)
        self.check_inverse()

    @torch.no_grad()
    def check_inverse(self):
        """A sampler that is fast because it is wrong would be no peer."""
        z, log_det = self.teacher(self.rows[:16])
        x, back = self.teacher.inverse(z)
        if not (x.allclose(self.rows[:16], atol=1e-3) and back.allclose(-log_det, atol=1e-2)):
            raise ValueError("the plain flow's sampler is not the inverse of its density's map")

    def make(self, size, student):
        from masked import MaskedFlow

        return MaskedFlow(size["dim"], size["layers"], size["hidden"])

    def log_prob(self, flow, x):
        from masked import base_log_prob

        z, log_det = flow(x)
        return base_log_prob(z) + log_det

    def sample(self, flow, n):
        from masked import base_log_prob

        z = torch.randn(n, flow.dim)
        x, log_det = flow.inverse(z) if flow is self.teacher else flow(z)
        return x, base_log_prob(z) - log_det

    def after_step(self, flow):
        flow.apply_masks()


class Zuko(TorchPeer):
    def make(self, size, student):
        import zuko

        hidden = (size["hidden"],) * 2
        maf = zuko.flows.MAF(size["dim"], transforms=size["layers"], hidden_features=hidden)
        return zuko.lazy.Flow(maf.transform.inv, maf.base) if student else maf

    def log_prob(self, flow, x):
        return flow().log_prob(x)

    def sample(self, flow, n):
        return flow().rsample_and_log_prob((n,))

    def versions(self):
        from importlib.metadata import version

        return {"zuko": version("zuko"), **super().versions()}


class NFlows(TorchPeer):
    def make(self, size, student):
        from nflows.distributions import StandardNormal
        from nflows.flows import Flow
        from nflows.transforms import (
            CompositeTransform,
            InverseTransform,
            MaskedAffineAutoregressiveTransform,
            ReversePermutation,
        )

        layers = []
        for i in range(size["layers"]):
            layers += [ReversePermutation(size["dim"])] if i else []
            layers += [
                MaskedAffineAutoregressiveTransform(
                    size["dim"], size["hidden"], num_blocks=1, use_residual_blocks=False
                )
            ]
        transform = CompositeTransform(layers)
        transform = InverseTransform(transform) if student else transform
        return Flow(transform, StandardNormal([size["dim"]]))

    def log_prob(self, flow, x):
        return flow.log_prob(x)

    def sample(self, flow, n):
        return flow.sample_and_log_prob(n)

    def versions(self):
        from importlib.metadata import version

        return {"nflows": version("nflows"), **super().versions()}


class NormFlows(TorchPeer):
    def make(self, size, student):
        import normflows as nf

        layers = []
        for i in range(size["layers"]):
            layers += [nf.flows.Permute(size["dim"], mode="swap")] if i else []
            layer = nf.flows.MaskedAffineAutoregressive(
                size["dim"], size["hidden"], num_blocks=1, use_residual_blocks=False
            )
            layers += [layer if student else nf.flows.Reverse(layer)]
        base = nf.distributions.DiagGaussian(size["dim"], trainable=False)
        return nf.NormalizingFlow(base, layers)

    def log_prob(self, flow, x):
        return flow.log_prob(x)

    def sample(self, flow, n):
        return flow.sample(n)

    def versions(self):
        from importlib.metadata import version

        return {"normflows": version("normflows"), **super().versions()}
