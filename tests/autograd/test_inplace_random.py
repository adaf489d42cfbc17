"""Random programs of views, in-place writes and ordinary operations: ndl against PyTorch, step by step.

After each step all tensors must have equal values and ask for gradients alike, or the step must have raised in
both libraries. At the end the gradient of every tensor with respect to every leaf must be equal, or refused by both.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ndl
from ndl.verify.parity import relative_error

ERRORS = (RuntimeError, IndexError, ValueError, TypeError)


def mask(T: Any, x: Any) -> Any:
    """Every third element, chosen without looking at the values."""
    return T.from_numpy(np.asarray(np.arange(x.numel()).reshape(tuple(x.shape)) % 3 == 0))


def fit(y: Any, x: Any) -> Any:
    """``y`` if it can be broadcast to x, else its first element."""
    with contextlib.suppress(ValueError):
        if np.broadcast_shapes(tuple(x.shape), tuple(y.shape)) == tuple(x.shape):
            return y
    return y.reshape(-1)[0]


def part(x: Any, k: int) -> Any:
    """A region to write to."""
    return [x[k], x[k:], x[..., k], x[..., ::2]][k]


VIEWS = {
    "x[k]": lambda T, x, y, k: x[k],
    "x[k:]": lambda T, x, y, k: x[k:],
    "x[..., k]": lambda T, x, y, k: x[..., k],
    "x[..., ::2]": lambda T, x, y, k: x[..., ::2],
    "x[None]": lambda T, x, y, k: x[None],
    "x[...]": lambda T, x, y, k: x[...],
    "t": lambda T, x, y, k: x.t(),
    "transpose": lambda T, x, y, k: x.transpose(0, -1),
    "view": lambda T, x, y, k: x.view(-1),
    "view_as": lambda T, x, y, k: x.view_as(x),
    "reshape": lambda T, x, y, k: x.reshape(-1),
    "flatten": lambda T, x, y, k: x.flatten(),
    "squeeze": lambda T, x, y, k: x.squeeze(),
    "unsqueeze": lambda T, x, y, k: x.unsqueeze(k),
    "expand": lambda T, x, y, k: x.expand(k + 1, *x.shape),
    "narrow": lambda T, x, y, k: x.narrow(0, k, 1),
    "diagonal": lambda T, x, y, k: x.diagonal(k - 1),
    "unfold": lambda T, x, y, k: x.unfold(-1, 2, 1),
    "split": lambda T, x, y, k: x.split(k + 1)[0],
    "chunk": lambda T, x, y, k: x.chunk(2)[-1],
    "unbind": lambda T, x, y, k: x.unbind()[k],
    "detach": lambda T, x, y, k: x.detach(),
}

RESULTS = {
    "x + y": lambda T, x, y, k: x + y,
    "x * y": lambda T, x, y, k: x * y,
    "x - 2 y": lambda T, x, y, k: T.sub(x, y, alpha=2),
    "x / y": lambda T, x, y, k: x / (y * y + 1),
    "tanh": lambda T, x, y, k: x.tanh(),
    "sin": lambda T, x, y, k: x.sin(),
    "square": lambda T, x, y, k: x.square(),
    "sum": lambda T, x, y, k: x.sum(),
    "sum(0)": lambda T, x, y, k: x.sum(0),
    "clone": lambda T, x, y, k: x.clone(),
    "mm": lambda T, x, y, k: x.mm(y),
    "mv": lambda T, x, y, k: x.mv(y),
    "x[[0, 0]]": lambda T, x, y, k: x[[0, 0]],
    "x[mask]": lambda T, x, y, k: x[mask(T, x)],
    "where": lambda T, x, y, k: T.where(mask(T, x), x, y),
    "cat": lambda T, x, y, k: T.cat([x, y]),
    "stack": lambda T, x, y, k: T.stack([x, y]),
}

WRITES = {
    "add_": lambda T, x, y, k: x.add_(fit(y, x)),
    "sub_": lambda T, x, y, k: x.sub_(fit(y, x), alpha=k),
    "mul_": lambda T, x, y, k: x.mul_(fit(y, x)),
    "mul_ number": lambda T, x, y, k: x.mul_(k),
    "div_": lambda T, x, y, k: x.div_(fit(y, x) ** 2 + 1),
    "add_ that may not fit": lambda T, x, y, k: x.add_(y),
    "pow_": lambda T, x, y, k: x.pow_(2),
    "tanh_": lambda T, x, y, k: x.tanh_(),
    "sin_": lambda T, x, y, k: x.sin_(),
    "neg_": lambda T, x, y, k: x.neg_(),
    "clamp_": lambda T, x, y, k: x.clamp_(-1.05, 0.95),
    "zero_": lambda T, x, y, k: x.zero_(),
    "fill_": lambda T, x, y, k: x.fill_(k),
    "fill_ tensor": lambda T, x, y, k: x.fill_(y.sum()),
    "copy_": lambda T, x, y, k: x.copy_(fit(y, x)),
    "masked_fill_": lambda T, x, y, k: x.masked_fill_(mask(T, x), k),
    "lerp_": lambda T, x, y, k: x.lerp_(fit(y, x), 0.25),
    "addcmul_": lambda T, x, y, k: x.addcmul_(fit(y, x), fit(y, x), value=0.5),
    "x[k] = y": lambda T, x, y, k: x.__setitem__(k, fit(y, x[k])),
    "x[k:] = 2": lambda T, x, y, k: x.__setitem__(slice(k, None), 2.0),
    "x[..., ::2] = y": lambda T, x, y, k: x.__setitem__((..., slice(None, None, 2)), fit(y, x[..., ::2])),
    "x[[1, 0]] = y": lambda T, x, y, k: x.__setitem__([1, 0], fit(y, x[:2])),
    "x[mask] = 3": lambda T, x, y, k: x.__setitem__(mask(T, x), 3.0),
    "part += y": lambda T, x, y, k: part(x, k).add_(fit(y, part(x, k))),
    "part *= y": lambda T, x, y, k: part(x, k).mul_(fit(y, part(x, k))),
    # PyTorch keeps index_add_'s source, without need; as it is a new tensor, no later write can disturb it.
    "index_add_": lambda T, x, y, k: x.index_add_(0, T.tensor([0, 0]), fit(y, x[:2]).expand_as(x[:2]) * 1),
    "requires_grad_": lambda T, x, y, k: x.requires_grad_(),
}

STEPS = {**VIEWS, **RESULTS, **WRITES}


def begin(T: Any) -> tuple[list, list]:
    """The leaves, and all tensors a program starts with: two leaves, what is computed from them, a constant."""
    rng = np.random.default_rng(0)
    a, b, c = (T.from_numpy(rng.standard_normal(shape)) for shape in [(3, 3), (3,), (3, 3)])
    leaves = [a.requires_grad_(), b.requires_grad_()]
    return leaves, [a * 1, b * 1, c, a, b]


class Run:
    """One library's tensors while a program runs."""

    def __init__(self, T: Any) -> None:
        self.T = T
        self.leaves, self.tensors = begin(T)

    def step(self, name: str, i: int, j: int, k: int, recorded: bool) -> str | None:
        """Take one step; return the kind of error it raised."""
        x, y = (self.tensors[n % len(self.tensors)] for n in (i, j))
        try:
            with self.T.set_grad_enabled(recorded):
                result = STEPS[name](self.T, x, y, k)
        except ERRORS:
            return "raised"
        if name not in WRITES:
            self.tensors.append(result)
        return None

    def shares_memory(self, i: int, j: int) -> bool:
        x, y = (self.tensors[n % len(self.tensors)].detach().numpy() for n in (i, j))
        return np.shares_memory(x, y)

    def overlaps_itself(self, i: int) -> bool:
        """Whether the tensor was expanded or cut into overlapping windows: what a write does there is left open."""
        return not self.tensors[i % len(self.tensors)].detach().numpy().flags.writeable

    def is_ambiguous(self, i: int) -> bool:
        """Whether the tensor is a view made without recording, which PyTorch takes for a leaf with gradients."""
        t = self.tensors[i % len(self.tensors)]
        with contextlib.suppress(RuntimeError):
            return t.requires_grad and t.is_leaf and t._is_view()
        return False

    def values(self) -> list[np.ndarray]:
        for t in self.tensors:
            with contextlib.suppress(RuntimeError):
                _ = t.grad_fn  # else PyTorch may take a view of a base that was written for a leaf
        return [np.array(t.detach().numpy()) for t in self.tensors]

    def gradients(self) -> list:
        """For each tensor the gradients of a weighted sum of it with respect to the leaves, or what it raised."""
        found: list = []
        for t in self.tensors:
            try:
                # A view made without recording is a leaf, and PyTorch says that it requires gradients.
                used = t.numel() and (t * 1).requires_grad
                if not used or (t.is_leaf and all(t is not leaf for leaf in self.leaves)):
                    found.append([np.zeros((3, 3)), np.zeros(3)])
                    continue
                w = np.cos(np.arange(t.numel())).reshape(tuple(t.shape)) + 1.5
                gs = self.T.autograd.grad(
                    t, self.leaves, self.T.from_numpy(np.asarray(w)), retain_graph=True, allow_unused=True
                )
                found.append([np.zeros(x.shape) if g is None else g.numpy() for g, x in zip(gs, self.leaves)])
            except ERRORS:
                found.append("raised")
        return found


