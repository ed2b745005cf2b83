"""docs/reader.py -- reads a model file with numpy alone and computes with it, in double: files/FORMAT.md in code.

    m = Model("runs/x/student/model.safetensors")
    x, logq = m.transport(z)        # z (n, D) noise of m's base; x in the user's units
    logq = m.log_prob(x)            # context (n, C) as a second argument of either, where there is one

Shares no code with the tool. For reading, not for speed: what goes group by group there is iterated here.
"""
import json, math, struct
import numpy as np

PI = math.pi
softplus = lambda t: np.logaddexp(0, t)
sigmoid = lambda t: np.exp(-softplus(-t))
ACTIVATIONS = {"relu": lambda a: np.maximum(a, 0), "tanh": np.tanh, "silu": lambda a: a * sigmoid(a),
               "elu": lambda a: np.where(a > 0, a, np.expm1(np.minimum(a, 0))),
               "gelu": lambda a: a * sigmoid(1.5957691216057308 * (a + 0.044715 * a ** 3))}

def bounded(u, c):
    return u / (1 + np.abs(u) / c)

def softmax(h):
    e = np.exp(h - h.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)

def turn(x):
    """x within [-pi, pi], and what whole turns make of the rest"""
    r = np.where(np.abs(x) <= PI, x, x - 2 * PI * np.rint(x / (2 * PI)))
    return r, x - r

def wrap(x, start, period):
    r = x - period * np.floor((x - start) / period)
    return np.where((r >= start) & (r < start + period), r, start)

# ---- transformers: y and log dy/dx, or x and log dx/dy, of x (n) and h (n, P)

def quadratic(x, h, t, bound, closed, inverse):
    K, least, at = t["bins"], t["min_slope"], np.arange(len(x))
    w, v = (2 * bound * (t["min_share"] + (1 - t["min_share"] * K) * softmax(p)) for p in (h[:, :K], h[:, K:2 * K]))
    d = least + softplus(h[:, 2 * K:3 * K if closed else 3 * K - 1] + math.log(math.exp(1 - least) - 1))
    one = d[:, :1] if closed else np.ones((len(x), 1))
    d = np.hstack([d, one] if closed else [one, d, one])
    xs, ys = (np.cumsum(np.hstack([np.full((len(x), 1), -bound), p]), 1) for p in (w, v))
    k = np.minimum((x[:, None] >= (ys if inverse else xs)[:, 1:]).sum(1), K - 1)
    w, v, xk, yk, d0, d1 = w[at, k], v[at, k], xs[at, k], ys[at, k], d[at, k], d[at, k + 1]
    s = v / w
    if inverse:
        rise, bend = x - yk, d0 + d1 - 2 * s
        a, b, c = v * (s - d0) + rise * bend, v * d0 - rise * bend, -s * rise
        u = 2 * c / (-b - np.sqrt(np.maximum(b * b - 4 * a * c, 0)))
    else:
        u = (x - xk) / w
    q = u * (1 - u)
    den = s + (d0 + d1 - 2 * s) * q
    log = np.log(s * s * (d1 * u * u + 2 * s * q + d0 * (1 - u) ** 2) / den ** 2)
    return (xk + u * w, -log) if inverse else (yk + v * (s * u * u + d0 * q) / den, log)

def transform(t, x, h, inverse):
    kind = t["kind"]
    if kind == "additive":
        return x - h[:, 0] if inverse else x + h[:, 0], 0 * x
    if kind == "affine":
        s = bounded(h[:, 1], t["scale_bound"])
        return ((x - h[:, 0]) * np.exp(-s), -s) if inverse else (x * np.exp(s) + h[:, 0], s)
    if kind == "spline":
        inside = np.abs(x) <= t["bound"]
        y, l = quadratic(np.where(inside, x, 0), h, t, t["bound"], False, inverse)
        return np.where(inside, y, x), np.where(inside, l, 0)
    if kind == "circular_spline":
        phi = np.arctan2(h[:, -1], 1 + h[:, -2])
        r, whole = turn(x - phi if inverse else x)
        y, l = quadratic(r, h, t, PI, True, inverse)
        return whole + (y if inverse else y + phi), l
    raise ValueError("no such transformer: " + kind)

def n_params(t):
    return {"additive": 1, "affine": 2, "spline": 3 * t.get("bins", 0) - 1,
            "circular_spline": 3 * t.get("bins", 0) + 2}[t["kind"]]

