"""The protocol for ``ndl.nn.dropout``, and the statistics that it promises."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import ndl
from ndl.nn import functional as F
from tests.both import refused
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.dropout")

NAMES = ["dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"]
MODULES = ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"]
SHAPES = {"dropout1d": (2, 3, 4), "dropout3d": (2, 3, 2, 2, 2)}


@pytest.mark.parametrize("name", NAMES)
def test_probability(name: str) -> None:
    for p in (-0.1, 1.5):
        message = refused(
            lambda T, x, p=p: getattr(T.nn.functional, name)(x, p), np.ones((2, 3, 4, 5)), error=ValueError
        )
        assert str(p) in message


@pytest.mark.parametrize("name", MODULES)
def test_modules(name: str) -> None:
    assert repr(getattr(ndl.nn, name)(0.2, True)) == repr(getattr(torch.nn, name)(0.2, True))
    with pytest.raises(ValueError, match="-1"):
        getattr(ndl.nn, name)(-1)


@pytest.mark.parametrize("name", NAMES)
def test_integers_are_refused_in_training(name: str) -> None:
    x = np.ones(SHAPES.get(name, (2, 3, 4, 5)), np.int64)
    refused(lambda T, x: getattr(T.nn.functional, name)(x, 0.5, True), x)
    assert getattr(F, name)(ndl.tensor(x), 0.5, False).dtype == ndl.int64


@pytest.mark.parametrize("name", NAMES)
def test_evaluation_hands_the_input_through(name: str) -> None:
    x = ndl.ones(SHAPES.get(name, (2, 3, 4, 5)))
    if name in ("dropout", "alpha_dropout", "feature_alpha_dropout"):
        assert getattr(F, name)(x, 0.5, False) is x
        assert getattr(F, name)(x, 0.0, True) is x
    np.testing.assert_array_equal(getattr(F, name)(x, 0.5, False).numpy(), x.numpy())


@pytest.mark.parametrize("name", NAMES)
def test_in_place(name: str) -> None:
    ndl.manual_seed(0)
    x = ndl.ones(SHAPES.get(name, (2, 3, 4, 5)))
    y = getattr(F, name)(x, 0.5, True, True)
    assert y is x
    assert len(np.unique(x.numpy())) == 2
    refused(lambda T, x: getattr(T.nn.functional, name)(x, 0.5, True, True), np.ones(tuple(x.shape)))


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_dropped(name: str) -> None:
    x = ndl.ones(SHAPES.get(name, (2, 3, 4, 5)), requires_grad=True)
    y = getattr(F, name)(x, 1.0, True)
    y.sum().backward()
    assert not y.detach().numpy().any()
    assert not x.grad.numpy().any()


def test_mean() -> None:
    ndl.manual_seed(1)
    y = F.dropout(ndl.ones(100_000), 0.3).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1) / np.float32(0.7)}
    assert abs(y.mean() - 1) < 0.01


@pytest.mark.parametrize("name", ["alpha_dropout", "feature_alpha_dropout"])
def test_alpha_dropout_keeps_mean_and_variance(name: str) -> None:
    ndl.manual_seed(1)
    y = getattr(F, name)(ndl.randn(400, 500), 0.3, True).numpy()
    assert abs(y.mean()) < 0.01
    assert abs(y.var() - 1) < 0.02


def test_whole_channels() -> None:
    ndl.manual_seed(2)
    y = F.dropout2d(ndl.ones(4, 8, 3, 3), 0.5).numpy()
    assert (y == y[:, :, :1, :1]).all()
    assert 0 < (y[:, :, 0, 0] == 0).sum() < 32
    z = F.dropout1d(ndl.ones(8, 5), 0.5).numpy()  # (C, L)
    assert (z == z[:, :1]).all()


def test_dimensions() -> None:
    for shape in [(3,), (2, 3, 4, 5)]:
        assert "dropout1d" in refused(lambda T, x: T.nn.functional.dropout1d(x), np.ones(shape))
    refused(lambda T, x: T.nn.functional.feature_alpha_dropout(x, 0.5, True), np.ones(3))
    for name, shape, words in [
        ("dropout2d", (2, 3), "2-D input"),
        ("dropout2d", (2, 3, 4), "3D input"),
        ("dropout3d", (2, 3, 4), "3-D input"),
    ]:
        with pytest.warns(UserWarning, match=words):
            ours = getattr(F, name)(ndl.ones(shape), 0.5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert tuple(ours.shape) == tuple(getattr(torch.nn.functional, name)(torch.ones(shape)).shape)


def test_empty_batch() -> None:
    for name in NAMES:
        shape = (0, *SHAPES.get(name, (2, 3, 4, 5))[1:])
        assert getattr(F, name)(ndl.ones(shape), 0.5, True).shape == shape
