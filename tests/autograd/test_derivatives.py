"""jacobian, hessian and their products with vectors against PyTorch and against closed forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import ndl

BOTH = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


def points(T: Any) -> tuple:
    rng = np.random.default_rng(0)
    return T.from_numpy(rng.standard_normal((2, 3))), T.from_numpy(rng.standard_normal(3))


def cubes(a: Any) -> Any:
    return (a**3).sum(1)


def two(a: Any, b: Any) -> Any:
    return a.sin() @ b, (a * b).exp()


def number(a: Any) -> Any:
    return (a**3).sum() * a[0, 0]


def mixed(a: Any, b: Any) -> Any:
    return ((a * b) ** 3).sum() * b.sum()


def linear(a: Any) -> Any:
    return a.sum()


PROGRAMS = {
    "jacobian": lambda F, x, y: F.jacobian(cubes, x),
    "jacobian of two": lambda F, x, y: F.jacobian(two, (x, y)),
    "jacobian vectorize": lambda F, x, y: F.jacobian(two, (x, y), vectorize=True, strategy="forward-mode"),
    "jacobian of a constant": lambda F, x, y: F.jacobian(lambda a: a.detach() * 2, x),
    "hessian": lambda F, x, y: F.hessian(number, x),
    "hessian of two": lambda F, x, y: F.hessian(mixed, (x, y)),
    "hessian of a plane": lambda F, x, y: F.hessian(linear, x),
    "vjp": lambda F, x, y: F.vjp(cubes, x, y[:2]),
    "vjp of two": lambda F, x, y: F.vjp(two, (x, y), (y[:2], x)),
    "vjp without v": lambda F, x, y: F.vjp(mixed, (x, y)),
    "jvp": lambda F, x, y: F.jvp(cubes, x, x),
    "jvp of two": lambda F, x, y: F.jvp(two, (x, y), (x, y)),
    "jvp without v": lambda F, x, y: F.jvp(lambda a: a * x, y[:1]),
    "vhp": lambda F, x, y: F.vhp(number, x, x + 1),
    "vhp of two": lambda F, x, y: F.vhp(mixed, (x, y), (x, y)),
    "vhp of a plane": lambda F, x, y: F.vhp(linear, x, x),
    "hvp": lambda F, x, y: F.hvp(number, x, x + 1),
    "hvp of two": lambda F, x, y: F.hvp(mixed, (x, y), (x, y)),
    "hvp of a plane": lambda F, x, y: F.hvp(linear, x, x),
}


def assert_same(a: Any, b: Any) -> None:
    if isinstance(b, (tuple, list)):  # PyTorch's forward mode gives lists
        assert isinstance(a, tuple) and len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
        return
    assert tuple(a.shape) == tuple(b.shape) and a.requires_grad == b.requires_grad
    assert np.allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", PROGRAMS)
def test_equal_to_pytorch(name: str) -> None:
    assert_same(*[PROGRAMS[name](T.autograd.functional, *points(T)) for T in (ndl, torch)])


CREATE_GRAPH = {
    "jacobian": lambda F, x: F.jacobian(cubes, x, create_graph=True),
    "hessian": lambda F, x: F.hessian(number, x, create_graph=True),
    "vjp": lambda F, x: F.vjp(number, x, create_graph=True)[1],
    "jvp": lambda F, x: F.jvp(cubes, x, x.detach() + 1, create_graph=True)[1],
    "vhp": lambda F, x: F.vhp(number, x, x.detach() + 1, create_graph=True)[1],
    "hvp": lambda F, x: F.hvp(number, x, x.detach() + 1, create_graph=True)[1],
}


@pytest.mark.parametrize("name", CREATE_GRAPH)
def test_results_can_be_differentiated(name: str) -> None:
    gradients = []
    for T in (ndl, torch):
        x = points(T)[0].requires_grad_()
        (CREATE_GRAPH[name](T.autograd.functional, x) ** 2).sum().backward()
        gradients.append(x.grad.numpy())
    assert np.allclose(*gradients, rtol=1e-11, atol=1e-12)


def test_closed_forms() -> None:
    """x ↦ ½ xᵀ A x has the gradient (A + Aᵀ) x / 2 and the Hessian (A + Aᵀ) / 2; x ↦ A x the Jacobian A."""
    F, rng = ndl.autograd.functional, np.random.default_rng(1)
    A, x, v = [ndl.from_numpy(rng.standard_normal(shape)) for shape in ((4, 4), (4,), (4,))]
    H = (A + A.T).numpy() / 2
    f = lambda x: 0.5 * (x @ (A @ x))
    assert np.allclose(F.jacobian(lambda x: A @ x, x).numpy(), A.numpy(), rtol=1e-14)
    assert np.allclose(F.hessian(f, x).numpy(), H, rtol=1e-12, atol=1e-14)
    for product in (F.hvp, F.vhp):
        y, hv = product(f, x, v)
        assert np.allclose(hv.numpy(), H @ v.numpy(), rtol=1e-12, atol=1e-14) and y.item() == pytest.approx(f(x).item())


def test_the_caller_sees_nothing_of_it() -> None:
    x = points(ndl)[0].requires_grad_()
    with ndl.no_grad():
        ndl.autograd.functional.hessian(number, x)
    assert x.grad is None and x.is_leaf


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (lambda T, F, x: F.jacobian(lambda a: 3, x), "outputs of the user-provided function given to jacobian must be"),
        (lambda T, F, x: F.jacobian(lambda a: a, 3), "The inputs given to jacobian must be either a Tensor or a tuple"),
        (lambda T, F, x: F.hessian(lambda a: a, x), "given to hessian should contain a single element, but has shape"),
        (lambda T, F, x: F.vhp(lambda a: a, x, x), "given to vhp should contain a single element"),
        (lambda T, F, x: F.hvp(lambda a: (a.sum(), a.sum()), x, x), "given to hvp should return a single Tensor"),
        (lambda T, F, x: F.vjp(lambda a: a, x), "v can only be None if the user-provided function returns a single"),
        (lambda T, F, x: F.jvp(lambda a: a, x), "v can only be None if the input to the user-provided function is a"),
        (lambda T, F, x: F.vjp(lambda a: a, x, T.ones(2)), "v has invalid size: should be"),
        (lambda T, F, x: F.vjp(lambda a: (a, a), x, (x, x, x)), "v is a tuple of invalid length: should be 2 but got"),
        (lambda T, F, x: F.jacobian(lambda a: T.ones(2), x, strict=True), "does not require gradients"),
        (lambda T, F, x: F.jacobian(lambda a, b: a, (x, x), strict=True), "is independent of input 1"),
        (lambda T, F, x: F.hessian(linear, x, strict=True), "strict=True"),
        (lambda T, F, x: F.vhp(linear, x, x, strict=True), "is independent of the inputs"),
        (lambda T, F, x: F.jacobian(lambda a: a, x, strategy="forward-mode"), "needs vectorize=True"),
        (lambda T, F, x: F.jacobian(lambda a: a, x, strategy="sideways"), "Expected strategy to be"),
    ],
)
def test_refused(program: Callable, message: str) -> None:
    with pytest.raises((TypeError, RuntimeError, NotImplementedError, AssertionError)) as theirs:
        program(torch, torch.autograd.functional, torch.ones(2, 3))
    with pytest.raises(theirs.type, match=message):
        program(ndl, ndl.autograd.functional, ndl.ones(2, 3))
