"""Draws of ``Generator`` against PyTorch's, number by number and, after every draw, state against state."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ndl.kernels.random import DEFAULT_SEED, Generator

DTYPES = {np.float16: torch.float16, np.float32: torch.float32, np.float64: torch.float64}
SIZES = [*range(1, 41), 624, 1000, 1023]
DRAWS = ["uniform", "normal", "integers", "permutation", "bernoulli", "mask", "seed", "copy"]


def torchs_bernoulli_stream() -> str:
    """On Intel processors PyTorch draws one word for a whole mask, on others two for each number."""
    generator = torch.Generator().manual_seed(0)
    torch.empty(10).bernoulli_(0.5, generator=generator)
    drawn = torch.Generator()
    drawn.set_state(generator.get_state())
    words = torch.rand(21, generator=torch.Generator().manual_seed(0))
    return {words[1].item(): "mcg31m1", words[20].item(): "mt19937"}[torch.rand(1, generator=drawn).item()]


class Pair:
    """Our generator and PyTorch's with one seed."""

    def __init__(self, seed: int) -> None:
        self.ours, self.torch = Generator(seed), torch.Generator().manual_seed(seed)
        self.ours.bernoulli_stream = torchs_bernoulli_stream()  # type: ignore[assignment]

    def same(self, ours: np.ndarray, theirs: torch.Tensor, ulp: float = 0, scale: float = 0.0) -> None:
        """Equal within ``ulp`` units in the last place of the numbers, or of ``scale`` if that is larger."""
        expected = theirs.numpy()
        assert ours.dtype == expected.dtype
        assert ours.shape == expected.shape
        if ulp:
            unit = np.spacing(np.maximum(np.abs(expected), expected.dtype.type(scale)))
            assert (np.abs(ours - expected) <= ulp * unit).all()
        else:
            assert np.array_equal(ours, expected)
        assert np.array_equal(self.ours.get_state(), self.torch.get_state().numpy()), "streams have parted"


@pytest.fixture
def pair() -> Iterator[Pair]:
    yield Pair(2024)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("low, high", [(0, 1), (0, 2.7), (-1, 1), (-0.0361, 0.0361), (1.1, 5.3), (2, 2)])
def test_uniform(pair: Pair, dtype: type, low: float, high: float) -> None:
    for n in SIZES:
        theirs = torch.empty(n, dtype=DTYPES[dtype]).uniform_(low, high, generator=pair.torch)
        ours = pair.ours.uniform(low, high, n, dtype)
        pair.same(ours, theirs)
        assert (ours >= dtype(low)).all()
        assert (ours < dtype(high)).all() or low == high


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mean, std", [(0, 1), (0, 0.02), (3.5, 1), (0.3, 1.7), (-2, 0)])
def test_normal(pair: Pair, dtype: type, mean: float, std: float) -> None:
    for n in SIZES:
        theirs = torch.empty(n, dtype=DTYPES[dtype]).normal_(mean, std, generator=pair.torch)
        exact = n < 16 or dtype != np.float64
        pair.same(pair.ours.normal(mean, std, n, dtype), theirs, 0 if exact else 2, max(mean, std))


@pytest.mark.parametrize("dtype", DTYPES)
def test_exponential(pair: Pair, dtype: type) -> None:
    for n in SIZES:
        theirs = torch.empty(n, dtype=DTYPES[dtype]).exponential_(1.7, generator=pair.torch)
        pair.same(pair.ours.exponential(1.7, n, dtype), theirs, ulp=2 if dtype == np.float64 else 1)


def test_float16_is_rounded_by_way_of_float32(pair: Pair) -> None:
    theirs = torch.empty(100_000, dtype=torch.float16).exponential_(1.7, generator=pair.torch)
    pair.same(pair.ours.exponential(1.7, 100_000, np.float16), theirs)


@pytest.mark.parametrize(
    "low, high",
    [
        *((0, 1), (0, 10), (-3, 2**28 - 4), (-3, 2**28 - 3), (0, 2**32 - 1), (0, 2**32)),
        *((-(2**63), 2**63 - 1), (2**62, 2**63 - 1)),
    ],
)
def test_randint(pair: Pair, low: int, high: int) -> None:
    for n in SIZES:
        pair.same(pair.ours.randint(low, high, n), torch.randint(low, high, (n,), generator=pair.torch))


