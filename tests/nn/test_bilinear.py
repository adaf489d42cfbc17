"""The protocol for ``ndl.nn.bilinear``, its first values, and what is refused."""

import numpy as np
import pytest
import torch

import ndl
from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.bilinear")

X, Z, W, B = np.ones((2, 3)), np.ones((2, 4)), np.ones((5, 3, 4)), np.ones(5)


def test_it_is_a_quadratic_form() -> None:
    rng = np.random.default_rng(0)
    x, W = rng.standard_normal(3), rng.standard_normal((1, 3, 3))
    np.testing.assert_allclose(ndl.bilinear(x, x, W), [x @ W[0] @ x])


def test_the_same_input_twice() -> None:
    same(lambda T, x, W: T.nn.functional.bilinear(x, x, W), X * 2, np.arange(18.0).reshape(2, 3, 3))


@pytest.mark.parametrize("N", [0, 1])
def test_empty_batch_and_one_sample(N) -> None:
    same(lambda T, x, z, W, b: T.nn.functional.bilinear(x, z, W, b), X[:N], Z[:N], W, B)


def test_first_values_are_pytorchs() -> None:
    for bias in (True, False):
        modules = []
        for T in (ndl, torch):
            T.manual_seed(3)
            modules.append(T.nn.Bilinear(3, 4, 5, bias=bias))
        ours, theirs = modules
        assert repr(ours) == repr(theirs)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for a, b in zip(ours.state_dict().values(), theirs.state_dict().values()):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


REFUSED = [
    (lambda T, x, z, W, b: T.nn.functional.bilinear(x[:, :2], z, W), "input1 size does not match weight size: got 2"),
    (lambda T, x, z, W, b: T.nn.functional.bilinear(x, z[:, :2], W), "input2 size does not match weight size: got 2"),
    (lambda T, x, z, W, b: T.nn.functional.bilinear(x, z[None], W), "dimensions do not match: got 2 and 3"),
    (
        lambda T, x, z, W, b: T.nn.functional.bilinear(x[:1], z, W),
        "batch dimensions do not match at dim 0: got 1 and 2",
    ),
    (lambda T, x, z, W, b: T.nn.functional.bilinear(x, z, W, b[:4]), "bias size does not match weight size"),
    (lambda T, x, z, W, b: T.nn.functional.bilinear(x.float(), z, W, b), "got input1: float32, input2: float64"),
]


@pytest.mark.parametrize(("program", "message"), REFUSED)
def test_what_pytorch_refuses_is_refused(program, message) -> None:
    assert message in refused(program, X, Z, W, B)


def test_a_layer_without_inputs() -> None:
    for T in (ndl, torch):
        with pytest.raises(ValueError, match=r"in1_features must be > 0, but got \(in1_features=0\)"):
            T.nn.Bilinear(0, 2, 3)
