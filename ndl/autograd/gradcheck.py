"""Is the gradient right? ``gradcheck`` and ``gradgradcheck``: backward against central differences.

Both compare Jacobians element by element (``jacobian.py`` computes them). ``fast_mode`` compares one number
instead, vᵀ J u for random directions u and v: two forward passes and one backward pass for any size.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.engine import grad
from ndl.autograd.gradcheck_report import GradcheckError, index, mismatch
from ndl.autograd.jacobian import Point, as_tuple, differentiable
from ndl.autograd.tensor import Tensor

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


def gradcheck(
    func: Callable,
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether backward through ``func(*inputs)`` agrees with central differences, as PyTorch's ``gradcheck``.

    Every element must fulfil |analytical − numerical| ≤ atol + rtol |numerical|, for each floating output
    with respect to each input that requires gradients, and backward run twice must give the same numbers up
    to ``nondet_tol``. Inputs should be float64 and not lie on a kink. ``fast_mode`` compares random
    projections only, where a small error in one element may hide.

    ``check_undefined_grad`` and ``check_grad_dtypes`` need no code of their own: each output is differentiated
    alone, and the engine gives a gradient its input's type. ``masked`` is about sparse tensors.

    Returns True, or raises GradcheckError (False instead, unless ``raise_exception``). Raises ValueError if
    no input requires gradients, RuntimeError for an expanded input, NotImplementedError for the options
    about forward-mode differentiation and batched gradients.
    """
    _refuse("gradcheck", "check_batched_grad", check_batched_grad)
    _refuse("gradcheck", "check_batched_forward_grad", check_batched_forward_grad)
    _refuse("gradcheck", "check_forward_ad", check_forward_ad)
    if not check_backward_ad:
        raise AssertionError("gradcheck(check_backward_ad=False) leaves nothing to check: set it to True")
    arguments = as_tuple(inputs)
    _check_inputs(arguments)
    try:
        point = Point(func, arguments, eps, nondet_tol)
        if not point.outputs:
            _expect_constant(point)
        elif fast_mode:
            _compare_projections(point, rtol, atol)
        else:
            _compare_jacobians(point, rtol, atol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable,
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Whether second derivatives agree with central differences of the first, as PyTorch's ``gradgradcheck``.

    Checks the function (x, dL/dy) → dL/dx, made by ``autograd.grad(create_graph=True)``, with ``gradcheck``.
    ``grad_outputs`` are the dL/dy to check at: random by default, and with ``gen_non_contig_grad_outputs``
    every second element of a larger array. Errors count the inputs first, then the dL/dy.
    """
    _refuse("gradgradcheck", "check_fwd_over_rev", check_fwd_over_rev)
    if not check_rev_over_rev:
        raise AssertionError("gradgradcheck(check_rev_over_rev=False) leaves nothing to check: set it to True")
    arguments = as_tuple(inputs)
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        outputs = differentiable(func(*arguments))
        grads = tuple(_random_grad(rng, y._array, gen_non_contig_grad_outputs) for y in outputs)
    else:
        grads = as_tuple(grad_outputs)
    n = len(arguments)

    def first_derivatives(*args: Any) -> tuple:
        outputs = differentiable(func(*args[:n]))
        wanted = tuple(x for x in args[:n] if isinstance(x, Tensor) and x.requires_grad)
        found = grad(outputs, wanted, args[n:], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        first_derivatives,
        (*arguments, *grads),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        fast_mode=fast_mode,
        masked=masked,
    )


def _compare_jacobians(point: Point, rtol: float, atol: float) -> None:
    analytical = [point.analytical(j) for j in range(len(point.outputs))]  # [output][input]
    for k, (place, x) in enumerate(zip(point.places, point.wanted)):
        for j, numerical in enumerate(point.numerical(x)):
            if not np.allclose(analytical[j][k], numerical, rtol, atol):
                output, input = (j, point.outputs[j].shape), (place, x.shape)
                raise mismatch(analytical[j][k], numerical, output, input, rtol, atol)


def _compare_projections(point: Point, rtol: float, atol: float) -> None:
    """vᵀ J u with random directions; a failure is explained by comparing every element."""
    rng = np.random.default_rng(0)
    us = [_direction(rng, x) for x in point.wanted]
    vs = [_direction(rng, y) for y in point.outputs]
    changes = [point.change(x, u * point.eps) for x, u in zip(point.wanted, us)]  # [input][output]: J u
    for j, v in enumerate(vs):
        for k, (u, g) in enumerate(zip(us, point.pull_back(j, v))):
            analytical, numerical = float((g * u).sum()), float((v * changes[k][j]).sum())
            # If every element is off by atol, their projection is off by atol Σ|u| Σ|v| at most.
            allowed = atol * np.abs(u).sum() * np.abs(v).sum() + rtol * abs(numerical)
            if not abs(analytical - numerical) <= allowed:
                _compare_jacobians(point, rtol, atol)
                raise GradcheckError(
                    f"along random directions, the derivative of output {j} with respect to input "
                    f"{point.places[k]} is {numerical:.10g} numerically but {analytical:.10g} by backward, "
                    "while every element alone is within the tolerances: choose others, or fast_mode=False"
                )


def _expect_constant(point: Point) -> None:
    """Where no output requires gradients, none may depend on an input."""
    for place, x in zip(point.places, point.wanted):
        for k, column in enumerate(point.columns(x)):
            if any(np.any(c) for c in column):
                raise GradcheckError(
                    "Numerical gradient for function expected to be zero, as no output requires gradients; "
                    f"but one changes with element {list(index(k, x.shape))} of input {place}: is a value "
                    "detached, or computed by NumPy?"
                )


def _direction(rng: np.random.Generator, t: Tensor) -> np.ndarray:
    """A random direction of length 1."""
    d = rng.standard_normal(t._array.shape)
    return d / max(float(np.sqrt((d * d).sum())), 1e-300)


def _random_grad(rng: np.random.Generator, y: np.ndarray, non_contiguous: bool) -> Tensor:
    values = rng.standard_normal(y.shape).astype(y.dtype)
    if non_contiguous:
        wide = np.zeros((*y.shape, 2), y.dtype)
        wide[..., 0] = values
        values = wide[..., 0]
    return Tensor._wrap(values).requires_grad_()


def _refuse(function: str, option: str, value: bool) -> None:
    if value:
        raise NotImplementedError(
            f"{function}({option}=True): ndl has neither forward-mode differentiation nor batched gradients; "
            "leave the option out"
        )


def _check_inputs(inputs: tuple) -> None:
    some = False
    for i, x in enumerate(inputs):
        if not (isinstance(x, Tensor) and x.requires_grad):
            continue
        some = True
        if x._array.dtype != np.float64:
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point, but {x.dtype}: "
                "central differences will likely fail. Pass it as .double().",
                stacklevel=3,
            )
        if x._array.size and any(s == 0 and n > 1 for n, s in zip(x._array.shape, x._array.strides)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0 (it was expanded): several elements are "
                "one in memory and cannot be changed alone. Pass it as .contiguous()."
            )
    if not some:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them has requires_grad=True."
        )
