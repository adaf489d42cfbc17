"""Another order of dimensions: transpose, permute, movedim, and the properties T, mT, H, mH.

With a permutation p, y_i = x_p(i) for the dimensions i of y, so dx has dimension p(i) of dx equal to dimension i of
dy: the backward is the inverse permutation. These are views: no element moves in memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.inplace import check_writable
from ndl.autograd.tensor import Tensor
from ndl.ops.dims import listed, values, wrap_dim
from ndl.ops.promotion import array_of
from ndl.ops.shape import become

__all__ = ["adjoint", "moveaxis", "movedim", "permute", "swapaxes", "swapdims", "t", "transpose"]


class Permute(ArrayFunction):
    """y = x with dimension dims[i] as its i-th;  dx = dy permuted by the inverse."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dims: tuple) -> np.ndarray:
        ctx.dims = dims
        return x.transpose(dims)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        inverse = tuple(map(ctx.dims.index, range(len(ctx.dims))))
        return Permute.apply(dy, inverse), None


class Transpose(ArrayFunction):
    """y = x with two dimensions exchanged;  dx = dy with the same two exchanged."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim0: int, dim1: int) -> np.ndarray:
        ctx.dims = dim0, dim1
        return x.swapaxes(dim0, dim1)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Transpose.apply(dy, *ctx.dims), None, None


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged. dx = dy with the same two exchanged."""
    n = values(input, "transpose").ndim
    d0, d1 = wrap_dim(dim0, n), wrap_dim(dim1, n)
    return Transpose.apply(input, d0, d1) if n else input.reshape(())


def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """``transpose`` under NumPy's name."""
    return transpose(input, axis0, axis1)


def swapdims(input: Any, dim0: int, dim1: int) -> Any:
    """``transpose`` under another name."""
    return transpose(input, dim0, dim1)


def permute(input: Any, *dims: Any, **keyword: Any) -> Any:
    """All dimensions in the order ``dims``. dx = dy in the inverse order.

    Raises RuntimeError unless every dimension is named once.
    """
    n = values(input, "permute").ndim
    order = listed(dims, keyword.pop("dims", None))
    if keyword:
        raise TypeError(f"permute() got an unexpected keyword argument {next(iter(keyword))!r}")
    if len(order) != n:
        raise RuntimeError(
            "permute: number of dimensions in the tensor input does not match the length of the desired ordering of "
            f"dimensions i.e. input.dim() = {n} is not equal to len(dims) = {len(order)}"
        )
    wrapped = tuple([wrap_dim(d, n) for d in order])
    if len(set(wrapped)) != n:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return Permute.apply(input, wrapped)


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """The dimensions ``source`` moved to the places ``destination``; the others keep their order."""
    n = values(input, "movedim").ndim
    given = [list(d) if isinstance(d, (tuple, list)) else [d] for d in (source, destination)]
    if len(given[0]) != len(given[1]):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({given[0]} dims) should contain the same number of "
            f"dims as destination ({given[1]} dims)"
        )
    places = [[wrap_dim(d, n) for d in dims] for dims in given]
    for name, dims, wrapped in zip(("source", "destination"), given, places):
        if len(set(wrapped)) != len(wrapped):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({dims})")
    order = [d for d in range(n) if d not in places[0]]
    for to, d in sorted(zip(places[1], places[0])):
        order.insert(to, d)
    return Permute.apply(input, tuple(order)) if n else input.reshape(())


def moveaxis(input: Any, source: Any, destination: Any) -> Any:
    """``movedim`` under NumPy's name."""
    return movedim(input, source, destination)


def t(input: Any) -> Any:
    """The transpose of a matrix; a vector or a number as it is. Raises RuntimeError for more dimensions."""
    n = values(input, "t").ndim
    if n > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {n}D")
    return Transpose.apply(input, 0, 1) if n == 2 else Permute.apply(input, tuple(range(n)))


# -- the properties ------------------------------------------------------------------------------------------


def T(self: Any) -> Any:
    """All dimensions in reverse order: of a matrix, its transpose."""
    n = self.ndim
    return Permute.apply(self, tuple(range(n - 1, -1, -1)))


def mT(self: Any) -> Any:
    """The transpose of each matrix in a stack: the last two dimensions exchanged."""
    return _matrices(self, "tensor.mT")


def H(self: Any) -> Any:
    """The conjugate transpose of a matrix."""
    n = self.ndim
    if n not in (0, 2):
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {n}-D tensor."
            + (" For batches of matrices, consider using tensor.mH" if n > 2 else "")
        )
    return adjoint(self)


def mH(self: Any) -> Any:
    """The conjugate transpose of each matrix in a stack."""
    return _conjugated(_matrices(self, "tensor.mH"))


def adjoint(input: Any) -> Any:
    """The conjugate transpose of each matrix in a stack; for real numbers a view."""
    values(input, "adjoint")
    return _conjugated(_matrices(input, "tensor.adjoint()"))


def _matrices(x: Any, name: str) -> Any:
    n = x.ndim
    if n == 1:
        raise RuntimeError(f"{name} is only supported on matrices or batches of matrices. Got 1-D tensor.")
    return Transpose.apply(x, n - 2, n - 1) if n else x


def _conjugated(x: Any) -> Any:
    return np.conjugate(x) if array_of(x).dtype.kind == "c" else x


# -- the tensor itself in another order ----------------------------------------------------------------------


def t_(self: Tensor) -> Tensor:
    """``t`` of the tensor itself."""
    check_writable(self)
    return become(self, t(self))


def transpose_(self: Tensor, dim0: int, dim1: int) -> Tensor:
    """``transpose`` of the tensor itself."""
    check_writable(self)
    return become(self, transpose(self, dim0, dim1))


def swapaxes_(self: Tensor, axis0: int, axis1: int) -> Tensor:
    """``swapaxes`` of the tensor itself."""
    return transpose_(self, axis0, axis1)


def swapdims_(self: Tensor, dim0: int, dim1: int) -> Tensor:
    """``swapdims`` of the tensor itself."""
    return transpose_(self, dim0, dim1)
