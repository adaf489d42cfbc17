"""Cases of ``ndl.nn.utils``: gradients clipped, parameters as a vector, weights normalised."""

from __future__ import annotations

import math
from typing import Any

from ndl.verify.case import Draw, Program, case


def _clipping(d: Draw, clip: Any) -> Program:
    """Gradients that are clipped in place, and what the clipping returns."""
    x, w = d.normal(d.size(), 3), d.normal(2, 3)
    scale = d.choice([0.1, 1.0, 30.0])

    def run(T: Any, x: Any, w: Any) -> Any:
        a, b = x.detach().requires_grad_(), w.detach().requires_grad_()
        ((a @ b.T) ** 2 * scale).sum().backward()
        found = clip(T, [a, T.zeros(2, requires_grad=True), b])
        return (a.grad, b.grad) if found is None else (found, a.grad, b.grad)

    return Program(run, x, w, numeric=False, constant=(0, 1))


@case("nn.utils.clip_grad.clip_grad_norm_")
def clip_norm(d: Draw) -> Program:
    p, most = d.choice([1, 2, 2.0, 3.0, float("inf"), "inf"]), d.choice([0.5, 5.0, 1e6])
    return _clipping(d, lambda T, parameters: T.nn.utils.clip_grad_norm_(parameters, most, p))


@case("nn.utils.clip_grad.clip_grad_value_")
def clip_value(d: Draw) -> Program:
    most = d.choice([0.1, 2.0])
    return _clipping(d, lambda T, parameters: T.nn.utils.clip_grad_value_(parameters, most))


@case("nn.utils.clip_grad.get_total_norm")
def total_norm(d: Draw) -> Program:
    p = d.choice([1, 2, float("inf")])
    x, y = d.normal(*d.shape()), d.normal(*d.shape())
    return Program(lambda T, x, y: T.nn.utils.get_total_norm([x, y], p), x, y, numeric=False)


@case("nn.utils.clip_grad.clip_grads_with_norm_")
def scale(d: Draw) -> Program:
    def clip(T: Any, parameters: list) -> None:
        T.nn.utils.clip_grads_with_norm_(parameters, 2.0, T.tensor(7.0, dtype=T.float64))

    return _clipping(d, clip)


@case("nn.utils.convert_parameters.parameters_to_vector")
def to_vector(d: Draw) -> Program:
    x, y = d.normal(*d.shape()), d.normal(*d.shape())

    def run(T: Any, x: Any, y: Any) -> Any:
        return T.nn.utils.parameters_to_vector([x.contiguous(), y.contiguous()])

    return Program(run, x, y)


@case("nn.utils.convert_parameters.vector_to_parameters")
def from_vector(d: Draw) -> Program:
    a, b = d.shape(), d.shape()
    v = d.normal(math.prod(a) + math.prod(b))

    def run(T: Any, v: Any) -> Any:
        parameters = [T.zeros(a, dtype=T.float64), T.zeros(b, dtype=T.float64)]
        T.nn.utils.vector_to_parameters(v.detach(), parameters)
        return tuple(parameters)

    return Program(run, v, constant=(0,), numeric=False)


@case("nn.utils.parametrizations.weight_norm")
def weight_norm(d: Draw) -> Program:
    dim, I, O = d.choice([0, 1, None]), d.size(1, 4), d.size(1, 4)
    x = d.normal(d.size(1, 3), I)
    return Program(
        lambda T, m, x: m(x),
        x,
        module=lambda T: T.nn.utils.parametrizations.weight_norm(T.nn.Linear(I, O), dim=dim),
    )


@case("nn.utils.parametrizations.weight_norm.conv")
def weight_norm_of_convolution(d: Draw) -> Program:
    C, O, dim = d.size(1, 3), d.size(1, 3), d.choice([0, 1, 2])
    x = d.normal(2, C, 5)
    return Program(
        lambda T, m, x: m(x),
        x,
        module=lambda T: T.nn.utils.parametrizations.weight_norm(T.nn.Conv1d(C, O, 2), dim=dim),
    )


@case("nn.utils.parametrizations.spectral_norm")
def spectral_norm(d: Draw) -> Program:
    """u and v are constants to the gradient, so differences agree in evaluation only."""
    I, O, training, steps = d.size(1, 4), d.size(1, 4), d.boolean(), d.size(1, 3)
    transposed = d.boolean()

    def make(T: Any) -> Any:
        T.manual_seed(3)
        m = T.nn.ConvTranspose1d(I, O, 2, dtype=T.float64) if transposed else T.nn.Linear(I, O, dtype=T.float64)
        return T.nn.utils.parametrizations.spectral_norm(m, n_power_iterations=steps).train(training)

    x = d.normal(2, I, 3) if transposed else d.normal(2, I)
    return Program(lambda T, m, x: (m(x), m(x * 2)), x, module=make, numeric=not training)
