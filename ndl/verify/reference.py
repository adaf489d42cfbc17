"""A layer beside what it should be: a module or function of PyTorch, a module of ndl, a function of arrays, or arrays."""

from __future__ import annotations

import copy
import importlib
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from ndl.nn.module import Module
from ndl.verify.parity import relative_error
from ndl.verify.subject import Run, Subject, parts, rebuilt

TOLERANCE = 1e-9  # of float64; what a reference has in fewer digits is compared to those


def compare_with(
    reference: Any, subject: Subject, run: Run, dys: Sequence[np.ndarray], notes: list[str]
) -> Iterator[str]:
    """What differs from the reference, in words."""
    torch = importlib.import_module("torch") if importlib.util.find_spec("torch") else None
    if isinstance(reference, Module):
        yield from _Library(subject.ndl, subject, run, dys).module(reference)
    elif torch is not None and isinstance(reference, torch.nn.Module):
        yield from _Library(torch, subject, run, dys).module(reference)
    elif callable(reference):
        yield from _function(torch, reference, subject, run, dys, notes)
    else:
        arrays = [_array(y) for _, y in parts(reference) if hasattr(y, "dtype")]
        yield from _outputs(run, arrays or [np.asarray(reference)])


def _function(
    torch: Any, f: Callable, subject: Subject, run: Run, dys: Sequence[np.ndarray], notes: list[str]
) -> Iterator[str]:
    first = ""
    if torch is not None:
        library = _Library(torch, subject, run, dys)
        try:
            results = library.results(f)
        except Exception as error:  # a function of arrays, which PyTorch's tensors are not?
            first = f"with PyTorch's tensors {type(error).__name__}: {error}; with arrays "
            results = []
        if results and all(isinstance(y, torch.Tensor) for y in results):
            yield from library.compare(results, library.leaves)
            return
    given = {n: x.copy() for n, x in subject.arrays.items()}
    try:
        results = [y for _, y in parts(f(*_arguments(subject, given)))]
    except Exception as error:
        yield f"the reference raised {first}{type(error).__name__}: {error}"
        return
    notes.append("the reference is a function of arrays: it says nothing about gradients")
    yield from _outputs(run, [_array(y) for y in results])


def _arguments(subject: Subject, given: dict[str, Any]) -> list[Any]:
    return [rebuilt(x, lambda n, part: given.get(n, part), f"input {i}") for i, x in enumerate(subject.inputs)]


class _Library:
    """A reference in PyTorch, or in ndl, which has the same interface: ``T``."""

    def __init__(self, T: Any, subject: Subject, run: Run, dys: Sequence[np.ndarray]) -> None:
        self.T, self.subject, self.run, self.dys = T, subject, run, dys
        self.leaves: dict[str, Any] = {}

    def results(self, f: Callable) -> list:
        """The outputs of f at our inputs, from the random numbers that ours began with."""
        given = {n: self.T.from_numpy(x.copy()) for n, x in self.subject.arrays.items()}
        self.leaves = {n: x.requires_grad_() for n, x in given.items() if n in self.subject.values}
        given |= {n: x.clone() for n, x in self.leaves.items()}  # which may be written to
        kept: AbstractContextManager = (
            nullcontext() if self.T is self.subject.ndl else self.T.random.fork_rng(devices=[])
        )
        with kept:
            self.T.manual_seed(0)
            return [y for _, y in parts(f(*_arguments(self.subject, given)))]

    def module(self, module: Any) -> Iterator[str]:
        """A module with our parameters and buffers, by name."""
        subject = self.subject
        module = copy.deepcopy(module).double().train(subject.module is None or subject.module.training)
        theirs = dict(module.named_parameters())
        subject.restore()
        ours = {n: np.array(p.detach().numpy()) for n, p in subject.parameters.items()}
        if ours.keys() != theirs.keys():
            yield f"the parameters are {sorted(ours)}, the reference's {sorted(theirs)}: give them the same names"
            return
        with self.T.no_grad():
            for name, p in theirs.items():
                if tuple(p.shape) != ours[name].shape:
                    yield f"{name} has shape {ours[name].shape}, the reference's {tuple(p.shape)}"
                    return
                p.copy_(self.T.from_numpy(ours[name]))
                p.requires_grad_(name in subject.values)
            for name, b in module.named_buffers():
                if name in subject.buffers:
                    b.copy_(self.T.from_numpy(np.array(subject.buffers[name])))
        try:
            results = self.results(module)
        except Exception as error:
            yield f"the reference raised {type(error).__name__}: {error}"
            return
        tensors = [y for y in results if isinstance(y, self.T.Tensor)]
        yield from self.compare(tensors, self.leaves | {n: p for n, p in theirs.items() if n in subject.values})
        subject.call()
        after = {n: b.detach().numpy() for n, b in subject.named_buffers()}
        for name, b in module.named_buffers():
            if name in after:
                e = _error(after[name], b.detach().numpy())
                if not e <= TOLERANCE:
                    yield f"after forward the buffer {name} is off by {e:.1e} of its largest element from the reference's"

    def compare(self, results: list, leaves: dict[str, Any]) -> Iterator[str]:
        """Outputs, and the gradients of the leaves for our dL/dy."""
        floating = [y for y in results if y.is_floating_point()]
        wrong = list(_outputs(self.run, [_array(y) for y in floating]))
        yield from wrong
        if any("shape" in w or "gave" in w for w in wrong):
            return
        terms = [(y * self.T.from_numpy(dy)).sum() for y, dy in zip(floating, self.dys) if y.requires_grad]
        if not terms:
            return
        sum(terms).backward()
        tolerance = max(_tolerance(_array(y)) for y in floating)
        for name, x in leaves.items():
            right = np.zeros(tuple(x.shape)) if x.grad is None else x.grad.numpy()
            found = np.zeros(tuple(x.shape)) if self.run.grads.get(name) is None else self.run.grads[name]
            e = _error(found, right)
            if not e <= tolerance:
                yield f"the gradient of {name} is off by {e:.1e} of its largest element from the reference's"


def _outputs(run: Run, expected: Sequence[np.ndarray]) -> Iterator[str]:
    if len(run.arrays) != len(expected):
        yield f"gave {len(run.arrays)} outputs, the reference {len(expected)}"
        return
    for i, (y, right) in enumerate(zip(run.arrays, expected)):
        if y.shape != right.shape:
            yield f"output {i} has shape {y.shape}, the reference's {right.shape}"
            continue
        e = _error(y, right)
        if not e <= _tolerance(right):
            yield f"output {i} is off by {e:.1e} of its largest element from the reference's"


def _array(y: Any) -> np.ndarray:
    return y.detach().numpy() if hasattr(y, "detach") else np.asarray(y)


def _tolerance(right: np.ndarray) -> float:
    return max(TOLERANCE, 100 * float(np.finfo(right.dtype).eps)) if right.dtype.kind == "f" else TOLERANCE


def _error(a: np.ndarray, b: np.ndarray) -> float:
    """Relative to the largest element, however small that is: weights of 0.02 must not hide anything."""
    b = b.astype(np.float64)
    scale = float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0))
    return relative_error(a / scale, b / scale) if scale else relative_error(a, b)
