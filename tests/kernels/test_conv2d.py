"""The ladder of 2-d convolution: every rung gives the numbers of the definition, forward and backward."""

import threading
from fractions import Fraction
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ndl.kernels import threads
from ndl.kernels.conv2d import (
    batch_last,
    depthwise,
    fft,
    four_loops,
    im2col,
    pointwise,
    shifted,
    three_loops,
    tiled,
    two_loops,
    winograd,
    winograd_rows,
)
from ndl.kernels.conv2d import choose as ladder
from ndl.kernels.conv2d.winograd_transforms import transforms
from ndl.kernels.workspace import scratch

GENERAL = [four_loops, three_loops, two_loops, im2col, tiled, shifted, batch_last]
SPECIAL = [winograd, winograd_rows, fft, pointwise, depthwise]
FAST = [tiled, shifted, batch_last, *SPECIAL]


class Problem(NamedTuple):
    """A convolution with numbers of order one."""

    x: np.ndarray
    W: np.ndarray
    dy: np.ndarray
    bias: np.ndarray
    how: tuple  # stride, padding, dilation, groups

    def astype(self, dtype: type) -> "Problem":
        return Problem(*(a.astype(dtype) for a in self[:4]), self.how)


class Answer(NamedTuple):
    y: np.ndarray
    dx: np.ndarray
    dW: np.ndarray


