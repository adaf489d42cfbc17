"""The numerical check of a case: its gradients against central differences, without PyTorch.

For random v_j, the scalar L = Σ_j Σ v_j · y_j has a gradient by every floating input and every parameter:

    by backward      g = Σ_j v_jᵀ J_j
    by differences   g_k ≈ (L(θ + ε e_k) − L(θ − ε e_k)) / 2ε

which must agree to |difference| / max(1, max |g|) ≤ 1e-6, in float64. ``TOLERANCE`` leaves room for the error of the
differences, not of the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.jacobian import Point
from ndl.autograd.tensor import Tensor
from ndl.verify.case import Program
from ndl.verify.parity import outputs_of, parameter_values

TOLERANCE = 1e-6
ELEMENTS = 40  # of each input or parameter, at most, are changed one by one


def differentiable(program: Program) -> tuple[Callable[..., tuple], dict[str, Tensor]]:
    """The program as a function of the tensors to differentiate, and these tensors: ``dx0``, ``dx1``, ``d weight``.

    The function may be called any number of times: random numbers and buffers begin where they began.
    """
    import ndl

    tensors = [ndl.from_numpy(np.array(x)) for x in program.inputs]
    places = [i for i, x in enumerate(program.inputs) if x.dtype.kind == "f" and i not in program.constant]
    module = None
    if program.module is not None:
        module = program.module(ndl).to(ndl.float64)
        values = parameter_values([(n, tuple(p.shape)) for n, p in module.named_parameters()])
        with ndl.no_grad():
            for name, p in module.named_parameters():
                p.copy_(ndl.from_numpy(values[name]))
    parameters = dict(module.named_parameters()) if module is not None else {}
    state = {k: np.array(v.detach().numpy()) for k, v in module.state_dict().items()} if module is not None else {}

    def f(*inputs: Tensor) -> tuple:
        arguments: list[Any] = list(tensors)
        for place, t in zip(places, inputs, strict=False):
            # A program that writes to its inputs must not write to the leaves it is differentiated by.
            arguments[place] = t * 1
        if program.seed:
            ndl.manual_seed(0)
        if module is not None:
            with ndl.no_grad():
                for name, b in module.named_buffers():
                    if name in state:  # a buffer that is not persistent is not part of the state
                        b.copy_(ndl.from_numpy(state[name]))
            arguments.insert(0, module)
        results = outputs_of(program.run(ndl, *arguments))
        return tuple(y for y in results if isinstance(y, Tensor) and y.requires_grad)

    leaves = {f"dx{i}": tensors[i].requires_grad_() for i in places}
    return f, leaves | {f"d {name}": p for name, p in parameters.items()}


def numerical_errors(program: Program, eps: float = 1e-6) -> dict[str, float]:
    """The error of the gradient by each input and parameter, as the module's text defines it; {} if there is none."""
    f, leaves = differentiable(program)
    if not leaves:
        return {}
    point = Point(f, tuple(leaves.values()), eps, nondet_tol=0.0)
    rng = np.random.default_rng(2)
    vs = [rng.standard_normal(tuple(y.shape)) for y in point.outputs]
    pulled = [point.pull_back(j, v) for j, v in enumerate(vs)]
    errors = {}
    for i, (name, x) in enumerate(leaves.items()):
        g = sum((p[i] for p in pulled), np.zeros(tuple(x.shape)))
        places = rng.permutation(g.size)[:ELEMENTS]
        numerical = np.array([_slope(point, x, int(k), vs) for k in places])
        difference = np.abs(g.reshape(-1)[places] - numerical)
        errors[name] = float(np.max(difference, initial=0.0) / max(1.0, np.max(np.abs(g), initial=0.0)))
        if np.isnan(errors[name]):
            errors[name] = np.inf
    return errors


def _slope(point: Point, x: Tensor, k: int, vs: list[np.ndarray]) -> float:
    """∂L/∂x_k by central differences."""
    step = np.zeros(tuple(x.shape))
    step.reshape(-1)[k] = point.eps
    return float(sum(np.sum(v * change) for v, change in zip(vs, point.change(x, step))))