def test_randint_of_all_64_bits(pair: Pair) -> None:
    theirs = torch.empty(100, dtype=torch.int64).random_(-(2**63), None, generator=pair.torch)
    pair.same(pair.ours.randint(-(2**63), 2**63, 100), theirs)


@pytest.mark.parametrize("name", ["int64", "int32", "int16", "int8", "uint8", "bool", "float16", "float32", "float64"])
def test_random(pair: Pair, name: str) -> None:
    for n in SIZES:
        theirs = torch.empty(n, dtype=getattr(torch, name)).random_(generator=pair.torch)
        pair.same(pair.ours.random(n, name), theirs)


def test_permutation(pair: Pair) -> None:
    for n in (0, *SIZES, 2**16 - 1, 2**16, 2**16 + 1, 200_000):
        pair.same(pair.ours.permutation(n), torch.randperm(n, generator=pair.torch))


@pytest.mark.parametrize("dtype", [*DTYPES, np.int64, np.bool_])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1 / 3, 1.0])
def test_bernoulli_of_one_probability(pair: Pair, dtype: type, p: float) -> None:
    for n in SIZES:
        theirs = torch.empty(n, dtype=getattr(torch, np.dtype(dtype).name))
        pair.same(pair.ours.bernoulli(p, n, dtype), theirs.bernoulli_(p, generator=pair.torch))


