"""What all schedulers share: counting steps, and writing the new learning rate into the optimiser's groups.

A scheduler says its rule in one of two forms. The *chainable* form computes the next rate from the current one,
γₜ = γₜ₋₁ · f(t), so that several schedulers on one optimiser multiply their effects, and so do changes that the
program makes itself. The *closed* form computes it from the first, γₜ = γ₀ · F(t), for jumping to any t. They differ
in the last digits: products are rounded at every step. As in PyTorch, stepping uses the first, ``step(epoch)`` the
second. Derivation: docs/blocks/schedules.md.
"""

from __future__ import annotations

import functools
import warnings
import weakref
from numbers import Real
from types import MethodType
from typing import Any

from ndl.autograd.tensor import Tensor
from ndl.optim.optimizer import Optimizer, writable

__all__ = ["LRScheduler"]


class LRScheduler:
    """Base class of all schedulers, as ``torch.optim.lr_scheduler.LRScheduler``.

    A subclass defines ``get_lr()``: the learning rates for step ``self.last_epoch``, one for each group. It may
    define ``_get_closed_form_lr()`` for the closed form.

    Making a scheduler already takes its step 0. Each group remembers its first rate as ``initial_lr``; to go on from
    ``last_epoch`` ≥ 0 it must be there, or KeyError is raised.

    Attributes
        last_epoch: the number t of the last step.
        base_lrs: ``initial_lr`` of each group.
    """

    optimizer: Optimizer
    last_epoch: int
    base_lrs: list[Any]
    _get_lr_called_within_step = False
    _is_initial = False  # during step 0, whose rate is the optimiser's own

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", own_copy(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with "
                    "last_epoch >= 0: load the optimizer's state_dict first, or leave last_epoch at -1 to start anew"
                )
        self.base_lrs = current(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _watch_steps(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> list[Any]:
        """The rates for step ``last_epoch``, for use by ``step()`` only; see ``get_last_lr``."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.", stacklevel=2
            )
        return self._next_lr()

    def _next_lr(self) -> list[Any]:
        """The chainable form of this house's schedulers."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr()")

    def get_last_lr(self) -> list[Any]:
        """The rates that the last step set, one for each group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next step, after ``optimizer.step()``; or (deprecated) to step ``epoch`` in closed form."""
        if self._step_count == 1:
            if not hasattr(self.optimizer.step, "_watched"):
                warnings.warn(
                    "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
                    "initialization: whether it is called before `lr_scheduler.step()` cannot be seen.",
                    stacklevel=2,
                )
            elif not getattr(self.optimizer, "_opt_called", False):
                warnings.warn(
                    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. Call them in the opposite "
                    "order, or the first value of the schedule is skipped.",
                    stacklevel=2,
                )
        self._step_count += 1
        if epoch is not None:
            warn_epoch()
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self._get_lr_called_within_step = True
        try:
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
            lrs = self.get_lr() if closed is None else closed()
        finally:
            self._get_lr_called_within_step = False
        for group, lr in zip(self.optimizer.param_groups, lrs, strict=True):
            set_option(group, "lr", lr)
        self._last_lr = current(self.optimizer, "lr")

    def state_dict(self) -> dict[str, Any]:
        """Everything the scheduler knows but its optimiser, under PyTorch's names."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict()`` gave. The optimiser's rates are in the optimiser's own state."""
        self.__dict__.update(state_dict)


def check_length(scheduler: str, name: str, value: Any) -> None:
    """Raise for what t cannot be divided by, at once and not at the first step."""
    if not isinstance(value, Real):
        raise TypeError(f"{scheduler}: {name} must be a number of steps, got {value!r} of type {type(value).__name__}")
    if value == 0:
        raise ZeroDivisionError(f"{scheduler}: {name} must not be 0: it is the number of steps that t is divided by")


def check_optimizer(optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def own_copy(value: Any) -> Any:
    """An option's value; of a tensor, a copy that later changes do not reach."""
    return Tensor._wrap(value._array.copy()) if isinstance(value, Tensor) else value


def current(optimizer: Optimizer, name: str) -> list[Any]:
    """One option of all groups."""
    return [own_copy(group[name]) for group in optimizer.param_groups]


def set_option(group: dict[str, Any], name: str, value: Any) -> None:
    """Change an option; a tensor is filled, since the program may hold on to it."""
    if isinstance(group[name], Tensor):
        writable(group[name])[...] = value._array if isinstance(value, Tensor) else value
    else:
        group[name] = value


def for_each_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value for each group: a list of that length, or one for all. Raises ValueError for another length."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        value = [value] * groups
    if len(value) != groups:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
            f"param_groups has {groups}."
        )
    return [own_copy(v) for v in value]


def set_momentum(group: dict[str, Any], momentum: float) -> None:
    """SGD's momentum, or β₁ of Adam, which plays its part."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def begin_momentum_cycle(optimizer: Optimizer, base: Any, highest: Any, last_epoch: int) -> tuple[list, list]:
    """The lowest and highest momentum of each group, which starts at the highest.

    Raises ValueError for an optimiser without momentum.
    """
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError(
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled; "
            f"{type(optimizer).__name__} has neither, so give cycle_momentum=False"
        )
    lows = for_each_group("base_momentum", optimizer, base)
    highs = for_each_group("max_momentum", optimizer, highest)
    if last_epoch == -1:
        for group, low, high in zip(optimizer.param_groups, lows, highs):
            set_momentum(group, high)
            group["max_momentum"], group["base_momentum"] = high, low
    return lows, highs


def warn_epoch() -> None:
    warnings.warn(
        "The epoch parameter in `scheduler.step()` is deprecated: it uses the closed form of the schedule where there "
        "is one, not the chainable form. Please use `scheduler.step()`.",
        stacklevel=3,
    )


def _watch_steps(optimizer: Optimizer) -> None:
    """Let ``optimizer._opt_called`` say whether it made a step since it has a scheduler."""
    step: Any = optimizer.step
    if hasattr(step, "_watched"):
        return
    # Kept without its optimiser, which must not keep itself alive through its own method.
    bound = isinstance(step, MethodType)
    function = step.__func__ if bound else step
    reference = weakref.ref(optimizer)

    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> Any:
        owner: Any = reference()
        owner._opt_called = True
        return function(owner, *args, **kwargs) if bound else function(*args, **kwargs)

    watched._watched = True  # type: ignore[attr-defined]
    optimizer.step = watched  # type: ignore[method-assign]
