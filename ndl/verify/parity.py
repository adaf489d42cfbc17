"""The parity protocol: the same program in ndl and in PyTorch, compared number by number.

Compared are every output, the gradient of every floating input and every parameter, and every buffer, in float64.
The measure is the relative error

    err(a, b) = max |a − b| / max(1, max |b|)

over all elements where b is finite; where b is not, a must be the same infinity or nan.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ndl.verify.case import PROTOCOL, Program

CONSTANT = (
    "PyTorch's own kernel has fewer digits, whatever the type: a constant rounded to float32, or a short series; the "
    "error is the distance from the same formula in other operations of PyTorch's, in full float64"
)
SINGLE = "the result is float32 in both libraries, as it is for integers: the error is that type's rounding"
ON_THE_WAY = "the program computes in float32 or float16 on its way: the error is that type's rounding"


@dataclass
class Report:
    """What one comparison found: relative errors by name (``y0``, ``dx1``, ``d weight``, ``buffer running_mean``).

    ``notes``: why PyTorch has fewer digits than the protocol's here, if it has.
    """

    errors: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)

    def ok(self, tolerance: float) -> bool:
        return not self.problems and all(e <= tolerance for e in self.errors.values())

    def worst(self, prefix: str = "") -> float:
        return max((e for k, e in self.errors.items() if k.startswith(prefix)), default=0.0)


def relative_error(a: np.ndarray, b: np.ndarray) -> float:
    """err(a, b) as the module's text defines it; infinite if shapes or non-finite places differ."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return np.inf
    if b.size == 0:
        return 0.0
    if b.dtype.kind in "biu" or a.dtype.kind in "biu":
        return 0.0 if np.array_equal(a, b) else np.inf
    a, b = a.astype(np.float64), b.astype(np.float64)
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return np.inf
    if not finite.any():
        return 0.0
    with np.errstate(invalid="ignore"):
        e = np.max(np.abs(a[finite] - b[finite])) / max(1.0, np.max(np.abs(b[finite])))
    return float(e) if np.isfinite(e) else np.inf


def parameter_values(named: Sequence[tuple[str, tuple[int, ...]]], seed: int = 0) -> dict[str, np.ndarray]:
    """Values of order one for a block's parameters, the same for both libraries."""
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape) for name, shape in named}


def outputs_of(result: Any) -> list:
    """The tensors of a result that may be a tensor, a tuple, a named tuple, a list or a nesting of them."""
    if isinstance(result, (tuple, list)):
        return [t for r in result for t in outputs_of(r)]
    return [result]


def run(T: Any, program: Program, dtype: Any = np.float64, rounded: Any = None, second: bool = False) -> dict[str, Any]:
    """Run a program in library ``T`` and return everything the protocol compares, as arrays by name.

    With ``rounded``, all given values are rounded to that type first: in float64 this is the truth that results
    computed in float32 are measured by. With ``second``, what is compared are second derivatives: the gradient of
    Σ u · ∂L/∂θ for random u, by every input (``ddx0``), every parameter (``dd weight``) and every dL/dy (``ddy0``).
    """
    if program.seed:
        T.manual_seed(0)
    rounded = rounded or dtype
    tensors = [_tensor(T, x, i not in program.constant, dtype, rounded) for i, x in enumerate(program.inputs)]
    found: dict[str, Any] = {}
    arguments: list = list(tensors)
    module = None
    if program.module is not None:
        module = program.module(T)
        module = module.to(T.float64 if dtype == np.float64 else T.float32)
        values = parameter_values([(n, tuple(p.shape)) for n, p in module.named_parameters()])
        with T.no_grad():
            for name, p in module.named_parameters():
                p.copy_(T.tensor(values[name].astype(rounded).astype(dtype)))
        if program.seed:
            T.manual_seed(0)
        arguments = [module, *tensors]
    results = [r for r in outputs_of(program.run(T, *arguments)) if hasattr(r, "requires_grad")]
    rng = np.random.default_rng([1, 0xD1])
    loss: Any = 0.0
    dys: dict[str, Any] = {}
    for i, y in enumerate(results):
        found[f"y{i}"] = output = _array(y)
        dy = np.asarray(rng.standard_normal(output.shape)).astype(rounded)
        if y.requires_grad:
            dys[f"ddy{i}"] = T.from_numpy(np.asarray(dy, output.dtype)).requires_grad_(second)
            loss = loss + (y * dys[f"ddy{i}"]).sum()
    if second:
        leaves = {f"ddx{i}": x for i, x in enumerate(tensors) if x.requires_grad}
        leaves |= {f"dd {name}": p for name, p in (module.named_parameters() if module is not None else ())}
        return _second(T, loss, leaves, dys, rng, rounded)
    if hasattr(loss, "backward"):
        loss.backward()
    for i, x in enumerate(tensors):
        if x.requires_grad:
            found[f"dx{i}"] = np.zeros(tuple(x.shape), dtype) if x.grad is None else _array(x.grad)
    if module is not None:
        for name, p in module.named_parameters():
            found[f"d {name}"] = np.zeros(tuple(p.shape), dtype) if p.grad is None else _array(p.grad)
        for name, b in module.named_buffers():
            found[f"buffer {name}"] = _array(b)
    return found


