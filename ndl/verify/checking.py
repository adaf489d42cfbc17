"""Is your own layer right? ``ndl.verify.check(module_or_function, *inputs)`` says what is wrong with it, in words.

    >>> report = ndl.verify.check(MyLayer(5, 3), ndl.randn(4, 5))
    >>> print(report)

It runs the layer in float64 with seeded random dL/dy and looks at: finite outputs; the gradient of every floating
input and every parameter against differences, element by element; the same gradients where nothing else requires one;
the same layer used twice before one backward; what forward and backward write to that is not theirs; memory that outputs
and gradients share; the same numbers from the same seed; float32 beside float64; and a reference, if one is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ndl.nn.module import Module
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
        inputs: tensors or arrays of order one, away from kinks, also in lists, tuples, dicts and dataclasses; floating
            ones are differentiated whether they require gradients or not. What is no array is handed on.
        reference: a module of PyTorch or ndl (gets the same parameters and buffers, by name), a function of PyTorch's
            tensors or of arrays, or arrays: the expected outputs, and from a library the expected gradients, too.
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
        with ndl.enable_grad():
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
        self.rng = np.random.default_rng([seed, 20110609])  # unlike anybody's default_rng(0), whose numbers x may be
        self.dys: list[np.ndarray] = []

    def all(self, reference: Any) -> None:
        """Every check, each after those that it relies on."""
        try:
            self.subject = Subject(self.function, self.inputs, self.constant, np.float64)
        except Exception as error:
            why = f"cannot be copied and put in float64: {type(error).__name__}: {error}"
            if "deepcopy" in str(error):
                why += " (nn.utils.weight_norm leaves such a tensor; that of nn.utils.parametrizations does not)"
            self.report.wrong("forward", why)
            return
        try:
            run = self.subject.call()
        except Exception as error:
            self.report.wrong("forward", f"raised {type(error).__name__}: {error}{self._in_float32()}")
            return
        if not run.outputs:
            self.report.wrong("forward", "returned no floating tensor, so there is nothing to differentiate")
            return
        # One number is a loss, whose own gradient is 1.
        self.dys = [np.ones(()) if y.ndim == 0 else self.rng.standard_normal(y.shape) for y in run.arrays]
        self._step("finite forward", self.forward, run)
        tracked = [y.requires_grad for y in run.outputs]
        for i in range(len(tracked)):
            if any(tracked) and not tracked[i]:  # perhaps on purpose, as a statistic
                self.dys[i] = np.zeros_like(self.dys[i])
                self.report.notes.append(f"output {i} requires no gradient, so none was checked for it")
        try:
            run = self.subject.backward(self.subject.call(), self.dys)
        except Exception as error:
            self.report.wrong("backward", f"raised {type(error).__name__}: {error}")
            return
        self.rounding = 1e-14 * self._size(run)
        if not self._step("deterministic", self.deterministic, run):
            self.report.notes.append("the other checks compare two runs, so they have to wait for this")
            return
        self._step("gradients", Gradients(self.subject, run, self.dys, self.report).check)
        self._step("asked for alone", self.alone, run)
        self._step("used twice", self.twice, run)
        self._step("writes to nothing", self.writes)
        self._step("shares no memory", self.memory)
        self._step("float32", self.float32, run)
        if reference is not None:
            self._step("reference", self.reference, run, reference)

    def _in_float32(self) -> str:
        """What to do if a function has float32 of its own."""
        if not isinstance(self.function, Module):
            try:
                Subject(self.function, self.inputs, self.constant, np.float32).call()
            except Exception:
                return ""
            return (
                "\nit works in float32 alone: pass the module itself, which is then copied in float64, or make what the "
                "function uses .double()"
            )
        return ""

    def _step(self, name: str, look: Callable, *args: Any) -> bool:
        """Look, and note the check as passed if nothing was wrong and ``look`` does not say that it could not tell."""
        before, told = len(self.report.problems), None
        try:
            told = look(*args)
        except Exception as error:
            self.report.wrong(name, f"raised {type(error).__name__}: {error}")
        if len(self.report.problems) == before and told is not False:
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
        # A little less of each element, so that order, sign and range stay what they were.
        other = {
            n: v if n in s.parameters else np.asarray(v * (1 - 2.0**-10 * self.rng.uniform(0.5, 1, v.shape)))
            for n, v in s.values.items()
        }
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
            if n not in s.parameters:
                expected |= {f"{n} of the first use": run.grads[n], f"{n} of the second use": alone.grads[n]}
                found |= {f"{n} of the first use": one.grads[n], f"{n} of the second use": two.grads[n]}
        for n, right in expected.items():
            if not self._equal(found[n], right):
                last = alone.grads.get(n.removesuffix(" of the first use"))
                why = (
                    "; it is that of the last use alone: = stands for +="
                    if self._equal(found[n], last)
                    else "; does forward keep what backward needs where the next call overwrites it?"
                )
                self.report.wrong("used twice", f"{n}: the gradient of two uses is not the sum of both{why}")
        again = s.call()
        s.backward(again, self.dys, retain_graph=True)
        s.backward(again, self.dys)
        for n, g in again.grads.items():
            if not self._equal(g, _sum(run.grads[n], run.grads[n])):
                self.report.wrong(
                    "used twice", f"{n}: a second backward through the same graph gives something else: does backward "
                    "change what forward saved?"
                )  # fmt: skip

    def alone(self, run: Run) -> bool:
        """The gradients of each input, and of the parameters, where nothing else requires one."""
        s = self.subject
        parameters = [n for n in run.grads if n in s.parameters]
        looked = False
        for names in [parameters, *([n] for n in run.grads if n not in s.parameters)]:
            if not 0 < len(names) < len(run.grads):
                continue
            which = "the parameters" if names is parameters else names[0]
            try:
                one = s.call(wanted=names)
            except Exception as error:
                self.report.notes.append(f"where only {which} requires a gradient, forward raised {error}")
                continue
            looked = True
            s.backward(one, self.dys)
            for n in names:
                if not self._equal(one.grads[n], run.grads[n]):
                    self.report.wrong(
                        "asked for alone", f"{n}: the gradient is another where only {which} requires one, as in the first "
                        "layer of a network or beside frozen weights: does backward return early, or return None at the "
                        "wrong place?"
                    )  # fmt: skip
        return looked

    def writes(self) -> None:
        s = self.subject
        run = s.call()
        for name, x in run.given.items():
            if not np.array_equal(x.detach().numpy(), s.arrays[name], equal_nan=True):
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
        for _ in range(2):
            if not self._repeats(run, self.subject.backward(self.subject.call(), self.dys)):
                return

    def _repeats(self, run: Run, again: Run) -> bool:
        for i, (a, b) in enumerate(zip(run.arrays, again.arrays)):
            if not np.array_equal(a, b, equal_nan=True):
                self.report.wrong(
                    "deterministic", f"output {i} changes from call to call although ndl.manual_seed starts all: does it "
                    "draw other random numbers, or keep something from the call before?"
                )  # fmt: skip
                return False
        before = len(self.report.problems)
        for n, g in run.grads.items():
            h = again.grads[n]
            if (g is None) != (h is None) or (g is not None and not np.array_equal(g, h, equal_nan=True)):
                self.report.wrong("deterministic", f"the gradient of {n} changes from run to run")
        return len(self.report.problems) == before

    def float32(self, run: Run) -> bool:
        s = Subject(self.function, self.inputs, self.constant, np.float32)
        try:
            low = s.call()
        except Exception as error:
            if isinstance(self.function, Module):
                raise
            self.report.notes.append(
                f"in float32 it raises {type(error).__name__}: {error}; has it float64 of its own?"
            )
            return False
        s.backward(low, self.dys)
        outputs = [(f"output {i}", a, b) for i, (a, b) in enumerate(zip(low.arrays, run.arrays, strict=True))]
        grads = [(f"the gradient of {n}", low.grads[n], g) for n, g in run.grads.items() if g is not None]
        # A gradient whose terms cancel to zero is rounding: what counts is how large it is beside L = Σ dy y.
        least = 1e-2 * self._size(run)
        for name, a, b, least in [(*o, 0.0) for o in outputs] + [(*g, least) for g in grads]:
            if a is None:
                self.report.wrong("float32", f"{name} does not arrive in float32")
                continue
            if a.dtype != np.float32:
                self.report.wrong("float32", f"{name} is {a.dtype} although all that came in is float32")
            finite = np.isfinite(b)
            scale = float(np.abs(b[finite]).max(initial=0.0))
            e = float(np.abs(a[finite] - b[finite]).max(initial=0.0)) / max(scale, least, 1e-30)
            if not e <= 1e-3 and scale:
                self.report.wrong(
                    "float32", f"{name} is off by {e:.1e} of its largest element in float32: sums of large numbers that "
                    "cancel, or exp of something large?"
                )  # fmt: skip
        return True

    def reference(self, run: Run, reference: Any) -> None:
        for what in compare_with(reference, self.subject, run, self.dys, self.report.notes):
            self.report.wrong("reference", what)

    def _size(self, run: Run) -> float:
        """How large the terms of L = Σ dy y are, together."""
        return float(sum(np.sum((dy * y) ** 2) for dy, y in zip(self.dys, run.arrays)) ** 0.5)

    def _equal(self, a: Any, b: Any) -> bool:
        """Equal up to rounding, which is that of L where a gradient is zero because its terms cancel."""
        if a is None or b is None:
            return (a is None or not a.any()) and (b is None or not b.any())
        scale = float(np.abs(b).max(initial=0.0))
        with np.errstate(invalid="ignore"):
            return a.shape == b.shape and bool(
                np.all(np.abs(a - b) <= max(1e-10 * scale, self.rounding)) or np.array_equal(a, b, equal_nan=True)
            )


def _sum(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return b if a is None else a
    return a + b
