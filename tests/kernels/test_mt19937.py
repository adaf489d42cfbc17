"""The stream of words: the published values, PyTorch's words, and PyTorch's states."""

import numpy as np
import pytest
import torch

from ndl.kernels.mt19937 import FEW, STATE_BYTES, WORDS, MersenneTwister


def torch_words(seed: int, n: int) -> np.ndarray:
    """The low 24 bits of each word, which is what a float32 uniform shows."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(n, generator=generator).numpy() * 2**24).astype(np.uint32)


def test_the_ten_thousandth_word_is_the_published_one() -> None:
    # ISO C++, [rand.predef]: the 10000th word of mt19937 with its default seed 5489.
    assert MersenneTwister(5489).words32(10_000)[-1] == 4123659995


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**32 + 7, 2**64 - 1])
def test_words_are_torchs(seed: int) -> None:
    words = MersenneTwister(seed).words32(3 * WORDS)
    assert np.array_equal(words & (2**24 - 1), torch_words(seed, 3 * WORDS))


def test_only_the_low_32_bits_of_the_seed_count_but_all_are_kept() -> None:
    twister = MersenneTwister(2**40 + 5)
    assert twister.seed == 2**40 + 5
    assert np.array_equal(twister.words32(10), MersenneTwister(5).words32(10))


def test_many_words_at_once_are_the_same_as_few_at_a_time() -> None:
    n = 4 * FEW
    at_once, in_parts = MersenneTwister(3), MersenneTwister(3)
    parts = [in_parts.words32(size) for size in (1, 2, FEW - 1, FEW, n - 2 * FEW - 2)]
    assert np.array_equal(at_once.words32(n), np.concatenate(parts))


@pytest.mark.parametrize("n", [1, 2, FEW - 1, FEW, 2 * FEW])
def test_a_word_of_64_bits_is_two_of_32_the_first_one_high(n: int) -> None:
    w = MersenneTwister(9).words32(2 * n).astype(np.uint64)
    assert np.array_equal(MersenneTwister(9).words64(n), (w[::2] << np.uint64(32)) + w[1::2])


@pytest.mark.parametrize("drawn", [0, 1, 623, 624, 625, 1248, 5000])
def test_the_state_is_torchs_byte_for_byte(drawn: int) -> None:
    twister, generator = MersenneTwister(11), torch.Generator().manual_seed(11)
    if drawn:
        twister.words32(drawn)
        torch.rand(drawn, generator=generator)
    state = generator.get_state().numpy()
    assert state.size == STATE_BYTES
    assert np.array_equal(twister.to_bytes(), state)

    other = MersenneTwister(0)
    other.from_bytes(state)
    assert other.seed == 11
    assert np.array_equal(other.to_bytes(), state), "storing what was loaded changes nothing"
    assert np.array_equal(other.words32(2000), twister.words32(2000))


def test_the_spare_normal_is_part_of_the_state() -> None:
    twister, generator = MersenneTwister(2), torch.Generator().manual_seed(2)
    first = twister.one_normal()
    assert first == torch.randn(1, dtype=torch.float64, generator=generator).item()
    assert np.array_equal(twister.to_bytes(), generator.get_state().numpy())

    other = MersenneTwister(0)
    other.from_bytes(twister.to_bytes())
    assert other.one_normal() == twister.one_normal() != first
    assert other.spare is None
    assert np.array_equal(other.words32(3), twister.words32(3))


def test_torch_continues_our_state() -> None:
    twister, generator = MersenneTwister(77), torch.Generator()
    twister.words32(1000)
    twister.one_normal()
    generator.set_state(torch.from_numpy(twister.to_bytes()))
    assert torch.randn(1, dtype=torch.float64, generator=generator).item() == twister.one_normal()
    assert np.array_equal(torch.rand(50, generator=generator).numpy(), twister.uniform(50, np.float32))


def test_what_is_not_a_state_is_refused() -> None:
    twister = MersenneTwister(4)
    expected = twister.to_bytes()
    with pytest.raises(TypeError, match="uint8, but got float64"):
        twister.from_bytes(np.zeros(STATE_BYTES))
    with pytest.raises(RuntimeError, match="has 5056 bytes, but got 5"):
        twister.from_bytes(np.zeros(5, np.uint8))
    with pytest.raises(RuntimeError, match="seeded=1"):
        twister.from_bytes(np.zeros(STATE_BYTES, np.uint8))
    assert np.array_equal(twister.to_bytes(), expected), "and nothing has changed"
