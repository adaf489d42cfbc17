"""Is your own layer right? ``ndl.verify.check(module_or_function, *inputs)`` says what is wrong with it, in words.

    >>> report = ndl.verify.check(MyLayer(5, 3), ndl.randn(4, 5))
    >>> print(report)

It runs the layer in float64 with seeded random dL/dy and looks at: finite outputs; the gradient of every floating
input and every parameter against differences, element by element; the same layer used twice before one backward; what
forward and backward write to that is not theirs; memory that outputs and gradients share; the same numbers from the
same seed; float32 beside float64; and a reference, if one is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ndl.verify.check_gradients import Gradients
from ndl.verify.check_report import CheckReport
from ndl.verify.reference import compare_with
from ndl.verify.subject import Run, Subject


def check(
    module_or_function: Callable, *inputs: Any, reference: Any = None, constant: Sequence[int] = (), seed: int = 0
) -> CheckReport:
    """Look for everything that is usually wrong with a layer, at these inputs.

    Args:
        module_or_function: a Module, or a function of tensors (``MyFunction.apply`` is one). A module is copied.
        inputs: tensors or arrays of order one, away from kinks; floating ones are differentiated whether they require
            gradients or not. What is no array is handed on.
        reference: a PyTorch module (gets the same parameters, by name) or function, a function of arrays, or an array:
            the expected output, and from PyTorch the expected gradients, too.
        constant: positions of floating inputs that have no gradient.
        seed: of dL/dy.

    Returns a report that is true if all is well, and prints what is not. Raises TypeError if the first argument cannot
    be called.
    """
    if not callable(module_or_function):
        raise TypeError(f"check() wants a Module or a function, but got {type(module_or_function).__name__}")
    import ndl

    state = ndl.get_rng_state()
    report = CheckReport(_name(module_or_function))
    try:
        _Checks(report, module_or_function, inputs, tuple(constant), seed).all(reference)
    finally:
        ndl.set_rng_state(state)
    return report


def _name(f: Any) -> str:
    owner = getattr(f, "__self__", None)
    if isinstance(owner, type):
        return f"{owner.__name__}.{f.__name__}"
    return getattr(f, "__name__", type(f).__name__)


class _Checks:
    def __init__(
        self, report: CheckReport, function: Callable, inputs: Sequence[Any], constant: tuple[int, ...], seed: int
    ) -> None:
        self.report, self.function, self.inputs, self.constant = report, function, inputs, constant
        self.subject = Subject(function, inputs, constant, np.float64)
        self.rng = np.random.default_rng([seed, 20110609])  # unlike anybody's default_rng(0), whose numbers x may be
        self.dys: list[np.ndarray] = []

    def all(self, reference: Any) -> None:
        """Every check, each after those that it relies on."""
        try:
            run = self.subject.call()
        except Exception as error:
            self.report.wrong("forward", f"raised {type(error).__name__}: {error}")
            return
        if not run.outputs:
            self.report.wrong("forward", "returned no floating tensor, so there is nothing to differentiate")
            return
        # One number is a loss, whose own gradient is 1.
        self.dys = [np.ones(()) if y.ndim == 0 else self.rng.standard_normal(y.shape) for y in run.arrays]
        self._step("finite forward", self.forward, run)
        try:
            run = self.subject.backward(self.subject.call(), self.dys)
        except Exception as error:
            self.report.wrong("backward", f"raised {type(error).__name__}: {error}")
            return
        if not self._step("deterministic", self.deterministic, run):
            self.report.notes.append("the other checks compare two runs, so they have to wait for this")
            return
        self._step("gradients", Gradients(self.subject, run, self.dys, self.report).check)
        self._step("used twice", self.twice, run)
        self._step("writes to nothing", self.writes)
        self._step("shares no memory", self.memory)
        self._step("float32", self.float32, run)
        if reference is not None:
            self._step("reference", self.reference, run, reference)

    def _step(self, name: str, look: Callable, *args: Any) -> bool:
        before = len(self.report.problems)
        try:
            look(*args)
        except Exception as error:
            self.report.wrong(name, f"raised {type(error).__name__}: {error}")
        if len(self.report.problems) == before:
            self.report.passed.append(name)
        return len(self.report.problems) == before

    # -- forward -------------------------------------------------------------------------------------------

    def forward(self, run: Run) -> None:
        for i, y in enumerate(run.arrays):
            bad = ~np.isfinite(y)
            if bad.any():
                where = [int(k) for k in np.argwhere(bad)[0]]
                self.report.wrong(
                    "finite forward",
                    f"output {i} is {y[tuple(where)]} at {where} ({int(bad.sum())} of {y.size} elements)",
                )
            if y.dtype != np.float64:
                self.report.wrong("finite forward", f"output {i} is {y.dtype} although all that came in is float64")

    # -- everything around it ------------------------------------------------------------------------------

    def twice(self, run: Run) -> None:
        """f(x) and f(x′) before one backward, then backward twice through one graph: gradients add up."""
        s = self.subject
        other = {n: v[..., ::-1].copy() if n.startswith("input") and v.ndim else v for n, v in s.values.items()}
        other = {n: np.flip(v).copy() if n.startswith("input") else v for n, v in other.items()}
        alone = s.backward(s.call(other), self.dys)
        expected = {n: _sum(run.grads[n], alone.grads[n]) for n in s.parameters if n in run.grads}
        one = s.call()
        kept = [y.copy() for y in one.arrays]
        two = s.call(other)
        for i, (y, before) in enumerate(zip(one.outputs, kept)):
            if not np.array_equal(y.detach().numpy(), before, equal_nan=True):
                self.report.wrong("used twice", f"the second call overwrote output {i} of the first: they share memory")
        a, b = s.loss(one, self.dys), s.loss(two, self.dys)
        if a is not None and b is not None:
            (a + b).backward()
        s.note(one)
        s.note(two)
        found = {n: one.grads[n] for n in expected}
        for n in run.grads:
            if n.startswith("input"):
                expected |= {f"{n} of the first use": run.grads[n], f"{n} of the second use": alone.grads[n]}
                found |= {f"{n} of the first use": one.grads[n], f"{n} of the second use": two.grads[n]}
        for n, right in expected.items():
            if not _equal(found[n], right):
                last = alone.grads.get(n.removesuffix(" of the first use"))
                why = (
                    "; it is that of the last use alone: = stands for +="
                    if _equal(found[n], last)
                    else "; does forward keep what backward needs where the next call overwrites it?"
                )
                self.report.wrong("used twice", f"{n}: the gradient of two uses is not the sum of both{why}")
        again = s.call()
        s.backward(again, self.dys, retain_graph=True)
        s.backward(again, self.dys)
        for n, g in again.grads.items():
            if not _equal(g, _sum(run.grads[n], run.grads[n])):
                self.report.wrong(
                    "used twice", f"{n}: a second backward through the same graph gives something else: does backward "
                    "change what forward saved?"
                )  # fmt: skip

    def writes(self) -> None:
        s = self.subject
        run = s.call()
        for name, x in run.given.items():
            if not np.array_equal(x.detach().numpy(), s.values[name], equal_nan=True):
                if any(x is y for y in run.outputs):
                    self.report.notes.append(f"{name} is changed in place and returned")
                else:
                    self.report.wrong("writes to nothing", f"forward writes to {name}, which belongs to the caller")
        for name, p in s.parameters.items():
            if name in s.values and not np.array_equal(p.detach().numpy(), s.values[name], equal_nan=True):
                self.report.wrong("writes to nothing", f"forward changes the parameter {name}")
        run = s.call()
        given = {n: x.detach().numpy().copy() for n, x in (run.given | run.leaves).items()}
        outputs = [y.detach().numpy().copy() for y in run.outputs]
        dys = [s.ndl.from_numpy(dy.copy()) for dy in self.dys]
        tracked = [(y, dy) for y, dy in zip(run.outputs, dys) if y.requires_grad]
        if tracked:
            s.ndl.autograd.backward([y for y, _ in tracked], [dy for _, dy in tracked])
        for i, (dy, before) in enumerate(zip(dys, self.dys)):
            if not np.array_equal(dy.numpy(), before):
                self.report.wrong(
                    "writes to nothing", f"backward writes to dL/dy of output {i}, which other terms may need"
                )
        for n, x in (run.given | run.leaves).items():
            if not np.array_equal(x.detach().numpy(), given[n], equal_nan=True):
                self.report.wrong("writes to nothing", f"backward writes to {n}")
        for i, (y, before) in enumerate(zip(run.outputs, outputs)):
            if not np.array_equal(y.detach().numpy(), before, equal_nan=True):
                self.report.wrong("writes to nothing", f"backward writes to output {i}")

    def memory(self) -> None:
        s = self.subject
        run = s.backward(s.call(), self.dys)
        for i, y in enumerate(run.outputs):
            for name, x in (run.given | {n: p for n, p in run.leaves.items() if n in s.parameters}).items():
                if y is not x and y._base is None and np.shares_memory(y._array, x._array):
                    self.report.wrong(
                        "shares no memory", f"output {i} lies in the memory of {name} and is not a view of it: writing to "
                        "one changes the other unseen. Copy it, or say that the Function returns a view"
                    )  # fmt: skip
        grads = {n: x.grad for n, x in run.leaves.items() if x.grad is not None}
        owners = {n: x._array for n, x in run.leaves.items()} | {
            f"output {i}": y._array for i, y in enumerate(run.outputs)
        }
        names = list(grads)
        for k, n in enumerate(names):
            for m in names[k + 1 :]:
                if np.shares_memory(grads[n]._array, grads[m]._array):
                    self.report.wrong("shares no memory", f"the gradients of {n} and {m} are one memory")
            for m, array in owners.items():
                if np.shares_memory(grads[n]._array, array):
                    self.report.wrong("shares no memory", f"the gradient of {n} lies in the memory of {m}")

    def deterministic(self, run: Run) -> None:
        again = self.subject.backward(self.subject.call(), self.dys)
        for i, (a, b) in enumerate(zip(run.arrays, again.arrays)):
            if not np.array_equal(a, b, equal_nan=True):
                self.report.wrong(
                    "deterministic", f"output {i} changes from call to call although ndl.manual_seed starts both: does it "
                    "draw other random numbers, or keep something from the call before?"
                )  # fmt: skip
                return
        for n, g in run.grads.items():
            h = again.grads[n]
            if (g is None) != (h is None) or (g is not None and not np.array_equal(g, h, equal_nan=True)):
                self.report.wrong("deterministic", f"the gradient of {n} changes from run to run")

    def float32(self, run: Run) -> None:
        s = Subject(self.function, self.inputs, self.constant, np.float32)
        low = s.backward(s.call(), self.dys)
        pairs = [(f"output {i}", a, b) for i, (a, b) in enumerate(zip(low.arrays, run.arrays, strict=True))]
        pairs += [(f"the gradient of {n}", low.grads[n], g) for n, g in run.grads.items() if g is not None]
        for name, a, b in pairs:
            if a is None:
                self.report.wrong("float32", f"{name} does not arrive in float32")
                continue
            if a.dtype != np.float32:
                self.report.wrong("float32", f"{name} is {a.dtype} although all that came in is float32")
            scale = float(np.abs(b).max(initial=0.0))
            e = float(np.abs(a - b).max(initial=0.0)) / max(scale, 1e-30)
            if not e <= 1e-3 and scale:
                self.report.wrong(
                    "float32", f"{name} is off by {e:.1e} of its largest element in float32: sums of large numbers that "
                    "cancel, or exp of something large?"
                )  # fmt: skip

    def reference(self, run: Run, reference: Any) -> None:
        for what in compare_with(reference, self.subject, run, self.dys, self.report.notes):
            self.report.wrong("reference", what)


def _sum(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return b if a is None else a
    return a + b


def _equal(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return (a is None or not a.any()) and (b is None or not b.any())
    scale = float(np.abs(b).max(initial=0.0))
    with np.errstate(invalid="ignore"):
        return a.shape == b.shape and bool(
            np.all(np.abs(a - b) <= 1e-10 * scale) or np.array_equal(a, b, equal_nan=True)
        )
