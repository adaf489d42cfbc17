"""What is checked: a module or a function as something that can be run again and again from the same beginning."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor
from ndl.nn.module import Module

Values = dict[str, np.ndarray]


def parts(x: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """What lists, tuples, dicts and dataclasses hold, however nested, with names: ``input 1[0]``, ``input 1['h']``."""
    if isinstance(x, Mapping):
        for key, value in x.items():
            yield from parts(value, f"{name}[{key!r}]")
    elif isinstance(x, (list, tuple)):
        for i, value in enumerate(x):
            yield from parts(value, f"{name}[{i}]")
    elif dataclasses.is_dataclass(x) and not isinstance(x, type):
        for f in dataclasses.fields(x):
            yield from parts(getattr(x, f.name), f"{name}.{f.name}")
    else:
        yield name, x


def rebuilt(x: Any, make: Callable[[str, Any], Any], name: str = "") -> Any:
    """The same nesting with ``make(name, part)`` for every part."""
    if isinstance(x, Mapping):
        return type(x)((key, rebuilt(value, make, f"{name}[{key!r}]")) for key, value in x.items())  # type: ignore[call-arg]
    if isinstance(x, (list, tuple)):
        items = [rebuilt(value, make, f"{name}[{i}]") for i, value in enumerate(x)]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        fields = [f.name for f in dataclasses.fields(x)]
        return dataclasses.replace(x, **{f: rebuilt(getattr(x, f), make, f"{name}.{f}") for f in fields})
    return make(name, x)


@dataclass
class Run:
    """One call, and one backward pass through it.

    Attributes
        outputs: the floating results, in order; ``arrays`` are copies of them as they came.
        leaves: what is differentiated, by name: ``input 0``, ``weight``.
        given: the tensors that were handed over: copies of the leaves, and inputs that have no gradient.
        grads: gradient of each leaf after ``backward``; None where none arrived.
    """

    outputs: list[Tensor]
    leaves: dict[str, Tensor]
    given: dict[str, Tensor]
    arrays: list[np.ndarray] = field(default_factory=list)
    grads: dict[str, Any] = field(default_factory=dict)


class Subject:
    """A module or function of ndl with its inputs, in one floating type. The caller's own module is never touched.

    ``arrays`` are all arrays among the inputs, by name; ``values`` those of them and of the parameters that have gradients.
    """

    def __init__(self, function: Callable, inputs: Sequence[Any], constant: Sequence[int], dtype: Any) -> None:
        import ndl

        self.ndl, self.dtype = ndl, dtype
        self.module = copy.deepcopy(function) if isinstance(function, Module) else None
        self.function = function if self.module is None else self.module
        if self.module is not None:
            self.module.to(ndl.float64 if dtype == np.float64 else ndl.float32)
        self.inputs = [rebuilt(x, self._array, f"input {i}") for i, x in enumerate(inputs)]
        named = [(i, n, x) for i, given in enumerate(self.inputs) for n, x in parts(given, f"input {i}")]
        self.arrays = {n: x for _, n, x in named if isinstance(x, np.ndarray)}
        self.values = {n: self.arrays[n] for i, n, x in named if _kind(x) == "f" and i not in constant}
        self.parameters = dict(self.module.named_parameters()) if self.module is not None else {}
        self.values |= {n: np.array(p.detach().numpy()) for n, p in self.parameters.items() if p.requires_grad}
        self.buffers = {n: np.array(b.detach().numpy()) for n, b in self.named_buffers()}

    def _array(self, name: str, x: Any) -> Any:
        x = x.detach().numpy() if isinstance(x, Tensor) else x
        if not isinstance(x, np.ndarray):
            return x
        return np.array(x, self.dtype if x.dtype.kind == "f" else x.dtype)

    def named_buffers(self) -> Iterable[tuple[str, Tensor]]:
        """The module's buffers; none of a function."""
        return self.module.named_buffers() if self.module is not None else ()

    def restore(self) -> None:
        """The beginning: buffers, parameters and random numbers as they were."""
        with no_grad():
            for name, b in self.named_buffers():
                if not np.array_equal(b.detach().numpy(), self.buffers[name], equal_nan=True):
                    b.copy_(self.ndl.from_numpy(self.buffers[name].copy()))
            for name, p in self.parameters.items():
                if name in self.values and not np.array_equal(p.detach().numpy(), self.values[name], equal_nan=True):
                    p.copy_(self.ndl.from_numpy(self.values[name].copy()))
        self.ndl.manual_seed(0)

    def evaluate(self, values: Values) -> list[np.ndarray]:
        """The floating outputs at these values. With a graph: a function may differentiate on its way."""
        return [y.astype(np.float64) for y in self.call(values).arrays]

    def call(self, values: Values | None = None, wanted: Collection[str] | None = None) -> Run:
        """Call it with fresh leaves, and keep the graph. The parameters are leaves as they are.

        ``wanted``: the leaves that require gradients; all, if None.
        """
        values = self.values if values is None else values
        self.restore()
        leaves, given = {}, {}
        for name, x in self.arrays.items():
            given[name] = self.ndl.from_numpy(values.get(name, x).copy())
            if name in values:
                leaves[name] = given[name].requires_grad_(wanted is None or name in wanted)
                given[name] = leaves[name].clone()  # what writes to its input must not write to a leaf
        for name, p in self.parameters.items():
            p.grad = None
            if name in values:
                leaves[name] = p.requires_grad_(wanted is None or name in wanted)
                if values[name] is not self.values[name]:
                    p._array[...] = values[name]
        outputs = self._outputs(given)
        return Run(outputs, leaves, given, [np.array(y.detach().numpy()) for y in outputs])

    def _outputs(self, given: dict[str, Tensor]) -> list[Tensor]:
        arguments = [rebuilt(x, lambda n, part: given.get(n, part), f"input {i}") for i, x in enumerate(self.inputs)]
        results = (y for _, y in parts(self.function(*arguments)))
        return [y for y in results if isinstance(y, Tensor) and _kind(y.detach().numpy()) == "f"]

    def remembers(self) -> list[str]:
        """The buffers that forward changes, if the outputs of the next call are others for it."""
        run = self.call()
        changed = [n for n, b in self.named_buffers() if not np.array_equal(b.detach().numpy(), self.buffers[n])]
        if not changed:
            return []
        self.ndl.manual_seed(0)
        again = self._outputs({n: self.ndl.from_numpy(x.copy()) for n, x in self.arrays.items()})
        same = all(np.array_equal(a, b.detach().numpy(), equal_nan=True) for a, b in zip(run.arrays, again))
        return [] if same else changed

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


def _kind(x: Any) -> str:
    return x.dtype.kind if isinstance(x, np.ndarray) else ""
