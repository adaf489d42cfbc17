"""The protocol for all poolings, and what it cannot say: errors, reprs, memory order, types."""

import platform

import numpy as np
import pytest
import torch

import ndl
from tests.both import same
from tests.proof import proof

test_max_parity, test_max_numeric, test_max_second = proof("nn.max_pool")
test_avg_parity, test_avg_numeric, test_avg_second = proof("nn.avg_pool")
test_adaptive_parity, test_adaptive_numeric, test_adaptive_second = proof("nn.adaptive_pool")
test_unpool_parity, test_unpool_numeric, test_unpool_second = proof("nn.max_unpool")


def both(run) -> tuple:
    """The types of the errors that a program raises in ndl and in PyTorch; None where it raises none."""
    kinds = []
    for T in (ndl, torch):
        try:
            run(T, T.nn.functional, T.ones(2, 3, 6, 7))
            kinds.append(None)
        except Exception as error:
            kinds.append(type(error))
    return tuple(kinds)


REFUSED = {
    "kernel of zero": lambda T, F, x: F.max_pool2d(x, 0),
    "stride of zero": lambda T, F, x: F.max_pool2d(x, 2, 0),
    "negative stride": lambda T, F, x: F.max_pool2d(x, 2, -1),
    "dilation of zero": lambda T, F, x: F.max_pool2d(x, 2, 2, 0, 0),
    "negative padding": lambda T, F, x: F.max_pool2d(x, 2, 2, -1),
    "more padding than half": lambda T, F, x: F.max_pool2d(x, 2, 2, 2),
    "kernel that does not fit": lambda T, F, x: F.max_pool2d(x, 9),
    "three sizes for two dimensions": lambda T, F, x: F.max_pool2d(x, (2, 2, 2)),
    "a kernel that is no int": lambda T, F, x: F.max_pool2d(x, 2.5),
    "wrong rank": lambda T, F, x: F.max_pool2d(x[0, 0], 2),
    "no rows": lambda T, F, x: F.max_pool2d(x[:, :, :0], 2),
    "no channels": lambda T, F, x: F.max_pool2d(x[:, :0], 2),
    "no channels, no batch": lambda T, F, x: F.max_pool2d(x[0, :0], 2),
    "no channels in 1-d": lambda T, F, x: F.max_pool1d(x[0, :, :0], 2),
    "no channels to average": lambda T, F, x: F.avg_pool3d(x[None, :0], 2),
    "no channels, adaptive": lambda T, F, x: F.adaptive_max_pool2d(x[:, :0], 2),
    "truth values": lambda T, F, x: F.max_pool2d(x.bool(), 2),
    "wrong rank in 1-d": lambda T, F, x: F.max_pool1d(x, 2),
    "wrong rank in 3-d": lambda T, F, x: F.max_pool3d(x[0, 0], 2),
    "average, stride of zero": lambda T, F, x: F.avg_pool2d(x, 2, 0),
    "average, divisor of zero": lambda T, F, x: F.avg_pool2d(x, 2, divisor_override=0),
    "average, kernel that does not fit": lambda T, F, x: F.avg_pool2d(x, 9),
    "average, more padding than half": lambda T, F, x: F.avg_pool3d(x, 2, 2, 2),
    "adaptive, negative": lambda T, F, x: F.adaptive_avg_pool2d(x, -1),
    "adaptive, three sizes for two": lambda T, F, x: F.adaptive_avg_pool2d(x, (1, 2, 3)),
    "adaptive, None in 1-d": lambda T, F, x: F.adaptive_avg_pool1d(x[0], None),
    "adaptive, integers": lambda T, F, x: F.adaptive_avg_pool2d(x.long(), 2),
    "adaptive max, negative": lambda T, F, x: F.adaptive_max_pool2d(x, -1),
    "adaptive max, wrong rank": lambda T, F, x: F.adaptive_max_pool2d(x[0, 0], 2),
    "unpool, size out of reach": lambda T, F, x: F.max_unpool2d(x, x.long(), 2, output_size=(12, 16)),
    "unpool, one size for two": lambda T, F, x: F.max_unpool2d(x, x.long(), 2, output_size=(12,)),
    "unpool, index too large": lambda T, F, x: F.max_unpool2d(x, x.long() * 10000, 2),
    "unpool, negative index": lambda T, F, x: F.max_unpool2d(x, x.long() - 10, 2),
    "unpool, int32": lambda T, F, x: F.max_unpool2d(x, x.int(), 2),
    "unpool, integers": lambda T, F, x: F.max_unpool2d(x.long(), x.long(), 2),
    "unpool, one int in a tuple for two": lambda T, F, x: T.nn.MaxUnpool2d((2,))(x, x.long()),
    "average, int32": lambda T, F, x: F.avg_pool2d(x.int(), 2),
    "average, two sizes for one": lambda T, F, x: T.nn.AvgPool1d(2, (1, 1))(x[0]),
    "average, three sizes for two": lambda T, F, x: T.nn.AvgPool2d(2, padding=(1, 1, 1))(x),
    "power average, one int in a tuple for two": lambda T, F, x: F.lp_pool2d(x, 2, (2,)),
    "power average, no int": lambda T, F, x: F.lp_pool2d(x, 2, ()),
    "unpool, other shape": lambda T, F, x: F.max_unpool2d(x, x.long()[:1], 2),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_pytorch_refuses_is_refused_with_the_same_type(name: str) -> None:
    ours, theirs = both(REFUSED[name])
    assert ours is theirs is not None


def test_errors_name_what_was_given_and_what_to_do() -> None:
    x = ndl.ones(2, 3, 6, 7)
    with pytest.raises(RuntimeError, match=r"input size: \(6x7\).*output size: \(0x0\).*use a smaller kernel"):
        ndl.nn.functional.max_pool2d(x, 9)
    with pytest.raises(RuntimeError, match=r"pad should be at most half .* got pad=2, kernel_size=2 and dilation=1"):
        ndl.nn.functional.avg_pool2d(x, 2, 2, 2)
    with pytest.raises(NotImplementedError, match=r'"avg_pool2d" not implemented for int32; .*\.float\(\)'):
        ndl.nn.functional.avg_pool2d(x.int(), 2)
    with pytest.raises(RuntimeError, match=r"invalid max index: 10000 \(output volumes are of size 12x14\)"):
        ndl.nn.functional.max_unpool2d(x, x.long() * 10000, 2)


MODULES = [
    lambda nn: nn.MaxPool2d(2),
    lambda nn: nn.MaxPool2d((2, 3), stride=1, padding=(1, 1), dilation=2, ceil_mode=True),
    lambda nn: nn.AvgPool1d(2, 3, 1),
    lambda nn: nn.AvgPool2d((2, 1), padding=1, divisor_override=3),
    lambda nn: nn.AvgPool3d(2),
    lambda nn: nn.LPPool1d(2, 3),
    lambda nn: nn.LPPool2d(2, 3, stride=1, ceil_mode=True),
    lambda nn: nn.AdaptiveAvgPool2d((3, None)),
    lambda nn: nn.AdaptiveMaxPool3d(3, return_indices=True),
    lambda nn: nn.MaxUnpool1d(2),
    lambda nn: nn.MaxUnpool2d(2, 3, 1),
]


@pytest.mark.parametrize("make", MODULES)
def test_reprs(make) -> None:
    assert repr(make(ndl.nn)) == repr(make(torch.nn))


def test_of_equal_numbers_the_first_in_reading_order_gets_the_gradient() -> None:
    x = ndl.tensor([[[[0.0, 1.0], [1.0, 0.0]]]], requires_grad=True)  # not the one in the first column
    y, places = ndl.nn.functional.max_pool2d(x, 2, return_indices=True)
    y.backward(ndl.full((1, 1, 1, 1), 5.0))
    assert places.tolist() == [[[[1]]]]
    assert x.grad.tolist() == [[[[0.0, 5.0], [0.0, 0.0]]]]


def test_padding_of_a_maximum_is_not_zero() -> None:
    x = -ndl.ones(1, 1, 2, 2)
    assert ndl.nn.functional.max_pool2d(x, 3, 1, 1).tolist() == [[[[-1.0, -1.0], [-1.0, -1.0]]]]


def test_an_infinite_gradient_stays_where_it_belongs() -> None:
    x = ndl.tensor([[[[0.0, 1.0, 2.0, 3.0]]]], requires_grad=True)
    ndl.nn.functional.max_pool2d(x, (1, 2)).backward(ndl.tensor([[[[np.inf, np.nan]]]]))
    np.testing.assert_array_equal(x.grad.numpy(), [[[[0, np.inf, 0, np.nan]]]])


def test_a_window_that_misses_the_input_is_minus_infinity_and_passes_nothing_on() -> None:
    """PyTorch gives -inf too; its index lies outside, so it cannot be compared further."""
    x = ndl.ones(1, 1, 2, 2, requires_grad=True)
    y = ndl.nn.functional.max_pool2d(x, 2, 1, 1, 3)
    y.sum().backward()
    assert y.tolist() == [[[[-np.inf]]]]
    assert not x.grad.numpy().any()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"])
def test_types_stay_as_they_are(name: str, dtype: str) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 6)).astype(dtype)
    t, u = ndl.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = (getattr(T.nn.functional, name)(v, 3) for T, v in ((ndl, t), (torch, u)))
    y.sum().backward()
    z.sum().backward()
    assert y.detach().numpy().dtype == t.grad.numpy().dtype == dtype
    tolerance = 2e-3 if dtype == "float16" else 1e-6
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(t.grad.numpy(), u.grad.numpy(), rtol=tolerance, atol=tolerance)


