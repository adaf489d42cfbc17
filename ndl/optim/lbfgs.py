"""L-BFGS: Newton's method from gradients alone, with the last few steps as its memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ndl.autograd.grad_mode import enable_grad
from ndl.autograd.tensor import Tensor
from ndl.optim.line_search import Point, strong_wolfe
from ndl.optim.optimizer import Optimizer, scalar, writable
from ndl.optim.options import check_number

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """θ ← θ + t d with d = −H g, where H is built from the last steps to be about the inverse second derivative.

    Each step s = θₖ₊₁ − θₖ and the change of the gradient it brought, y = gₖ₊₁ − gₖ, tell how H must act: H y = s.
    BFGS changes H as little as possible to fulfil this:

        H ← (I − ρ s yᵀ) H (I − ρ y sᵀ) + ρ s sᵀ,   ρ = 1 / (y · s)

    H stays positive definite as long as y · s > 0 (pairs below 1e-10 are left out). L-BFGS never writes H down. It
    keeps ``history_size`` pairs and applies their factors to g one after the other, the two-loop recursion:

        q = −g;   newest to oldest:  αᵢ = ρᵢ sᵢ · q,   q ← q − αᵢ yᵢ
        r = (y · s / y · y) q        the newest pair's: how large H is
        oldest to newest:  βᵢ = ρᵢ yᵢ · r,   r ← r + (αᵢ − βᵢ) sᵢ;   d = r

    One ``step(closure)`` makes up to ``max_iter`` such iterations and calls the closure up to ``max_eval`` times
    (default 5/4 ``max_iter``), so the closure must compute the same function each time: the whole data set, or the
    same batch. t is ``lr`` (at the very first iteration min(1, 1/‖g‖₁) · lr), or with
    ``line_search_fn="strong_wolfe"`` where ``ndl.optim.line_search`` finds enough gained. It ends when the largest
    gradient is at most ``tolerance_grad``, or the loss or the largest step changes by less than ``tolerance_change``.

    One parameter group only. Raises ValueError for more of them and for a negative lr, RuntimeError for an unknown
    line search.

    State, kept with the first parameter: ``func_evals``, ``n_iter``, ``d``, ``t``, ``old_dirs`` (the y), ``old_stps``
    (the s), ``ro`` (the ρ), ``H_diag``, ``prev_flat_grad``, ``prev_loss``, ``al`` (the α).

    Source: J. Nocedal, "Updating quasi-Newton matrices with limited storage", Mathematics of Computation 35, 1980;
    J. Nocedal, S. Wright, "Numerical optimization", 2nd ed., algorithms 7.4 and 7.5.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_number("learning rate", lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError(
                "LBFGS doesn't support per-parameter options (parameter groups): give one list of parameters, got "
                f"{len(self.param_groups)} groups"
            )

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Up to ``max_iter`` iterations; returns what ``closure()`` returned at the beginning.

        The closure sets gradients to None (or zero), computes the loss, calls ``backward`` and returns the loss.
        """
        with np.errstate(all="ignore"):
            return self._step(closure)

    def _step(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        lr, tolerance_change = scalar(group["lr"]), group["tolerance_change"]
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        def evaluate() -> tuple[Any, float, np.ndarray]:
            with enable_grad():
                loss = closure()
            state["func_evals"] += 1
            return loss, float(loss), self._gradient()

        first_loss, f, g = evaluate()
        evaluations = 1
        if np.abs(g).max() <= group["tolerance_grad"]:
            return first_loss

        memory = _Memory(state, group["history_size"])
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                memory.forget()
                memory.d = -g
                t = min(1.0, 1.0 / np.abs(g).sum()) * lr
            else:
                memory.take_in(g)
                memory.d = memory.direction(g)
                t = lr
            memory.g, memory.f, memory.t = g, f, t
            slope = g.dot(memory.d)
            if slope > -tolerance_change:
                break
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError(
                        f"only 'strong_wolfe' is supported, got line_search_fn={group['line_search_fn']!r}"
                    )
                theta = [p._array.copy() for p in group["params"]]

                def along(
                    t: Any, d: np.ndarray = memory.d, theta: list[np.ndarray] = theta
                ) -> tuple[float, np.ndarray]:
                    self._move(t, d)
                    _, f, g = evaluate()
                    self._put_back(theta)
                    return f, g

                found, tried = strong_wolfe(
                    along, t, memory.d, Point(0, f, slope, g), max_evaluations=group["max_eval"] - evaluations
                )
                evaluations += tried
                t, f, g = found.t, found.f, found.g
                memory.t = t
                self._move(t, memory.d)
            else:
                self._move(t, memory.d)
                if iteration != group["max_iter"]:  # the next step begins with this evaluation
                    _, f, g = evaluate()
                    evaluations += 1
            if (
                evaluations >= group["max_eval"]
                or np.abs(g).max() <= group["tolerance_grad"]
                or np.abs(memory.d * t).max() <= tolerance_change
                or abs(f - memory.f) < tolerance_change
            ):
                break
        memory.save(state)
        return first_loss

    def _gradient(self) -> np.ndarray:
        """All gradients end to end, zeros where there is none; a copy."""
        params = self.param_groups[0]["params"]
        return np.concatenate(
            [np.zeros(p._array.size, p._array.dtype) if p._grad is None else p._grad._array.reshape(-1) for p in params]
        )

    def _move(self, t: Any, d: np.ndarray) -> None:
        """θ ← θ + t d."""
        start = 0
        for p in self.param_groups[0]["params"]:
            theta = writable(p)
            theta += (d[start : start + theta.size] * t).reshape(theta.shape)
            start += theta.size

    def _put_back(self, theta: list[np.ndarray]) -> None:
        for p, old in zip(self.param_groups[0]["params"], theta):
            writable(p)[...] = old


class _Memory:
    """The pairs (s, y) and what the last iteration left, as arrays; between calls of ``step`` they are state."""

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self.size = size
        self.y: list[np.ndarray] = [y._array for y in state.get("old_dirs") or []]
        self.s: list[np.ndarray] = [s._array for s in state.get("old_stps") or []]
        self.rho: list[Any] = [scalar(rho) for rho in state.get("ro") or []]
        self.h: Any = scalar(state.get("H_diag", 1))
        self.t: Any = scalar(state.get("t"))
        self.f: Any = state.get("prev_loss")
        self.d: Any = state["d"]._array if "d" in state else None
        self.g: Any = state["prev_flat_grad"]._array if "prev_flat_grad" in state else None
        self.alpha: list[Any] | None = None

    def forget(self) -> None:
        self.y, self.s, self.rho, self.h = [], [], [], 1

    def take_in(self, g: np.ndarray) -> None:
        """The pair of the step just made, which led from gradient ``self.g`` to g."""
        y, s = g - self.g, self.d * self.t
        ys = y.dot(s)
        if ys > 1e-10:
            if len(self.y) == self.size:
                del self.y[0], self.s[0], self.rho[0]
            self.y.append(y)
            self.s.append(s)
            self.rho.append(1.0 / ys)
            self.h = ys / y.dot(y)

    def direction(self, g: np.ndarray) -> np.ndarray:
        """−H g, by the two-loop recursion."""
        r = -g
        alpha = self.alpha = [0.0] * len(self.y)
        for i in reversed(range(len(self.y))):
            alpha[i] = self.s[i].dot(r) * self.rho[i]
            r -= alpha[i] * self.y[i]
        r *= self.h
        for s, y, rho, a in zip(self.s, self.y, self.rho, alpha):
            r += (a - y.dot(r) * rho) * s
        return r

    def save(self, state: dict[str, Any]) -> None:
        if self.d is None:  # max_iter = 0
            return
        wrap = Tensor._wrap
        if self.alpha is not None:
            state["al"] = [wrap(np.array(a)) for a in self.alpha] + [None] * (self.size - len(self.alpha))
        state["d"], state["t"] = wrap(self.d), _kept(self.t)
        state["old_dirs"], state["old_stps"] = [wrap(y) for y in self.y], [wrap(s) for s in self.s]
        state["ro"] = [wrap(np.array(rho)) for rho in self.rho]
        state["H_diag"] = _kept(self.h)
        state["prev_flat_grad"], state["prev_loss"] = wrap(self.g), self.f


def _kept(number: Any) -> Any:
    """Computed numbers are kept as tensors, given ones as they are: so PyTorch has it."""
    return Tensor._wrap(np.array(number)) if isinstance(number, np.generic) else number
