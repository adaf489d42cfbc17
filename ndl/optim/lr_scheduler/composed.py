"""Schedulers made of schedulers: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from ndl.optim.lr_scheduler.base import LRScheduler, current, set_option
from ndl.optim.lr_scheduler.plateau import ReduceLROnPlateau
from ndl.optim.optimizer import Optimizer

__all__ = ["ChainedScheduler", "SequentialLR"]


class ComposedLR(LRScheduler):
    """Base class: checks the parts, and saves them with the whole.

    Raises ValueError if there are none, if they belong to another optimiser, or for ReduceLROnPlateau, whose
    ``step`` needs a metric; TypeError for what is no scheduler.
    """

    _schedulers: Sequence[LRScheduler]

    def _check_parts(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> Optimizer:
        name = type(self).__name__
        if len(schedulers) < 1:
            raise ValueError(f"{name} expects at least one scheduler, but got no scheduler.")
        for i, part in enumerate(schedulers):
            if not hasattr(part, "optimizer"):
                raise TypeError(f"{name} at index {i} should have `optimizer` as its attribute, but got {part!r}.")
            if isinstance(part, ReduceLROnPlateau):
                raise ValueError(
                    f"{name} does not support `ReduceLROnPlateau` scheduler as it requires additional kwargs to be "
                    f"specified when calling `step`, but got one at index {i} in the given schedulers sequence."
                )
            optimizer = optimizer or part.optimizer
            if part.optimizer is not optimizer:
                raise ValueError(
                    f"{name} expects all schedulers to belong to the same optimizer, but got scheduler "
                    f"{type(part).__name__} at index {i} with another one."
                )
        assert optimizer is not None
        return optimizer

    def state_dict(self) -> dict[str, Any]:
        """As always, with the parts' own dictionaries under ``_schedulers``."""
        return {**super().state_dict(), "_schedulers": [part.state_dict() for part in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict()`` gave, each part its own."""
        saved = dict(state_dict)
        for part, values in zip(self._schedulers, saved.pop("_schedulers"), strict=True):
            part.load_state_dict(values)
        super().load_state_dict(saved)


class SequentialLR(ComposedLR):
    """The first scheduler up to ``milestones[0]``, the second up to ``milestones[1]``, and so on.

    A part that takes over starts at its own step 0, from ``initial_lr``. Raises ValueError unless there is one
    milestone less than schedulers, and for what ``ComposedLR`` refuses.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        self.optimizer = self._check_parts(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of "
                f"milestone points, but got number of schedulers {len(schedulers)} and the number of milestones to be "
                f"equal to {len(milestones)}"
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        # Each part took its step 0 when it was made, so all have multiplied the rate. Undo that, and let the part
        # that is first do it alone.
        for group in optimizer.param_groups:
            set_option(group, "lr", group["initial_lr"])
        self.recursive_undo()
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched: LRScheduler | None = None) -> None:
        """Take back the step 0 of all parts, and of their parts."""
        whole = self if sched is None else sched
        parts = getattr(whole, "_schedulers", None)
        if parts is not None:
            for part in parts:
                self.recursive_undo(part)
        elif hasattr(whole, "last_epoch"):
            whole.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Step the part whose turn it is."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        part = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            part._update_lr(0)
        else:
            part.step()
        self._last_lr = part.get_last_lr()


class ChainedScheduler(ComposedLR):
    """All schedulers at every step, one after the other: in their chainable forms, their factors multiply.

    ``optimizer`` is by default the first scheduler's. Raises for what ``ComposedLR`` refuses.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self.optimizer = self._check_parts(schedulers, optimizer)
        self._schedulers = schedulers
        self._last_lr = current(self.optimizer, "lr")

    def step(self) -> None:  # type: ignore[override]
        """Step all parts."""
        for part in self._schedulers:
            part.step()
        self._last_lr = current(self.optimizer, "lr")
