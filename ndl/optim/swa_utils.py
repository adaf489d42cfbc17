"""Averages of the weights that a training passes through: SWA, with equal weights, and EMA, forgetting the old.

    SWA:  aₙ₊₁ = aₙ + (θ − aₙ) / (n + 1)               the mean of all θ so far
    EMA:  aₙ₊₁ = δ aₙ + (1 − δ) θ                      the last 1 / (1 − δ) or so count, δ decay

The first θ is taken as it is. Late in training θ jumps about a minimum, more widely the larger the learning rate. The
mean of many such points lies nearer to the middle, in a flatter region, and does better on new data than any one of
them. It costs one pass over the weights whenever it is updated, and no change to the training itself.

    averaged = AveragedModel(model)                    # or multi_avg_fn=get_ema_multi_avg_fn(0.999)
    schedule = SWALR(optimizer, swa_lr=0.05)           # from then on, a constant and rather large rate
    for epoch in …: train; averaged.update_parameters(model); schedule.step()
    update_bn(loader, averaged)                        # the averaged weights never saw a batch

Sources: P. Izmailov et al., "Averaging weights leads to wider optima and better generalization", UAI 2018; B. Polyak,
A. Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor
from ndl.kernels.chains import run_chain
from ndl.kernels.optim import constant, lerp
from ndl.nn.batchnorm import BatchNorm
from ndl.nn.module import Module
from ndl.ops.creation import tensor
from ndl.optim.lr_scheduler.base import LRScheduler, for_each_group
from ndl.optim.optimizer import Optimizer, writable

__all__ = [
    "AveragedModel",
    "SWALR",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

AverageOne = Callable[[Tensor, Tensor, Any], Tensor]
AverageAll = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def get_swa_avg_fn() -> AverageOne:
    """a, θ, n ↦ a + (θ − a) / (n + 1), a new tensor."""

    @no_grad()
    def average(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return average


def get_ema_avg_fn(decay: float = 0.999) -> AverageOne:
    """a, θ, n ↦ δ a + (1 − δ) θ, a new tensor. Raises ValueError unless 0 ≤ decay ≤ 1."""
    _check_decay(decay)

    @no_grad()
    def average(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return average


def get_swa_multi_avg_fn() -> AverageAll:
    """Lists of a and of θ, and n: every a becomes a + (θ − a) / (n + 1), in place.

    Of n as a tensor, 1 / (n + 1) is a tensor of the default type: in float32, as in PyTorch, the mean has 7 digits.
    """

    def average(averaged_params: Sequence[Tensor], current_params: Sequence[Tensor], num_averaged: Any) -> None:
        _towards(averaged_params, current_params, float(1 / (num_averaged + 1)))

    return average


def get_ema_multi_avg_fn(decay: float = 0.999) -> AverageAll:
    """Lists of a and of θ: every a becomes δ a + (1 − δ) θ, in place. Raises ValueError unless 0 ≤ decay ≤ 1."""
    _check_decay(decay)

    def average(ema_params: Sequence[Tensor], current_params: Sequence[Tensor], _: Any) -> None:
        _towards(ema_params, current_params, 1 - decay)

    return average


def _check_decay(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def _towards(averaged: Sequence[Tensor], current: Sequence[Tensor], weight: float) -> None:
    """a ← a + weight (θ − a). Integers, as a count of batches, are cut to integers again."""
    work: list = []
    for a, theta in zip(averaged, current, strict=True):
        x, y = writable(a), theta._array
        if np.issubdtype(x.dtype, np.floating) and x.dtype == y.dtype:
            work.append((constant(weight, x.dtype), (x, y)))
        else:
            x[...] = x + weight * (y - x)
    run_chain(lerp, work)


class AveragedModel(Module):
    """A copy of ``model`` whose weights are the average of those it is shown; ``averaged(x)`` runs the copy.

    ``avg_fn(a, θ, n)`` returns the new average of one tensor, ``multi_avg_fn(as, θs, n)`` changes lists of them in
    place, n being the number of models averaged so far; give at most one of them (AssertionError), none for the mean.
    With ``use_buffers`` buffers are averaged, too; otherwise they are the last model's.

    Its ``state_dict`` has the copy's entries under ``module.`` and the count ``n_averaged``, not the functions.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: AverageOne | None = None,
        multi_avg_fn: AverageAll | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take ``model``'s weights into the average; the first time, copy them."""
        ours: list[Tensor] = list(self.module.parameters())
        theirs: list[Tensor] = list(model.parameters())
        if self.use_buffers:
            ours += self.module.buffers()
            theirs += model.buffers()
        averaged, current = [a.detach() for a in ours], [theta.detach() for theta in theirs]
        n = self.n_averaged
        if n == 0:
            for a, theta in zip(averaged, current):
                a.copy_(theta)
        elif self.avg_fn is not None:
            for a, theta in zip(averaged, current):
                a.copy_(self.avg_fn(a, theta, n))
        elif self.multi_avg_fn is not None:
            for pairs in _by_dtype(averaged, current):
                self.multi_avg_fn(*pairs, n)
        else:
            _towards(averaged, current, 1 / (n.item() + 1))
        if not self.use_buffers:
            for b, theirs_b in zip(self.module.buffers(), model.buffers(), strict=True):
                b.detach().copy_(theirs_b.detach())
        self.n_averaged += 1


