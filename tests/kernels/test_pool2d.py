"""The ladder of pooling: every rung gives the numbers of the definition, forward and backward."""

from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ndl.kernels import poolnd, threads
from ndl.kernels.pool2d import choose as ladder
from ndl.kernels.pool2d import memory, separable, strided_views
from ndl.kernels.pool2d.windows import Windows, window
from ndl.kernels.workspace import scratch

RUNGS = [ladder.rung(name) for name in ladder.RUNGS]
FAST = [strided_views, separable]


class Answer(NamedTuple):
    y: np.ndarray
    winners: np.ndarray
    y_alone: np.ndarray  # without asking for the winners
    dx: np.ndarray
    average: np.ndarray
    dx_average: np.ndarray


class Problem(NamedTuple):
    x: np.ndarray
    dy: np.ndarray
    divisor: np.ndarray
    w: Windows


def solve(rung: ModuleType, p: Problem) -> Answer:
    y, winners = rung.max_forward(p.x, p.w, True)
    alone, none = rung.max_forward(p.x, p.w, False)
    assert none is None
    order = memory.order_of(p.x)
    dx = rung.max_backward(p.dy, winners, p.w, order)
    with np.errstate(invalid="ignore"):  # ∞ − ∞ in sums
        average = rung.avg_forward(p.x, p.w, p.divisor)
    return Answer(y, winners, alone, dx, average, rung.avg_backward(p.dy, p.w, p.divisor, order))


def assert_same(got: Answer, wanted: Answer, tolerance: float = 1e-12) -> None:
    for name, a, b in zip(Answer._fields, got, wanted):
        assert a.dtype == b.dtype, name
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)


def problem(
    seed=0, n=2, c=3, size=(7, 9), kernel=(3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 1), ceil_mode=False
) -> Problem:
    rng = np.random.default_rng(seed)
    output = poolnd.output_size(size, kernel, stride, padding, dilation, ceil_mode)
    w = Windows(size, kernel, stride, padding, dilation, output)
    x = rng.integers(-2, 3, (n, c, *size)).astype(np.float64)  # full of ties
    return Problem(x, rng.standard_normal((n, c, *output)), poolnd.divisors(w, bool(seed % 2)), w)


@st.composite
def problems(draw) -> Problem:
    pair = lambda *numbers: draw(st.tuples(st.sampled_from(numbers), st.sampled_from(numbers)))
    kernel, stride, dilation = pair(1, 2, 2, 3, 5), pair(1, 2, 2, 3), pair(1, 1, 1, 2, 3)
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    least = [max(1, d * (k - 1) + 1 - p) for d, k, p in zip(dilation, kernel, padding)]  # no window misses it
    size = tuple(a + draw(st.integers(0, 6)) for a in least)
    how = (kernel, stride, padding, dilation, draw(st.booleans()))
    p = problem(draw(st.integers(0, 1000)), draw(st.integers(0, 3)), draw(st.integers(1, 3)), size, *how)
    special = draw(st.sampled_from([None, None, np.nan, -np.inf, np.inf]))
    if special is not None:
        p.x[np.random.default_rng(0).random(p.x.shape) < 0.3] = special
    return p._replace(x=channels_last(p.x)) if draw(st.booleans()) else p


