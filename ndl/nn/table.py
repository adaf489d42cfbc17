"""The methods that building blocks give to Tensor: what ``ndl.ops.table`` does for floor 2.

PyTorch has them both ways: ``t.softmax(1)`` and ``F.softmax(t, 1)``.
"""

from __future__ import annotations

from ndl.autograd.tensor import Tensor
from ndl.nn import activation, activation_hard, activation_leaky, softmax

METHODS = {
    activation: "relu relu_",
    activation_hard: "hardshrink",
    activation_leaky: "prelu",
    softmax: "log_softmax softmax",
}


def bind() -> None:
    """Put them in their place; runs once, when ``ndl.nn`` is imported."""
    for module, names in METHODS.items():
        for name in names.split():
            setattr(Tensor, name, getattr(module, name))


bind()