def problem(
    seed=0, n=2, groups=1, c=2, o=3, size=(6, 7), kernel=(3, 3), stride=(1, 1), padding=(1, 1), dilation=(1, 1)
):
    """c and o are counted per group."""
    rng = np.random.default_rng(seed)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]
    out = [(a + 2 * p - r) // s + 1 for a, p, r, s in zip(size, padding, reach, stride)]
    return Problem(
        rng.standard_normal((n, groups * c, *size)),
        rng.standard_normal((groups * o, c, *kernel)),
        rng.standard_normal((n, groups * o, *out)),
        rng.standard_normal(groups * o),
        (stride, padding, dilation, groups),
    )


def solve(rung: ModuleType, p: Problem) -> Answer:
    return Answer(
        rung.forward(p.x, p.W, *p.how, p.bias),
        rung.input_grad(p.dy, p.W, p.x.shape, *p.how),
        rung.weight_grad(p.x, p.dy, p.W.shape, *p.how),
    )


def by_torch(p: Problem) -> Answer:
    x, W, dy, bias = (torch.tensor(np.ascontiguousarray(a)) for a in p[:4])
    x.requires_grad_()
    W.requires_grad_()
    y = torch.nn.functional.conv2d(x, W, bias, *p.how)
    dx, dW = torch.autograd.grad(y, (x, W), dy)
    return Answer(y.detach().numpy(), dx.numpy(), dW.numpy())


def assert_same(got: Answer, wanted: Answer, tolerance: float) -> None:
    for name, a, b in zip(Answer._fields, got, wanted):
        assert a.shape == b.shape, name
        error = np.abs(a - b).max(initial=0)
        scale = np.abs(b).max(initial=0)
        assert error <= tolerance * scale, f"{name}: off by {error:.1e}, largest number {scale:.1e}"


any_kernel = st.tuples(st.integers(1, 5), st.integers(1, 5))


@st.composite
def problems(draw, kernels=any_kernel, plain=False, c=None, o=None, groups=None):
    """Any options; ``plain``: stride and dilation 1."""
    pair = lambda *numbers: st.tuples(st.sampled_from(numbers), st.sampled_from(numbers))
    kernel = draw(kernels)
    dilation = (1, 1) if plain else draw(pair(1, 1, 2, 3))
    padding = draw(pair(0, 1, 2, 4))
    least = [max(1, d * (k - 1) + 1 - 2 * p) for d, k, p in zip(dilation, kernel, padding)]
    return problem(
        seed=draw(st.integers(0, 1000)),
        n=draw(st.integers(1, 4)),
        groups=groups or draw(st.integers(1, 3)),
        c=c or draw(st.integers(1, 3)),
        o=o or draw(st.integers(1, 3)),
        size=tuple(a + draw(st.integers(0, 9)) for a in least),
        kernel=kernel,
        stride=(1, 1) if plain else draw(pair(1, 1, 2, 3)),
        padding=padding,
        dilation=dilation,
    )


@given(problems())
def test_all_general_rungs_equal_pytorch(p: Problem) -> None:
    wanted = by_torch(p)
    for rung in GENERAL:
        assert_same(solve(rung, p), wanted, 1e-12)


@given(problems(st.just((3, 3)), plain=True))
def test_winograd_equals_pytorch(p: Problem) -> None:
    assert_same(solve(winograd, p), by_torch(p), 1e-12)


@given(problems(st.tuples(st.sampled_from([3, 5, 7]), st.integers(1, 5)), plain=True))
def test_winograd_rows_equals_pytorch(p: Problem) -> None:
    assert_same(solve(winograd_rows, p), by_torch(p), 1e-12)


@given(problems(plain=True))
def test_fft_equals_pytorch(p: Problem) -> None:
    assert_same(solve(fft, p), by_torch(p), 1e-12)


@given(problems(st.just((1, 1))))
def test_pointwise_equals_pytorch(p: Problem) -> None:
    stride, _, dilation, groups = p.how
    out = [(a - 1) // s + 1 for a, s in zip(p.x.shape[2:], stride)]
    dy = np.resize(p.dy, (*p.dy.shape[:2], *out))
    p = p._replace(dy=dy, how=(stride, (0, 0), dilation, groups))
    assert_same(solve(pointwise, p), by_torch(p), 1e-12)


@given(problems(c=1, o=1))
def test_depthwise_equals_pytorch(p: Problem) -> None:
    assert_same(solve(depthwise, p), by_torch(p), 1e-12)


CASES = {
    "tiled": (tiled, {"stride": (2, 1), "groups": 2}),
    "tiled with dilation": (tiled, {"dilation": (2, 3), "padding": (3, 2)}),
    "shifted": (shifted, {"stride": (1, 2), "groups": 2, "kernel": (3, 5)}),
    "winograd": (winograd, {"groups": 2}),
    "winograd where tiles fit": (winograd, {"size": (8, 4)}),
    "winograd_rows": (winograd_rows, {"groups": 2, "kernel": (5, 2)}),
    "fft": (fft, {"groups": 2, "kernel": (5, 4)}),
    "batch_last": (batch_last, {"groups": 2, "kernel": (3, 2), "stride": (2, 1)}),
    "winograd_rows where strips fit": (winograd_rows, {"size": (8, 5)}),
    "pointwise": (pointwise, {"kernel": (1, 1), "padding": (0, 0), "stride": (2, 1), "groups": 2}),
    "depthwise": (depthwise, {"groups": 3, "c": 1, "o": 1}),
    "depthwise with stride": (depthwise, {"groups": 3, "c": 1, "o": 1, "stride": (2, 2)}),
}
each_case = pytest.mark.parametrize(("rung", "options"), CASES.values(), ids=CASES.keys())


@each_case
def test_many_small_pieces_give_the_same_as_one(rung, options, monkeypatch) -> None:
    p = problem(n=5, **options)
    monkeypatch.setattr(rung, "PIECE_BYTES", 1)
    assert_same(solve(rung, p), by_torch(p), 1e-12)


@each_case
def test_any_memory_order_is_accepted(rung, options) -> None:
    p = problem(**options)
    wanted = by_torch(p)

    def channels_last(a: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)

    def reversed_in_memory(a: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(a[::-1, ::-1, ::-1, ::-1])[::-1, ::-1, ::-1, ::-1]

    def every_second(a: np.ndarray) -> np.ndarray:
        return np.repeat(a, 2, axis=3)[:, :, :, ::2]

    for order in (channels_last, reversed_in_memory, every_second):
        other = p._replace(x=order(p.x), W=order(p.W), dy=order(p.dy))
        assert_same(solve(rung, other), wanted, 1e-12)


@each_case
def test_expanded_inputs_are_accepted(rung, options) -> None:
    p = problem(**options)
    p = p._replace(
        x=np.broadcast_to(p.x[:1, :, :1], p.x.shape),
        dy=np.broadcast_to(np.array(0.5), p.dy.shape),
        W=np.broadcast_to(p.W[:1], p.W.shape),
    )
    assert_same(solve(rung, p), by_torch(p), 1e-12)


@each_case
def test_results_have_the_rungs_memory_order(rung, options) -> None:
    answer = solve(rung, problem(**options))
    order = (1, 2, 3, 0) if rung is batch_last else (0, 2, 3, 1)
    assert answer.y.transpose(order).flags.c_contiguous
    assert answer.dx.transpose(order).flags.c_contiguous


@each_case
def test_inputs_stay_as_they_are(rung, options) -> None:
    p = problem(**options)
    copies = [a.copy() for a in p[:4]]
    solve(rung, p)
    for a, b in zip(p[:4], copies):
        np.testing.assert_array_equal(a, b)


@each_case
def test_what_was_in_the_scratch_memory_does_not_matter(rung, options) -> None:
    """Unwanted places of a padded piece must hold zeros, not what the last call left there: 0 · NaN is NaN."""
    p = problem(**options)
    prefix = rung.__name__.rpartition(".")[2].removesuffix("_rows")
    names = ["x", "y", "V", "M", "rows", "dU", "columns", "product"]
    threads_before = threads.get_num_threads()
    threads.set_num_threads(1)  # so that it is this thread's scratch memory
    try:
        for name in names:
            scratch(f"{prefix}.{name}", (1 << 16,), np.dtype(np.float64))[...] = np.nan
        assert_same(solve(rung, p), by_torch(p), 1e-12)
    finally:
        threads.set_num_threads(threads_before)


@each_case
def test_an_empty_batch_gives_an_empty_batch_and_no_weight_gradient(rung, options) -> None:
    p = problem(n=0, **options)
    answer = solve(rung, p)
    assert answer.y.shape == p.dy.shape
    assert answer.dx.shape == p.x.shape
    np.testing.assert_array_equal(answer.dW, np.zeros_like(p.W))


@each_case
def test_the_number_of_threads_changes_nothing_but_the_last_digits(rung, options, monkeypatch) -> None:
    monkeypatch.setattr("ndl.kernels.conv2d.pieces.MIN_FLOPS_PER_SHARE", 1)
    p = problem(n=7, **options)
    before = threads.get_num_threads()
    try:
        for number in (1, 2, 3, 9):
            threads.set_num_threads(number)
            first = solve(rung, p)
            assert_same(first, by_torch(p), 1e-12)
            for a, b in zip(first, solve(rung, p)):  # and with equal threads not even those
                np.testing.assert_array_equal(a, b)
    finally:
        threads.set_num_threads(before)


@each_case
def test_gradients_are_the_transposes_of_the_forward_pass(rung, options) -> None:
    """y is linear in x and in W, so ⟨dy, y⟩ = ⟨dx, x⟩ = ⟨dW, W⟩, whatever y is."""
    p = problem(n=3, **options)
    y, dx, dW = solve(rung, p._replace(bias=np.zeros_like(p.bias)))
    value = np.vdot(p.dy, y)
    np.testing.assert_allclose([np.vdot(dx, p.x), np.vdot(dW, p.W)], value, rtol=1e-10)


def test_a_known_sum() -> None:
    """With ones everywhere y counts the pixels under the kernel, dx the windows over a pixel."""
    p = problem(n=1, c=1, o=1, size=(4, 4))
    p = p._replace(x=np.ones_like(p.x), W=np.ones_like(p.W), dy=np.ones_like(p.dy), bias=np.zeros(1))
    counts = np.array([[4, 6, 6, 4], [6, 9, 9, 6], [6, 9, 9, 6], [4, 6, 6, 4]])
    for rung in [*GENERAL, winograd, winograd_rows, fft]:
        y, dx, dW = solve(rung, p)
        np.testing.assert_allclose(y[0, 0], counts, rtol=1e-12)
        np.testing.assert_allclose(dx[0, 0], counts, rtol=1e-12)
        np.testing.assert_allclose(dW[0, 0], [[9, 12, 9], [12, 16, 12], [9, 12, 9]], rtol=1e-12)


@pytest.mark.parametrize("rung", GENERAL)
def test_a_kernel_that_does_not_fit_is_refused(rung) -> None:
    x, W = np.zeros((1, 1, 4, 4)), np.zeros((1, 1, 3, 3))
    with pytest.raises(RuntimeError, match=r"reaches over 7 x 7 pixels.*padded input has only 6 x 6"):
        rung.forward(x, W, (1, 1), (1, 1), (3, 3), 1)


@pytest.mark.parametrize(
    ("rung", "options"),
    [
        (winograd, {"kernel": (3, 2)}),
        (winograd, {"stride": (1, 2)}),
        (winograd_rows, {"dilation": (1, 2)}),
        (fft, {"stride": (1, 2)}),
        (winograd_rows, {"kernel": (4, 3)}),
        (pointwise, {"kernel": (1, 1), "padding": (1, 0)}),
        (depthwise, {"groups": 3, "c": 1, "o": 2}),
    ],
)
def test_a_special_rung_refuses_what_it_cannot_do(rung, options) -> None:
    p = problem(**options)
    assert not rung.applies(p.W.shape, *p.how)
    for attempt in (
        lambda: rung.forward(p.x, p.W, *p.how),
        lambda: rung.input_grad(p.dy, p.W, p.x.shape, *p.how),
        lambda: rung.weight_grad(p.x, p.dy, p.W.shape, *p.how),
    ):
        with pytest.raises(RuntimeError, match="use 'tiled', which takes all"):
            attempt()


@pytest.mark.parametrize(("m", "r"), [(4, 3), (4, 5), (2, 7), (2, 5)])
def test_winograds_matrices_convolve(m: int, r: int) -> None:
    AT, G, BT = transforms(m, r, np.dtype(np.float64))
    rng = np.random.default_rng(0)
    d, g = rng.standard_normal(m + r - 1), rng.standard_normal(r)
    np.testing.assert_allclose(AT @ ((G @ g) * (BT @ d)), np.correlate(d, g, "valid"), rtol=1e-12, atol=1e-12)


def test_winograds_matrices_with_the_published_points() -> None:
    """With points 0, ±1, ±2 they are those of Lavin and Gray up to signs that cancel; here their Bᵀ, row by row."""
    from ndl.kernels.conv2d.winograd_transforms import _from_roots

    assert _from_roots([Fraction(r) for r in (1, -1, 2, -2)]) == [4, 0, -5, 0, 1]
    assert _from_roots([Fraction(r) for r in (0, -1, 2, -2)]) == [0, -4, -4, 1, 1]
    assert _from_roots([Fraction(r) for r in (0, 1, -1, 2, -2)]) == [0, 4, 0, -5, 0, 1]


@pytest.mark.parametrize("rung", [winograd, winograd_rows])
@pytest.mark.parametrize("channels", [16, 64, 256])
def test_winograds_rounding_error_stays_within_1e_5_of_the_output(rung, channels: int) -> None:
    """Ten times better than is asked for (1e-4), with inputs and weights of order one."""
    p = problem(n=2, c=channels, o=channels, size=(12, 12)).astype(np.float32)
    exact = solve(tiled, p.astype(np.float64))
    assert_same(solve(rung, p), exact, 1e-5)


@pytest.mark.parametrize("kernel", [(5, 5), (7, 7)])
def test_rounding_error_of_larger_kernels(kernel) -> None:
    p = problem(n=2, c=32, o=32, size=(14, 14), kernel=kernel, padding=(2, 2)).astype(np.float32)
    assert_same(solve(winograd_rows, p), solve(tiled, p.astype(np.float64)), 1e-5)


@pytest.mark.parametrize("rung", FAST)
def test_float32_stays_float32(rung) -> None:
    one = rung is pointwise
    p = problem(
        groups=2 if rung is not depthwise else 3,
        c=1 if rung is depthwise else 2,
        o=1 if rung is depthwise else 3,
        kernel=(1, 1) if one else (3, 3),
        padding=(0, 0) if one else (1, 1),
    ).astype(np.float32)
    answer = solve(rung, p)
    assert {a.dtype for a in answer} == {np.dtype(np.float32)}
    assert_same(answer, solve(im2col, p.astype(np.float64)), 1e-5)


def test_user_threads_at_once_do_not_disturb_one_another() -> None:
    p = [problem(seed=i, n=4, c=8, o=8, size=(16, 16)) for i in range(4)]
    answers: list[list[Answer]] = [[] for _ in p]

    def work(i: int) -> None:
        answers[i] = [solve(rung, p[i]) for rung in (tiled, shifted, winograd, winograd_rows) for _ in range(5)]

    users = [threading.Thread(target=work, args=(i,)) for i in range(len(p))]
    for user in users:
        user.start()
    for user in users:
        user.join(timeout=60)
    for mine, own in zip(answers, p):
        assert len(mine) == 20
        for answer in mine:
            assert_same(answer, by_torch(own), 1e-12)


def chosen(x=(64, 64, 32, 32), W=(64, 64, 3, 3), stride=(1, 1), padding=(1, 1), dilation=(1, 1), groups=1, dtype="f4"):
    return ladder.choose(x, W, stride, padding, dilation, groups, np.dtype(dtype))


def test_choice_by_kind_of_convolution() -> None:
    assert chosen() is winograd
    assert chosen(x=(64, 16, 32, 32), W=(16, 16, 3, 3)) is winograd_rows
    assert chosen(x=(64, 8, 32, 32), W=(16, 8, 3, 3)) is batch_last
    assert chosen(x=(8, 8, 32, 32), W=(16, 8, 3, 3)) is winograd_rows
    assert chosen(W=(64, 64, 5, 5), padding=(2, 2)) is winograd_rows
    assert chosen(W=(64, 64, 13, 13), padding=(6, 6)) is fft
    assert chosen(W=(64, 64, 13, 13), padding=(6, 6), dtype="f8") is tiled
    assert chosen(x=(64, 2, 32, 32), W=(2, 2, 13, 13), padding=(6, 6)) is not fft
    assert chosen(stride=(2, 2)) is tiled
    assert chosen(x=(64, 16, 32, 32), W=(16, 16, 3, 3), stride=(2, 2)) is shifted
    assert chosen(W=(128, 64, 1, 1), padding=(0, 0)) is pointwise
    assert chosen(W=(64, 1, 3, 3), groups=64) is depthwise
    assert chosen(x=(64, 64, 1, 1)) is tiled


def test_float64_never_takes_winograd() -> None:
    assert chosen(dtype="f8") is tiled
    assert chosen(x=(64, 16, 32, 32), W=(16, 16, 3, 3), dtype="f8") is shifted


def test_winograd_can_be_switched_off() -> None:
    with ladder.winograd_allowed(False):
        assert chosen() is tiled
        with ladder.winograd_allowed(True):
            assert chosen() is winograd
    assert chosen() is winograd
    ladder.set_winograd(False)
    try:
        assert chosen() is tiled
        with ladder.winograd_allowed(True):
            assert chosen() is winograd
    finally:
        ladder.set_winograd(True)
    assert chosen() is winograd


def test_any_rung_can_be_asked_for() -> None:
    for name in ladder.RUNGS:
        with ladder.use_rung(name):
            assert chosen() is ladder.rung(name)
    assert chosen() is winograd
    refused = pytest.raises(ValueError, match="no rung 'fastest'; there are four_loops, three_loops")
    with refused, ladder.use_rung("fastest"):
        pass


@given(problems())
def test_the_chosen_rung_can_do_what_it_is_chosen_for(p: Problem) -> None:
    p32 = p.astype(np.float32)
    rung = ladder.choose(p.x.shape, p.W.shape, *p.how, np.dtype(np.float32))
    assert_same(solve(rung, p32), by_torch(p), 1e-5)
