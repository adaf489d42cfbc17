"""Writing at an index along one dimension: scatter, scatter_add, scatter_reduce, index_add, index_copy, put.

For dim = 1 of three,

    scatter         z = x, then z_a i(abc) c = v_abc     dx = dz, 0 where written    dv_abc = dz_a i(abc) c
    scatter_add     z = x, then z_a i(abc) c += v_abc    dx = dz                     dv_abc = dz_a i(abc) c
    index_copy      z = x, then z_a i(b) c = v_abc       as scatter, with one index for the whole dimension
    index_add       z = x, then z_a i(b) c += v_abc      as scatter_add
    put             z = x, then z_i(abc) = v_abc         with x counted through

Each writes in place; the operation without underscore does the same to a copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.graph import next_number
from ndl.autograd.inplace import assign
from ndl.autograd.tensor import Tensor
from ndl.ops.arithmetic import div, mul
from ndl.ops.conversion import clone
from ndl.ops.dims import takes_axis, values, wrap_dim
from ndl.ops.division import floor_divide
from ndl.ops.gathering import applied, check_index, check_not_negative, check_places, check_rows, gather, grid, vector
from ndl.ops.places import AddAt, Put
from ndl.ops.promotion import array_of
from ndl.ops.shape import reshape
from ndl.ops.slices import Slice
from ndl.ops.writing import written

__all__ = ["index_add", "index_copy", "index_fill", "put", "scatter", "scatter_add", "scatter_reduce"]


# -- one index for every element -----------------------------------------------------------------------------


def scatter_(self: Tensor, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None) -> Tensor:
    """z_a i(abc) c = src_abc for dim = 1, in place; ``src`` is a tensor or one number (also named ``value``).

    dx = dz, 0 where written; dsrc = dz there, 0 for values that a later one replaced. ``reduce`` "add" or "multiply"
    combines with what is there. Raises RuntimeError for indices outside 0 … n − 1.
    """
    src = value if src is None else src
    if reduce is not None:
        return _combine(self, dim, index, src, reduce)
    d = check_index(array_of(self), values(index, "scatter", "index", 3), dim, "scatter", "self")
    if array_of(index).size == 0:
        return self
    src = _source(array_of(self), index, src, "scatter")
    target, places = _target(self, d, index)
    applied(Put, target, src, None, tuple(range(len(places))), *places)
    return self


def scatter_add_(self: Tensor, dim: int, index: Any, src: Any) -> Tensor:
    """z_a i(abc) c += src_abc for dim = 1, in place; dx = dz, dsrc = dz there."""
    values(src, "scatter_add", "src", 3)
    d = check_index(array_of(self), values(index, "scatter_add", "index", 3), dim, "scatter_add", "self")
    if array_of(index).size == 0:
        return self
    src = _source(array_of(self), index, src, "scatter_add")
    target, places = _target(self, d, index)
    applied(AddAt, target, src, tuple(range(len(places))), *places)
    return self


@takes_axis
def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None) -> Any:
    """A copy of ``input`` with ``src`` written where the index says. See ``scatter_``."""
    return scatter_(clone(input), dim, index, src, value=value, reduce=reduce)


@takes_axis
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy of ``input`` with ``src`` added where the index says. dx = dz, dsrc = gather(dz)."""
    return scatter_add_(clone(input), dim, index, src)


def _combine(self: Tensor, dim: int, index: Any, src: Any, reduce: str) -> Tensor:
    if reduce not in ("add", "multiply"):
        raise RuntimeError(f"reduce argument must be either add or multiply, but got {reduce!r}.")
    if not isinstance(src, (Tensor, np.ndarray)):
        src = Tensor._wrap(np.full(array_of(index).shape, src, array_of(self).dtype))
    if reduce == "add":
        return scatter_add_(self, dim, index, src)
    since = next_number()
    return assign(self, scatter_reduce(self, dim, index, src, "prod"), since)


def _target(self: Tensor, d: int, index: Any) -> tuple[Tensor, list]:
    i = array_of(index)
    if i.ndim == 0:
        return reshape(self, 1), [reshape(index, 1)]
    return self, grid(d, i, index)


def _source(x: np.ndarray, index: Any, src: Any, name: str) -> Any:
    """The part of ``src`` that the index covers."""
    v = array_of(src)
    if not isinstance(v, np.ndarray):
        return src
    i = array_of(index)
    if v.dtype != x.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype, but got {x.dtype} and {v.dtype}")
    if v.ndim != i.ndim:
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as src tensor, but got {i.ndim} and {v.ndim}"
        )
    if v.shape != i.shape:
        if any(n > m for n, m in zip(i.shape, v.shape)):
            raise RuntimeError(f"Expected index {list(i.shape)} to be no larger size than src {list(v.shape)}")
        src = Slice.apply(src, tuple([slice(0, n) for n in i.shape]))
    return reshape(written(x, src), 1) if i.ndim == 0 else written(x, src)


