"""Learning rates on a cosine, once or with restarts.

Source: I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, equation 5.
"""

from __future__ import annotations

import math
from typing import Any

from ndl.optim.lr_scheduler.base import LRScheduler, check_length, current, set_option
from ndl.optim.optimizer import Optimizer

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class CosineAnnealingLR(LRScheduler):
    """γₜ = η + (γ₀ − η)(1 + cos(π t / T)) / 2: from γ₀ down to η = ``eta_min`` in T = ``T_max`` steps, and up again.

    The chainable form is γₜ − η = (γₜ₋₁ − η)(1 + cos(π t / T)) / (1 + cos(π (t − 1) / T)). At the bottom, t − 1 = T,
    the divisor is 0, and the first step up is taken from the closed form. Raises ZeroDivisionError for T = 0.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        check_length("CosineAnnealingLR", "T_max", T_max)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _next_lr(self) -> list[Any]:
        t, T, low = self.last_epoch, self.T_max, self.eta_min
        lrs = [group["lr"] for group in self.optimizer.param_groups]
        if self._is_initial:
            return lrs
        if self._step_count == 1 and t > 0:  # resumed at t without a rate of step t − 1
            return [low + (base_lr - low) * (1 + math.cos(t * math.pi / T)) / 2 for base_lr in self.base_lrs]
        if (t - 1 - T) % (2 * T) == 0:
            rise = 1 - math.cos(math.pi / T)
            return [lr + (base_lr - low) * rise / 2 for base_lr, lr in zip(self.base_lrs, lrs, strict=True)]
        ratio = (1 + math.cos(math.pi * t / T)) / (1 + math.cos(math.pi * (t - 1) / T))
        return [ratio * (lr - low) + low for lr in lrs]

    def _get_closed_form_lr(self) -> list[Any]:
        t, T, low = self.last_epoch, self.T_max, self.eta_min
        return [low + (base_lr - low) * (1 + math.cos(math.pi * t / T)) / 2 for base_lr in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """γ = η + (γ₀ − η)(1 + cos(π T_cur / T_i)) / 2, starting anew at γ₀ whenever T_cur reaches T_i.

    T_cur counts the steps since the last restart. The first period is T_i = ``T_0``; each is ``T_mult`` times as long
    as the one before. ``step(epoch)`` takes fractions of an epoch, too. Raises ValueError for a ``T_0`` or
    ``T_mult`` that is no positive integer.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def _next_lr(self) -> list[Any]:
        low, wave = self.eta_min, 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [low + (base_lr - low) * wave / 2 for base_lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on by one step, or to ``epoch``, which may be a fraction: epoch + batch / batches."""
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            self._place(0 if epoch is None else epoch)
            epoch = epoch or 0
        self.last_epoch = math.floor(epoch)
        self._get_lr_called_within_step = True
        try:
            lrs = self.get_lr()
        finally:
            self._get_lr_called_within_step = False
        for group, lr in zip(self.optimizer.param_groups, lrs, strict=True):
            set_option(group, "lr", lr)
        self._last_lr = current(self.optimizer, "lr")

    def _place(self, epoch: float) -> None:
        """Find the period that ``epoch`` falls into: n periods take T_0 (1 + m + … + mⁿ⁻¹) steps, m = ``T_mult``."""
        if epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**n
