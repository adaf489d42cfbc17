"""A layer beside what it should be: a PyTorch module or function, a function of arrays, or the expected array."""

from __future__ import annotations

import copy
import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ndl.verify.parity import outputs_of, relative_error
from ndl.verify.subject import Run, Subject

TOLERANCE = 1e-9


def compare_with(
    reference: Any, subject: Subject, run: Run, dys: Sequence[np.ndarray], notes: list[str]
) -> Iterator[str]:
    """What differs from the reference, in words."""
    torch = importlib.import_module("torch") if importlib.util.find_spec("torch") else None
    if torch is not None and isinstance(reference, torch.nn.Module):
        yield from _torch_module(torch, reference, subject, run, dys)
        return
    if not callable(reference):
        expected = reference.detach().numpy() if hasattr(reference, "detach") else np.asarray(reference)
        yield from _outputs(run, [expected])
        return
    if torch is not None:
        tensors = {n: torch.tensor(v, requires_grad=True) for n, v in subject.values.items() if n.startswith("input")}
        try:
            results = outputs_of(reference(*_arguments(subject, tensors, torch.tensor)))
        except Exception:  # a function of arrays, which PyTorch's tensors are not
            results = []
        if results and all(isinstance(y, torch.Tensor) for y in results):
            yield from _torch_results(torch, results, tensors, subject, run, dys)
            return
    arrays = {n: v.copy() for n, v in subject.values.items() if n.startswith("input")}
    notes.append("the reference is a function of arrays: it says nothing about gradients")
    yield from _outputs(run, [np.asarray(y) for y in outputs_of(reference(*_arguments(subject, arrays, np.array)))])


def _arguments(subject: Subject, given: dict[str, Any], make: Any) -> list[Any]:
    return [given.get(f"input {i}", make(x) if isinstance(x, np.ndarray) else x) for i, x in enumerate(subject.inputs)]


def _torch_module(torch: Any, module: Any, subject: Subject, run: Run, dys: Sequence[np.ndarray]) -> Iterator[str]:
    """PyTorch's module with our parameters and buffers, by name."""
    module = copy.deepcopy(module).double().train(subject.module is None or subject.module.training)
    theirs = dict(module.named_parameters())
    ours = subject.values.keys() & subject.parameters.keys()
    if ours != theirs.keys():
        yield f"the parameters are {sorted(ours)}, the reference's {sorted(theirs)}: give them the same names"
        return
    with torch.no_grad():
        for name, p in theirs.items():
            if tuple(p.shape) != subject.values[name].shape:
                yield f"{name} has shape {subject.values[name].shape}, the reference's {tuple(p.shape)}"
                return
            p.copy_(torch.from_numpy(subject.values[name].copy()))
        for name, b in module.named_buffers():
            if name in subject.buffers:
                b.copy_(torch.from_numpy(np.array(subject.buffers[name])))
    tensors = {n: torch.tensor(v, requires_grad=True) for n, v in subject.values.items() if n.startswith("input")}
    results = outputs_of(module(*_arguments(subject, tensors, torch.tensor)))
    yield from _torch_results(torch, results, tensors | theirs, subject, run, dys)


def _torch_results(
    torch: Any, results: list, leaves: dict[str, Any], subject: Subject, run: Run, dys: Sequence[np.ndarray]
) -> Iterator[str]:
    floating = [y for y in results if y.is_floating_point()]
    wrong = list(_outputs(run, [y.detach().numpy() for y in floating]))
    yield from wrong
    if any("shape" in w or "gave" in w for w in wrong):
        return
    loss = sum((y * torch.from_numpy(dy)).sum() for y, dy in zip(floating, dys) if y.requires_grad)
    if not isinstance(loss, torch.Tensor):
        return
    loss.backward()
    for name, x in leaves.items():
        right = np.zeros(tuple(x.shape)) if x.grad is None else x.grad.numpy()
        found = np.zeros(tuple(x.shape)) if run.grads.get(name) is None else run.grads[name]
        e = _error(found, right)
        if not e <= TOLERANCE:
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
        if not e <= TOLERANCE:
            yield f"output {i} is off by {e:.1e} of its largest element from the reference's"


def _error(a: np.ndarray, b: np.ndarray) -> float:
    """Relative to the largest element, however small that is: weights of 0.02 must not hide anything."""
    scale = float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0)) if b.dtype.kind == "f" else 1.0
    return relative_error(a / scale, b / scale) if scale else relative_error(a, b)