# -- combining with what is there ----------------------------------------------------------------------------


class ScatterProd(ArrayFunction):
    """z = x, then z_i = z_i Π_j v_j over the v_j with index i.

    dx_i = dz_i Π_j v_j;  dv_j = dz_i z_i / v_j; where v_j is the only 0 at its place, dz_i times all the others.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, v: np.ndarray, d: int, index: np.ndarray) -> np.ndarray:
        ctx.d = d
        z = x.copy()
        np.multiply.at(z, tuple(grid(d, index, index)), v)
        ctx.save_for_backward(x, v, index, z)
        return z

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, v, index, z = ctx.saved_tensors
        d, i, shape, dtype = ctx.d, array_of(index), array_of(x).shape, array_of(x).dtype
        dx = dv = None
        if ctx.needs_input_grad[0]:
            dx = dz * ScatterProd.apply(np.ones(shape, dtype), v, d, index)
        if ctx.needs_input_grad[1]:
            zero = array_of(v) == 0
            dv = gather(dz * z, d, index) / (v + zero)
            if zero.any():
                alone = zero & (gather(scatter_add(np.zeros(shape), d, i, zero.astype(float)), d, i) == 1)
                others = ScatterProd.apply(x, v * ~alone + alone, d, index)
                dv = dv * ~alone + gather(dz * others, d, index) * alone
        return dx, dv, None, None


class ScatterExtreme(ArrayFunction):
    """z = x, then z_i = max(z_i, v_j), or min, over the v_j with index i.

    Those of x_i and the v_j that are equal to z_i share dz_i evenly.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, v: np.ndarray, d: int, index: np.ndarray, extreme: np.ufunc) -> np.ndarray:
        z = x.copy()
        extreme.at(z, tuple(grid(d, index, index)), v)
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(index)
            ctx.d = d
            ctx.x_wins, ctx.v_wins = (x == z).astype(z.dtype), (v == gather(z, d, index)).astype(z.dtype)
            ctx.winners = np.maximum(scatter_add(ctx.x_wins, d, index, ctx.v_wins), 1)
        return z

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        (index,) = ctx.saved_tensors
        share = dz / ctx.winners
        return share * ctx.x_wins, gather(share, ctx.d, index) * ctx.v_wins, None, None, None


