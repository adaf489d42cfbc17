"""Checks of what optimisers are given, with PyTorch's messages."""

from __future__ import annotations

from typing import Any

from ndl.autograd.tensor import Tensor


def check_number(name: str, value: Any, below: float | None = None) -> None:
    """Raise ValueError unless 0 ≤ value (< below): "Invalid learning rate: -1"."""
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ValueError(f"Tensor {'lr' if name == 'learning rate' else name} must be 1-element")
    number = value.item() if isinstance(value, Tensor) else value
    if not (number >= 0 and (below is None or number < below)):  # nan fails, too
        raise ValueError(f"Invalid {name}: {value}")


def check_betas(betas: Any) -> tuple:
    """The two factors β₁, β₂ of running means, each in [0, 1)."""
    betas = tuple(betas)
    for i, beta in enumerate(betas):
        check_number(f"beta parameter at index {i}", beta, below=1)
    return betas


def check_flags(foreach: bool | None, fused: bool | None, differentiable: bool) -> None:
    """Raise RuntimeError for flags that exclude one another, and for the one that is not here."""
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if differentiable:
        raise RuntimeError(
            "differentiable=True is not here: step() writes to the parameters outside the graph. To differentiate "
            "through an update, write it as p = p - lr * g with autograd.grad(…, create_graph=True)."
        )
