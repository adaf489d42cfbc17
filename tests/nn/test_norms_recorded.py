"""The normalisations have a backward pass on arrays and one that is recorded: both must give PyTorch's gradients.

The numerical check of second derivatives asks only whether the recorded one is consistent with itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import ndl

NORMS: dict[str, tuple[Callable, tuple[int, ...], tuple[tuple[int, ...], ...]]] = {
    "layer_norm": (lambda F, x, w, b: F.layer_norm(x, (4, 5), w, b), (3, 4, 5), ((4, 5), (4, 5))),
    "layer_norm, one sample": (lambda F, x, w, b: F.layer_norm(x, (5,), w, b), (5,), ((5,), (5,))),
    "layer_norm, no weight": (lambda F, x: F.layer_norm(x, (5,)), (3, 5), ()),
    "rms_norm": (lambda F, x, w: F.rms_norm(x, (5,), w), (3, 4, 5), ((5,),)),
    "rms_norm, no weight": (lambda F, x: F.rms_norm(x, (4, 5)), (3, 4, 5), ()),
    "group_norm": (lambda F, x, w, b: F.group_norm(x, 3, w, b), (2, 6, 3, 4), ((6,), (6,))),
    "group_norm, no weight": (lambda F, x: F.group_norm(x, 2), (2, 6, 5), ()),
    "instance_norm": (lambda F, x, w, b: F.instance_norm(x, None, None, w, b), (2, 3, 3, 4), ((3,), (3,))),
    "instance_norm, no weight": (lambda F, x: F.instance_norm(x), (2, 3, 5), ()),
    "local_response_norm": (lambda F, x: F.local_response_norm(x, 4, 0.7, 1.2, 0.5), (2, 6, 5), ()),
    "batch_norm": (lambda F, x, w, b: F.batch_norm(x, None, None, w, b, True), (4, 3, 5), ((3,), (3,))),
}


def gradients(T: Any, name: str, record: bool) -> list[np.ndarray]:
    """First gradients, and if they are recorded the second ones."""
    run, shape, others = NORMS[name]
    rng = np.random.default_rng(0)
    leaves = [T.from_numpy(rng.standard_normal(s)).requires_grad_() for s in (shape, *others)]
    dy = T.from_numpy(rng.standard_normal(shape)).requires_grad_()
    y = run(T.nn.functional, *leaves)
    first = T.autograd.grad(y, leaves, dy, create_graph=record)
    found = list(first)
    if record:
        directions = [T.from_numpy(rng.standard_normal(tuple(g.shape))) for g in first]
        total = sum((g * d).sum() for g, d in zip(first, directions, strict=True))
        found += T.autograd.grad(total, [dy, leaves[0], *leaves[1:2]])
    return [g.detach().numpy() for g in found]


@pytest.mark.parametrize("name", NORMS)
def test_first_and_second_gradients(name: str) -> None:
    theirs = gradients(torch, name, True)
    for ours in (gradients(ndl, name, True), gradients(ndl, name, False)):
        for a, b in zip(ours, theirs, strict=False):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