@pytest.mark.parametrize("dtype", DTYPES)
def test_bernoulli_of_an_array(pair: Pair, dtype: type) -> None:
    for n in SIZES:
        p = np.random.default_rng(n).random((n, 2)).astype(dtype)
        theirs = torch.bernoulli(torch.from_numpy(p), generator=pair.torch)
        pair.same(pair.ours.bernoulli(p, dtype=dtype), theirs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("rows", [(), (1,), (3,)])
def test_multinomial(pair: Pair, dtype: type, replacement: bool, rows: tuple[int, ...]) -> None:
    for categories in (1, 2, 7, 100):
        weights = np.random.default_rng(categories).random((*rows, categories)).astype(dtype)
        weights[..., 1::3] = 0
        most = categories if replacement else np.count_nonzero(weights.reshape(-1, categories)[0])
        for n in {1, most}:
            theirs = torch.multinomial(torch.from_numpy(weights), n, replacement, generator=pair.torch)
            pair.same(pair.ours.multinomial(weights, n, replacement), theirs)


def test_both_bernoulli_streams_are_what_they_say() -> None:
    words = Generator(6)
    plain, mkl = Generator(6), Generator(6)
    mkl.bernoulli_stream = "mcg31m1"
    assert np.array_equal(plain.bernoulli(0.3, 50), words.uniform(0, 1, 50, np.float64) < 0.3)
    mkl.bernoulli(0.3, 50)
    after_one_word = Generator(6)
    after_one_word.randint(0, 10)
    assert np.array_equal(mkl.get_state(), after_one_word.get_state())


@given(st.data())
def test_any_sequence_of_draws(data: st.DataObject) -> None:
    """What one draw leaves behind (the position, the second normal of a pair) is right for every next one."""
    pair = Pair(data.draw(st.integers(0, 2**64 - 1)))
    ours, theirs = pair.ours, pair.torch
    for _ in range(data.draw(st.integers(1, 8))):
        what = data.draw(st.sampled_from(DRAWS))
        dtype = data.draw(st.sampled_from(list(DTYPES)))
        shape = tuple(data.draw(st.lists(st.integers(1, 9), min_size=0, max_size=3)))
        empty = torch.empty(shape, dtype=DTYPES[dtype])
        n = data.draw(st.integers(0, 50))
        if what == "uniform":
            pair.same(ours.uniform(-1, 3, shape, dtype), empty.uniform_(-1, 3, generator=theirs))
        elif what == "normal":
            ulp = 2 if dtype == np.float64 else 0
            pair.same(ours.normal(0, 1, shape, dtype), empty.normal_(generator=theirs), ulp, 1)
        elif what == "integers":
            pair.same(ours.randint(0, n + 1, shape), torch.randint(0, n + 1, shape, generator=theirs))
        elif what == "permutation":
            pair.same(ours.permutation(n), torch.randperm(n, generator=theirs))
        elif what == "bernoulli":
            p = np.full(shape, 0.4, dtype)
            pair.same(ours.bernoulli(p, dtype=dtype), torch.bernoulli(torch.from_numpy(p), generator=theirs))
        elif what == "mask":
            pair.same(ours.bernoulli(0.4, shape, dtype), empty.bernoulli_(0.4, generator=theirs))
        elif what == "seed":
            ours.manual_seed(n)
            theirs.manual_seed(n)
        else:
            ours = pair.ours = copy.deepcopy(ours)


@pytest.mark.parametrize("seed", [0, 1, -1, -5, 2**63, -(2**63), 2**64 - 1, DEFAULT_SEED])
def test_seeds_are_read_as_torch_reads_them(seed: int) -> None:
    ours, theirs = Generator(), torch.Generator()
    assert ours.initial_seed() == theirs.initial_seed() == DEFAULT_SEED
    assert np.array_equal(ours.get_state(), theirs.get_state().numpy())
    assert ours.manual_seed(seed) is ours
    theirs.manual_seed(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    assert np.array_equal(ours.get_state(), theirs.get_state().numpy())


def test_seed_gives_another_stream_each_time_and_says_which() -> None:
    generator = Generator(0)
    seeds = {generator.seed() for _ in range(5)}
    assert len(seeds) == 5
    drawn = generator.uniform(shape=20)
    assert np.array_equal(drawn, Generator(generator.initial_seed()).uniform(shape=20))


def test_a_state_continues_bit_for_bit() -> None:
    generator = Generator(3)
    generator.normal(shape=3)  # leaves a spare
    generator.uniform(shape=1000)
    saved = generator.get_state()
    expected = [generator.normal(shape=5), generator.uniform(shape=700), generator.permutation(9)]
    by_pickle = pickle.loads(pickle.dumps(generator))
    by_state = Generator()
    for other in (generator, by_pickle, by_state):
        other.set_state(saved)
        for want, got in zip(
            expected, [other.normal(shape=5), other.uniform(shape=700), other.permutation(9)], strict=True
        ):
            assert np.array_equal(want, got)
    assert np.array_equal(generator.get_state(), by_pickle.get_state())
    assert not np.array_equal(generator.get_state(), saved)


def test_a_copy_keeps_the_choice_of_stream() -> None:
    generator = Generator(3)
    generator.bernoulli_stream = "mcg31m1"
    assert copy.deepcopy(generator).bernoulli_stream == "mcg31m1"


def test_threads_share_one_stream_without_losing_or_repeating_a_word() -> None:
    # One draw is made of several pieces here: without the lock, pieces of two draws get mixed.
    generator, parts, draws, size = Generator(1), [], 10, 40_000

    def draw() -> None:
        for _ in range(draws):
            parts.append(generator.uniform(shape=size).tobytes())

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [row.tobytes() for row in Generator(1).uniform(shape=(4 * draws, size))]
    assert sorted(parts) == sorted(expected)


def test_shapes() -> None:
    generator = Generator(0)
    assert generator.uniform().shape == ()
    assert generator.normal(shape=(2, 0, 3)).shape == (2, 0, 3)
    assert generator.normal(shape=(4, 5)).shape == (4, 5)
    assert generator.bernoulli(0.5).shape == ()
    assert generator.bernoulli(0.5, (2, 3)).shape == (2, 3)
    assert generator.randint(0, 5, (2, 3)).shape == (2, 3)
    assert generator.multinomial(np.ones((0, 3)), 2).shape == (0, 2)
    assert generator.multinomial(np.ones((0, 3)), 2, replacement=True).shape == (0, 2)


def test_moments() -> None:
    generator, n = Generator(12345), 1 << 20
    for dtype in (np.float32, np.float64):
        z = generator.normal(1.5, 2.0, n, dtype).astype(np.float64)
        u = generator.uniform(-1, 3, n, dtype).astype(np.float64)
        e = generator.exponential(4.0, n, dtype).astype(np.float64)
        # Five standard errors each.
        assert abs(z.mean() - 1.5) < 5 * 2 / n**0.5
        assert abs(z.var() - 4) < 5 * 4 * (2 / n) ** 0.5
        assert abs(u.mean() - 1) < 5 * (16 / 12 / n) ** 0.5
        assert abs(e.mean() - 0.25) < 5 * 0.25 / n**0.5
        assert abs(np.corrcoef(z[:-1], z[1:])[0, 1]) < 5 / n**0.5
    for stream in ("mt19937", "mcg31m1"):
        generator.bernoulli_stream = stream  # type: ignore[assignment]
        assert abs(generator.bernoulli(0.3, n).mean() - 0.3) < 5 * (0.21 / n) ** 0.5


def test_multinomial_is_in_proportion_to_the_weights() -> None:
    weights = np.array([1.0, 0.0, 2.0, 5.0])
    rows = np.tile(weights, (20_000, 1))
    for drawn in (Generator(0).multinomial(weights, 20_000, True), Generator(1).multinomial(rows, 1)[:, 0]):
        share = np.bincount(drawn, minlength=4) / 20_000
        assert share[1] == 0
        assert np.abs(share - weights / 8).max() < 0.02
    both = Generator(2).multinomial(rows, 2)
    assert (both[:, 0] != both[:, 1]).all()
    # Second after 3 (probability 5/8): 0 in 1/3 of the cases, 2 in 2/3.
    second = both[both[:, 0] == 3, 1]
    assert abs((second == 2).mean() - 2 / 3) < 0.03


@pytest.mark.parametrize(
    ("draw", "error", "words"),
    [
        (lambda g: g.uniform(2, 1), RuntimeError, "low=2 > high=1"),
        (lambda g: g.uniform(0, float("nan")), RuntimeError, "low <= high"),
        (lambda g: g.uniform(0, 1e39), RuntimeError, "fits float32"),
        (lambda g: g.uniform(dtype=np.int64), RuntimeError, "got int64"),
        (lambda g: g.normal(0, -1), RuntimeError, "std=-1"),
        (lambda g: g.normal(0, float("nan")), RuntimeError, "std=nan"),
        (lambda g: g.normal(shape=(2, -1)), RuntimeError, "negative"),
        (lambda g: g.exponential(0), RuntimeError, "rate=0"),
        (lambda g: g.randint(5, 5), RuntimeError, "low=5 >= high=5"),
        (lambda g: g.randint(0, 2**64), RuntimeError, r"high <= 2\*\*63"),
        (lambda g: g.random(dtype=np.complex64), RuntimeError, "complex64"),
        (lambda g: g.permutation(-1), RuntimeError, "n=-1"),
        (lambda g: g.bernoulli(1.5), RuntimeError, "p=1.5"),
        (lambda g: g.bernoulli(float("nan")), RuntimeError, "p=nan"),
        (lambda g: g.bernoulli(np.array([0.5, 2.0])), RuntimeError, "from 0.5 to 2.0"),
        (lambda g: g.bernoulli(np.array([0.5, np.nan])), RuntimeError, "nan"),
        (lambda g: g.bernoulli(np.array([1, 0])), RuntimeError, "got int64"),
        (lambda g: g.bernoulli(np.ones(3), (4,)), RuntimeError, r"shape \(3,\)"),
        (lambda g: g.multinomial(np.ones((2, 2, 2)), 1), RuntimeError, "1 or 2 dimensions"),
        (lambda g: g.multinomial(np.ones(2, int), 1), RuntimeError, "got int64"),
        (lambda g: g.multinomial(np.ones(2), 0), RuntimeError, "n=0"),
        (lambda g: g.multinomial(np.ones(2), 3), RuntimeError, "without replacement from 2"),
        (lambda g: g.multinomial(np.array([1.0, -1.0]), 1), RuntimeError, "not negative"),
        (lambda g: g.multinomial(np.array([1.0, np.nan]), 2, True), RuntimeError, "NaN"),
        (lambda g: g.multinomial(np.array([1.0, np.inf]), 2, True), RuntimeError, "infinite"),
        (lambda g: g.multinomial(np.zeros(2), 2, True), RuntimeError, "all 0"),
        (lambda g: g.manual_seed(2**64), ValueError, "seed < 2"),
        (lambda g: g.manual_seed(-(2**63) - 1), ValueError, "seed < 2"),
        (lambda g: g.manual_seed(1.5), RuntimeError, "got float"),
        (lambda g: g.manual_seed("0"), RuntimeError, "got str"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_anything_is_drawn(draw, error: type, words: str) -> None:
    generator = Generator(5)
    before = generator.get_state()
    with pytest.raises(error, match=words):
        draw(generator)
    assert np.array_equal(generator.get_state(), before)
