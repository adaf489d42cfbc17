"""Products of matrices and tensors: matmul, dot, outer, einsum, tensordot and their kin.

Everything rests on one derivation. For matrices Z = X Y and a loss L with dZ = ∂L/∂Z:

    dL = Σ_ij dZ_ij dZ(X, Y)_ij = Σ_ijk dZ_ij (dX_ik Y_kj + X_ik dY_kj)
    dX_ik = Σ_j dZ_ij Y_kj        dX = dZ Yᵀ
    dY_kj = Σ_i X_ik dZ_ij        dY = Xᵀ dZ

and for stacks of matrices the same matrix by matrix.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.views import owned
from ndl.kernels import matmul as kernel
from ndl.ops.arithmetic import add, mul
from ndl.ops.promotion import array_of

__all__ = [
    "addbmm",
    "addmm",
    "addmv",
    "addr",
    "baddbmm",
    "bmm",
    "chain_matmul",
    "dot",
    "einsum",
    "ger",
    "inner",
    "kron",
    "matmul",
    "mm",
    "mv",
    "outer",
    "tensordot",
    "vdot",
]


class MatMul(ArrayFunction):
    """Z = X Y for (stacks of) matrices;  dX = dZ Yᵀ,  dY = Xᵀ dZ."""

    @staticmethod
    def forward(ctx: Any, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
        need_dX, need_dY = ctx.needs_input_grad[:2]
        ctx.save_for_backward(X if need_dY else None, Y if need_dX else None)
        return kernel.matmul(X, Y)  # (…, n, k) (…, k, m) -> (…, n, m)

    @staticmethod
    def backward(ctx: Any, dZ: Any) -> tuple:
        X, Y = ctx.saved_tensors
        need_dX, need_dY = ctx.needs_input_grad
        dX = MatMul.apply(dZ, Y.mT) if need_dX else None  # (…, n, m) (…, m, k) -> (…, n, k)
        dY = MatMul.apply(X.mT, dZ) if need_dY else None  # (…, k, n) (…, n, m) -> (…, k, m)
        return dX, dY


def _same_type(name: str, *operands: Any) -> None:
    types = [array_of(x).dtype for x in operands]
    if any(t != types[0] for t in types):
        raise RuntimeError(
            f"{name} expected its operands to have the same dtype, but got {' and '.join(str(t) for t in types)}; "
            "convert one with .to(dtype)"
        )


def _check(names: str, ok: bool, x: Any, y: Any) -> None:
    if not ok:
        a, b = list(array_of(x).shape), list(array_of(y).shape)
        raise RuntimeError(f"{names} shapes cannot be multiplied ({_cross(a)} and {_cross(b)})")


def _cross(shape: list) -> str:
    return "x".join(map(str, shape)) if shape else "scalar"


def matmul(input: Any, other: Any) -> Any:
    """The matrix product over the last two dimensions, broadcasting the others. Z = X Y; dX = dZ Yᵀ, dY = Xᵀ dZ.

    A 1-d operand is a row on the left, a column on the right, and its dimension is gone from the result. Raises
    RuntimeError for operands without dimensions, of different types, or whose inner sizes differ.
    """
    x, y = array_of(input), array_of(other)
    if x.ndim == 0 or y.ndim == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {x.ndim}D and {y.ndim}D")
    if x.shape[-1] != y.shape[-2 if y.ndim > 1 else 0]:
        _check("mat1 and mat2", False, input, other)
    if x.dtype != y.dtype:
        _same_type("matmul", input, other)
    if x.ndim > 1 and y.ndim > 1:
        try:
            return MatMul.apply(input, other)
        except ValueError:
            raise RuntimeError(
                f"matmul: the leading dimensions of {list(x.shape)} and {list(y.shape)} do not broadcast"
            ) from None
    X = input if x.ndim > 1 else input.reshape(1, -1)
    Y = other if y.ndim > 1 else other.reshape(-1, 1)
    Z = MatMul.apply(X, Y)
    shape = list(array_of(Z).shape)
    if y.ndim == 1:
        shape.pop()
    if x.ndim == 1:
        shape.pop(-2 if y.ndim > 1 else -1)
    return owned(Z.reshape(tuple(shape)))


def _ranks(name: str, x: Any, n: int, y: Any, m: int) -> None:
    a, b = array_of(x), array_of(y)
    if a.ndim != n or b.ndim != m:
        raise RuntimeError(f"{name} expected a {n}-D and a {m}-D tensor, but got {a.ndim}-D and {b.ndim}-D")


def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices, without broadcasting."""
    _ranks("mm", input, 2, mat2, 2)
    return matmul(input, mat2)