@takes_axis
def scatter_reduce(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    """``src`` combined with a copy of ``input`` where the index says, by "sum", "prod", "mean", "amax" or "amin".

    Without ``include_self`` the values of ``input`` count only where nothing is scattered. Ties share their gradient
    evenly; a product's gradient is right with any number of zeros. Raises RuntimeError for another ``reduce``.
    """
    x, i = values(input, "scatter_reduce"), values(index, "scatter_reduce", "index", 3)
    values(src, "scatter_reduce", "src", 4)
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    d = check_index(x, i, dim, "scatter_reduce", "self")
    if i.size == 0:
        return clone(input)
    src = _source(x, index, src, "scatter_reduce")
    if x.ndim == 0:
        # Of a copy, which the in-place form does not write to before its gradient was computed from it.
        wide = scatter_reduce(reshape(clone(input), 1), 0, reshape(index, 1), src, reduce, include_self=include_self)
        return reshape(wide, ())
    if not include_self:
        input = scatter(input, d, index, _neutral(reduce, x.dtype))
    if reduce == "prod":
        return applied(ScatterProd, input, src, d, index)
    if reduce in ("amax", "amin"):
        return applied(ScatterExtreme, input, src, d, index, np.maximum if reduce == "amax" else np.minimum)
    total = scatter_add(input, d, index, src)
    if reduce == "sum":
        return total
    start = np.ones(x.shape) if include_self else np.zeros(x.shape)
    count = np.maximum(scatter_add(start, d, i, np.ones(i.shape)), 1).astype(x.dtype)
    return div(total, count) if x.dtype.kind == "f" else floor_divide(total, count)


def _neutral(reduce: str, dtype: np.dtype) -> Any:
    """What changes nothing: 0 in a sum, 1 in a product, the lowest number in a maximum."""
    if reduce in ("sum", "mean", "prod"):
        return int(reduce == "prod")
    if dtype.kind == "f":
        return -np.inf if reduce == "amax" else np.inf
    limits = (False, True) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return limits[reduce == "amin"]


# -- one index for a whole dimension -------------------------------------------------------------------------


@takes_axis
def index_add_(self: Tensor, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Tensor:
    """The parts of ``source`` times alpha added at the places of a vector along ``dim``, in place.

    dx = dz, dsource = alpha · dz at these places. Raises RuntimeError for shapes that do not fit.
    """
    if self.ndim == 1:
        check_rows(values(index, "index_add_", "index", 3), self.shape[0])
    d, index = _fit(self, dim, index, source, "index_add_")
    applied(AddAt, self, written(array_of(self), source if alpha == 1 else mul(source, alpha)), (d,), index)
    return self


@takes_axis
def index_copy_(self: Tensor, dim: int, index: Any, tensor: Any) -> Tensor:
    """The parts of ``tensor`` written to the places of a vector along ``dim``, in place. dx = dz, 0 where written."""
    d, index = _fit(self, dim, index, tensor, "index_copy_")
    Put.apply(self, written(array_of(self), tensor), None, (d,), index)
    return self


@takes_axis
def index_fill_(self: Tensor, dim: int, index: Any, value: Any) -> Tensor:
    """One value at the places of a vector along ``dim``, in place. dx = dz, 0 where written; dvalue = Σ dz there."""
    v = array_of(value)
    if isinstance(v, np.ndarray) and v.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {v.ndim} dimension(s)."
        )
    d = wrap_dim(dim, self.ndim)
    index = vector(index, "index_fill_", 2)
    Put.apply(self if self.ndim else reshape(self, 1), written(array_of(self), value), None, (d,), index)
    return self


@takes_axis
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """A copy of ``input`` with parts of ``source`` added along ``dim``. See ``index_add_``."""
    return index_add_(clone(input), dim, index, source, alpha=alpha)


@takes_axis
def index_copy(input: Any, dim: int, index: Any, tensor: Any) -> Any:
    """A copy of ``input`` with parts of ``tensor`` written along ``dim``. See ``index_copy_``."""
    return index_copy_(clone(input), dim, index, tensor)


@takes_axis
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """A copy of ``input`` with one value at places along ``dim``. See ``index_fill_``."""
    return index_fill_(clone(input), dim, index, value)


def _fit(self: Tensor, dim: int, index: Any, source: Any, name: str) -> tuple[int, Any]:
    x, s = array_of(self), values(source, name, "source", 4)
    d = wrap_dim(dim, x.ndim)
    index = vector(index, name, 3)
    i = array_of(index)
    if x.dtype != s.dtype:
        raise RuntimeError(f"{name}(): self ({x.dtype}) and source ({s.dtype}) must have the same scalar type")
    if s.ndim != x.ndim or s.shape[:d] + s.shape[d + 1 :] != x.shape[:d] + x.shape[d + 1 :]:
        raise RuntimeError(
            f"{name}(): source tensor shape must match self tensor shape, excluding the specified dimension. Got "
            f"self.shape = {list(x.shape)} source.shape = {list(s.shape)}"
        )
    if s.shape[d] != i.size:
        error = IndexError if name == "index_copy_" else RuntimeError
        raise error(
            f"{name}(): Number of indices ({i.size}) should be equal to source.size(dim): ({s.shape[d]}), for dim: {d}"
        )
    check_not_negative(i, x.shape[d], d, IndexError if name == "index_copy_" else RuntimeError)
    return d, index


# -- an index into the elements counted through --------------------------------------------------------------


def put_(self: Tensor, index: Any, source: Any, accumulate: bool = False) -> Tensor:
    """The elements of ``source`` written to, or added at, the places of ``index`` counted through."""
    x, i, s = array_of(self), values(index, "put_", "index", 2), values(source, "put_", "source", 3)
    if s.size != i.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{s.size}, index.numel() = {i.size}"
        )
    if s.dtype != x.dtype:
        raise RuntimeError(f"put_(): self and source expected to have the same dtype, but got {x.dtype} and {s.dtype}")
    check_places(x, i, "put_")
    flat = np.where(i < 0, i + x.size, i).reshape(-1)
    places = np.unravel_index(flat, x.shape or (1,))
    target, dims = self if x.ndim else reshape(self, 1), tuple(range(len(places)))
    value = reshape(written(array_of(self), source), -1)
    if accumulate:
        AddAt.apply(target, value, dims, *places)
    else:
        Put.apply(target, value, None, dims, *places)
    return self


def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """A copy of ``input`` with ``source`` written to, or added at, the places of ``index`` counted through."""
    return put_(clone(input), index, source, accumulate)
