"""The protocol for ``ndl.nn.pixel_shuffle``, where each pixel goes, types and errors."""

import numpy as np
import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.pixel_shuffle")

F = ndl.nn.functional


def test_where_each_pixel_goes() -> None:
    """y[c, h·r + i, w·r + j] = x[c·r² + i·r + j, h, w], written as loops."""
    x = np.arange(2 * 9 * 2 * 3.0).reshape(18, 2, 3)
    y = F.pixel_shuffle(ndl.from_numpy(x), 3).numpy()
    for c, h, w, i, j in np.ndindex(2, 2, 3, 3, 3):
        assert y[c, h * 3 + i, w * 3 + j] == x[c * 9 + i * 3 + j, h, w]
    np.testing.assert_array_equal(F.pixel_unshuffle(ndl.from_numpy(y), 3), x)


def test_channel_shuffle_is_undone_by_the_other_number_of_groups() -> None:
    x = ndl.randn(2, 12, 3, 2)
    assert ndl.equal(F.channel_shuffle(F.channel_shuffle(x, 3), 4), x)
    assert F.channel_shuffle(ndl.arange(6).reshape(1, 6, 1), 2).flatten().tolist() == [0, 3, 1, 4, 2, 5]
    assert ndl.equal(F.native_channel_shuffle(x, 3), ndl.channel_shuffle(x, 3))


@pytest.mark.parametrize("name", ["pixel_shuffle", "pixel_unshuffle", "channel_shuffle"])
def test_types_empty_inputs_and_new_memory(name: str) -> None:
    for T in (ndl, torch):
        run = getattr(T.nn.functional, name)
        assert run(T.ones(0, 4, 6, 6), 2).shape[0] == 0
        assert run(T.ones(2, 4, 6, 6).bool(), 2).dtype == T.bool
        assert run(T.ones(2, 4, 6, 6).long(), 2).dtype == T.int64
    x = ndl.ones(2, 4, 6, 6)
    y = getattr(F, name)(x, 1)
    y.zero_()
    assert x.sum() == x.numel()


def test_used_twice_before_one_backward() -> None:
    layer = ndl.nn.PixelShuffle(2)
    x = ndl.randn(1, 4, 2, 2, requires_grad=True)
    (layer(x) + 2 * layer(x)).sum().backward()
    np.testing.assert_array_equal(x.grad, np.full((1, 4, 2, 2), 3.0))


WRONG = [
    (RuntimeError, lambda F, x: F.pixel_shuffle(x, 3)),
    (RuntimeError, lambda F, x: F.pixel_shuffle(x, 0)),
    (RuntimeError, lambda F, x: F.pixel_shuffle(x, -1)),
    (RuntimeError, lambda F, x: F.pixel_shuffle(x[0, 0], 2)),
    (TypeError, lambda F, x: F.pixel_shuffle(x, 2.0)),
    (RuntimeError, lambda F, x: F.pixel_unshuffle(x, 4)),
    (RuntimeError, lambda F, x: F.pixel_unshuffle(x[..., :4, :], 4)),
    (RuntimeError, lambda F, x: F.pixel_unshuffle(x, 0)),
    (RuntimeError, lambda F, x: F.pixel_unshuffle(x[0, 0], 2)),
    (RuntimeError, lambda F, x: F.channel_shuffle(x, 3)),
    (RuntimeError, lambda F, x: F.channel_shuffle(x, 0)),
    (RuntimeError, lambda F, x: F.channel_shuffle(x[0, 0], 2)),
    (TypeError, lambda F, x: F.channel_shuffle(x, 2.0)),
]


@pytest.mark.parametrize(("error", "run"), WRONG)
def test_wrong_arguments_raise_what_pytorch_raises(error: type[Exception], run) -> None:
    messages = []
    for T in (ndl, torch):
        with pytest.raises(error) as caught:
            run(T.nn.functional, T.ones(2, 4, 6, 6))
        messages.append(str(caught.value))
    if error is RuntimeError:
        assert messages[0] == messages[1]


@pytest.mark.parametrize(
    "make", [lambda nn: nn.PixelShuffle(2), lambda nn: nn.PixelUnshuffle(3), lambda nn: nn.ChannelShuffle(4)]
)
def test_reprs(make) -> None:
    assert repr(make(ndl.nn)) == repr(make(torch.nn))