def bmm(input: Any, mat2: Any) -> Any:
    """The products of two equally long stacks of matrices: (b, n, k), (b, k, m) -> (b, n, m)."""
    _ranks("bmm", input, 3, mat2, 3)
    x, y = array_of(input), array_of(mat2)
    _check("bmm: input and mat2", x.shape[0] == y.shape[0] and x.shape[2] == y.shape[1], input, mat2)
    return matmul(input, mat2)


def mv(input: Any, vec: Any) -> Any:
    """Matrix times vector: (n, k), (k) -> (n)."""
    _ranks("mv", input, 2, vec, 1)
    return matmul(input, vec)


def dot(input: Any, tensor: Any) -> Any:
    """Σ_i x_i y_i of two vectors of one length."""
    _ranks("dot", input, 1, tensor, 1)
    _check("dot: input and tensor", array_of(input).shape == array_of(tensor).shape, input, tensor)
    _same_type("dot", input, tensor)
    return matmul(input, tensor)


vdot = dot


def inner(input: Any, other: Any) -> Any:
    """Sums of products over the last dimensions of both."""
    x, y = array_of(input), array_of(other)
    if x.ndim == 0 or y.ndim == 0:
        return mul(input, other)
    _check("inner: input and other", x.shape[-1] == y.shape[-1], input, other)
    return tensordot(input, other, dims=([-1], [-1]))


def outer(input: Any, vec2: Any) -> Any:
    """z_ij = x_i y_j of two vectors."""
    _ranks("outer", input, 1, vec2, 1)
    return mul(input.reshape(-1, 1), vec2)


ger = outer


