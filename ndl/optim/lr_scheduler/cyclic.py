"""A learning rate that goes up and down between two bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ndl.optim.lr_scheduler.base import (
    LRScheduler,
    begin_momentum_cycle,
    check_length,
    check_optimizer,
    for_each_group,
    set_momentum,
    set_option,
)
from ndl.optim.lr_scheduler.function import attributes
from ndl.optim.optimizer import Optimizer

__all__ = ["CyclicLR"]


class CyclicLR(LRScheduler):
    """γ = base_lr + (max_lr − base_lr) · h · s: triangles that rise for ``step_size_up`` steps and fall for
    ``step_size_down`` (by default as many).

    h goes from 0 to 1 and back in each cycle c = 1, 2, …; s shrinks the triangles: 1 for ``mode="triangular"``,
    1 / 2^(c − 1) for ``"triangular2"``, gammaᵗ for ``"exp_range"``, or ``scale_fn`` of c (``scale_mode="cycle"``) or
    of t (``"iterations"``). With ``cycle_momentum``, momentum (for Adam, β₁) moves against it, from ``max_momentum``
    down to ``base_momentum``. Rates and momenta may be lists with a value for each group.

    Raises ValueError for an unknown mode and for an optimiser without momentum if it is to be cycled.

    Source: L. Smith, "Cyclical learning rates for training neural networks", WACV 2017.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(
                f"mode is invalid and scale_fn is None: got mode {mode!r}, expected 'triangular', 'triangular2' or "
                "'exp_range'"
            )
        self.optimizer = optimizer
        base_lrs = for_each_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs):
                set_option(group, "lr", lr)
        self.max_lrs = for_each_group("max_lr", optimizer, max_lr)
        check_length("CyclicLR", "step_size_up", step_size_up)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = "betas" in optimizer.defaults
            self.base_momentums, self.max_momentums = begin_momentum_cycle(
                optimizer, base_momentum, max_momentum, last_epoch
            )
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """s for cycle or step x."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x

    def _next_lr(self) -> list[Any]:
        t = self.last_epoch
        cycle = math.floor(1 + t / self.total_size)
        x = 1.0 + t / self.total_size - cycle  # the part of this cycle that is over, 0 ≤ x < 1
        h = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        s = self.scale_fn(cycle if self.scale_mode == "cycle" else t)
        if self.cycle_momentum:
            for group, low, high in zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums):
                set_momentum(group, high - (high - low) * h * s)
        return [low + (high - low) * h * s for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """As always, but of ``scale_fn`` only the attributes of a callable object: functions cannot be saved."""
        f = self._scale_fn_custom
        return {**super().state_dict(), "_scale_fn_custom": None if f is None else attributes(f)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict()`` gave; ``scale_fn`` stays the present one."""
        saved = dict(state_dict)
        values = saved.pop("_scale_fn_custom")
        super().load_state_dict(saved)
        if values is not None:
            self._scale_fn_custom.__dict__.update(values)
