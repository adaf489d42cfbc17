"""The protocol for ``ndl.nn.padding``, pictures that can be checked by eye, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import ndl
from ndl.nn import functional as F
from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.padding")

COPIES = ["reflect", "replicate", "circular"]


@pytest.mark.parametrize(
    ("mode", "row"),
    [
        ("constant", [0, 0, 0, 1, 2, 3, 0, 0]),
        ("reflect", [2, 1, 0, 1, 2, 3, 2, 1]),
        ("replicate", [0, 0, 0, 1, 2, 3, 3, 3]),
        ("circular", [2, 3, 0, 1, 2, 3, 0, 1]),
    ],
)
def test_one_row(mode: str, row: list[int]) -> None:
    assert F.pad(ndl.arange(4)[None], (2, 2), mode=mode)[0].tolist() == row


def test_negative_widths() -> None:
    """A mirror sees what is cut off on the other side; a circle does not."""
    x = ndl.arange(5)[None]
    assert F.pad(x, (-1, 2), mode="circular")[0].tolist() == [1, 2, 3, 4, 1, 2]
    assert F.pad(x, (-1, 2), mode="reflect")[0].tolist() == [1, 2, 3, 4, 3, 2]
    assert F.pad(x, (-1, 2), mode="replicate")[0].tolist() == [1, 2, 3, 4, 4, 4]
    assert F.pad(x, (-1, 2))[0].tolist() == [1, 2, 3, 4, 0, 0]
    assert F.pad(x, (-2, -3))[0].tolist() == []


@pytest.mark.parametrize("mode", COPIES)
def test_gradient_counts_the_copies(mode: str) -> None:
    x = ndl.zeros(1, 1, 3, 4, requires_grad=True)
    y = F.pad(x, (2, 1, 1, 2), mode=mode)
    y.sum().backward()
    assert x.grad.sum().item() == y.numel()


@pytest.mark.parametrize("mode", ["constant", *COPIES])
def test_recorded_gradient(mode: str) -> None:
    """A backward pass that is itself recorded, and its derivative."""

    def run(T: Any, x: Any) -> Any:
        (dx,) = T.autograd.grad((T.nn.functional.pad(x, (2, 1, 0, 2), mode=mode) ** 3).sum(), x, create_graph=True)
        return dx

    same(run, np.random.default_rng(0).standard_normal((2, 3, 4)))


@pytest.mark.parametrize("mode", ["constant", *COPIES])
def test_memory_order_is_kept(mode: str) -> None:
    x = np.random.default_rng(0).standard_normal((2, 4, 5, 3)).transpose(0, 3, 1, 2)
    y = F.pad(ndl.from_numpy(x), (1, 2, 0, 1), mode=mode)
    np.testing.assert_array_equal(
        y.numpy(), torch.nn.functional.pad(torch.from_numpy(x.copy()), (1, 2, 0, 1), mode=mode).numpy()
    )
    assert np.argmin(y.numpy().strides) == 1


@pytest.mark.parametrize("mode", ["constant", *COPIES])
def test_nothing_to_pad(mode: str) -> None:
    """A copy all the same."""
    x = ndl.ones(2, 3)
    y = F.pad(x, (0, 0), mode=mode)
    y.zero_()
    assert x.sum().item() == 6


@pytest.mark.parametrize("mode", ["constant", *COPIES])
def test_empty_batch(mode: str) -> None:
    same(lambda T, x: T.nn.functional.pad(x, (1, 1), mode=mode), np.ones((0, 2, 3)))


def test_values_of_other_types() -> None:
    assert F.pad(ndl.tensor([1, 2]), (1, 0), value=1.5).tolist() == [1, 1, 2]
    assert F.pad(ndl.tensor([True]), (1, 1), value=1).tolist() == [True, True, True]
    assert F.pad(ndl.ones(2), (1, 1), value=float("-inf"))[0].item() == -np.inf


PICTURE = np.arange(24.0).reshape(1, 2, 3, 4)


@pytest.mark.parametrize("mode", ["constant", *COPIES])
def test_wrong_widths(mode: str) -> None:
    assert "3 widths" in refused(lambda T, x: T.nn.functional.pad(x, (1, 2, 3), mode=mode), PICTURE)
    refused(lambda T, x: T.nn.functional.pad(x, (1,) * 10, mode=mode), PICTURE)
    refused(lambda T, x: T.nn.functional.pad(x, (0, -5, 0, 0), mode=mode), PICTURE)
    refused(lambda T, x: T.nn.functional.pad(x, (1.5, 2), mode=mode), PICTURE, error=TypeError)


def test_too_wide() -> None:
    assert "(4, 0)" in refused(lambda T, x: T.nn.functional.pad(x, (4, 0, 0, 0), mode="reflect"), PICTURE)
    assert "(0, 5)" in refused(lambda T, x: T.nn.functional.pad(x, (0, 5, 0, 0), mode="circular"), PICTURE)


@pytest.mark.parametrize("widths", [(-2, -2), (-4, 5), (5, -4), (0, 0, -3, 4)])
def test_nothing_is_left_to_cut_off(widths: tuple) -> None:
    """Also where the other side makes up for it."""
    message = refused(lambda T, x: T.nn.functional.pad(x, widths), np.ones((2, 3)))
    assert "cuts off more than the input [2, 3] has" in message


@pytest.mark.parametrize("mode", COPIES)
def test_dimensions(mode: str) -> None:
    for shape, n in [((5,), 1), ((2, 3), 2), ((2, 3, 4), 3), ((1, 2, 3, 4), 1), ((1, 1, 2, 3, 4, 5), 3)]:
        pad = (1, 1) * n
        refused(lambda T, x, p=pad: T.nn.functional.pad(x, p, mode=mode), np.ones(shape), error=NotImplementedError)
    if mode != "circular":
        refused(lambda T, x: T.nn.functional.pad(x, (1, 1), mode=mode), np.ones((2, 0, 3)))
    refused(lambda T, x: T.nn.functional.pad(x, (1, 1), mode=mode), np.ones((2, 0)))


def test_wrong_arguments() -> None:
    assert "foo" in refused(lambda T, x: T.nn.functional.pad(x, (1, 1), mode="foo"), PICTURE, error=NotImplementedError)
    assert "2.0" in refused(lambda T, x: T.nn.functional.pad(x, (1, 1), mode="reflect", value=2.0), np.ones((2, 3)))
    with pytest.raises(TypeError):
        F.pad([1.0, 2.0], (1, 1))


@pytest.mark.parametrize(
    "text",
    [
        "ConstantPad1d(2, 3.5)",
        "ConstantPad2d((1, 2, 3, 4), 0)",
        "ConstantPad3d(1, 0.0)",
        "ZeroPad1d(2)",
        "ZeroPad2d((1, 1, 2, 0))",
        "ReflectionPad1d([1, 2])",
        "ReflectionPad3d(1)",
        "ReplicationPad2d((1, 2, 3, 4))",
        "CircularPad2d(1)",
    ],
)
def test_modules_look_like_pytorchs(text: str) -> None:
    ours, theirs = eval(f"ndl.nn.{text}"), eval(f"torch.nn.{text}")
    assert repr(ours) == repr(theirs)
    assert ours.padding == theirs.padding


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_circular_modules_check_the_dimensions(dims: int) -> None:
    for ndim in (dims, dims + 3):
        x = np.ones((2,) * ndim)
        message = refused(lambda T, x: getattr(T.nn, f"CircularPad{dims}d")(1)(x), x, error=ValueError)
        assert f"{ndim}D" in message
