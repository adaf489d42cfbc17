"""Derivatives of functions, as ``torch.autograd.functional``: Jacobians, Hessians, and their products with vectors.

For y = f(x), with J = ∂y/∂x and, where y is one number, H = ∂²y/∂x²:

    jacobian    J, one backward pass for each element of y
    hessian     H, the Jacobian of the gradient
    vjp         vᵀ J: one backward pass with dL/dy = v
    jvp         J v, by the double-backward trick: u ↦ uᵀ J is linear in u, and its derivative along v is J v
    vhp         vᵀ H: the derivative of the gradient, weighted by v
    hvp         H v, by the trick again (it is vhp where H is symmetric, which it is for smooth f; vhp is faster)

``inputs`` and what the function returns are a tensor or a tuple of tensors; results are tensors or tuples (of tuples)
to match. ``create_graph`` makes them differentiable again. An output that does not depend on an input has zeros as its
derivative; ``strict=True`` raises RuntimeError instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ndl.autograd.engine import grad
from ndl.autograd.grad_mode import enable_grad
from ndl.autograd.tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

ONE_INPUT = "input to the user-provided function is a single Tensor with one element."
ONE_OUTPUT = "user-provided function returns a single Tensor with a single element."


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """J of shape (*y.shape, *x.shape), row by row: ∂yᵢ/∂x is a backward pass with dL/dy = eᵢ.

    ``vectorize`` and ``strategy`` choose among PyTorch's ways to the same numbers and change nothing.
    """
    _check_strategy(strategy, vectorize)
    with enable_grad():
        xs, ys, single_x, single_y = _evaluate(func, inputs, "jacobian", create_graph, strict)
        rows = tuple([_jacobian_of(y, i, xs, create_graph, strict) for i, y in enumerate(ys)])
    results = tuple([row[0] if single_x else row for row in rows])
    return results[0] if single_y else results


def hessian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """H of a function of one number: the Jacobian of its gradient; for inputs x₁, x₂, … a tuple of tuples."""
    _check_strategy(outer_jacobian_strategy, vectorize)
    _, single = _as_tuple(inputs, "inputs", "hessian")

    def gradient(*xs: Tensor) -> tuple:
        y = func(*xs)
        _check_one_number(y, "hessian")
        return _gradients((y,), xs, None, True, strict)

    found = jacobian(gradient, inputs, create_graph=create_graph, strict=strict)
    return found[0] if single else found


def vjp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(y, vᵀ J). ``v`` has the shapes of y, and may be left out where y is one number."""
    with enable_grad():
        xs, ys, single_x, single_y = _evaluate(func, inputs, "vjp", create_graph, strict)
        vs = _vectors(v, ys, single_y, "vjp", ONE_OUTPUT)
        found = _gradients(ys, xs, vs, create_graph, strict)
    return _result(ys, single_y, create_graph), _result(found, single_x, create_graph)


def jvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(y, J v). ``v`` has the shapes of the inputs, and may be left out where there is one of one element.

    With u a dummy: g(u) = uᵀ J by one backward pass that is recorded, and ∂(g · v)/∂u = J v by a second one.
    """
    with enable_grad():
        xs, ys, single_x, single_y = _evaluate(func, inputs, "jvp", create_graph, strict)
        vs = _vectors(v, xs, single_x, "jvp", ONE_INPUT)
        found = _push_forward(ys, xs, vs, create_graph, strict)
    return _result(ys, single_y, create_graph), _result(found, single_y, create_graph)


def vhp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(y, vᵀ H) of a function of one number; ``v`` has the shapes of the inputs."""
    with enable_grad():
        xs, ys, single_x, _ = _evaluate(func, inputs, "vhp", create_graph, strict)
        _check_one_number(ys if len(ys) > 1 else ys[0], "vhp")
        vs = _vectors(v, xs, single_x, "vhp", ONE_INPUT)
        first = _gradients(ys, xs, None, True, strict)
        found = _gradients(first, xs, vs, create_graph, strict)
    return _result(ys, True, create_graph), _result(found, single_x, create_graph)


def hvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(y, H v) of a function of one number; ``v`` has the shapes of the inputs."""
    with enable_grad():
        xs, ys, single_x, _ = _evaluate(func, inputs, "hvp", create_graph, strict)
        _check_one_number(ys if len(ys) > 1 else ys[0], "hvp")
        vs = _vectors(v, xs, single_x, "hvp", ONE_INPUT)
        first = _gradients(ys, xs, None, True, strict)
        found = _push_forward(first, xs, vs, create_graph, strict)
    return _result(ys, True, create_graph), _result(found, single_x, create_graph)


# -- passes ----------------------------------------------------------------------------------------------------


def _jacobian_of(y: Tensor, i: int, xs: tuple, create_graph: bool, strict: bool) -> tuple:
    """∂y/∂x for every x."""
    if not y.requires_grad:
        if strict:
            raise RuntimeError(f"Output {i} of the user-provided function is independent of the inputs: strict=True")
        return tuple([Tensor._wrap(np.zeros((*y.shape, *x.shape), y._array.dtype)) for x in xs])
    elements = y.reshape(-1)
    rows = [_gradients((elements[k],), xs, None, create_graph, strict) for k in range(elements.numel())]
    if not rows:
        return tuple([Tensor._wrap(np.zeros((*y.shape, *x.shape), y._array.dtype)) for x in xs])
    columns = tuple(zip(*rows))
    stacked: list[Any] = [np.stack(column).reshape(*y.shape, *x.shape) for column, x in zip(columns, xs)]  # Tensors
    return tuple(stacked if create_graph else [s.detach() for s in stacked])


def _gradients(ys: Sequence, xs: tuple, vs: Any, create_graph: bool, strict: bool) -> tuple:
    """Σ vᵀ ∂y/∂x for every x; zeros where there is no path."""
    pairs = [(y, None if vs is None else v) for y, v in zip(ys, ys if vs is None else vs) if y.requires_grad]
    if not pairs:
        if strict:
            raise RuntimeError("The output of the user-provided function is independent of the inputs: strict=True")
        found: Sequence = [None] * len(xs)
    else:
        found = grad([y for y, _ in pairs], xs, [v for _, v in pairs], True, create_graph, allow_unused=True)
    for i, g in enumerate(found):
        if g is None and strict:
            raise RuntimeError(f"The output of the user-provided function is independent of input {i}: strict=True")
    return tuple([Tensor._wrap(np.zeros_like(x._array)) if g is None else g for g, x in zip(found, xs)])


def _push_forward(ys: Sequence, xs: tuple, vs: tuple, create_graph: bool, strict: bool) -> tuple:
    """J v for every y, as the derivative of u ↦ uᵀ J along v."""
    us = tuple([Tensor._wrap(np.zeros_like(y._array)).requires_grad_() for y in ys])
    pulled = _gradients(ys, xs, us, True, strict)
    return _gradients(pulled, us, vs, create_graph, strict=False)


# -- what comes in and goes out ----------------------------------------------------------------------------------


def _as_tuple(values: Any, what: str, function: str) -> tuple[tuple, bool]:
    single = not isinstance(values, tuple)
    made = (values,) if single else values
    for i, t in enumerate(made):
        if not isinstance(t, Tensor):
            at = "" if single else f" at place {i}"
            raise TypeError(
                f"The {what} {function} must be either a Tensor or a tuple of Tensors, but got a {type(t).__name__}{at}"
            )
    return made, single


def _evaluate(func: Callable, inputs: Any, name: str, create_graph: bool, strict: bool) -> tuple:
    """Inputs that require gradients, and what ``func`` makes of them; whether each is a single tensor."""
    given, single_x = _as_tuple(inputs, "inputs given to", name)
    # view_as keeps the caller's graph without being the caller's tensor; detach leaves the graph.
    xs = tuple([x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_() for x in given])
    ys, single_y = _as_tuple(func(*xs), "outputs of the user-provided function given to", name)
    for i, y in enumerate(ys):
        if strict and not y.requires_grad:
            raise RuntimeError(f"Output {i} of the user-provided function does not require gradients: strict=True")
    return xs, ys, single_x, single_y


def _vectors(v: Any, like: tuple, single: bool, name: str, unless: str) -> tuple:
    """v as a tuple, one of each shape of ``like``."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if the {unless}")
        return (Tensor._wrap(np.ones_like(like[0]._array)),)
    vs, _ = _as_tuple(v, "vector v given to", name)
    if len(vs) != len(like):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vs)}.")
    for i, (one, other) in enumerate(zip(vs, like)):
        if one.shape != other.shape:
            entry = "" if single else f"Entry {i} in "
            raise RuntimeError(f"{entry}v has invalid size: should be {other.shape} but got {one.shape}.")
    return vs


def _check_one_number(y: Any, name: str) -> None:
    if not isinstance(y, Tensor):
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if y.numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {name} should contain a single element, but has shape "
            f"{list(y.shape)}"
        )


def _check_strategy(strategy: str, vectorize: bool) -> None:
    if strategy not in ("reverse-mode", "forward-mode"):
        raise AssertionError(f"Expected strategy to be 'forward-mode' or 'reverse-mode', but got {strategy!r}")
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError("strategy='forward-mode' needs vectorize=True, as in PyTorch")


def _result(tensors: Sequence[Tensor], single: bool, create_graph: bool) -> Any:
    made = tuple(tensors) if create_graph else tuple([t.detach() for t in tensors])
    return made[0] if single else made
