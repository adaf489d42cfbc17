"""What is checked: a module or a function as something that can be run again and again from the same beginning."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor
from ndl.nn.module import Module
from ndl.verify.parity import outputs_of

Values = dict[str, np.ndarray]


@dataclass
class Run:
    """One call, and one backward pass through it.

    Attributes
        outputs: the floating results, in order; ``arrays`` are copies of them as they came.
        leaves: what is differentiated, by name: ``input 0``, ``weight``.
        given: the tensors that were handed over, which are copies of the leaves.
        grads: gradient of each leaf after ``backward``; None where none arrived.
    """

    outputs: list[Tensor]
    leaves: dict[str, Tensor]
    given: dict[str, Tensor]
    arrays: list[np.ndarray] = field(default_factory=list)
    grads: dict[str, Any] = field(default_factory=dict)


class Subject:
    """A module or function of ndl with its inputs, in one floating type. The caller's own module is never touched."""

    def __init__(self, function: Callable, inputs: Sequence[Any], constant: Sequence[int], dtype: Any) -> None:
        import ndl

        self.ndl, self.dtype = ndl, dtype
        self.module = copy.deepcopy(function) if isinstance(function, Module) else None
        self.function = function if self.module is None else self.module
        if self.module is not None:
            self.module.to(ndl.float64 if dtype == np.float64 else ndl.float32)
        self.inputs = [x.detach().numpy() if isinstance(x, Tensor) else x for x in inputs]
        self.places = [
            i
            for i, x in enumerate(self.inputs)
            if isinstance(x, np.ndarray) and x.dtype.kind == "f" and i not in constant
        ]
        self.parameters = dict(self.module.named_parameters()) if self.module is not None else {}
        self.values = self._values()
        self.buffers = {n: np.array(b.detach().numpy()) for n, b in self._named_buffers()}

    def _values(self) -> Values:
        found = {f"input {i}": self.inputs[i].astype(self.dtype) for i in self.places}
        return found | {n: np.array(p.detach().numpy()) for n, p in self.parameters.items() if p.requires_grad}

    def _named_buffers(self) -> Iterable[tuple[str, Tensor]]:
        return self.module.named_buffers() if self.module is not None else ()

    def restore(self) -> None:
        """The beginning: buffers, parameters and random numbers as they were."""
        with no_grad():
            for name, b in self._named_buffers():
                if not np.array_equal(b.detach().numpy(), self.buffers[name], equal_nan=True):
                    b.copy_(self.ndl.from_numpy(self.buffers[name].copy()))
            for name, p in self.parameters.items():
                if name in self.values and not np.array_equal(p.detach().numpy(), self.values[name], equal_nan=True):
                    p.copy_(self.ndl.from_numpy(self.values[name].copy()))
        self.ndl.manual_seed(0)

    def evaluate(self, values: Values) -> list[np.ndarray]:
        """The floating outputs at these values, without a graph."""
        self.restore()
        with no_grad():
            for name, p in self.parameters.items():
                if name in values:
                    p._array[...] = values[name]
            arguments = self._arguments({n: self.ndl.from_numpy(v.copy()) for n, v in values.items()})
            try:
                results = outputs_of(self.function(*arguments))
            finally:
                for name, p in self.parameters.items():
                    if name in values:
                        p._array[...] = self.values[name]
        return [np.array(y.detach().numpy(), np.float64) for y in results if _floating(y)]

    def call(self, values: Values | None = None) -> Run:
        """Call it with fresh leaves, and keep the graph. The parameters are leaves as they are."""
        values = self.values if values is None else values
        self.restore()
        leaves = {f"input {i}": self.ndl.from_numpy(values[f"input {i}"].copy()).requires_grad_() for i in self.places}
        given = {
            name: leaf.clone() for name, leaf in leaves.items()
        }  # what writes to its input must not write to a leaf
        for name, p in self.parameters.items():
            p.grad = None
            if name in self.values:
                leaves[name] = p
        results = outputs_of(self.function(*self._arguments(given)))
        outputs = [y for y in results if _floating(y)]
        return Run(outputs, leaves, given, [np.array(y.detach().numpy()) for y in outputs])

    def backward(self, run: Run, dys: Sequence[np.ndarray], **options: Any) -> Run:
        """Add the gradients of Σ dy · y to the leaves, and note them."""
        loss = self.loss(run, dys)
        if loss is not None:
            loss.backward(**options)
        self.note(run)
        return run

    def loss(self, run: Run, dys: Sequence[np.ndarray]) -> Any:
        """Σ dy · y over the outputs that require gradients; None if there is none."""
        loss: Any = None
        for y, dy in zip(run.outputs, dys, strict=True):
            if y.requires_grad:
                term = (y * self.ndl.from_numpy(dy.astype(y.detach().numpy().dtype))).sum()
                loss = term if loss is None else loss + term
        return loss

    def note(self, run: Run) -> None:
        run.grads = {n: None if x.grad is None else np.array(x.grad.numpy()) for n, x in run.leaves.items()}

    def _arguments(self, tensors: dict[str, Tensor]) -> list[Any]:
        arguments: list[Any] = []
        for i, x in enumerate(self.inputs):
            if f"input {i}" in tensors:
                arguments.append(tensors[f"input {i}"])
            elif isinstance(x, np.ndarray):
                kept = x.astype(self.dtype) if x.dtype.kind == "f" else x.copy()
                arguments.append(self.ndl.from_numpy(kept))
            else:
                arguments.append(x)
        return arguments


def _floating(y: Any) -> bool:
    return isinstance(y, Tensor) and y.detach().numpy().dtype.kind == "f"
