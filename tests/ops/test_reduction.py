import numpy as np
import pytest
import torch

import ndl
from tests.both import agree, refused, same
from tests.ops.raising import check, refusals
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.reduction")

X = np.arange(24.0).reshape(2, 3, 4) / 7
NAN, INF = float("nan"), float("inf")


def dtype_of(t):
    return str(t.dtype).split(".")[-1]


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "nansum", "all", "any", "cumsum"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"])
def test_result_types(name: str, dtype: str) -> None:
    def result(T):
        x = T.tensor([[1, 0], [2, 3]]).to(getattr(T, dtype))
        try:
            y = x.cumsum(0) if name == "cumsum" else getattr(x, name)(0)
        except (RuntimeError, NotImplementedError) as e:
            return type(e).__name__
        return dtype_of(y), y.tolist()

    agree(result)


def test_a_type_is_converted_before_it_is_reduced():
    def result(T):
        x = T.tensor([200, 100], dtype=T.uint8)
        sums = [x.sum(dtype=T.uint8), x.sum(dtype=T.float32), x.prod(dtype=T.float64), x.sum(dtype=T.bool)]
        means = [x.mean(dtype=T.float64), T.mean(x, 0, dtype=T.float32), x.nansum(dtype=T.float32)]
        return [(dtype_of(t), t.tolist()) for t in sums + means]

    agree(result)
    same(lambda T, x: (x.sum(0, dtype=T.float64), x.prod(0, dtype=T.float64), x.mean(dtype=T.float64)), X)


def test_everything_and_nothing():
    same(lambda T, x: (x.sum(), x.sum(None), x.sum(()), x.sum([]), x.sum(dim=None, keepdim=True), x.sum((0, 1, 2))), X)
    same(lambda T, z: (z.sum(0), z.mean(-1), z.prod(0), z.logsumexp(0), z.sum(), z.nanmean(0, True)), np.array(3.0))
    same(lambda T, e: (e.sum(), e.prod(), e.sum(0), e.sum(1), e.prod(0), e.logsumexp(0)), np.zeros((0, 2)))
    agree(lambda T: [str(T.zeros(0, 2).mean().item()), str(T.zeros(0, 2).nanmean(0).tolist())])
    agree(
        lambda T: [t.tolist() for t in (T.zeros(0).all(), T.zeros(0).any(), T.zeros(0, 2).all(0), T.zeros(2).any(()))]
    )


def test_names_of_numpy():
    same(lambda T, x: (x.sum(axis=(0, 1), keepdims=True), x.mean(axis=1), x.prod(axis=-1), T.logsumexp(x, axis=0)), X)
    t = ndl.from_numpy(X).requires_grad_()
    y = np.sum(t, axis=0) + np.mean(t, axis=0) + np.prod(t, axis=0)
    assert np.allclose(y.detach().numpy(), X.sum(0) + X.mean(0) + X.prod(0))
    y.sum().backward()
    assert t.grad is not None
    assert np.all(t.detach() >= 0) and not np.any(t.detach() < 0)


def test_on_plain_arrays_they_just_compute():
    for name in ("sum", "mean", "prod", "nansum", "all", "any", "count_nonzero"):
        y = getattr(ndl, name)(X, 1)
        assert type(y) is np.ndarray and y.shape == (2, 4)
    assert ndl.sum(np.float64(2.5)) == 2.5


def test_layouts():
    same(
        lambda T, x: (x.permute(2, 0, 1).sum(0), x[:, ::2].mean(1), x.expand(3, 2, 3, 4).sum((0, 2)), x.flip(1).sum(1)),
        X,
    )
    same(lambda T, x: T.logsumexp(x.transpose(0, 2), (0, 1), True) + x[1].t().prod(0).sum(), X)


def test_the_gradient_of_a_sum_can_be_used_and_written():
    x = ndl.from_numpy(X.copy()).requires_grad_()
    x.sum().backward()
    assert x.grad is not None
    x.grad[0] += 1  # one element must not be another
    assert np.array_equal(x.grad.numpy(), (X >= 0) + np.array([1, 0]).reshape(2, 1, 1))
    same(lambda T, x: (x.sum(1).sum(), (x * x.sum(1, keepdim=True)).mean(), x.mean() * x), X)