def _second(
    T: Any, loss: Any, leaves: dict[str, Any], dys: dict[str, Any], rng: np.random.Generator, rounded: Any
) -> dict[str, Any]:
    """The gradient of Σ u · ∂L/∂θ by every leaf θ and every dL/dy; {} where nothing depends on a leaf."""
    if not leaves or not dys:
        return {}
    gradients = T.autograd.grad(loss, list(leaves.values()), create_graph=True, allow_unused=True)
    total: Any = 0.0
    for x, g in zip(leaves.values(), gradients, strict=True):
        u = np.asarray(rng.standard_normal(tuple(x.shape))).astype(rounded)
        if g is not None and g.requires_grad:
            total = total + (g * T.from_numpy(np.asarray(u, g.detach().numpy().dtype))).sum()
    if not hasattr(total, "backward"):
        return {}
    total.backward()
    return {n: np.zeros(tuple(x.shape)) if x.grad is None else _array(x.grad) for n, x in (leaves | dys).items()}


def compare(program: Program) -> Report:
    """Run a program in both libraries and measure the differences. Needs PyTorch."""
    import torch

    import ndl

    report = Report()
    if not program.parity:
        return report
    ours, theirs = run(ndl, program), run(torch, program)
    if ours.keys() != theirs.keys():
        report.problems.append(f"ndl gave {sorted(ours)}, PyTorch {sorted(theirs)}")
    exact = theirs
    if program.exact is not None:
        composed = copy.copy(program)
        composed.run = program.exact
        exact = run(torch, composed)
    for name in theirs.keys() & ours.keys():
        a, b = ours[name], theirs[name]
        if a.dtype != b.dtype or a.shape != b.shape:
            report.problems.append(f"{name}: ndl gave {a.dtype} {a.shape}, PyTorch {b.dtype} {b.shape}")
        report.errors[name] = relative_error(a, exact[name])
        if program.exact is not None:
            e = relative_error(a, b)
            if not e <= program.tolerance:
                report.problems.append(f"{name} is off by {e:.1e} from PyTorch's own, allowed {program.tolerance:.0e}")
            if relative_error(exact[name], b) > PROTOCOL:
                report.notes.add(CONSTANT)
        elif report.errors[name] > PROTOCOL:
            report.notes.add(SINGLE if b.dtype == np.float32 else ON_THE_WAY)
    return report


def _tensor(T: Any, x: Any, differentiate: bool, dtype: Any, rounded: Any) -> Any:
    """The array as T's tensor with the same strides; floating ones as leaves that want a gradient."""
    if x.dtype.kind != "f":
        return T.from_numpy(x.copy())
    expanded = [axis for axis, n in enumerate(x.shape) if n > 1 and x.strides[axis] == 0]
    if not expanded:
        return T.from_numpy(_same_layout(x, dtype, rounded)).requires_grad_(differentiate)
    one = x[tuple(slice(0, 1) if axis in expanded else slice(None) for axis in range(x.ndim))]
    return T.from_numpy(_same_layout(one, dtype, rounded)).expand(*x.shape).requires_grad_(differentiate)


def _same_layout(x: np.ndarray, dtype: Any, rounded: Any) -> np.ndarray:
    """A copy whose memory is laid out like the original's: in another order, or with gaps."""
    if rounded != dtype:
        x = x.astype(rounded, order="K")
    if x.flags.c_contiguous or x.flags.f_contiguous:
        return x.astype(dtype, order="K")
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def _array(t: Any) -> np.ndarray:
    return np.array(t.detach().numpy())
