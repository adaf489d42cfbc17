"""How a tensor looks in print: PyTorch's text, digit for digit, with ``ndl.`` for ``torch.``.

All elements share one format. With m and M the smallest and the largest |x| among the finite numbers but 0:
whole numbers only → ``3.``; M/m > 1000, M > 10⁸ or m < 10⁻⁴ → ``3.0000e+00``; else ``3.0000``. Every element
gets the width of the widest. Above ``threshold`` elements only ``edgeitems`` at both ends of a dimension are
shown, and only these decide the format.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ndl.autograd.dtypes import default_numpy_dtype, scalar_dtype
from ndl.autograd.tensor import Tensor

__all__ = ["get_printoptions", "printoptions", "set_printoptions", "tensor_repr"]


class _Options(NamedTuple):
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": _Options(),
    "short": _Options(precision=2, edgeitems=2),
    "full": _Options(threshold=math.inf),
}

_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed, as ``torch.set_printoptions``.

    ``precision``: digits after the point (4). ``threshold``: a tensor of more elements is abridged (1000).
    ``edgeitems``: elements then shown at both ends of each dimension (3). ``linewidth``: characters in a line
    (80). ``profile``: "default", "short" or "full", which the others modify. ``sci_mode``: scientific
    notation always (True), never (False), or where the numbers ask for it (None, and when left out).
    Raises ValueError for another profile.
    """
    global _options
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"profile {profile!r} is not one of {', '.join(_PROFILES)}")
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    start = _options if profile is None else _PROFILES[profile]
    _options = start._replace(**{k: v for k, v in given.items() if v is not None}, sci_mode=sci_mode)  # type: ignore


def get_printoptions() -> dict[str, Any]:
    """The current options, as ``set_printoptions`` takes them."""
    return _options._asdict()


@contextlib.contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """``set_printoptions(**options)`` for one block."""
    global _options
    before = _options
    set_printoptions(**options)
    try:
        yield
    finally:
        _options = before


def tensor_repr(t: Tensor) -> str:
    """``tensor([[1.0000, 2.5000]], dtype=ndl.float64, grad_fn=<MulBackward0>)``."""
    array, name = t._array, type(t).__name__
    # A Parameter prints "Parameter containing:" above, and then looks like any tensor.
    prefix = "tensor(" if name in ("Tensor", "Parameter") else f"{name}("
    default = array.dtype == default_numpy_dtype()
    suffixes = []
    if array.size == 0:
        text = "[]"
        if array.ndim != 1:
            suffixes.append(f"size={array.shape}")
    else:
        text = _body(array, len(prefix))
        if not _options.edgeitems:
            suffixes.append(f"size={array.shape}")
        # The elements tell an integer, a bool and a complex number from a float.
        default = default or array.dtype in (np.int64, np.bool_, scalar_dtype(1j))
    if not default:
        suffixes.append(f"dtype={t.dtype}")
    try:
        node = t.grad_fn
        history = node and node.name()
    except RuntimeError:  # a view whose base was written in a way that it cannot follow: still worth a look
        history = "Invalid"
    if history is not None:
        suffixes.append(f"grad_fn=<{history}>")
    elif t.requires_grad:
        suffixes.append("requires_grad=True")
    return _join(prefix + text, suffixes, len(prefix))


def _join(text: str, suffixes: list[str], indent: int) -> str:
    """``text, suffix, …)``, each suffix on a new line if the last one is full."""
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"


def _body(array: np.ndarray, indent: int) -> str:
    abridged = array.size > _options.threshold
    shown = array
    if abridged:
        for axis, n in enumerate(array.shape):
            if (ends := _ends(n)) is not None:
                shown = shown.take(ends, axis)
    write, width = _format(shown)
    return _brackets(array, indent, abridged, write, width)


def _ends(n: int) -> list[int] | None:
    """The indices of an abridged dimension that are shown; None if all are."""
    e = _options.edgeitems
    return [*range(e), *range(n - e, n)] if n > 2 * e else None


def _brackets(array: np.ndarray, indent: int, abridged: bool, write: Callable, width: int) -> str:
    if array.ndim == 0:
        return write(array.item())
    ends = _ends(len(array)) if abridged else None
    half = len(ends) // 2 if ends is not None else 0
    if array.ndim > 1:
        rows = [_brackets(row, indent + 1, abridged, write, width) for row in (array if ends is None else array[ends])]
        if ends is not None:
            rows.insert(half, "...")
        return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(rows) + "]"
    items = [write(x) for x in (array if ends is None else array[ends]).tolist()]
    if ends is not None:
        items.insert(half, " ..." if half else "...")
    per_line = max(1, (_options.linewidth - indent) // (width + 2))
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _format(shown: np.ndarray) -> tuple[Callable, int]:
    """The function that writes one element, and its width."""
    if shown.dtype.kind == "c":
        return _complex_format(shown)
    if shown.dtype.kind != "f":
        width = max((len(str(x)) for x in shown.reshape(-1).tolist()), default=1)
        return lambda x: str(x).rjust(width), width
    values = shown[np.isfinite(shown) & (shown != 0)].astype(np.float64)
    size = np.abs(values)
    whole = bool((values == np.ceil(values)).all())
    scientific = bool(len(size)) and bool(size.max() / size.min() > 1000 or size.max() > 1e8 or size.min() < 1e-4)
    if len(size) and _options.sci_mode is not None:
        scientific = _options.sci_mode
    if scientific:
        spec, point = f".{_options.precision}e", ""
    elif whole:
        spec, point = ".0f", "."
    else:
        spec, point = f".{_options.precision}f", ""
    width = max((len(format(x, spec) + point) for x in values.tolist()), default=1)
    return lambda x: (format(x, spec) + (point if math.isfinite(x) else "")).rjust(width), width


def _complex_format(shown: np.ndarray) -> tuple[Callable, int]:
    write_real, real_width = _format(shown.real)
    write_imaginary, imaginary_width = _format(shown.imag)

    def write(x: complex) -> str:
        imaginary = write_imaginary(x.imag).lstrip() + "j"
        return write_real(x.real) + ("" if imaginary[0] in "+-" else "+") + imaginary

    return write, real_width + imaginary_width + 1
