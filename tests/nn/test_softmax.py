"""The protocol for ``ndl.nn.softmax``, and what the cases cannot say."""

from __future__ import annotations

import numpy as np
import pytest

import ndl
from ndl.nn import functional as F
from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.softmax")

NAMES = ["softmax", "log_softmax", "softmin"]


@pytest.mark.parametrize("name", NAMES)
def test_extreme_values(name: str) -> None:
    for row in ([1e4, -1e4, 0], [np.inf, 0, 1], [-np.inf, -np.inf, 0], [np.nan, 0, 1], [1e308, -1e308, 0]):
        same(lambda T, x: getattr(T.nn.functional, name)(x, dim=0), np.array(row, float))


@pytest.mark.parametrize("name", NAMES)
def test_shapes(name: str) -> None:
    for shape, dim in [((), 0), ((1,), 0), ((0,), 0), ((0, 3), 1), ((3, 0), 1), ((1, 1, 1), -2)]:
        same(lambda T, x, dim=dim: getattr(T.nn.functional, name)(x, dim=dim), np.full(shape, 0.3))


@pytest.mark.parametrize("name", NAMES)
def test_wrong_arguments(name: str) -> None:
    assert "5" in refused(lambda T, x: getattr(T.nn.functional, name)(x, dim=5), np.ones((2, 3)), error=IndexError)
    refused(lambda T, x: getattr(T.nn.functional, name)(x, dim=0), np.ones(3, np.int64), error=NotImplementedError)


@pytest.mark.parametrize("name", NAMES)
def test_the_dimension_that_was_not_given(name: str) -> None:
    for shape in [(3,), (2, 3), (2, 3, 4), (2, 3, 4, 5)]:
        x = ndl.randn(*shape)
        with pytest.warns(UserWarning, match="Implicit dimension choice"):
            y = getattr(F, name)(x)
        want = getattr(F, name)(x, dim=0 if len(shape) in (1, 3) else 1)
        np.testing.assert_array_equal(y.numpy(), want.numpy())


def test_softmax_2d_wants_pictures() -> None:
    message = refused(lambda T, x: T.nn.Softmax2d()(x), np.ones((2, 3)), error=ValueError)
    assert "2D" in message


def test_gumbel_softmax_chooses_in_proportion() -> None:
    """The one-hot choices are samples of softmax(logits)."""
    ndl.manual_seed(3)
    p = np.array([0.1, 0.2, 0.7])
    choices = F.gumbel_softmax(ndl.tensor(np.log(p)).expand(20_000, 3), hard=True)
    assert set(np.unique(np.round(choices.numpy(), 12))) == {0.0, 1.0}
    np.testing.assert_allclose(choices.numpy().mean(0), p, atol=0.02)


def test_gumbel_softmax_warns_of_eps() -> None:
    with pytest.warns(UserWarning, match="eps"):
        F.gumbel_softmax(ndl.zeros(3), eps=1e-3)


@pytest.mark.parametrize("dim", [0, 1, 2])
def test_on_threads(dim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shares of large arrays give the numbers of one piece, in both memory orders."""
    from ndl.nn import softmax as room

    x = np.random.default_rng(0).standard_normal((7, 5, 6))
    found = []
    for large in (10**9, 1):
        monkeypatch.setattr(room, "LARGE", large)
        for array in (x, np.asfortranarray(x)):
            leaf = ndl.from_numpy(array).requires_grad_()
            for function in (ndl.nn.functional.softmax, ndl.nn.functional.log_softmax):
                y = function(leaf, dim)
                y.backward(ndl.from_numpy(np.cos(x)))
                found.append((y.detach().numpy(), leaf.grad.numpy().copy()))
                leaf.grad = None
    for y, dx in found[4:]:
        assert any(np.array_equal(y, v) and np.array_equal(dx, w) for v, w in found[:4])
