"""NumPy's functions on Tensors: ``np.exp(t)``, ``np.where(m, t, 0)``, ``array * t``.

NumPy asks each argument's ``__array_ufunc__`` or ``__array_function__`` what to do. The answer is looked up in two
tables that ``ndl.ops.table`` fills with the differentiable twins. A function without a twin still works on tensors
that need no gradient, as plain arrays; where a gradient would silently be lost, it raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.grad_mode import state
from ndl.autograd.tensor import Tensor

UFUNCS: dict[np.ufunc, Callable] = {}
FUNCTIONS: dict[Callable, Callable] = {}


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple, kwargs: dict) -> Any:
    """``ufunc(*inputs)`` with Tensors among them."""
    twin = UFUNCS.get(ufunc) if method == "__call__" and not kwargs else None
    if twin is not None:
        return twin(*inputs)
    if any(isinstance(x, Tensor) for x in kwargs.get("out", ())):
        raise TypeError(f"np.{ufunc.__name__}(…, out=Tensor) is not here: write to the result of .numpy() instead")
    return getattr(ufunc, method)(*_plain(ufunc.__name__, inputs), **kwargs)


def call_function(func: Callable, args: tuple, kwargs: dict) -> Any:
    """``func(*args, **kwargs)`` with Tensors among them."""
    twin = FUNCTIONS.get(func)
    if twin is not None:
        return twin(*args, **kwargs)
    name = getattr(func, "__name__", str(func))
    return func(*_plain(name, args), **{k: _plain(name, v) for k, v in kwargs.items()})


def _plain(name: str, value: Any) -> Any:
    """``value`` with every Tensor replaced by its array."""
    if isinstance(value, Tensor):
        if value.requires_grad and state.enabled:
            raise TypeError(
                f"np.{name} has no differentiable twin in ndl, and this Tensor requires gradients: use the operation "
                "of ndl, or .detach() if no gradient is wanted"
            )
        return value._array
    if isinstance(value, (list, tuple)):
        items = [_plain(name, v) for v in value]
        return items if isinstance(value, list) else tuple(items)
    return value
