import numpy as np
import pytest

import ndl
from tests.both import agree, refused, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.cumulative")

X = np.random.default_rng(0).standard_normal((3, 4, 5))
NAN, INF = float("nan"), float("inf")


def test_forms():
    same(
        lambda T, x: (x.cumsum(0), T.cumsum(x, dim=-1), x.cumprod(axis=1), x.logcumsumexp(2), T.diff(x), x.diff(2, 0)),
        X,
    )
    same(lambda T, z: (z.cumsum(0), z.cumprod(-1), z.logcumsumexp(0), z.cummax(0), z.cummin(0)), np.array(3.0))
    same(
        lambda T, e: (e.cumsum(0), e.cumprod(1), e.logcumsumexp(0), e.cummax(0), e.cummin(1), e.diff()),
        np.zeros((0, 2)),
    )


def test_layouts():
    same(lambda T, x: (x.transpose(0, 2).cumsum(0), x[..., ::2].cumprod(2), x.expand(2, 3, 4, 5).cumsum(0)), X)
    same(lambda T, x: (x.transpose(0, 2).logcumsumexp(1), x.flip(0).cummax(0), x[0, 0].expand(3, 5).cummin(0)), X)


def test_special_values():
    w = np.array([[1.0, NAN, -INF], [0.0, INF, 3.0], [-INF, -INF, 2.0], [-INF, INF, 0.0]])
    same(lambda T, x: (x.cumsum(1), x.cummax(1), x.cummin(0)), w)
    agree(lambda T: str(T.tensor(w).cumprod(1).tolist()))
    agree(lambda T: str([[round(v, 9) for v in line] for line in T.tensor(w).logcumsumexp(1).tolist()]))


def test_closed_forms():
    x = ndl.tensor([2.0, 3.0, 5.0], requires_grad=True)
    x.cumsum(0).sum().backward()
    assert x.grad.tolist() == [3, 2, 1]
    x.grad = None
    x.cumprod(0).sum().backward()  # x + x y + x y z
    assert x.grad.tolist() == [1 + 3 + 15, 2 + 10, 6]


def test_cumprod_with_zeros():
    x = ndl.tensor([2.0, 0.0, 5.0, 0.0], dtype=ndl.float64, requires_grad=True)
    (g,) = ndl.autograd.grad(x.cumprod(0).sum(), x, create_graph=True)  # a + ab + abc + abcd
    assert g.tolist() == [1, 2 + 10, 0, 0]
    assert ndl.autograd.grad(g[1], x)[0].tolist() == [1 + 5, 0, 2, 10]


def test_a_long_growth_is_followed_without_overflow():
    x = ndl.tensor([-1000.0, 0.0, 1000.0, 1000.0], dtype=ndl.float64, requires_grad=True)
    y = x.logcumsumexp(0)
    assert np.allclose(y.detach().numpy(), [-1000, 0, 1000, 1000 + np.log(2)], rtol=1e-15)
    y.backward(ndl.ones(4, dtype=ndl.float64))
    assert np.allclose(x.grad.numpy(), [1, 1, 1.5, 0.5])
    assert ndl.autograd.gradgradcheck(
        lambda t: (400 * t).logcumsumexp(0), (ndl.tensor([0.1, 2.3, 4.0]).double().requires_grad_(),)
    )


def test_cummax_names_the_latest_of_equal_ones():
    found = ndl.tensor([1.0, 3.0, 2.0, 3.0, NAN, 9.0, NAN]).cummax(0)
    assert found.indices.tolist() == [0, 1, 1, 3, 4, 4, 6]
    assert type(found).__name__ == "cummax" and repr(found).startswith("ndl.return_types.cummax(\nvalues=tensor(")


def test_float32_is_summed_in_float64():
    x = ndl.full((1 << 20,), 0.1)
    assert x.cumsum(0)[-1].item() == pytest.approx((1 << 20) * float(np.float32(0.1)), rel=1e-7)


def test_differences():
    same(lambda T, x: (x.diff(n=0), x.diff(n=4, dim=0), x.diff(prepend=x, append=x[..., :1], dim=2)), X)
    agree(
        lambda T: [T.tensor([True, False, False]).diff().tolist(), T.tensor([3, 1, 200], dtype=T.uint8).diff().tolist()]
    )
    x = ndl.ones(3)
    assert x.diff(n=0).data_ptr() != x.data_ptr()


def test_in_place():
    same(lambda T, x: ((x * 1).cumsum_(1), (x * 1).cumprod_(dim=0)), X)

    def half(T, x):
        y = x * 2
        y[:, 1:].cumsum_(1)
        return y

    same(half, X)
    refused(lambda T, x: x.cumsum_(0), X)


def test_what_may_be_written_in_place_afterwards():
    def change(name, what):
        def program(T, x):
            y = x * 2
            z = getattr(y, name)(0)
            (y if what == "input" else z).add_(1)
            return y, z

        return program

    same(change("cumsum", "input"), X)
    same(change("cumsum", "result"), X)
    for name in ("cumprod", "logcumsumexp"):
        refused(change(name, "input"), X)
        refused(change(name, "result"), X)


@refusals(
    (lambda T, x, z: x.cumsum(2), "Dimension out of range (expected to be in range of [-2, 1], but got 2)"),
    (lambda T, x, z: x.cumsum(), "dim"),
    (lambda T, x, z: x.cummax(5), "Dimension out of range"),
    (lambda T, x, z: x.int().logcumsumexp(0), "not implemented for int32"),
    (lambda T, x, z: z.diff(), "at least one-dimensional"),
    (lambda T, x, z: x.diff(n=-1), "order must be non-negative but got -1"),
    (lambda T, x, z: x.diff(prepend=T.zeros(2)), "same dimension as input"),
    (lambda T, x, z: T.cumprod([1.0], 0), "must be Tensor, not list"),
)
def test_refused(program, message):
    check(program, message)