def test_maxima_of_integers() -> None:
    x = np.random.default_rng(0).integers(-9, 9, (2, 3, 5, 7))
    y, places = ndl.nn.functional.max_pool2d(ndl.tensor(x), 3, 2, 1, return_indices=True)
    z, wanted = torch.nn.functional.max_pool2d(torch.tensor(x), 3, 2, 1, return_indices=True)
    np.testing.assert_array_equal(y.numpy(), z.numpy())
    np.testing.assert_array_equal(places.numpy(), wanted.numpy())


@pytest.mark.parametrize("options", [{}, {"count_include_pad": False, "ceil_mode": True, "padding": 1}], ids=str)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_averages_of_integers_are_rounded_towards_zero(n: int, options: dict) -> None:
    x = np.random.default_rng(n).integers(-(2**56), 2**56, (2, 3, *(6,) * n))
    same(lambda T, x: getattr(T.nn.functional, f"avg_pool{n}d")(x, 3, 2, **options), x)
    same(lambda T, x: getattr(T.nn.functional, f"avg_pool{n}d")(x, (3,), (), **options), x)
    same(lambda T, x: getattr(T.nn.functional, f"lp_pool{n}d")(x.double(), 2, 3, 2), x)


@pytest.mark.parametrize("divisor", [7, -7])
def test_averages_of_integers_over_another_divisor(divisor: int) -> None:
    x = np.arange(-18, 18).reshape(1, 1, 6, 6)
    same(lambda T, x: T.nn.functional.avg_pool2d(x, 2, divisor_override=divisor), x)


