"""Cases of ``ndl.nn.utils.stateless``."""

from typing import Any

from ndl.verify.case import Draw, Program, case


@case("nn.utils.stateless.functional_call")
def functional_call(d: Draw) -> Program:
    """One step of gradient descent inside the program, as meta-learning takes it."""
    n, m = d.size(), d.size()
    x, W, b = d.normal(d.size(), n), d.normal(m, n), d.normal(m)

    def run(T: Any, x: Any, W: Any, b: Any) -> Any:
        model = T.nn.Sequential(T.nn.Linear(n, m).double(), T.nn.Tanh())
        own = {"0.weight": W, "0.bias": b}
        y = T.func.functional_call(model, own, (x,))
        dW, db = T.autograd.grad((y * y).mean(), (W, b), create_graph=True)
        return T.func.functional_call(model, ({"0.weight": W - dW}, {"0.bias": b - db}), x)

    return Program(run, x, W, b)


@case("nn.utils.stateless.functional_call.tied")
def tied(d: Draw) -> Program:
    n = d.size()
    tie, both = d.boolean(), d.boolean()

    def run(T: Any, x: Any, W: Any) -> Any:
        T.manual_seed(0)
        model = T.nn.Sequential(T.nn.Linear(n, n, bias=False), T.nn.Linear(n, n, bias=False)).to(x.dtype)
        model[1].weight = model[0].weight
        given = {"0.weight": W, "1.weight": W} if both else {"1.weight": W}
        return T.func.functional_call(model, given, x, tie_weights=tie)

    return Program(run, d.normal(2, n), d.normal(n, n))