# ---- units: one column; log du/dx

def to_flow(u, x):
    lo, hi, g = u.get("above"), u.get("below"), u.get("logit")
    if g:
        lo, hi = g["lo"], g["hi"]
    e, log = u.get("edge", 0), -math.log(u["scale"]) + math.log(u.get("step", 1)) + 0 * x
    x = np.where(x == lo, x + e, np.where(x == hi, x - e, x)) if e else x
    if g:
        p = g["alpha"] + (1 - 2 * g["alpha"]) * (x - lo) / (hi - lo)
        t = np.log(p) - np.log1p(-p)
        log = log - np.log(p) - np.log1p(-p) + math.log((1 - 2 * g["alpha"]) / (hi - lo))
    elif lo is not None or hi is not None:
        d, soft = (x - lo if lo is not None else hi - x), u.get("softplus")
        t = d / soft + np.log(-np.expm1(-d / soft)) if soft else np.log(d)
        log = log - (np.log(-np.expm1(-d / soft)) + math.log(soft) if soft else t)
        t = t if lo is not None else -t
    else:
        t = wrap(x, u["circle"]["cut"], u["circle"]["period"]) if "circle" in u else x
    if "angle" in u:
        t = wrap(t, u["shift"] - u["angle"]["period"] / 2, u["angle"]["period"])
    v = (t - u["shift"]) / u["scale"]
    return stretch(v, u["stretch"], log) if "stretch" in u else (v, log)

def stretch(a, k, log):
    s, c = k * np.sin(a / 2), np.cos(a / 2)
    return 2 * np.arctan2(s, c), log + math.log(k) - np.log(c * c + s * s)

def to_user(u, v):
    """x; what log du/dx is there, to_flow says (of a grid: at the point, before it is put on the grid)"""
    t = u["shift"] + u["scale"] * (stretch(wrap(v, -PI, 2 * PI), 1 / u["stretch"], 0)[0] if "stretch" in u else v)
    g, distance = u.get("logit"), lambda t: u["softplus"] * softplus(t) if "softplus" in u else np.exp(t)
    if g:
        t = g["lo"] + (g["hi"] - g["lo"]) * np.clip((sigmoid(t) - g["alpha"]) / (1 - 2 * g["alpha"]), 0, 1)
    elif "above" in u:
        t = u["above"] + distance(t)
    elif "below" in u:
        t = u["below"] - distance(-t)
    if "step" in u:
        last = (g["hi"] - g["lo"]) / u["step"] - 1 if g else -1 if "below" in u else np.inf
        t = origin(u) + u["step"] * np.minimum(np.floor((t - origin(u)) / u["step"]), np.rint(last))
    ring = u.get("angle") or u.get("circle")
    return wrap(t, ring["start"], ring["period"]) if ring else t

def origin(u):
    return u["logit"]["lo"] if "logit" in u else u.get("above", u.get("below", 0))

# ---- where in a cell the 64 points of grid column number `rank` are: fixed permutations of PCG64's numbers

M64, M128 = 2 ** 64 - 1, 2 ** 128 - 1

def mix(x):
    x = (x + 0x9e3779b97f4a7c15) & M64
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 & M64
    x = (x ^ x >> 27) * 0x94d049bb133111eb & M64
    return x ^ x >> 31

def strips(rank):
    if rank == 0:
        return list(range(64))
    name, seed, order = 7 << 32 | 5, mix(mix(rank)), []
    a, b = mix(mix(seed) ^ name), mix((mix(~name & M64) + seed) & M64)
    inc = (mix(~a & M64) << 64 | mix(~b & M64)) << 1 & M128 | 1
    step = lambda s: (s * (2549297995355413924 << 64 | 4865540595714422341) + inc) & M128
    state = step((inc + (mix(a) << 64 | mix(b))) & M128)
    for i in range(64):
        while True:
            state = step(state)
            x, r = (state >> 64) ^ state & M64, state >> 122
            m = (x >> r | x << (64 - r) & M64) * (i + 1)
            if m & M64 >= 2 ** 64 % (i + 1):
                break
        order.append(i)
        order[i], order[m >> 64] = order[m >> 64], i
    return order

