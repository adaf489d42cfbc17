"""The protocol for ``ndl.nn.instancenorm``, and what the cases cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.instancenorm")
LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


def test_repr_and_state() -> None:
    for make in (
        lambda T: T.nn.InstanceNorm1d(3),
        lambda T: T.nn.InstanceNorm2d(3, 0.1, 0.2, True, True),
        lambda T: T.nn.InstanceNorm3d(3, affine=True, bias=False),
    ):
        ours, theirs = make(ndl), make(torch)
        assert repr(ours) == repr(theirs)
        assert {k: v.tolist() for k, v in ours.state_dict().items()} == {
            k: v.tolist() for k, v in theirs.state_dict().items()
        }


@LIBRARIES
def test_evaluation_uses_the_running_statistics_only_if_there_are_any(T: Any) -> None:
    x = T.arange(8.0).reshape(1, 2, 4)
    m = T.nn.InstanceNorm1d(2, momentum=1.0, track_running_stats=True)
    y = m(x)
    np.testing.assert_allclose(m.running_mean.numpy(), [1.5, 5.5])
    np.testing.assert_allclose(m.running_var.numpy(), [5 / 3, 5 / 3], rtol=1e-6)
    assert m.num_batches_tracked.item() == 0, "as in PyTorch, it is not counted"
    m.eval()
    np.testing.assert_allclose(m(x).numpy(), y.numpy() * np.sqrt(3 / 4), rtol=1e-4)
    plain = T.nn.InstanceNorm1d(2).eval()
    np.testing.assert_allclose(plain(x).numpy(), y.numpy(), rtol=1e-6)
    m.reset_running_stats()
    assert m.running_mean.tolist() == [0, 0] and m.running_var.tolist() == [1, 1]


@LIBRARIES
def test_large_mean(T: Any) -> None:
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((2, 3, 20, 20)) + 1e4).astype(np.float32)
    y = T.nn.functional.instance_norm(T.from_numpy(x)).numpy()
    x = x.astype(np.float64)
    exact = (x - x.mean((2, 3), keepdims=True)) / np.sqrt(x.var((2, 3), keepdims=True) + 1e-5)
    np.testing.assert_allclose(y, exact, atol=2e-3)


@LIBRARIES
def test_what_does_not_fit(T: Any) -> None:
    with pytest.raises(ValueError, match="expected 3D or 4D input"):
        T.nn.InstanceNorm2d(3)(T.ones(2, 3))
    with pytest.raises(ValueError, match="to match num_features"):
        T.nn.InstanceNorm1d(3, affine=True)(T.ones(2, 4, 5))
    with pytest.warns(UserWarning, match="does not match num_features"):
        T.nn.InstanceNorm1d(3)(T.ones(2, 4, 5))
    with pytest.raises(ValueError, match="more than 1 spatial element"):
        T.nn.InstanceNorm2d(3)(T.ones(2, 3, 1, 1))
    with pytest.raises(RuntimeError, match="running_mean and running_var"):
        T.nn.functional.instance_norm(T.ones(2, 3, 4), use_input_stats=False)
    assert T.nn.InstanceNorm2d(3)(T.ones(0, 3, 2, 2)).shape == (0, 3, 2, 2)
