"""Cases of ``ndl.autograd.graph``: what a node keeps for its backward pass."""

from typing import Any

from ndl.verify.case import Draw, Program, case


def _error(T: Any, f: Any) -> Any:
    """Whether f raises RuntimeError, as a number both libraries can be asked for."""
    try:
        f()
    except RuntimeError:
        return T.tensor(1)
    return T.tensor(0)


@case("autograd.graph.saved.freed")
def freed(d: Draw) -> Program:
    """Kept values are there once, or as long as the graph is retained; a node that keeps nothing needs none."""

    def run(T: Any, x: Any) -> Any:
        y, z = (x * x.exp()).sum(), (x + 2).sum()
        first = T.autograd.grad(y, x, retain_graph=True)
        second = T.autograd.grad(y, x)
        again = T.autograd.grad(z, x), T.autograd.grad(z, x)
        return first, second, again, _error(T, lambda: T.autograd.grad(y, x))

    return Program(run, d.normal(3), numeric=False, second=False)


@case("autograd.graph.saved.changed")
def changed(d: Draw) -> Program:
    """A value that was written after it was kept is refused; one that was not, or that nothing keeps, is not."""

    def run(T: Any, x: Any) -> Any:
        y, z, w = x.exp(), x.exp(), x * 1
        y.add_(1)
        w.add_(1)
        v = (w * w).sum()
        z.add_(0)
        return (
            _error(T, lambda: T.autograd.grad(y.sum(), x)),
            _error(T, lambda: T.autograd.grad((z * 2).sum(), x)),
            T.autograd.grad(v, x),
        )

    return Program(run, d.normal(3), numeric=False, second=False)


def _own(T: Any) -> Any:
    """A user's Function of three results: e^x, w tanh x, and x²."""

    class Own(T.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any) -> Any:
            y, t = x.exp(), x.tanh()
            z = w * t
            ctx.save_for_backward(x, y, z, w)
            return y, z, x * x

        @staticmethod
        def backward(ctx: Any, dy: Any, dz: Any, ds: Any) -> Any:
            x, y, z, w = ctx.saved_tensors
            return dy * y + dz * (w - z * z / w) + 2 * ds * x, dz * z / w

    return Own


@case("autograd.graph.saved.own")
def own_function(d: Draw) -> Program:
    """Results that a user's Function keeps lead its second derivative through them."""

    def run(T: Any, x: Any, w: Any) -> Any:
        y, z, s = _own(T).apply(x, w)
        return y * y, z * y, s * z

    return Program(run, d.normal(3), d.positive(3))


@case("autograd.graph.saved.between")
def saved_between(d: Draw) -> Program:
    """A user's Function keeps what is neither argument nor result; once it was freed nobody reads it."""

    def run(T: Any, x: Any) -> Any:
        class Own(T.autograd.Function):  # type: ignore[misc, name-defined]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x.exp())
                return x.exp() * 2

            @staticmethod
            def backward(ctx: Any, dy: Any) -> Any:
                (e,) = ctx.saved_tensors
                return dy * e * 2

        y = Own.apply(x)
        node = y.grad_fn
        before = _error(T, lambda: node.saved_tensors)
        return *T.autograd.grad(y.sum(), x), before, _error(T, lambda: node.saved_tensors)

    return Program(run, d.normal(3), numeric=False, second=False)


@case("autograd.graph.saved.recorded")
def recorded(d: Draw) -> Program:
    """Third derivatives through kept inputs, kept outputs, and inputs that have no gradient."""

    def run(T: Any, x: Any, w: Any, c: Any) -> Any:
        y = (x.exp() * w * c + (x * w).tanh()).sum()
        (g,) = T.autograd.grad(y, x, create_graph=True)
        (h,) = T.autograd.grad((g * g).sum(), x, create_graph=True)
        return g, h

    return Program(run, d.normal(3), d.normal(3), d.normal(3), constant=(2,))


@case("autograd.graph.saved.arrays")
def kept_arrays(d: Draw) -> Program:
    """A backward pass that nobody records gets arrays, which is what kernels take."""

    def run(T: Any, x: Any, w: Any) -> Any:
        return T.softmax(x, 1), T.nn.functional.layer_norm(x, (4,), w)

    return Program(run, d.normal(3, 4), d.normal(4))
