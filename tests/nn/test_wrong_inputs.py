"""What is no tensor is refused with PyTorch's TypeError, by every function of ``ndl.nn.functional``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import ndl

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "relu": lambda F, x: F.relu(x),
    "relu_": lambda F, x: F.relu_(x),
    "elu": lambda F, x: F.elu(x),
    "gelu": lambda F, x: F.gelu(x),
    "softmin": lambda F, x: F.softmin(x, 0),
    "gumbel_softmax": lambda F, x: F.gumbel_softmax(x),
    "dropout": lambda F, x: F.dropout(x),
    "dropout in evaluation": lambda F, x: F.dropout(x, training=False),
    "alpha_dropout": lambda F, x: F.alpha_dropout(x),
    "feature_alpha_dropout": lambda F, x: F.feature_alpha_dropout(x),
    "pixel_shuffle": lambda F, x: F.pixel_shuffle(x, 2),
    "pixel_unshuffle": lambda F, x: F.pixel_unshuffle(x, 2),
    "channel_shuffle": lambda F, x: F.channel_shuffle(x, 2),
    "linear": lambda F, x: F.linear(x, tensor(F, 2, 2)),
    "linear's weight": lambda F, x: F.linear(tensor(F, 2, 2), x),
    "grid_sample": lambda F, x: F.grid_sample(x, tensor(F, 1, 2, 2, 2), align_corners=False),
    "grid_sample's grid": lambda F, x: F.grid_sample(tensor(F, 1, 1, 2, 2), x, align_corners=False),
    "adaptive_avg_pool1d": lambda F, x: F.adaptive_avg_pool1d(x, 2),
    "adaptive_max_pool1d": lambda F, x: F.adaptive_max_pool1d(x, 2),
    "avg_pool1d": lambda F, x: F.avg_pool1d(x, 2),
    "max_pool2d": lambda F, x: F.max_pool2d(x, 2),
    "max_unpool2d's indices": lambda F, x: F.max_unpool2d(tensor(F, 1, 1, 2, 2), x, 2),
    "unfold": lambda F, x: F.unfold(x, 2),
    "fold": lambda F, x: F.fold(x, 2, 2),
    "batch_norm": lambda F, x: F.batch_norm(x, tensor(F, 2), tensor(F, 2)),
    "nll_loss": lambda F, x: F.nll_loss(x, tensor(F, 2).long()),
    "nll_loss's target": lambda F, x: F.nll_loss(tensor(F, 2, 2), x),
    "gaussian_nll_loss's var": lambda F, x: F.gaussian_nll_loss(tensor(F, 2), tensor(F, 2), x),
}


def tensor(F: Any, *size: int) -> Any:
    return (ndl if F is ndl.nn.functional else torch).ones(*size)


@pytest.mark.parametrize("bad", [[1.0], [[1.0, 2.0]], None, "abc"], ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_tensor(name: str, bad: Any) -> None:
    with pytest.raises(TypeError):
        CALLS[name](torch.nn.functional, bad)
    with pytest.raises(TypeError, match=f"must be Tensor, not {type(bad).__name__}"):
        CALLS[name](ndl.nn.functional, bad)


def test_numbers() -> None:
    for T in (torch, ndl):
        for f in (T.nn.functional.dropout, T.nn.functional.alpha_dropout, T.nn.functional.relu, T.rand_like):
            with pytest.raises(TypeError):
                f(3.0)