def _by_dtype(averaged: list[Tensor], current: list[Tensor]) -> Iterable[tuple[list[Tensor], list[Tensor]]]:
    """Both lists once for each type, so that a function of lists meets one type at a time."""
    groups: dict[Any, tuple[list[Tensor], list[Tensor]]] = {}
    for a, theta in zip(averaged, current):
        ours, theirs = groups.setdefault(a.dtype, ([], []))
        ours.append(a)
        theirs.append(theta)
    return groups.values()


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Give ``model``'s BatchNorm layers the mean and variance of ``loader``'s data: the plain mean over its batches.

    A batch is a tensor, or a list or tuple whose first entry is the model's input. Other layers only pass it on.
    """
    layers = [module for module in model.modules() if isinstance(module, BatchNorm)]
    momenta = [layer.momentum for layer in layers]
    if not layers:
        return
    training = model.training
    model.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # cumulative: every batch counts the same
    for batch in loader:
        x = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(x if device is None else x.to(device))
    for layer, momentum in zip(layers, momenta):
        layer.momentum = momentum
    model.train(training)


class SWALR(LRScheduler):
    """From the rate of each group to ``swa_lr`` in ``anneal_epochs`` steps, on half a cosine or a straight line.

        γₜ = α γ_swa + (1 − α) γ₀,   α = (1 − cos π t/T)/2  or  t/T,   α = 1 from t = T on

    γ₀ is found again at each step from the current rate, (γₜ₋₁ − α′ γ_swa)/(1 − α′), so that another scheduler may
    still move it. ``swa_lr`` is one number or one for each group. Raises ValueError for an unknown strategy and for
    ``anneal_epochs`` that is negative or no integer.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: Any,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for rate, group in zip(for_each_group("swa_lr", optimizer, swa_lr), optimizer.param_groups):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _alpha(self, t: float) -> float:
        share = max(0, min(1, t / max(1, self.anneal_epochs)))
        return share if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * share)) / 2

    def _next_lr(self) -> list[Any]:
        t = self._step_count - 1
        if self.anneal_epochs == 0:
            t = max(1, t)
        before, alpha = self._alpha(t - 1), self._alpha(t)
        lrs = []
        for group in self.optimizer.param_groups:
            lr, swa_lr = group["lr"], group["swa_lr"]
            first = swa_lr if before == 1 else (lr - before * swa_lr) / (1 - before)
            lrs.append(swa_lr * alpha + first * (1 - alpha))
        return lrs