def test_power_averages_of_integers() -> None:
    y, z = (T.nn.functional.lp_pool2d(T.arange(-18, 18).reshape(1, 1, 6, 6), 2, 3) for T in (ndl, torch))
    assert y.numpy().dtype == np.float32
    np.testing.assert_allclose(y.numpy(), z.numpy(), rtol=1e-6)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="elsewhere NumPy's maximum of -0 and 0 is 0")
@pytest.mark.parametrize("window", [((1, 2),), (2,), (3, 2, 1), (5, 1, 2)], ids=str)
def test_of_both_zeros_the_first_is_the_maximum(window: tuple) -> None:
    x = np.where(np.random.default_rng(0).random((2, 3, 10, 12)) < 0.5, 0.0, -0.0)
    y, z = (T.nn.functional.max_pool2d(T.from_numpy(x), *window).numpy() for T in (ndl, torch))
    np.testing.assert_array_equal(np.signbit(y), np.signbit(z))


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_memory_order_is_kept(name: str) -> None:
    planes = np.random.default_rng(0).standard_normal((2, 3, 6, 4))
    last = np.ascontiguousarray(planes.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    pool = getattr(ndl.nn.functional, name)
    assert pool(planes, 2).flags.c_contiguous
    assert pool(last, 2).transpose(0, 2, 3, 1).flags.c_contiguous
    np.testing.assert_array_equal(pool(planes, 2), pool(last, 2))
    batch_last = np.ascontiguousarray(planes.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2)
    assert pool(batch_last, 2).transpose(1, 2, 3, 0).flags.c_contiguous
    np.testing.assert_array_equal(pool(planes, 2), pool(batch_last, 2))
    leaf = ndl.from_numpy(batch_last).requires_grad_()
    other = ndl.from_numpy(planes).requires_grad_()
    pool(leaf, 2).square().sum().backward()
    pool(other, 2).square().sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy(), other.grad.numpy(), rtol=1e-15)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"])
def test_expanded_input_and_use_twice_before_one_backward(name: str) -> None:
    results = []
    for T in (ndl, torch):
        x = T.tensor(np.random.default_rng(0).standard_normal((1, 3, 5, 1)), requires_grad=True)
        pool = getattr(T.nn.functional, name)
        y = pool(x.expand(2, 3, 5, 4), 2).sum() + (pool(x, (2, 1)) ** 2).sum()
        y.backward()
        results.append(x.grad.numpy())
    np.testing.assert_allclose(*results, rtol=1e-12)


def test_an_adaptive_output_of_nothing() -> None:
    for name in ("adaptive_avg_pool2d", "adaptive_max_pool2d"):
        x = ndl.ones(2, 3, 4, 5, requires_grad=True)
        y = getattr(ndl.nn.functional, name)(x, (0, 2))
        assert y.shape == (2, 3, 0, 2)
        y.sum().backward()
        assert not x.grad.numpy().any()
    y, places = ndl.nn.functional.adaptive_max_pool2d(ndl.ones(2, 3, 4, 5), (0, 2), return_indices=True)
    assert places.shape == y.shape
    assert places.dtype == ndl.int64