class Model:
    def __init__(self, path):
        with open(path, "rb") as f:
            head = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
            data = f.read()
        self.meta = head.pop("__metadata__")
        kinds = {"F32": "<f4", "F64": "<f8"}
        self.tensors = {name: np.frombuffer(data[t["data_offsets"][0]:t["data_offsets"][1]], kinds[t["dtype"]])
                        .reshape(t["shape"]).astype(float) for name, t in head.items()}
        if self.meta["format"] != "distill.model.2":
            raise ValueError("format " + self.meta["format"])
        self.flow, self.units = json.loads(self.meta["flow"]), json.loads(self.meta["units"])["columns"]
        self.context_units = json.loads(self.meta.get("context_units", '{"columns": []}'))["columns"]
        self.names = json.loads(self.meta["names"])

    # ---- layers

    def network(self, net, prefix, a):
        if net["kind"] != "mlp":
            raise ValueError("no such conditioner: " + net["kind"])
        f = ACTIVATIONS[net["activation"]]
        W = lambda m, a: a @ self.tensors["%s%d.weight" % (prefix, m)].T + self.tensors["%s%d.bias" % (prefix, m)]
        n, m = sum(k.startswith(prefix) and k.endswith(".weight") for k in self.tensors), 1
        if n == 1:  # one group, without context: nothing to see
            return W(0, a)
        a = W(0, a)
        while net["residual"] and m < n - 1:
            a, m = a + W(m + 1, f(W(m, f(a)))), m + 2
        while m < n - 1:
            a, m = W(m, f(a)), m + 1
        return W(m, a if net["residual"] else f(a))

    def step(self, layer, prefix, seen, x, c, inverse):
        """x through the transformers, whose numbers the network gives from `seen` (n, D)."""
        D, circles = x.shape[1], layer.get("circles") or []
        cols = [[np.cos(v), np.sin(v)] if i in circles else [v] for i, v in enumerate(seen.T)]
        h = self.network(layer["conditioner"], prefix, np.column_stack([c] + [v for col in cols for v in col]))
        y, logdet, at = x.copy(), np.zeros(len(x)), 0
        for i in range(D):
            if layer["first"] == "identity" and i * layer["groups"] // D == 0:
                continue
            t = layer["circular"] if i in circles else layer["transformer"]
            y[:, i], l = transform(t, x[:, i], h[:, at:at + n_params(t)], inverse)
            at, logdet = at + n_params(t), logdet + l
        return y, logdet

    def conditioned(self, layer, prefix, x, c, inverse):
        if layer["kind"] == "autoregressive":
            if not inverse:
                return self.step(layer, prefix + "conditioner.", x, x, c, False)
            y = x
            for _ in range(layer["groups"]):  # group k is right after k passes
                y, logdet = self.step(layer, prefix + "conditioner.", y, x, c, True)
            return y, logdet
        T = layer["iterations"]
        name = lambda t: prefix + ("conditioner." if layer["tied"] else "step.%d.conditioner." % (t + 1))
        z = x
        for _ in range(layer["groups"] if inverse else 1):
            y = z
            for t in range(T - inverse):
                y, logdet = self.step(layer, name(t), y, z, c, True)
            if inverse:
                z, logdet = self.step(layer, name(T - 1), y, x, c, False)
        return (z if inverse else y), logdet

    def layer(self, layer, prefix, x, c, inverse):
        kind, T, sign = layer["kind"], lambda name: self.tensors[prefix + name], -1 if inverse else 1
        if kind in ("autoregressive", "unrolled"):
            return self.conditioned(layer, prefix, x, c, inverse)
        if kind == "permutation":
            order = np.array(layer["order"])
            return x[:, np.argsort(order) if inverse else order], np.zeros(len(x))
        if kind == "part":
            at = layer["columns"] if "columns" in layer else list(range(layer["first"], layer["first"] + layer["count"]))
            y = x.copy()
            y[:, at], logdet = self.stack(layer["layers"], prefix, x[:, at], c, inverse)
            return y, logdet
        if kind == "inverted":
            return self.stack(layer["layers"], prefix, x, c, not inverse)
        if kind == "lu_linear":
            M, b = T("lu"), T("bias")
            L, U, s = np.tril(M, -1) + np.eye(len(M)), np.triu(M, 1) + np.eye(len(M)), bounded(np.diag(M), layer["scale_bound"])
            A = L @ np.diag(np.exp(s)) @ U
            return np.linalg.solve(A, (x - b).T).T if inverse else x @ A.T + b, np.full(len(x), sign * s.sum())
        if kind in ("actnorm", "context_linear"):
            s, b = T("log_scale"), T("shift") + (c @ T("slope").T if kind == "context_linear" and c.shape[1] else 0)
            return (x - b) * np.exp(-s) if inverse else x * np.exp(s) + b, np.full(len(x), sign * s.sum())
        raise ValueError("no such layer: " + kind)

    def stack(self, layers, prefix, x, c, inverse):
        logdet = np.zeros(len(x))
        for i in range(len(layers))[::-1 if inverse else 1]:
            x, l = self.layer(layers[i], "%slayers.%d." % (prefix, i), x, c, inverse)
            logdet = logdet + l
        return x, logdet

    # ---- base

    def base(self, b, z):
        n, D = z.shape
        kind, T = b["kind"], lambda name: self.tensors["base." + name]
        if kind == "uniform":
            inside = ((z >= b["low"]) & (z <= b["high"])).all(1)
            return np.where(inside, -D * math.log(b["high"] - b["low"]), -np.inf)
        if kind == "circular":
            lines = [i for i in range(D) if i not in b["circles"]]
            return (self.base(b["others"], z[:, lines]) if lines else 0) - len(b["circles"]) * math.log(2 * PI) + np.zeros(n)
        if kind == "mixture":
            logit = T("logit") if b["weights"] == "learned" else np.zeros(b["components"])
            u = (z[:, None] - T("shift")) * np.exp(-T("log_scale"))
            logs = logit - np.logaddexp.reduce(logit) - (u * u / 2 + T("log_scale") + math.log(2 * PI) / 2).sum(2)
            return np.logaddexp.reduce(logs, 1)
        shift, s = (T("shift"), T("log_scale")) if b["learn"] else (0, np.zeros(D))
        u = (z - shift) * np.exp(-s)
        if kind == "normal":
            return -(u * u / 2 + s + math.log(2 * PI) / 2).sum(1)
        if kind == "student_t":
            nu = b["dof"]
            each = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - math.log(nu * PI) / 2
            return (each - (nu + 1) / 2 * np.log1p(u * u / nu) - s).sum(1)
        raise ValueError("no such base: " + kind)

    # ---- the whole

    def flow_pass(self, x, c, forward):
        """forward: from noise to data. log|det| of the way that is gone."""
        y, logdet = self.stack(self.flow["layers"], "", x, c, (self.flow["direction"] == "noise_to_data") != forward)
        b = self.flow["base"]
        on = [i for i, u in enumerate(self.units) if "angle" in u] if forward else b["circles"] if b["kind"] == "circular" else []
        y[:, on] = wrap(y[:, on], -PI, 2 * PI)
        return y, logdet

    def inner(self, context, n):
        cols = [to_flow(u, np.asarray(context, float)[:, i])[0] for i, u in enumerate(self.context_units)]
        return np.column_stack(cols) if cols else np.zeros((n, 0))

    def log_prob(self, x, context=None):
        """Of rows within the support."""
        x = np.asarray(x, float)
        c, grids, total = self.inner(context, len(x)), [i for i, u in enumerate(self.units) if "step" in u], []
        rings = [i for i, u in enumerate(self.units) if "circle" in u]
        for k in range(64 if grids else 1):
            at = x.copy()
            for rank, i in enumerate(grids):
                at[:, i] += (strips(rank)[k] + 0.5) / 64 * self.units[i]["step"]
            us, logs = zip(*(to_flow(u, at[:, i]) for i, u in enumerate(self.units)))
            for image in range(2 ** len(rings)):
                v = np.column_stack(us)
                for bit, i in enumerate(rings):
                    u = self.units[i]
                    middle, period = (u["circle"]["cut"] + u["circle"]["period"] / 2 - u["shift"]) / u["scale"], u["circle"]["period"] / u["scale"]
                    v[:, i] += (image >> bit & 1) * np.where(v[:, i] < middle, period, -period)
                z, logdet = self.flow_pass(v, c, False)
                total.append(self.base(self.flow["base"], z) + logdet + sum(logs) - math.log(64 if grids else 1))
        return np.logaddexp.reduce(total, 0)

    def transport(self, z, context=None):
        z = np.asarray(z, float)
        c = self.inner(context, len(z))
        v, logdet = self.flow_pass(z, c, True)
        x = np.column_stack([to_user(u, v[:, i]) for i, u in enumerate(self.units)])
        if any("step" in u or "circle" in u for u in self.units):
            return x, self.log_prob(x, context)
        return x, self.base(self.flow["base"], z) - logdet + sum(to_flow(u, x[:, i])[1] for i, u in enumerate(self.units))
