"""``nn.init``: the same seed gives PyTorch's numbers; the gains and the errors are PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import ndl

SHAPES = [(20, 30), (8, 4, 3, 3), (5, 7, 3)]
CASES = [
    ("uniform_", {"a": -1.0, "b": 2.0}),
    ("normal_", {"mean": 1.0, "std": 0.5}),
    ("trunc_normal_", {"std": 0.7, "a": -1.0, "b": 1.5}),
    ("constant_", {"val": 0.3}),
    ("ones_", {}),
    ("zeros_", {}),
    ("xavier_uniform_", {"gain": 1.5}),
    ("xavier_normal_", {}),
    ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}),
    ("kaiming_uniform_", {"a": 0.2}),
    ("kaiming_normal_", {"nonlinearity": "tanh"}),
    ("orthogonal_", {"gain": 2.0}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("shape", SHAPES)
def test_values(name: str, options: dict, shape: tuple) -> None:
    results = []
    for T in (ndl, torch):
        T.manual_seed(7)
        t = T.zeros(shape)
        assert getattr(T.nn.init, name)(t, **options) is t
        results.append(t.numpy())
    np.testing.assert_allclose(*results, rtol=2e-5, atol=2e-6)


def test_matrix_and_convolution_identities() -> None:
    for name, shape, options in (
        ("eye_", (3, 5), {}),
        ("dirac_", (4, 2, 3, 3), {"groups": 2}),
        ("dirac_", (3, 5, 4), {}),
        ("sparse_", (10, 4), {"sparsity": 0.35}),
    ):
        results = []
        for T in (ndl, torch):
            T.manual_seed(1)
            results.append(getattr(T.nn.init, name)(T.ones(shape), **options).numpy())
        np.testing.assert_array_equal(*results)


def test_orthogonal_rows_and_columns() -> None:
    for shape in ((4, 9), (9, 4)):
        w = ndl.nn.init.orthogonal_(ndl.zeros(shape, dtype=ndl.float64), gain=3).numpy()
        gram = w @ w.T if shape[0] < shape[1] else w.T @ w
        np.testing.assert_allclose(gram, 9 * np.eye(4), atol=1e-12)


def test_variances_are_kept() -> None:
    """Kaiming through ten ReLU layers: the second moment neither dies nor explodes."""
    ndl.manual_seed(0)
    x = ndl.randn(500, 256)
    for _ in range(10):
        x = ndl.relu(x @ ndl.nn.init.kaiming_normal_(ndl.zeros(256, 256), nonlinearity="relu").T)
    assert 0.3 < (x * x).mean().item() < 3


def test_gains() -> None:
    for name, param in (("linear", None), ("conv2d", None), ("tanh", None), ("relu", None), ("selu", None),
                        ("sigmoid", None), ("leaky_relu", None), ("leaky_relu", 0.3)):  # fmt: skip
        assert ndl.nn.init.calculate_gain(name, param) == torch.nn.init.calculate_gain(name, param)


def test_errors() -> None:
    init = ndl.nn.init
    with pytest.raises(ValueError, match="fewer than 2 dimensions"):
        init.xavier_uniform_(ndl.zeros(3))
    with pytest.raises(ValueError, match="Mode middle not supported"):
        init.kaiming_uniform_(ndl.zeros(3, 3), mode="middle")
    with pytest.raises(ValueError, match="Unsupported nonlinearity"):
        init.calculate_gain("bent")
    with pytest.raises(ValueError, match="2 dimensions"):
        init.eye_(ndl.zeros(3))
    with pytest.raises(ValueError, match="divisible by groups"):
        init.dirac_(ndl.zeros(3, 2, 3), groups=2)
    with pytest.warns(UserWarning, match="no-op"):
        init.kaiming_uniform_(ndl.zeros(0, 3))
    with pytest.warns(UserWarning, match="more than 2 std"):
        init.trunc_normal_(ndl.zeros(5), mean=10.0)


def test_parameters_may_be_written() -> None:
    p = ndl.nn.Parameter(ndl.zeros(3, 3))
    ndl.nn.init.ones_(p)
    assert p.requires_grad and p.is_leaf and (p == 1).all()


OLD = "constant dirac eye kaiming_normal kaiming_uniform normal orthogonal sparse uniform xavier_normal xavier_uniform"


@pytest.mark.parametrize("name", OLD.split())
def test_older_names(name: str) -> None:
    options = {"constant": (3,), "sparse": (0.3,)}.get(name, ())
    found = []
    for T in (ndl, torch):
        T.manual_seed(0)
        w = T.zeros((2, 3, 3) if name == "dirac" else (4, 3))
        with pytest.warns(FutureWarning, match=f"nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`"):
            assert getattr(T.nn.init, name)(w, *options) is w
        found.append(w.tolist())
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_fans_for_initialisations_of_ones_own() -> None:
    for T in (ndl, torch):
        w = T.zeros(4, 3, 5, 5)
        assert T.nn.init._calculate_fan_in_and_fan_out(w) == (75, 100)
        assert T.nn.init._calculate_correct_fan(w, "fan_out") == 100
