"""An optimiser with two groups, and stepping it with its scheduler, in either library."""

from __future__ import annotations

from typing import Any

from ndl.verify.training import metric


def sgd(T: Any, lr: Any = 0.1, groups: int = 2) -> Any:
    """SGD over groups whose learning rates are lr, lr / 2, …"""
    params = [{"params": [T.nn.Parameter(T.zeros(1))], "lr": lr / (i + 1)} for i in range(groups)]
    return T.optim.SGD(params, momentum=0.9)


def advance(optimizer: Any, scheduler: Any, steps: int, start: int = 0) -> list:
    """Step both; the learning rates and momenta after each step."""
    seen = []
    for step in range(start, start + steps):
        optimizer.step()
        scheduler.step(metric(step)) if hasattr(scheduler, "num_bad_epochs") else scheduler.step()
        seen.append([(float(g["lr"]), float(g["momentum"])) for g in optimizer.param_groups])
        assert [float(lr) for lr in scheduler.get_last_lr()] == [lr for lr, _ in seen[-1]]
    return seen