def test_large_values():
    same(lambda T, x: (x.logsumexp(0), x.mean(), x.sum()), np.array([1e300, -1e300, 1e300]))
    same(lambda T, x: (x.sum(), x.prod(), x.mean()), np.array([INF, -INF, 1.0]))
    same(lambda T, x: x.logsumexp(1), np.array([[-INF, -INF], [INF, 0], [-INF, 0], [NAN, 1], [INF, INF]]))
    agree(lambda T: T.full((3,), 1e38).sum().item())
    agree(lambda T: T.full((1000,), 60000.0, dtype=T.float16).mean().item())  # the sum is beyond float16


@pytest.mark.parametrize("zeros", [[], [1], [0, 2], [0, 1, 2]])
def test_a_product_with_zeros_has_first_and_second_derivatives(zeros: list) -> None:
    values = np.array([2.0, -3.0, 0.5])
    values[zeros] = 0

    def hessian(T):
        x = T.tensor(values, requires_grad=True)
        (g,) = T.autograd.grad(x.prod(), x, create_graph=True)
        return [g.tolist()] + [T.autograd.grad(g[i], x, retain_graph=True)[0].tolist() for i in range(3)]

    x, y, z = values
    assert hessian(ndl) == [[y * z, x * z, x * y], [0, z, y], [z, 0, x], [y, x, 0]]


def test_what_may_be_written_in_place_afterwards():
    """As in PyTorch: what the backward keeps must stay, the rest may change."""
    for name in ("sum", "mean", "prod", "logsumexp"):
        arguments = (0,) if name == "logsumexp" else ()

        def change_input(T, x, name=name, arguments=arguments):
            y = x * 2
            z = getattr(y, name)(*arguments)
            y.add_(1)
            return z, y

        def change_result(T, x, name=name, arguments=arguments):
            z = getattr(x * 2, name)(*arguments)
            return z.add_(1)

        if name in ("sum", "mean"):
            same(change_input, X)
            same(change_result, X)
        else:
            assert "modified by an inplace operation" in refused(change_input, X)
            refused(change_result, X)


def test_used_twice_before_one_backward():
    def program(T, x):
        s = x.sum(0)
        return s * s.mean(), s.logsumexp(-1) + x.sum(1).prod(1).sum()

    same(program, X / 3)


@refusals(
    (lambda T, x, z: x.sum(5), "Dimension out of range (expected to be in range of [-2, 1], but got 5)"),
    (lambda T, x, z: z.sum(1), "Dimension out of range (expected to be in range of [-1, 0], but got 1)"),
    (lambda T, x, z: x.mean((0, 0)), "dim 0 appears multiple times in the list of dims"),
    (lambda T, x, z: x.sum(0, 1), "argument 'keepdim' (position 2) must be bool, not int"),
    (lambda T, x, z: x.sum(True), "must be an int or a tuple of ints"),
    (lambda T, x, z: x.sum(1.5), "float"),
    (lambda T, x, z: T.sum([1.0]), "sum(): argument 'input' (position 1) must be Tensor, not list"),
    (lambda T, x, z: x.long().mean(), "could not infer output dtype"),
    (lambda T, x, z: x.mean(dtype=T.int64), "could not infer output dtype"),
    (lambda T, x, z: x.bool().nanmean(), "expected input to have floating point"),
    (lambda T, x, z: x.prod((0, 1)), "tuple"),
    (lambda T, x, z: x.logsumexp(), "dim"),
    (lambda T, x, z: x.all(3), "Dimension out of range"),
    (lambda T, x, z: x.count_nonzero(2), "Dimension out of range"),
)
def test_refused(program, message):
    check(program, message)


def test_accuracy_in_float32():
    x = (np.random.default_rng(0).standard_normal((400, 30)) * 0.1 + 1).astype(np.float32)
    for f in (
        lambda t: t.sum(0),
        lambda t: t.mean(),
        lambda t: t.prod(0),
        lambda t: t.logsumexp(0),
        lambda t: t.cumsum(0),
        lambda t: t.cumprod(0),
        lambda t: t.var(0),
        lambda t: t.std(1),
        lambda t: t.norm(dim=0),
        lambda t: t.norm(3, 1),
    ):
        exact = f(torch.from_numpy(x.astype(np.float64))).numpy()
        ours, theirs = (np.abs(f(T.from_numpy(x)).numpy() - exact).max() for T in (ndl, torch))
        assert ours <= 4 * max(theirs, np.abs(exact).max() * 2**-24)