def _scaled(input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    if alpha != 1:
        product = mul(product, alpha)
    if beta == 0:  # PyTorch's rule: then input counts for nothing, not even its nans
        return product
    return add(input if beta == 1 else mul(input, beta), product)


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · (mat1 mat2)."""
    return _scaled(input, mm(mat1, mat2), beta, alpha)


def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · (mat vec)."""
    return _scaled(input, mv(mat, vec), beta, alpha)


def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · (vec1 ⊗ vec2)."""
    return _scaled(input, outer(vec1, vec2), beta, alpha)


def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · bmm(batch1, batch2)."""
    return _scaled(input, bmm(batch1, batch2), beta, alpha)


def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · Σ_b batch1_b batch2_b."""
    return _scaled(input, bmm(batch1, batch2).sum(0), beta, alpha)


def chain_matmul(*matrices: Any) -> Any:
    """The product of several matrices, from left to right."""
    result = matrices[0]
    for m in matrices[1:]:
        result = mm(result, m)
    return result


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Sums of products over ``dims``: the last n of ``a`` with the first n of ``b``, or two lists of dimensions."""
    x, y = array_of(a), array_of(b)
    if isinstance(dims, int):
        if dims < 0 or dims > min(x.ndim, y.ndim):
            raise RuntimeError(f"tensordot expects 0 <= dims <= {min(x.ndim, y.ndim)}, but got {dims}")
        left, right = list(range(x.ndim - dims, x.ndim)), list(range(dims))
    else:
        left, right = ([d % n for d in side] for side, n in zip(map(list, dims), (x.ndim, y.ndim), strict=True))
    sizes = [(x.shape[i], y.shape[j]) for i, j in zip(left, right, strict=True)]
    if any(m != n for m, n in sizes):
        raise RuntimeError(f"contracted dimensions need to match, but they have sizes {sizes}")
    keep_a = [i for i in range(x.ndim) if i not in left]
    keep_b = [j for j in range(y.ndim) if j not in right]
    shape_a, shape_b = [x.shape[i] for i in keep_a], [y.shape[j] for j in keep_b]
    k = math.prod(x.shape[i] for i in left)
    X = _transposed(a, keep_a + left).reshape(math.prod(shape_a), k)
    Y = _transposed(b, right + keep_b).reshape(k, math.prod(shape_b))
    return owned(matmul(X, Y).reshape(*shape_a, *shape_b))


def _transposed(x: Any, order: Sequence[int]) -> Any:
    return np.transpose(x, tuple(order))


def kron(input: Any, other: Any) -> Any:
    """The Kronecker product."""
    x, y = array_of(input), array_of(other)
    n = max(x.ndim, y.ndim)
    a, b = (1,) * (n - x.ndim) + x.shape, (1,) * (n - y.ndim) + y.shape
    left = input.reshape(tuple(m for i in a for m in (i, 1)))
    right = other.reshape(tuple(m for j in b for m in (1, j)))
    return owned(mul(left, right).reshape(tuple(i * j for i, j in zip(a, b, strict=True))))


def einsum(equation: Any, *operands: Any) -> Any:
    """Sums of products named by letters: ``einsum('bij,bjk->bik', x, y)``, with ``...`` and repeated letters.

    Every pair of operands is contracted as one stacked matrix product, whose backward pass is ``MatMul``'s. Also
    takes PyTorch's form with lists of numbers: ``einsum(x, [0, 1], y, [1, 2], [0, 2])``.
    """
    if not isinstance(equation, str):
        equation, operands = _equation_from_lists((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    subscripts, output = _parse(equation, operands)
    terms = [_without_repeats(x, s) for x, s in zip(operands, subscripts, strict=True)]
    x, s = terms[0]
    for i, (y, t) in enumerate(terms[1:], start=1):
        later = set(output).union(*(u for _, u in terms[i + 1 :]))
        x, s = _contract(x, s, y, t, later)
    x, s = _sum_out(x, s, set(output))
    return _transposed(x, [s.index(c) for c in output])


def _equation_from_lists(arguments: tuple) -> tuple[str, tuple]:
    names = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

    def text(numbers: Sequence) -> str:
        return "".join("..." if n is Ellipsis else names[n] for n in numbers)

    pairs = len(arguments) // 2
    equation = ",".join(text(arguments[2 * i + 1]) for i in range(pairs))
    if len(arguments) % 2:
        equation += "->" + text(arguments[-1])
    return equation, tuple(arguments[2 * i] for i in range(pairs))


def _parse(equation: str, operands: tuple) -> tuple[list[str], str]:
    """The letters of each operand and of the result, with one private letter for each dimension of an ellipsis."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    parts = left.split(",")
    if len(parts) != len(operands):
        raise RuntimeError(
            f"einsum(): the equation {equation!r} names {len(parts)} operands, but {len(operands)} were given"
        )
    private = [chr(0x100 + i) for i in range(32)]
    widest, subscripts = 0, []
    sizes: dict[str, int] = {}
    for i, (part, x) in enumerate(zip(parts, operands, strict=True)):
        shape = array_of(x).shape
        named = len(part.replace("...", ""))
        extra = len(shape) - named
        if extra < 0 or (extra and "..." not in part):
            raise RuntimeError(
                f"einsum(): the subscripts {part!r} name {named} dimensions, but operand {i} has {len(shape)}"
            )
        widest = max(widest, extra)
        letters = part.replace("...", "".join(private[32 - extra :]) if extra else "")
        for c, n in zip(letters, shape, strict=True):
            if sizes.get(c, n) != n and 1 not in (sizes[c], n):
                raise RuntimeError(f"einsum(): operands do not broadcast: {c!r} has sizes {sizes[c]} and {n}")
            sizes[c] = max(sizes.get(c, n), n)
        subscripts.append(letters)
    dots = "".join(private[32 - widest :]) if widest else ""
    if arrow:
        output = right.replace("...", dots)
    else:
        named_letters = left.replace("...", "").replace(",", "")
        output = dots + "".join(sorted(c for c in set(named_letters) if named_letters.count(c) == 1))
    for c in output:
        if c not in sizes:
            raise RuntimeError(f"einsum(): output subscript {c!r} does not appear in the equation for any operand")
        if output.count(c) > 1:
            raise RuntimeError(f"einsum(): output subscript {c!r} appears more than once in the output")
    return subscripts, output


def _without_repeats(x: Any, s: str) -> tuple[Any, str]:
    """A letter that stands twice in one operand means its diagonal."""
    for c in dict.fromkeys(s):
        while s.count(c) > 1:
            i = s.index(c)
            j = s.index(c, i + 1)
            x = x.diagonal(0, i, j)  # the diagonal becomes the last dimension
            s = s[:i] + s[i + 1 : j] + s[j + 1 :] + c
    return x, s


def _sum_out(x: Any, s: str, keep: set) -> tuple[Any, str]:
    axes = tuple(i for i, c in enumerate(s) if c not in keep)
    return (np.sum(x, axis=axes), "".join(c for c in s if c in keep)) if axes else (x, s)


def _contract(x: Any, s: str, y: Any, t: str, later: set) -> tuple[Any, str]:
    """One pair: batch letters stay in both, inner letters are summed, the rest belongs to one side."""
    x, s = _sum_out(x, s, later | set(t))
    y, t = _sum_out(y, t, later | set(s))
    shape_x, shape_y = dict(zip(s, array_of(x).shape, strict=True)), dict(zip(t, array_of(y).shape, strict=True))
    common = [c for c in s if c in t]
    # A letter of size 1 on one side only is broadcast: it is not summed but multiplied through.
    odd = [c for c in common if shape_x[c] != shape_y[c]]
    for c in odd:
        if c not in later:
            if shape_x[c] == 1:
                y, t = _sum_out(y, t, set(t) - {c})
                x, s = _sum_out(x, s, set(s) - {c})
            else:
                x, s = _sum_out(x, s, set(s) - {c})
                y, t = _sum_out(y, t, set(t) - {c})
        elif shape_x[c] == 1:
            x, s = _sum_out(x, s, set(s) - {c})
        else:
            y, t = _sum_out(y, t, set(t) - {c})
    shape_x, shape_y = dict(zip(s, array_of(x).shape, strict=True)), dict(zip(t, array_of(y).shape, strict=True))
    batch = [c for c in s if c in t and c in later]
    inner = [c for c in s if c in t and c not in later]
    left = [c for c in s if c not in t]
    right = [c for c in t if c not in s]

    def size(letters: list, shape: dict) -> int:
        return math.prod(shape[c] for c in letters)

    X = _transposed(x, [s.index(c) for c in batch + left + inner])
    Y = _transposed(y, [t.index(c) for c in batch + inner + right])
    X = X.reshape(size(batch, shape_x), size(left, shape_x), size(inner, shape_x))
    Y = Y.reshape(size(batch, shape_y), size(inner, shape_y), size(right, shape_y))
    Z = matmul(X, Y) if inner else mul(X, Y)  # (batch, left, right)
    shape = {**shape_y, **shape_x}
    letters = batch + left + right
    return Z.reshape(tuple(shape[c] for c in letters)), "".join(letters)
