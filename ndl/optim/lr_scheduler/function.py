"""Schedules given as a function of the step, one for all groups or one for each."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from ndl.optim.lr_scheduler.base import LRScheduler
from ndl.optim.optimizer import Optimizer

__all__ = ["LambdaLR", "MultiplicativeLR"]

Function = Callable[[int], float]


class FunctionLR(LRScheduler):
    """Base class: keeps the functions, and what of them can be saved.

    Raises ValueError if their number is not the number of groups.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Function | list[Function], last_epoch: int = -1) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(self.lr_lambdas)}")
        for f in self.lr_lambdas:
            if not callable(f):
                raise TypeError(f"lr_lambda should be a function, but got {type(f).__name__}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """As always, but of ``lr_lambdas`` only the attributes of callable objects: functions cannot be saved."""
        return {**super().state_dict(), "lr_lambdas": [attributes(f) for f in self.lr_lambdas]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict()`` gave; functions stay the present ones."""
        saved = dict(state_dict)
        for f, values in zip(self.lr_lambdas, saved.pop("lr_lambdas"), strict=True):
            if values is not None:
                f.__dict__.update(values)
        super().load_state_dict(saved)


class LambdaLR(FunctionLR):
    """γₜ = γ₀ · lr_lambda(t)."""

    def _next_lr(self) -> list[Any]:
        return [base_lr * f(self.last_epoch) for f, base_lr in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(FunctionLR):
    """γₜ = γₜ₋₁ · lr_lambda(t), from t = 1."""

    def _next_lr(self) -> list[Any]:
        lrs = [group["lr"] for group in self.optimizer.param_groups]
        if self._is_initial:
            return lrs
        return [lr * f(self.last_epoch) for f, lr in zip(self.lr_lambdas, lrs, strict=True)]


def attributes(f: Any) -> dict[str, Any] | None:
    """What is saved of a callable: the attributes of an object, None for a plain function."""
    return None if isinstance(f, types.FunctionType) else dict(f.__dict__)