def channels_last(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


@given(problems())
def test_all_rungs_are_equal(p: Problem) -> None:
    wanted = solve(RUNGS[0], p)
    for rung in RUNGS[1:]:
        assert_same(solve(rung, p), wanted)


@given(problems())
def test_the_definition_equals_pytorch(p: Problem) -> None:
    w = p.w
    x = torch.tensor(np.ascontiguousarray(p.x), requires_grad=True)
    answer = solve(RUNGS[0], p)
    # PyTorch takes padding, stride and kernel, and finds the output size by itself
    ceil = w.output != poolnd.output_size(w.size, w.kernel, w.stride, w.padding, w.dilation)
    y, places = torch.nn.functional.max_pool2d(
        x, w.kernel, w.stride, w.padding, w.dilation, ceil_mode=ceil, return_indices=True
    )
    np.testing.assert_array_equal(answer.y, y.detach().numpy())
    np.testing.assert_array_equal(poolnd.indices(answer.winners, poolnd.tables(w), w.size), places.numpy())
    (dx,) = torch.autograd.grad(y, x, torch.tensor(p.dy))
    np.testing.assert_allclose(answer.dx, dx.numpy(), rtol=1e-12, atol=1e-12)


THREE_BY_TWO = {"kernel": (3, 2), "stride": (2, 1), "padding": (1, 1)}
TILES = {"size": (6, 8), "kernel": (2, 2), "stride": (2, 2), "padding": (0, 0)}
REST = {"size": (7, 9), "kernel": (2, 3), "stride": (3, 3), "padding": (0, 0)}
WHOLE = {"size": (5, 4), "kernel": (5, 4), "stride": (1, 1), "padding": (0, 0)}
ONE = {"size": (5, 4), "kernel": (1, 1), "stride": (2, 1), "padding": (0, 0)}
each = pytest.mark.parametrize(
    ("rung", "options"), [(r, o) for r in FAST for o in (THREE_BY_TWO, TILES, REST, WHOLE, ONE)]
)


@each
def test_many_small_pieces_give_the_same_as_one(rung, options, monkeypatch) -> None:
    p = problem(n=5, **options)
    monkeypatch.setattr(memory, "PIECE_BYTES", 1)
    assert_same(solve(rung, p), solve(RUNGS[0], p))


@each
def test_any_memory_order_is_accepted(rung, options) -> None:
    p = problem(**options)
    wanted = solve(RUNGS[0], p)
    backwards = lambda a: np.ascontiguousarray(a[::-1, ::-1, ::-1, ::-1])[::-1, ::-1, ::-1, ::-1]
    for order in (channels_last, np.asfortranarray, backwards):
        assert_same(solve(rung, p._replace(x=order(p.x), dy=order(p.dy))), wanted)
        assert_same(solve(rung, p._replace(dy=order(p.dy))), wanted)


@each
def test_expanded_inputs_are_accepted_and_stay_as_they_are(rung, options) -> None:
    p = problem(**options)
    p = p._replace(x=np.broadcast_to(p.x[:1, :, :1], p.x.shape), dy=np.broadcast_to(np.array(0.5), p.dy.shape))
    x = p.x.copy()
    assert_same(solve(rung, p), solve(RUNGS[0], p))
    np.testing.assert_array_equal(p.x, x)


@each
def test_results_lie_in_memory_as_the_input_does(rung, options) -> None:
    p = problem(**options)
    for answer in solve(rung, p):
        assert answer.flags.c_contiguous
    last = solve(rung, p._replace(x=channels_last(p.x), dy=channels_last(p.dy)))
    for answer in last:
        assert answer.transpose(0, 2, 3, 1).flags.c_contiguous


@each
def test_what_was_in_the_scratch_memory_does_not_matter(rung, options) -> None:
    p = problem(**options)
    before = threads.get_num_threads()
    threads.set_num_threads(1)  # so that it is this thread's scratch memory
    try:
        for name in ("larger", "number", "mask", "share", "z0", "z1", "t0", "t1"):
            scratch(f"pool.{name}", (1 << 16,), np.dtype(np.uint8))[...] = 255
        assert_same(solve(rung, p), solve(RUNGS[0], p))
    finally:
        threads.set_num_threads(before)


@each
def test_the_number_of_threads_changes_nothing(rung, options, monkeypatch) -> None:
    monkeypatch.setattr(memory, "GRAIN", 1)
    p = problem(n=7, **options)
    wanted = solve(rung, p)
    before = threads.get_num_threads()
    try:
        for number in (1, 2, 3, 9):
            threads.set_num_threads(number)
            assert_same(solve(rung, p), wanted)
    finally:
        threads.set_num_threads(before)


@pytest.mark.parametrize("rung", RUNGS)
def test_a_known_maximum_and_average(rung) -> None:
    x = np.array([[[[1.0, 5, 2, 2], [5, 0, 2, 2], [-1, -2, 0, 7]]]])
    w = Windows((3, 4), (2, 2), (2, 2), (0, 0), (1, 1), (2, 2))  # ceil_mode: the last row is cut off
    y, winners = rung.max_forward(x, w, True)
    np.testing.assert_array_equal(y, [[[[5, 2], [-1, 7]]]])
    np.testing.assert_array_equal(winners, [[[[1, 0], [0, 1]]]])
    dx = rung.max_backward(np.array([[[[10.0, 20], [30, 40]]]]), winners, w)
    np.testing.assert_array_equal(dx, [[[[0, 10, 20, 0], [0, 0, 0, 0], [30, 0, 0, 40]]]])
    divisor = poolnd.divisors(w, True)
    np.testing.assert_array_equal(divisor, [[4, 4], [2, 2]])
    np.testing.assert_array_equal(rung.avg_forward(x, w, divisor), [[[[2.75, 2], [-1.5, 3.5]]]])


@pytest.mark.parametrize("rung", RUNGS)
def test_a_window_that_misses_the_input(rung) -> None:
    w = Windows((2, 2), (2, 2), (1, 1), (1, 1), (3, 3), (1, 1))
    assert all(s.start >= s.stop for s in window(w, (0, 0))[1])
    y, winners = rung.max_forward(np.ones((1, 1, 2, 2)), w, True)
    assert y.tolist() == [[[[-np.inf]]]]
    assert not rung.max_backward(np.ones((1, 1, 1, 1)), winners, w).any()
    assert not rung.avg_forward(np.ones((1, 1, 2, 2)), w, np.array(4.0)).any()


@pytest.mark.parametrize("rung", RUNGS)
def test_more_than_256_taps(rung) -> None:
    p = problem(size=(20, 19), kernel=(18, 17), stride=(1, 1), padding=(2, 0))
    assert solve(rung, p).winners.dtype == np.uint16
    assert_same(solve(rung, p), solve(strided_views, p), 1e-10)


@pytest.mark.parametrize("rung", FAST)
def test_three_axes_equal_pytorch(rung) -> None:
    rng = np.random.default_rng(0)
    how = ((2, 3, 2), (1, 2, 2), (1, 1, 0), (1, 1, 2))
    size = (4, 5, 6)
    w = Windows(size, *how, poolnd.output_size(size, *how))
    x = rng.integers(-2, 3, (2, 3, *size)).astype(np.float64)
    y, places = torch.nn.functional.max_pool3d(torch.tensor(x), *how, return_indices=True)
    ours, winners = rung.max_forward(x, w, True)
    np.testing.assert_array_equal(ours, y.numpy())
    np.testing.assert_array_equal(poolnd.indices(winners, poolnd.tables(w), size), places.numpy())
    dy = rng.standard_normal(ours.shape)
    dx = np.zeros((6, 4 * 5 * 6))
    np.add.at(dx, (np.arange(6)[:, None], places.numpy().reshape(6, -1)), dy.reshape(6, -1))
    np.testing.assert_allclose(rung.max_backward(dy, winners, w), dx.reshape(x.shape), rtol=1e-12)


def test_float32_averages_stay_within_four_times_pytorchs_own_error() -> None:
    x = np.random.default_rng(0).standard_normal((4, 8, 32, 32)).astype(np.float32)
    for k, s, p in ((2, 2, 0), (3, 1, 1), (32, 1, 0)):
        w = Windows(
            (32, 32), (k, k), (s, s), (p, p), (1, 1), poolnd.output_size((32, 32), (k, k), (s, s), (p, p), (1, 1))
        )
        exact = torch.nn.functional.avg_pool2d(torch.tensor(x.astype(np.float64)), k, s, p).numpy()
        theirs = torch.nn.functional.avg_pool2d(torch.tensor(x), k, s, p).numpy()
        for order in (np.ascontiguousarray, channels_last):
            ours = poolnd.avg_forward(order(x), w, poolnd.divisors(w, True))
            assert ours.dtype == np.float32
            assert np.abs(ours - exact).max() <= 4 * np.abs(theirs - exact).max()


def test_the_choice() -> None:
    choose = lambda **options: ladder.choose_max(problem(**options).w)
    assert choose(**TILES) is strided_views
    assert choose(size=(32, 32), kernel=(3, 3), stride=(2, 2), padding=(1, 1)) is strided_views
    assert choose(size=(32, 32), kernel=(5, 5), stride=(1, 1), padding=(2, 2)) is separable
    assert ladder.choose_avg(problem(**TILES).w) is separable


def test_any_rung_can_be_asked_for() -> None:
    w = problem().w
    for name in ladder.RUNGS:
        with ladder.use_rung(name):
            assert ladder.choose_max(w) is ladder.choose_avg(w) is ladder.rung(name)
    assert ladder.choose_max(w) is strided_views
    refused = pytest.raises(ValueError, match="no rung 'fastest'; there are four_loops, three_loops")
    with refused, ladder.use_rung("fastest"):
        pass
