"""Schedules that multiply all learning rates by one factor at each step.

    γₜ = γₜ₋₁ · f(t)                chainable form, ``_factor``
    γₜ = γ₀ · F(t)                  closed form, ``_closed_factor``;     F(t) = f(1) f(2) … f(t)

t is ``last_epoch``. Where f(t) = 1 the rate stays what it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ndl.optim.lr_scheduler.base import LRScheduler, check_length
from ndl.optim.optimizer import Optimizer

__all__ = ["ConstantLR", "ExponentialLR", "LinearLR", "MultiStepLR", "PolynomialLR", "StepLR"]


class FactorLR(LRScheduler):
    """Base class: a subclass says f and F."""

    def _factor(self) -> float:
        raise NotImplementedError

    def _closed_factor(self) -> float:
        raise NotImplementedError

    def _next_lr(self) -> list[Any]:
        f = self._factor()
        return [group["lr"] * f for group in self.optimizer.param_groups]

    def _get_closed_form_lr(self) -> list[Any]:
        F = self._closed_factor()
        return [base_lr * F for base_lr in self.base_lrs]


class StepLR(FactorLR):
    """γ₀ · gamma^⌊t / step_size⌋: the rate falls by ``gamma`` every ``step_size`` steps.

    Raises ZeroDivisionError for a ``step_size`` of 0, TypeError for what is no number.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        check_length("StepLR", "step_size", step_size)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return self.gamma if self.last_epoch > 0 and self.last_epoch % self.step_size == 0 else 1.0

    def _closed_factor(self) -> float:
        return self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(FactorLR):
    """γ₀ · gamma^(number of milestones ≤ t): the rate falls by ``gamma`` at each of ``milestones``.

    A milestone that is listed twice counts twice. The order does not matter.
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return self.gamma ** self.milestones[self.last_epoch]

    def _closed_factor(self) -> float:
        return self.gamma ** bisect_right(sorted(self.milestones.elements()), self.last_epoch)


class ConstantLR(FactorLR):
    """γ₀ · ``factor`` for the first ``total_iters`` steps, then γ₀. Raises ValueError unless 0 ≤ factor ≤ 1."""

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if factor > 1.0 or factor < 0:
            raise ValueError(f"Constant multiplicative factor expected to be between 0 and 1, but got {factor}.")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        if self.last_epoch == 0:
            return self.factor
        if self.last_epoch != self.total_iters:
            return 1.0
        if self.factor == 0:
            raise ZeroDivisionError(
                f"ConstantLR(factor=0): a learning rate of 0 cannot be multiplied back up at step {self.total_iters}; "
                "give a small factor, or LambdaLR"
            )
        return 1.0 / self.factor

    def _closed_factor(self) -> float:
        return self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor)


class LinearLR(FactorLR):
    """γ₀ times a factor on the straight line from ``start_factor`` at t = 0 to ``end_factor`` at ``total_iters``.

    F(t) = s + (e − s) t / T, so f(t) = F(t) / F(t − 1) = 1 + (e − s) / (T s + (t − 1)(e − s)). Used to warm up.
    Raises ValueError unless 0 < start_factor ≤ 1 and 0 ≤ end_factor ≤ 1.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal to 1, but got "
                f"{start_factor}."
            )
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError(f"Ending multiplicative factor expected to be between 0 and 1, but got {end_factor}.")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        t, T, s = self.last_epoch, self.total_iters, self.start_factor
        rise = self.end_factor - s
        if t == 0:
            return s
        if self._is_initial or t > T:
            return 1.0
        return 1.0 + rise / (T * s + (t - 1) * rise)

    def _closed_factor(self) -> float:
        rise = self.end_factor - self.start_factor
        return self.start_factor + rise * min(self.total_iters, self.last_epoch) / self.total_iters


class ExponentialLR(FactorLR):
    """γ₀ · gammaᵗ: the rate falls by ``gamma`` at every step."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return 1.0 if self._is_initial else self.gamma

    def _closed_factor(self) -> float:
        return self.gamma**self.last_epoch


class PolynomialLR(FactorLR):
    """γ₀ · (1 − t / T)^power, down to 0 after T = ``total_iters`` steps."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        t, T = self.last_epoch, self.total_iters
        if self._is_initial or t > T:
            return 1.0
        return ((1.0 - t / T) / (1.0 - (t - 1) / T)) ** self.power

    def _closed_factor(self) -> float:
        return (1.0 - min(self.total_iters, self.last_epoch) / self.total_iters) ** self.power
