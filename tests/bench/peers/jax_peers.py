"""The peer that runs on JAX: flowjax, every operation compiled as a whole."""

BATCHES = 8
LEARNING_RATE = 1e-4


class FlowJax:
    incremental = False

    def __init__(self, threads):
        # XLA takes as many threads as there are processors in the affinity mask, which compare.py
        # has set.
        import equinox
        import jax
        import optax

        self.jax, self.eqx, self.key = jax, equinox, jax.random.key(1)
        self.adam = optax.adam(LEARNING_RATE)

    def next_key(self):
        self.key, key = self.jax.random.split(self.key)
        return key

    def make(self, size, student):
        from flowjax.distributions import Normal
        from flowjax.flows import masked_autoregressive_flow

        zeros = self.jax.numpy.zeros(size["dim"])
        return masked_autoregressive_flow(
            self.next_key(),
            base_dist=Normal(zeros),
            flow_layers=size["layers"],
            nn_width=size["hidden"],
            nn_depth=2,
            invert=not student,
        )

    # ---- compiled functions

    def compile(self):
        import paramax

        jax, eqx, optax_adam = self.jax, self.eqx, self.adam

        def update(flow, state, loss):
            parameters, static = eqx.partition(
                flow,
                eqx.is_inexact_array,
                is_leaf=lambda leaf: isinstance(leaf, paramax.NonTrainable),
            )
            grads = jax.grad(lambda p: loss(paramax.unwrap(eqx.combine(p, static))))(parameters)
            updates, state = optax_adam.update(grads, state, parameters)
            return eqx.apply_updates(flow, updates), state

        @eqx.filter_jit(donate="all-except-first")
        def step(x, flow, state):
            return update(flow, state, lambda f: -f.log_prob(x).mean())

        @eqx.filter_jit(donate="all-except-first")
        def distill(key_and_teacher, flow, state, n):
            key, teacher = key_and_teacher

            def loss(f):
                x, log_q = f.sample_and_log_prob(key, (n,))
                return (log_q - teacher.log_prob(x)).mean()

            return update(flow, state, loss)

        self.run_step, self.run_distill = step, distill
        self.run_density = eqx.filter_jit(lambda flow, x: flow.log_prob(x))
        self.run_sample = eqx.filter_jit(lambda flow, key, n: flow.sample_and_log_prob(key, (n,)))

    def start(self, flow):
        import paramax

        return self.adam.init(
            self.eqx.filter(
                flow,
                self.eqx.is_inexact_array,
                is_leaf=lambda leaf: isinstance(leaf, paramax.NonTrainable),
            )
        )

    # ---- one call of each operation

    def build_training(self, size):
        jax = self.jax
        self.compile()
        self.size, self.batch = size, 0
        self.trained = self.make(size, student=False)
        self.trained_state = self.start(self.trained)
        shape = (BATCHES * size["batch"], size["dim"])
        self.data = jax.random.normal(self.next_key(), shape)
        self.order = jax.random.permutation(self.next_key(), shape[0])
        self.last = self.data

    def build(self, size):
        self.build_training(size)
        self.teacher = self.make(size, student=False)
        self.student = self.make(size, student=True)
        self.pupil = self.make(size, student=True)
        self.pupil_state = self.start(self.pupil)
        self.rows = self.jax.random.normal(self.next_key(), (size["rows"], size["dim"]))

    def step(self):
        n = self.size["batch"]
        x = self.data[self.order[self.batch * n : (self.batch + 1) * n]]
        self.batch = (self.batch + 1) % BATCHES
        self.trained, self.trained_state = self.run_step(x, self.trained, self.trained_state)
        self.last = self.trained_state
        return n

    def density(self):
        self.last = self.run_density(self.teacher, self.rows)
        return len(self.rows)

    def teacher_sample(self, n):
        self.last = self.run_sample(self.teacher, self.next_key(), n)
        return n

    def student_sample(self):
        self.last = self.run_sample(self.student, self.next_key(), self.size["rows"])
        return self.size["rows"]

    def student_one(self):
        self.last = self.run_sample(self.student, self.next_key(), 1)
        return 1

    def distill(self):
        n = self.size["batch"]
        self.pupil, self.pupil_state = self.run_distill(
            (self.next_key(), self.teacher), self.pupil, self.pupil_state, n
        )
        self.last = self.pupil_state
        return n

    def wait(self):
        """Work is queued: a clock must wait for it."""
        self.jax.block_until_ready(self.last)

    def versions(self):
        from importlib.metadata import version

        names = ("flowjax", "jax", "jaxlib")
        return {name: version(name) for name in names} | {"blas": "XLA's own (Eigen, oneDNN)"}
