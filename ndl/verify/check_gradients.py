"""The gradients of a layer, element by element, against differences; and what is wrong with them, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ndl.verify.check_report import CheckReport
from ndl.verify.diagnosis import Evidence, explain
from ndl.verify.slopes import slopes
from ndl.verify.subject import Run, Subject, Values

ELEMENTS = 600  # of one input or parameter, at most, are changed one by one
TERMS = 2_000_000  # numbers of a Jacobian that is kept whole


@dataclass
class Compared:
    """One leaf's gradient at some of its elements.

    Attributes
        places: the elements, counted through the flattened leaf of this shape.
        a, right: what backward says, and what differences say.
        wrong: where they differ.
        terms: dy_i ∂y_i/∂x_k, (elements, outputs); ``right`` are the sums of its rows.
    """

    name: str
    shape: tuple[int, ...]
    places: np.ndarray
    a: np.ndarray
    right: np.ndarray
    wrong: np.ndarray
    terms: np.ndarray


class Gradients:
    """Backward's gradients in ``run``, for the given dL/dy, beside those that differences give."""

    def __init__(self, subject: Subject, run: Run, dys: Sequence[np.ndarray], report: CheckReport) -> None:
        self.subject, self.run, self.dys, self.report = subject, run, dys, report
        self.dy = np.concatenate([d.reshape(-1) for d in dys])
        # What rounding does to L = Σ dy y, and so to its differences, grows with these terms.
        self.magnitude = sum(float(np.abs(d * y).sum()) for d, y in zip(dys, run.arrays))

    def check(self) -> None:
        """Compare the gradients of every input and parameter."""
        for name, value in self.subject.values.items():
            if value.size:
                c = self.compare(name, value)
                if c.wrong.any():
                    self.report.wrong("gradients", self.words(c))

    def compare(self, name: str, value: np.ndarray) -> Compared:
        """Both gradients of one leaf; elements on a kink are told in a note, and count as right."""
        places = np.arange(value.size)
        if value.size > ELEMENTS:
            places = np.sort(np.random.default_rng(0).permutation(value.size)[:ELEMENTS])
            self.report.notes.append(f"{name}: {ELEMENTS} of its {value.size} elements were checked")

        def outputs(x: np.ndarray) -> np.ndarray:
            found = self.subject.evaluate({**self.subject.values, name: x})
            return np.concatenate([y.reshape(-1) for y in found])

        s = slopes(outputs, value, places)
        if s.kink.any():
            self.report.notes.append(
                f"{name}: {int(s.kink.sum())} of {len(places)} elements lie on a kink, or on the edge of where the "
                "function is defined, and were left out; choose other inputs to have them checked"
            )
        if s.coarse.any():
            self.report.notes.append(
                f"{name}: the outputs move in small steps, as numbers do that are float32 in between, so only the first "
                "digits of the gradient could be checked"
            )
        terms = np.where(s.kink[:, None], 0.0, s.columns * self.dy)
        right = terms.sum(1)
        found = self.run.grads[name]
        a = np.zeros(len(places)) if found is None else found.reshape(-1)[places]
        allowed = 1e-7 * np.abs(right).max(initial=0.0) + 1e-11 * self.magnitude
        allowed = allowed + s.uncertain * np.abs(self.dy).sum()
        wrong = ~(np.abs(a - right) <= allowed) & ~s.kink
        return Compared(name, value.shape, places, a, right, wrong, terms)

    def words(self, c: Compared) -> str:
        """Which elements, by how much, and what the pattern suggests."""
        with np.errstate(invalid="ignore"):
            off = np.where(c.wrong, np.nan_to_num(np.abs(c.a - c.right), nan=np.inf), -1.0)
        k = int(np.argmax(off))
        where = [int(i) for i in np.unravel_index(int(c.places[k]), c.shape)] if c.shape else ""
        words = (
            f"{c.name}: {int(c.wrong.sum())} of {len(c.places)} elements are wrong; most of all {where}: backward says "
            f"{c.a[k]:.6g}, differences say {c.right[k]:.6g}"
        )
        if self.run.grads[c.name] is None:
            said = "no gradient arrives: it is detached, computed by NumPy, or backward returns None for it"
        elif len(c.places) == int(np.prod(c.shape)):
            said = explain(self.evidence(c))
        else:
            said = explain(Evidence(c.a, c.right, c.wrong, sizes=self.sizes()))
        return words + (f"\n{said}" if said else "")

    def evidence(self, c: Compared) -> Evidence:
        """The comparison with all that the gradient may have been made of."""
        one = len(self.run.arrays) == 1
        y_shape = self.run.arrays[0].shape
        terms = np.ascontiguousarray(c.terms.T).reshape(*y_shape, *c.shape) if one and c.terms.size <= TERMS else None
        operands = dict(self.subject.values)
        for i, (y, dy) in enumerate(zip(self.run.arrays, self.dys)):
            which = "" if one else f" {i}"
            operands |= {f"dL/dy{which}": dy, f"the output{which}": y.astype(np.float64)}
        a, right, wrong = (x.reshape(c.shape) for x in (c.a, c.right, c.wrong))
        return Evidence(a, right, wrong, terms, len(y_shape), operands, self.sizes())

    def sizes(self) -> dict[int, str]:
        """What a 1/N may stand for: sizes of dimensions, then numbers of elements."""
        sizes: dict[int, str] = {}
        arrays: Values = dict(self.subject.values)
        for i, y in enumerate(self.run.arrays):
            arrays["the output" if len(self.run.arrays) == 1 else f"output {i}"] = y
        for name, x in arrays.items():
            for axis, n in enumerate(x.shape):
                sizes.setdefault(n, f"the size of dimension {axis} of {name}")
        for name, x in arrays.items():
            sizes.setdefault(x.size, f"the number of elements of {name}")
        return sizes
