"""``refusals(…)``: programs on small tensors that both libraries refuse with the same error, and our message."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import ndl

ERRORS = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError)


def refusals(*cases: tuple[Callable, str]) -> Any:
    """Parametrises a test over pairs of a program of (T, x, z) and what our message must contain."""
    return pytest.mark.parametrize(("program", "message"), cases, ids=[m[:40] for _, m in cases])


def check(program: Callable, message: str) -> None:
    """x is a (2, 3) tensor of 0 … 5, z a tensor without dimensions."""
    kinds = []
    for T in (torch, ndl):
        x = T.arange(6.0).reshape(2, 3)
        with pytest.raises(ERRORS) as raised:
            program(T, x, T.tensor(3.0))
        kinds.append(raised.type)
    assert kinds[0] is kinds[1], f"torch raises {kinds[0].__name__}, ndl {kinds[1].__name__}"
    assert message in str(raised.value)