def close(a: np.ndarray, b: np.ndarray) -> bool:
    return relative_error(a, b) <= 1e-9


def check(program: list) -> None:
    ours, theirs = Run(ndl), Run(torch)
    for number, (name, i, j, k, recorded) in enumerate(program):
        text = f"step {number}: {name}, x = tensor {i % len(theirs.tensors)}, y = tensor {j % len(theirs.tensors)}, {k}"
        if name in WRITES and ours.overlaps_itself(i):
            continue
        if theirs.is_ambiguous(j) or (name in RESULTS and theirs.is_ambiguous(i)):
            continue
        if name in WRITES and theirs.shares_memory(i, j):
            j = i  # PyTorch refuses operands that overlap in part
            if name not in ("neg_", "tanh_", "mul_ number", "zero_", "fill_", "pow_", "clamp_", "masked_fill_"):
                continue
        got, want = ours.step(name, i, j, k, recorded), theirs.step(name, i, j, k, recorded)
        assert got == want, f"{text}: ndl {got}, torch {want}"
        for n, (a, b) in enumerate(zip(ours.values(), theirs.values(), strict=True)):
            assert close(a, b), f"{text}: tensor {n} is\n{a}\nnot\n{b}"
    for n, (a, b) in enumerate(zip(ours.gradients(), theirs.gradients(), strict=True)):
        if isinstance(b, list) and isinstance(a, list):
            for leaf, (g, h) in enumerate(zip(a, b)):
                assert close(g, h), f"gradient of tensor {n} for leaf {leaf} is\n{g}\nnot\n{h}"
        else:
            assert a == b, f"gradient of tensor {n}: ndl {a}, torch {b}"


numbers = st.integers(0, 9)
steps = st.tuples(
    st.sampled_from(list(STEPS)), numbers, numbers, st.integers(0, 3), st.sampled_from([True] * 5 + [False])
)


@settings(max_examples=300)
@given(st.lists(steps, min_size=1, max_size=10))
def test_random_programs(program: list) -> None:
    check(program)
