"""The same program in ndl and in PyTorch: ``same`` wants equal numbers, ``refused`` wants both to raise.

    same(lambda T, x, w: (x * w).exp(), x, w)

Floating arrays become float64 leaves that require gradients, all others become plain tensors. What a program
returns is compared, and so are the gradients of all leaves after one backward pass from a weighted sum of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import ndl
from ndl.verify.parity import relative_error

TOLERANCE = 1e-10


def leaves(T: Any, arrays: tuple) -> list:
    """The library's tensors for a program's inputs."""
    return [T.from_numpy(a.copy()).requires_grad_(a.dtype.kind == "f") for a in map(np.asarray, arrays)]


def tensors_in(result: Any) -> list:
    """The tensors of a program's result: one, or any nesting of tuples and lists."""
    if isinstance(result, (tuple, list)):
        return [t for r in result for t in tensors_in(r)]
    return [result] if isinstance(result, (ndl.Tensor, torch.Tensor)) else []


def values(t: Any) -> np.ndarray | None:
    """A copy of a tensor's values, None for None."""
    return None if t is None else np.array(t.detach().numpy())


def weighted_sum(T: Any, outputs: list) -> Any:
    """One number that depends on every element in its own way; None if nothing requires gradients."""
    loss = None
    for i, y in enumerate(outputs):
        if y.requires_grad:
            w = T.from_numpy(np.asarray(np.cos(np.arange(y.numel()) + i).reshape(tuple(y.shape)) + 1.5))
            term = (y * w).sum()
            loss = term if loss is None else loss + term
    return loss


def run(T: Any, program: Callable, arrays: tuple) -> dict[str, Any]:
    """Everything about one run that is compared, by name."""
    inputs = leaves(T, arrays)
    outputs = tensors_in(program(T, *inputs))
    found: dict[str, Any] = {"requires_grad": [y.requires_grad for y in outputs]}
    for i, y in enumerate(outputs):
        found[f"output {i}"] = values(y)
    loss = weighted_sum(T, outputs)
    if loss is not None:
        loss.backward()
    for i, x in enumerate(inputs):
        found[f"gradient of input {i}"] = values(x.grad)
        found[f"input {i}"] = values(x)
    return found


def same(program: Callable, *arrays: Any) -> None:
    """Assert that the program gives the same values and gradients in both libraries."""
    ours, theirs = run(ndl, program, arrays), run(torch, program, arrays)
    assert ours.keys() == theirs.keys()
    for name, b in theirs.items():
        a = ours[name]
        if isinstance(b, np.ndarray):
            assert isinstance(a, np.ndarray), f"{name}: ndl {a}, torch {b}"
            assert a.dtype == b.dtype, f"{name}: ndl {a.dtype}, torch {b.dtype}"
            assert relative_error(a, b) <= TOLERANCE, f"{name}:\nndl {a}\ntorch {b}"
        else:
            assert a == b, f"{name}: ndl {a}, torch {b}"


def refused(program: Callable, *arrays: Any, error: type = RuntimeError) -> str:
    """Assert that both libraries raise ``error``, in the program or in its backward; return our message."""
    messages = []
    for T in (torch, ndl):
        try:
            run(T, program, arrays)
        except error as e:
            messages.append(str(e))
        else:
            raise AssertionError(f"{T.__name__} did not raise {error.__name__}")
    return messages[1]


class Programs:
    """In-place programs of some arrays, and whether PyTorch allows them.

    @programs.allowed            both libraries run it, with equal values and gradients
    @programs.forbidden          both raise RuntimeError, in the program or in its backward

    test_allowed, test_forbidden = programs.tests()
    """

    def __init__(self, *arrays: np.ndarray) -> None:
        self.arrays = arrays
        self._allowed: list[Callable] = []
        self._forbidden: list[Callable] = []

    def allowed(self, program: Callable) -> Callable:
        self._allowed.append(program)
        return program

    def forbidden(self, program: Callable) -> Callable:
        self._forbidden.append(program)
        return program

    def tests(self) -> tuple[Callable, Callable]:
        @pytest.mark.parametrize("program", self._allowed, ids=lambda f: f.__name__)
        def test_allowed(program: Callable) -> None:
            same(program, *self.arrays)

        @pytest.mark.parametrize("program", self._forbidden, ids=lambda f: f.__name__)
        def test_forbidden(program: Callable) -> None:
            refused(program, *self.arrays)

        return test_allowed, test_forbidden


def agree(program: Callable) -> Any:
    """Assert that ``program(T)``, made of plain Python values, is equal for both libraries; return it."""
    ours, theirs = program(ndl), program(torch)
    assert ours == theirs, f"\nndl   {ours}\ntorch {theirs}"
    return ours


def outcome(f: Callable) -> Any:
    """What ``f()`` returns, or the name of the error it raises (RuntimeError for its subclasses, too)."""
    try:
        return f()
    except RuntimeError:
        return "RuntimeError"
    except (TypeError, ValueError, IndexError) as e:
        return type(e).__name__
