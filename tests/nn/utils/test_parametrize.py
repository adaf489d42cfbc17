"""``ndl.nn.utils.parametrize``, and the weight and spectral norms built on it, against PyTorch's."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.utils.parametrizations")
LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


def symmetric(T: Any, inverse: bool = True) -> Any:
    class Symmetric(T.nn.Module):
        def forward(self, X: Any) -> Any:
            return X.triu() + X.triu(1).mT

    if inverse:
        Symmetric.right_inverse = lambda self, A: A.triu()
    return Symmetric()


@LIBRARIES
def test_a_symmetric_weight(T: Any) -> None:
    P = T.nn.utils.parametrize
    m = T.nn.Linear(3, 3)
    before = m.weight
    assert P.register_parametrization(m, "weight", symmetric(T)) is m
    assert type(m).__name__ == "ParametrizedLinear" and P.type_before_parametrizations(m) is T.nn.Linear
    assert P.is_parametrized(m) and P.is_parametrized(m, "weight") and not P.is_parametrized(m, "bias")
    assert m.parametrizations.weight.original is before
    assert list(m.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert (m.weight == m.weight.mT).all()
    m(T.ones(2, 3)).sum().backward()
    np.testing.assert_allclose(before.grad.numpy(), [[2, 4, 4], [0, 2, 4], [0, 0, 2]])
    A = T.ones(3, 3)
    m.weight = A
    assert (m.weight == A).all() and (before == A.triu()).all()
    other = copy.deepcopy(m)
    assert (other.weight == A).all() and other.parametrizations.weight.original is not before
    with pytest.raises(RuntimeError, match="state_dict"):
        pickle.dumps(m)
    P.remove_parametrizations(m, "weight")
    assert type(m) is T.nn.Linear and m.weight is before and (before == A).all()
    assert list(m.state_dict()) == ["bias", "weight"]


@LIBRARIES
def test_two_on_one_tensor_and_the_cache(T: Any) -> None:
    P = T.nn.utils.parametrize
    calls = []

    class Double(T.nn.Module):
        def forward(self, X: Any) -> Any:
            calls.append(1)
            return 2 * X

    m = T.nn.Linear(2, 2)
    P.register_parametrization(m, "weight", symmetric(T))
    P.register_parametrization(m, "weight", Double())
    original = m.parametrizations.weight.original
    np.testing.assert_array_equal(m.weight.detach().numpy()[0], 2 * original.detach().numpy()[0])
    calls.clear()
    with P.cached():
        assert m.weight is m.weight
    assert len(calls) == 1 and m.weight is not m.weight
    with pytest.raises(RuntimeError, match="right_inverse"):
        m.weight = T.ones(2, 2)
    P.remove_parametrizations(m, "weight", leave_parametrized=False)
    assert m.weight is original


@LIBRARIES
def test_what_does_not_fit(T: Any) -> None:
    P = T.nn.utils.parametrize

    class Half(T.nn.Module):
        def forward(self, X: Any) -> Any:
            return X[:1]

    class Wide(T.nn.Module):
        def forward(self, X: Any) -> Any:
            return X.double()

    m = T.nn.Linear(2, 2)
    for made, words in ((Half(), "shape"), (Wide(), "dtype")):
        with pytest.raises(ValueError, match=words):
            P.register_parametrization(m, "weight", made)
        assert type(m) is T.nn.Linear
    P.register_parametrization(m, "weight", Half(), unsafe=True)
    assert m.weight.shape == (1, 2)
    with pytest.raises(ValueError, match="does not have"):
        P.register_parametrization(m, "nothing", Half())
    with pytest.raises(ValueError, match="does not have"):
        P.remove_parametrizations(m, "bias")


@LIBRARIES
def test_buffers_and_transfer(T: Any) -> None:
    P = T.nn.utils.parametrize
    m = T.nn.BatchNorm1d(2)

    class Negative(T.nn.Module):
        def forward(self, X: Any) -> Any:
            return -X

        def right_inverse(self, X: Any) -> Any:
            return -X

    P.register_parametrization(m, "running_var", Negative())
    assert (m.running_var == 1).all() and (m.parametrizations.running_var.original == -1).all()
    a, b = T.nn.Linear(2, 2), T.nn.Linear(2, 2)
    P.register_parametrization(a, "weight", symmetric(T))
    P.transfer_parametrizations_and_params(a, b)
    assert (a.weight == b.weight).all()


def test_repr_and_initial_values_of_the_norms() -> None:
    for make in (
        lambda T: T.nn.utils.parametrizations.weight_norm(T.nn.Linear(3, 2)),
        lambda T: T.nn.utils.parametrizations.weight_norm(T.nn.Conv2d(3, 2, 3), dim=None),
        lambda T: T.nn.utils.parametrizations.spectral_norm(T.nn.Linear(3, 2)),
        lambda T: T.nn.utils.parametrizations.spectral_norm(T.nn.ConvTranspose2d(3, 2, 3)),
        lambda T: T.nn.utils.spectral_norm(T.nn.Conv2d(3, 2, 3)),
    ):
        made = []
        for T in (ndl, torch):
            T.manual_seed(1)
            made.append(make(T))
        ours, theirs = made
        assert repr(ours) == repr(theirs)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=1e-6)


def test_the_largest_singular_value_becomes_one() -> None:
    ndl.manual_seed(0)
    m = ndl.nn.utils.parametrizations.spectral_norm(ndl.nn.Linear(6, 5), n_power_iterations=50)
    assert np.linalg.norm(m.weight.detach().numpy(), 2) == pytest.approx(1, rel=1e-4)
    w = ndl.nn.utils.parametrizations.weight_norm(ndl.nn.Linear(6, 5))
    with ndl.no_grad():
        w.parametrizations.weight.original0.fill_(3)
    np.testing.assert_allclose(np.linalg.norm(w.weight.detach().numpy(), axis=1), 3, rtol=1e-6)


@pytest.mark.filterwarnings("ignore:Initializing zero-element")
@LIBRARIES
def test_a_weight_without_rows_is_normalised(T: Any) -> None:
    m = T.nn.utils.parametrizations.spectral_norm(T.nn.Linear(2, 0))
    y = m(T.ones(3, 2))
    y.sum().backward()
    assert tuple(y.shape) == (3, 0)
    assert tuple(m.parametrizations.weight.original.grad.shape) == (0, 2)


@LIBRARIES
def test_the_older_weight_norm(T: Any) -> None:
    U = T.nn.utils
    m = T.nn.Linear(3, 2)
    W = m.weight.detach().clone()
    with pytest.warns(FutureWarning):
        U.weight_norm(m)
    assert list(m.state_dict()) == ["bias", "weight_g", "weight_v"] and m.weight_g.shape == (2, 1)
    assert T.allclose(m.weight, W)
    x = T.ones(1, 3)
    m(x).sum().backward()
    assert m.weight_g.grad is not None and m.weight_v.grad.abs().max() > 0
    with pytest.warns(FutureWarning), pytest.raises(RuntimeError, match="two weight_norm hooks"):
        U.weight_norm(m)
    new = U.parametrizations.weight_norm(T.nn.Linear(3, 2))
    new.load_state_dict(m.state_dict())
    assert T.allclose(new(x), m(x))
    U.remove_weight_norm(m)
    assert list(m.state_dict()) == ["bias", "weight"] and T.allclose(m.weight, W)
    with pytest.raises(ValueError, match="not found"):
        U.remove_weight_norm(m)


@LIBRARIES
def test_the_older_spectral_norm(T: Any) -> None:
    U = T.nn.utils
    T.manual_seed(0)
    m = U.spectral_norm(T.nn.Linear(4, 3), n_power_iterations=30)
    assert sorted(m.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
    m(T.ones(1, 4)).sum().backward()
    assert m.weight_orig.grad is not None
    assert np.linalg.norm(m.weight.detach().numpy(), 2) == pytest.approx(1, rel=1e-3)
    with pytest.raises(RuntimeError, match="two spectral_norm hooks"):
        U.spectral_norm(m)
    U.remove_spectral_norm(m)
    assert sorted(m.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match="not found"):
        U.remove_spectral_norm(m)
    with pytest.raises(ValueError, match="positive"):
        U.spectral_norm(m, n_power_iterations=0)
