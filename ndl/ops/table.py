"""The one table that teaches Tensor its operators and methods, and NumPy's functions about Tensors.

Each line names a module of ``ndl.ops`` and the functions of it that a Tensor has as methods. A name in ``IN_PLACE``
also becomes ``name_``: the same operation, written into the tensor's own memory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.graph import next_number
from ndl.autograd.inplace import assign, check_writable
from ndl.autograd.interop import FUNCTIONS, UFUNCS
from ndl.autograd.tensor import Tensor
from ndl.ops import (
    arithmetic,
    axes,
    combinations,
    comparison,
    conversion,
    counting,
    creation,
    cross_product,
    cumulative,
    division,
    elementary,
    extrema,
    gathering,
    hyperbolic,
    indexing,
    joining,
    linalg,
    logic,
    masking,
    max_min,
    norms,
    placement,
    powers,
    products,
    quantiles,
    questions,
    random,
    reduction,
    repeating,
    rounding,
    scattering,
    selection,
    shape,
    slices,
    sorting,
    special,
    splitting,
    statistics,
    triangle,
    trigonometry,
    turning,
    typed_tensors,
    uniques,
    windows,
    writing,
)

METHODS = {
    axes: "adjoint moveaxis movedim permute swapaxes swapdims t transpose",
    gathering: "gather index_select take take_along_dim",
    indexing: "index_put",
    splitting: "chunk dsplit hsplit split split_with_sizes tensor_split unbind vsplit",
    masking: "argwhere masked_fill masked_scatter masked_select nonzero",
    repeating: "repeat repeat_interleave tile",
    scattering: "index_add index_copy index_fill put scatter scatter_add scatter_reduce",
    shape: "broadcast_to expand expand_as flatten ravel reshape reshape_as squeeze unflatten unsqueeze view view_as",
    slices: "diagonal narrow select",
    triangle: "diag diag_embed diagflat trace tril triu",
    turning: "flip fliplr flipud roll rot90",
    windows: "as_strided unfold",
    writing: "diagonal_scatter select_scatter slice_scatter",
    counting: "bincount histc",
    cumulative: "cummax cummin cumprod cumsum diff logcumsumexp",
    max_min: "amax amin aminmax argmax argmin max min",
    norms: "dist norm",
    quantiles: "median mode nanmedian nanquantile quantile",
    reduction: "all any count_nonzero logsumexp mean nanmean nansum prod sum sum_to_size",
    sorting: "argsort kthvalue msort sort topk",
    statistics: "std var",
    uniques: "unique unique_consecutive",
    random: "bernoulli multinomial",
    conversion: "bool_ byte char clone contiguous cpu double float_ half int_ is_contiguous long short to type_ type_as",
    placement: "bfloat16 cuda pin_memory to_dense untyped_storage",
    questions: "is_same_size",
    typed_tensors: "new",
    creation: "new_empty new_full new_ones new_tensor new_zeros",
    products: "addbmm addmm addmv addr baddbmm bmm dot ger inner kron matmul mm mv outer vdot",
    cross_product: "cross",
    arithmetic: "abs absolute add div divide mul multiply neg negative positive sgn sign sub subtract true_divide",
    combinations: "addcdiv addcmul lerp",
    comparison: "allclose eq equal ge greater greater_equal gt is_nonzero isclose isfinite isinf isnan isneginf "
    "isposinf isreal le less less_equal lt ne not_equal signbit",
    division: "floor_divide fmod remainder",
    elementary: "exp exp2 expm1 log log1p log2 log10 logaddexp logaddexp2 xlogy",
    extrema: "clamp clamp_max clamp_min clip fmax fmin maximum minimum",
    hyperbolic: "acosh arccosh arcsinh arctanh asinh atanh cosh logit sigmoid sinh tanh",
    logic: "bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor logical_and "
    "logical_not logical_or logical_xor",
    powers: "pow reciprocal rsqrt sqrt square",
    rounding: "ceil fix floor frac nan_to_num round trunc",
    special: "digamma erf erfc erfinv lgamma",
    trigonometry: "acos arccos arcsin arctan arctan2 asin atan atan2 cos deg2rad hypot rad2deg sin sinc tan",
}

IN_PLACE = {
    scattering: "scatter_reduce",
    triangle: "tril triu",
    cumulative: "cumprod cumsum",
    products: "addbmm addmm addmv addr baddbmm",
    arithmetic: "abs absolute add div divide mul multiply neg negative sgn sign sub subtract true_divide",
    combinations: "addcdiv addcmul lerp",
    comparison: "eq ge greater greater_equal gt le less less_equal lt ne not_equal",
    division: "floor_divide fmod remainder",
    elementary: "exp exp2 expm1 log log1p log2 log10 xlogy",
    extrema: "clamp clamp_max clamp_min clip",
    hyperbolic: "acosh arccosh arcsinh arctanh asinh atanh cosh logit sigmoid sinh tanh",
    logic: "bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor logical_and "
    "logical_not logical_or logical_xor",
    powers: "pow reciprocal rsqrt sqrt square",
    rounding: "ceil fix floor frac nan_to_num round trunc",
    special: "digamma erf erfc erfinv lgamma",
    trigonometry: "acos arccos arcsin arctan arctan2 asin atan atan2 cos deg2rad hypot rad2deg sin sinc tan",
}

OTHER_NAMES: dict[str, Callable] = {
    "where": selection.where_method,  # its arguments stand in another order
    "is_pinned": placement.never,
    "is_shared": placement.never,
    "share_memory_": placement.share_memory_,
}

WRITERS = {  # these write into the tensor themselves
    axes: "swapaxes_ swapdims_ t_ transpose_",
    indexing: "index_put_",
    masking: "fill_diagonal_ masked_fill_ masked_scatter_",
    scattering: "index_add_ index_copy_ index_fill_ put_ scatter_ scatter_add_",
    shape: "squeeze_ unsqueeze_",
    writing: "copy_ fill_ zero_",
    random: "bernoulli_ exponential_ normal_ random_ uniform_",
}

OPERATORS: dict[str, Callable] = {  # each also has a reflected twin (__radd__) and an in-place twin (__iadd__)
    "matmul": products.matmul,
    "add": arithmetic.add,
    "sub": arithmetic.sub,
    "mul": arithmetic.mul,
    "truediv": arithmetic.div,
    "floordiv": division.floor_divide,
    "mod": division.remainder,
    "pow": powers.pow,
    "and": logic.bitwise_and,
    "or": logic.bitwise_or,
    "xor": logic.bitwise_xor,
    "lshift": logic.bitwise_left_shift,
    "rshift": logic.bitwise_right_shift,
}

COMPARISONS: dict[str, Callable] = {
    "eq": comparison.eq,
    "ne": comparison.ne,
    "lt": comparison.lt,
    "le": comparison.le,
    "gt": comparison.gt,
    "ge": comparison.ge,
}

PROPERTIES = {axes: "H T mH mT"}

OTHER_PROPERTIES: dict[str, Callable] = {
    "is_mps": placement.never,
    "is_quantized": placement.never,
    "layout": placement.layout_of,
}

BRACKETS: dict[str, Callable] = {
    "getitem": indexing.getitem,
    "setitem": indexing.setitem,
    "contains": indexing.contains,
    "iter": splitting.iterate,
    "reversed": turning.backwards,
}

UNARY: dict[str, Callable] = {
    "neg": arithmetic.neg,
    "pos": arithmetic.positive,
    "abs": arithmetic.abs,
    "invert": logic.invert,
}

SAME_IN_NUMPY = {  # NumPy's functions that are called as ours
    arithmetic: "absolute add divide multiply negative positive sign subtract",
    comparison: "greater greater_equal isfinite isinf isnan less less_equal not_equal signbit",
    division: "floor_divide fmod remainder",
    elementary: "exp exp2 expm1 log log10 log1p log2 logaddexp logaddexp2",
    extrema: "fmax fmin maximum minimum",
    hyperbolic: "arccosh arcsinh arctanh cosh sinh tanh",
    logic: "bitwise_and bitwise_or bitwise_xor logical_and logical_not logical_or logical_xor",
    powers: "reciprocal sqrt square",
    rounding: "ceil floor trunc",
    trigonometry: "arccos arcsin arctan arctan2 cos deg2rad hypot rad2deg sin tan",
}

OTHERWISE_IN_NUMPY: dict[np.ufunc, Callable] = {
    np.equal: comparison.eq,
    np.fabs: arithmetic.abs,
    np.invert: logic.bitwise_not,
    np.left_shift: logic.bitwise_left_shift,
    np.power: powers.pow,
    np.right_shift: logic.bitwise_right_shift,
    np.rint: rounding.round,
}


def in_place(function: Callable) -> Callable:
    """``t.name_(…)``: compute, then write into ``t``."""

    @functools.wraps(function)
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if function is arithmetic.add and not kwargs and len(args) == 1 and arithmetic.adds_in_place(self, *args):
            return arithmetic.AddInPlace.apply(self, *args)
        check_writable(self)
        since = next_number()
        return assign(self, function(self, *args, **kwargs), since)

    method.__name__ = function.__name__ + "_"
    method.__doc__ = f"In-place version of ``{function.__name__}``."
    return method


def operator(function: Callable) -> Callable:
    """``t ∘ other``. What is no operand is left to the other's own operator, and to Python's TypeError."""

    @functools.wraps(function)
    def method(self: Tensor, other: Any) -> Any:
        try:
            return function(self, other)
        except TypeError:
            return NotImplemented

    return method


def reflected(function: Callable) -> Callable:
    """``number ∘ t``."""

    @functools.wraps(function)
    def method(self: Tensor, other: Any) -> Any:
        try:
            return function(other, self)
        except TypeError:
            return NotImplemented

    return method


def bind() -> None:
    """Put everything in its place; runs once, when ``ndl.ops`` is imported."""
    for module, names in METHODS.items():
        for name in names.split():
            setattr(Tensor, name.rstrip("_"), getattr(module, name))  # float_ is the method float
    for name, function in OTHER_NAMES.items():
        setattr(Tensor, name, function)
    for module, names in IN_PLACE.items():
        for name in names.split():
            setattr(Tensor, name + "_", in_place(getattr(module, name)))
    for module, names in WRITERS.items():
        for name in names.split():
            setattr(Tensor, name, getattr(module, name))
    for name, function in OPERATORS.items():
        setattr(Tensor, f"__{name}__", operator(function))
        setattr(Tensor, f"__r{name}__", reflected(function))
        setattr(Tensor, f"__i{name}__", in_place(function))
    for name, function in COMPARISONS.items():
        setattr(Tensor, f"__{name}__", operator(function))
    for name, function in (UNARY | BRACKETS).items():
        setattr(Tensor, f"__{name}__", function)
    for module, names in PROPERTIES.items():
        for name in names.split():
            setattr(Tensor, name, property(getattr(module, name)))
    for name, function in OTHER_PROPERTIES.items():
        setattr(Tensor, name, property(function))
    UFUNCS.update({np.matmul: products.matmul})
    for module, names in SAME_IN_NUMPY.items():
        UFUNCS.update({getattr(np, name): getattr(module, name) for name in names.split()})
    UFUNCS.update(OTHERWISE_IN_NUMPY)
    FUNCTIONS.update(
        {
            np.all: reduction.all,
            np.where: selection.where,
            np.amax: max_min.amax,
            np.amin: max_min.amin,
            np.any: reduction.any,
            np.argmax: max_min.argmax,
            np.argmin: max_min.argmin,
            np.argsort: sorting.argsort,
            np.count_nonzero: reduction.count_nonzero,
            np.cumprod: cumulative.cumprod,
            np.cumsum: cumulative.cumsum,
            np.diff: cumulative.diff,
            np.linalg.norm: linalg.norm,
            np.max: max_min.amax,
            np.mean: reduction.mean,
            np.min: max_min.amin,
            np.nanmean: reduction.nanmean,
            np.nansum: reduction.nansum,
            np.prod: reduction.prod,
            np.sort: lambda a, axis=-1: sorting.sort(a, axis).values,
            np.std: statistics.with_ddof(statistics.std),
            np.sum: reduction.sum,
            np.var: statistics.with_ddof(statistics.var),
        }
    )
    FUNCTIONS.update(
        {
            np.allclose: comparison.allclose,
            np.clip: lambda a, a_min=None, a_max=None: extrema.clamp(a, a_min, a_max),
            np.fix: rounding.trunc,
            np.around: lambda a, decimals=0: rounding.round(a, decimals=decimals),
            np.isclose: comparison.isclose,
            np.nan_to_num: lambda x, copy=True, nan=0.0, posinf=None, neginf=None: rounding.nan_to_num(
                x, nan, posinf, neginf
            ),
            np.round: lambda a, decimals=0: rounding.round(a, decimals=decimals),
            np.sinc: trigonometry.sinc,
        }
    )
    FUNCTIONS.update(
        {
            np.broadcast_to: shape.broadcast_to,
            np.concatenate: joining.cat,
            np.diag: lambda v, k=0: triangle.diag(v, k),
            np.diagonal: slices.diagonal,
            np.expand_dims: shape.unsqueeze,
            np.flip: lambda m, axis=None: turning.flip(m, tuple(range(m.ndim)) if axis is None else axis),
            np.moveaxis: axes.movedim,
            np.ravel: shape.ravel,
            np.repeat: repeating.repeat_interleave,
            np.reshape: shape.reshape,
            np.roll: lambda a, shift, axis=None: turning.roll(a, shift, axis),
            np.squeeze: shape.squeeze,
            np.stack: joining.stack,
            np.swapaxes: axes.transpose,
            np.take_along_axis: lambda arr, indices, axis=-1: gathering.take_along_dim(arr, indices, axis),
            np.tile: repeating.tile,
            np.transpose: lambda a, axes=None: a.T if axes is None else a.permute(axes),
            np.tril: lambda m, k=0: triangle.tril(m, k),
            np.triu: lambda m, k=0: triangle.triu(m, k),
        }
    )


bind()
