"""The protocol for ``ndl.nn.regression_loss``, closed forms, extreme values and what is refused."""

import warnings

import numpy as np
import pytest
import torch

import ndl
import ndl.nn.functional as F
from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.regression_loss")

NAMES = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"]


def test_huber_is_delta_times_smooth_l1() -> None:
    x, t = np.linspace(-4, 4, 33), np.zeros(33)
    for delta in (0.5, 2.0):
        np.testing.assert_allclose(
            F.huber_loss(x, t, reduction="none", delta=delta),
            delta * F.smooth_l1_loss(x, t, reduction="none", beta=delta),
            rtol=1e-14,
        )


def test_values_by_hand() -> None:
    x, t = np.array([0.5, 3.0]), np.zeros(2)
    assert F.smooth_l1_loss(x, t, reduction="none").tolist() == [0.125, 2.5]
    assert F.huber_loss(x, t, reduction="none", delta=2.0).tolist() == [0.125, 4.0]
    assert F.l1_loss(x, t).item() == 1.75
    assert F.mse_loss(x, t, reduction="sum").item() == 9.25


@pytest.mark.parametrize("name", NAMES)
def test_extreme_values(name) -> None:
    x = np.array([np.inf, -np.inf, 1e300, -1e4, np.nan, 0.0])
    same(lambda T, x: getattr(T.nn.functional, name)(x, T.zeros(6, dtype=T.float64), reduction="none"), x)


@pytest.mark.parametrize("name", NAMES)
def test_shapes_that_broadcast_warn(name) -> None:
    with pytest.warns(UserWarning, match=r"target size \(\[2\]\) that is different to the input size \(\[3, 2\]\)"):
        getattr(F, name)(ndl.ones(3, 2), ndl.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(lambda T, x, t: getattr(T.nn.functional, name)(x, t), np.arange(6.0).reshape(3, 2), np.ones(2))
        message = refused(lambda T, x, t: getattr(T.nn.functional, name)(x, t), np.ones((2, 3)), np.ones(2))
    assert "The size of tensor a (3) must match the size of tensor b (2)" in message


@pytest.mark.parametrize("name", NAMES)
def test_targets_of_another_type(name) -> None:
    """Integer targets are promoted (PyTorch's Huber loss forgets it in the backward); integers have no square."""
    if name == "huber_loss":
        assert F.huber_loss(ndl.tensor([0.5, 1.5]), ndl.tensor([1, 3])).item() == 0.5625
        return
    same(lambda T, x, t: getattr(T.nn.functional, name)(x, t, reduction="none"), np.array([0.5, 1.5]), np.array([1, 3]))
    if name != "l1_loss":
        refused(
            lambda T, x, t: getattr(T.nn.functional, name)(x, t),
            np.array([1]),
            np.array([2]),
            error=NotImplementedError,
        )


def test_integers_have_an_absolute_error_but_no_mean() -> None:
    x, t = np.array([1, 2]), np.array([3, 5])
    for reduction in ("sum", "none"):
        same(lambda T, x, t, r=reduction: T.nn.functional.l1_loss(x, t, reduction=r), x, t)
    refused(lambda T, x, t: T.nn.functional.l1_loss(x, t), x, t)


def test_weights_have_the_inputs_shape() -> None:
    for name in ("mse_loss", "l1_loss", "huber_loss"):
        message = refused(
            lambda T, x, t, w, name=name: getattr(T.nn.functional, name)(x, t, weight=w),
            np.ones((2, 3)),
            np.ones((2, 3)),
            np.ones(3),
            error=ValueError,
        )
        assert "the weight is [3], the input [2, 3]" in message


def test_widths_that_make_no_sense() -> None:
    x = np.ones(2)
    assert "-1" in refused(lambda T, x: T.nn.functional.smooth_l1_loss(x, x, beta=-1), x)
    assert "got 0" in refused(lambda T, x: T.nn.functional.huber_loss(x, x, delta=0), x)
    for T in (ndl, torch):
        with pytest.raises(TypeError, match="delta must be a float or int"):
            T.nn.HuberLoss(delta="1")
