"""The methods that building blocks give to Tensor: what ``ndl.ops.table`` does for floor 2.

PyTorch has them both ways: ``t.softmax(1)`` and ``F.softmax(t, 1)``. A room is imported at the first call.
"""

from __future__ import annotations

from ndl.autograd.tensor import Tensor
from ndl.lazy import Method, by_room

METHODS = {
    "activation": "relu relu_",
    "activation_hard": "hardshrink",
    "activation_leaky": "prelu",
    "softmax": "log_softmax softmax",
}


def bind() -> None:
    """Put them in their place; runs once, when ``ndl.nn`` is imported."""
    for name, room in by_room("ndl.nn", METHODS).items():
        setattr(Tensor, name, Method(Tensor, name, room))


bind()
