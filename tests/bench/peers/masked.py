"""A masked autoregressive flow in plain PyTorch: what a good engineer writes who knows the mask.

Units are sorted by degree. Weights are kept masked: the mask is applied once after each step of the
optimiser, so every pass is dense products and nothing else. The sampler of a MAF is incremental:
step i finishes the outputs of dimension i and the hidden units of degree i, in buffers of one row
per feature, so every weight is used once.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

BOUND = 3.0  # log-scale s = u / (1 + |u| / BOUND), as in flow/layer/affine.c


def log_scale(u):
    return u / (1 + u.abs() / BOUND)


class Layer(nn.Module):
    """y_i = x_i exp(s_i(x_<i)) + m_i(x_<i), two hidden layers, relu."""

    def __init__(self, dim, hidden):
        super().__init__()
        self.dim, self.hidden = dim, hidden
        self.network = None  # the type of the maps, where it is not that of x
        inputs = torch.arange(1, dim + 1)
        units = 1 + torch.arange(hidden) * max(dim - 1, 1) // hidden  # ascending, 1 .. D - 1
        outputs = inputs.repeat(2)  # shifts, then scales
        self.maps = nn.ModuleList(
            [nn.Linear(dim, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, 2 * dim)]
        )
        self.masks = [
            (units[:, None] >= inputs[None, :]).float(),
            (units[:, None] >= units[None, :]).float(),
            (outputs[:, None] > units[None, :]).float(),
        ]
        # Hidden units of degree <= d: the first ends[d].
        self.ends = [int((units <= d).sum()) for d in range(dim + 1)]
        self.apply_masks()

    @torch.no_grad()
    def apply_masks(self):
        torch._foreach_mul_([m.weight for m in self.maps], self.masks)

    def forward(self, x):
        """y and log|det dy/dx| of rows x."""
        h = F.relu(self.maps[0](x if self.network is None else x.to(self.network)))
        h = F.relu(self.maps[1](h))
        # What a rounded map says is a number like any other: log q is summed in the type of x.
        shift, u = self.maps[2](h).to(x.dtype).split(self.dim, dim=1)
        s = log_scale(u)
        return torch.addcmul(shift, x, s.exp()), s.sum(1)

    def inverse(self, y):
        """x and log|det dx/dy|; y and x are (D, rows)."""
        (w0, b0), (w1, b1), (w2, b2) = ((m.weight, m.bias[:, None]) for m in self.maps)
        rows = y.shape[1]
        x, s = torch.empty_like(y), torch.empty_like(y)
        h0, h1 = torch.empty(self.hidden, rows), torch.empty(self.hidden, rows)
        for i in range(self.dim):
            begin, end = self.ends[i], self.ends[i + 1]
            out = torch.addmm(b2[i :: self.dim], w2[i :: self.dim, :begin], h1[:begin])
            s[i] = log_scale(out[1])
            torch.mul(y[i] - out[0], torch.exp(-s[i]), out=x[i])
            if begin < end:
                to = h0[begin:end]
                torch.addmm(b0[begin:end], w0[begin:end, : i + 1], x[: i + 1], out=to).relu_()
                to = h1[begin:end]
                torch.addmm(b1[begin:end], w1[begin:end, :end], h0[:end], out=to).relu_()
        return x, -s.sum(0)


def base_log_prob(z):
    return -0.5 * z.square().sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


class MaskedFlow(nn.Module):
    """Layers with the order of dimensions reversed between them. forward is the parallel direction:
    data to noise for a teacher, noise to data for a student."""

    def __init__(self, dim, layers, hidden):
        super().__init__()
        self.dim = dim
        self.layers = nn.ModuleList([Layer(dim, hidden) for _ in range(layers)])

    def apply_masks(self):
        for layer in self.layers:
            layer.apply_masks()

    def forward(self, x):
        log_det = 0
        for i, layer in enumerate(self.layers):
            x, ld = layer(x if i == 0 else x.flip(1))
            log_det = log_det + ld
        return x, log_det

    def inverse(self, y):
        y, log_det = y.t().contiguous(), 0
        for i, layer in reversed(list(enumerate(self.layers))):
            y, ld = layer.inverse(y)
            y = y if i == 0 else y.flip(0)
            log_det = log_det + ld
        return y.t().contiguous(), log_det
