"""The gradients of a layer, element by element, against differences; and what is wrong with them, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ndl.verify.check_report import CheckReport
from ndl.verify.diagnosis import CLOSE, Evidence, explain
from ndl.verify.slopes import Slopes, slopes
from ndl.verify.subject import Run, Subject, Values

ELEMENTS = 600  # of one input or parameter, at most, are changed one by one
CLOSELY = 1e-8  # how smooth the function has to be where backward and differences differ
TERMS = 2_000_000  # numbers of a Jacobian that is kept whole


@dataclass
class Compared:
    """One leaf's gradient at some of its elements.

    Attributes
        places: the elements, counted through the flattened leaf of this shape.
        a, right: what backward says, and what differences say.
        wrong: where they differ.
        terms: dy_i ∂y_i/∂x_k, (elements, outputs); ``right`` are the sums of its rows.
        blind: where differences cannot tell the gradient. error: the most that they are off by, of the largest element.
    """

    name: str
    shape: tuple[int, ...]
    places: np.ndarray
    a: np.ndarray
    right: np.ndarray
    wrong: np.ndarray
    terms: np.ndarray
    blind: np.ndarray
    error: float

    @property
    def close(self) -> float:
        """How alike two arrays are if differences cannot tell them apart."""
        return max(CLOSE, min(4 * self.error, 1e-3))


class Gradients:
    """Backward's gradients in ``run``, for the given dL/dy, beside those that differences give."""

    def __init__(self, subject: Subject, run: Run, dys: Sequence[np.ndarray], report: CheckReport) -> None:
        self.subject, self.run, self.dys, self.report = subject, run, dys, report
        self.checked = True
        self.dy = np.concatenate([d.reshape(-1) for d in dys])
        # What rounding does to L = Σ dy y, and so to its differences, grows with these terms.
        terms = np.concatenate([(d * y).reshape(-1) for d, y in zip(dys, run.arrays)])
        self.magnitude = float(np.abs(terms).sum())
        self.usual = self.magnitude / max(1, int(np.count_nonzero(terms)))

    def check(self) -> bool:
        """Compare the gradients of every input and parameter; false if there is one that could not be."""
        for name, value in self.subject.values.items():
            if value.size:
                c = self.compare(name, value)
                if c.wrong.any():
                    self.report.wrong("gradients", self.words(c))
        return self.checked

    def compare(self, name: str, value: np.ndarray) -> Compared:
        """Both gradients of one leaf; elements that could not be checked are told in a note, and count as right."""
        places = np.arange(value.size)
        if value.size > ELEMENTS:
            places = np.sort(np.random.default_rng(0).permutation(value.size)[:ELEMENTS])
            self.report.notes.append(f"{name}: {ELEMENTS} of its {value.size} elements were checked")

        def terms_of_loss(x: np.ndarray) -> np.ndarray:
            found = self.subject.evaluate({**self.subject.values, name: x})
            return np.concatenate([y.reshape(-1) for y in found]) * self.dy

        s = slopes(terms_of_loss, value, places)
        c = self.judge(name, value, places, s)
        few = np.nonzero(c.wrong)[0]
        if 0 < len(few) <= max(8, len(places) // 10):  # a small kink in between? Look again, more closely
            again = slopes(terms_of_loss, value, places[few], CLOSELY)
            for which, array in vars(s).items():
                array[few] = getattr(again, which)
            c = self.judge(name, value, places, s)
        self.tell(name, s, c)
        return c

    def judge(self, name: str, value: np.ndarray, places: np.ndarray, s: Slopes) -> Compared:
        """Backward's gradient beside these slopes."""
        terms = np.where(s.kink[:, None], 0.0, s.columns)
        right = terms.sum(1)
        found = self.run.grads[name]
        a = np.zeros(len(places)) if found is None else found.reshape(-1)[places]
        largest = float(np.abs(right).max(initial=0.0))
        # What is float32 in forward is float32 in backward, too.
        single = np.where(s.coarse, 2.0**-20 * np.abs(terms).sum(1), 0.0)
        allowed = np.where(s.kink, np.inf, 1e-7 * largest + 1e-11 * self.magnitude + s.uncertain + single)
        wrong = ~(np.abs(a - right) <= allowed) & ~s.kink
        # A gradient that is zero because terms cancel is known well if it is known to a small part of a usual dy y.
        known = np.maximum(np.abs(right), np.sqrt((terms**2).sum(1)))
        blind = s.coarse & ~s.kink & (allowed > 0.1 * np.maximum(known, 1e-2 * self.usual))
        error = float(np.max(allowed[~s.kink], initial=0.0)) / max(largest, 1e-2 * self.usual, 1e-300)
        return Compared(name, value.shape, places, a, right, wrong, terms, blind, error)

    def tell(self, name: str, s: Slopes, c: Compared) -> None:
        """What could not be checked, or less exactly than usual."""
        n = len(c.places)
        if s.kink.any():
            self.report.notes.append(
                f"{name}: {int(s.kink.sum())} of {n} elements lie on a kink, or on the edge of where the "
                "function is defined, and were left out; choose other inputs to have them checked"
            )
        if c.blind.any():
            self.report.notes.append(
                f"{name}: {int(c.blind.sum())} of {n} elements were NOT checked: the outputs move in steps too large for "
                "differences to tell these gradients, as numbers of few digits do; check it in float64 throughout"
            )
        elif s.coarse.any():
            self.report.notes.append(
                f"{name}: the outputs move in small steps, as numbers do that are float32 in between, so differences "
                f"know this gradient to about {c.error:.0e} of its largest element"
            )
        if c.blind.any() or s.kink.all():
            self.checked = False

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
        elif changed := self.subject.remembers():
            said = (
                f"each forward changes {' and '.join(changed)}, and the outputs depend on it, which differences see and "
                "backward may rightly ignore: put the module in eval() to have its gradients checked"
            )
        elif len(c.places) == int(np.prod(c.shape)):
            said = explain(self.evidence(c))
        else:
            said = explain(Evidence(c.a, c.right, c.wrong, sizes=self.sizes(), close=c.close))
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
        return Evidence(a, right, wrong, terms, len(y_shape), operands, self.sizes(), c.close)

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
