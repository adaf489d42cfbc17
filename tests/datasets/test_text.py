"""Characters as numbers and windows as examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndl.datasets import CharacterText

TEXT = "to be, or not to be: that is the question.\n" * 3


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=20, max_size=80))
def test_decode_undoes_encode_for_any_text(content: str) -> None:
    dataset = CharacterText(content, block_size=1)
    assert dataset.vocabulary == "".join(sorted(set(content)))
    assert dataset.vocab_size == len(set(content))
    assert dataset.decode(dataset.encode(content)) == content
    assert dataset.encode(content).tolist() == [sorted(set(content)).index(c) for c in content]


def test_the_splits_are_the_text_and_share_its_vocabulary() -> None:
    content = TEXT + "Z"
    train, val = CharacterText(content, "train", 4), CharacterText(content, "val", 4)
    assert train.text + val.text == content
    assert len(train.text) == int(0.9 * len(content))
    assert "Z" not in train.text
    assert train.vocabulary == val.vocabulary
    assert "Z" in train.vocabulary


def test_y_is_what_follows_x() -> None:
    dataset = CharacterText(TEXT, block_size=5)
    assert len(dataset) == len(dataset.text) - 5
    for index in (0, 17, len(dataset) - 1, -1):
        x, y = dataset[index]
        assert x.shape == y.shape == (5,)
        assert x.dtype == y.dtype == np.int64
        start = index % len(dataset)
        assert dataset.decode(x) == dataset.text[start : start + 5]
        assert dataset.decode(y) == dataset.text[start + 1 : start + 6]
    assert sum(1 for _ in dataset) == len(dataset)
    for index in (len(dataset), -len(dataset) - 1):
        with pytest.raises(IndexError):
            dataset[index]


def test_an_item_is_a_copy() -> None:
    dataset = CharacterText(TEXT, block_size=5)
    dataset[0][0][:] = 0
    assert dataset.decode(dataset.data) == dataset.text


def test_arrays_are_all_items_and_take_no_memory() -> None:
    dataset = CharacterText(TEXT, block_size=5)
    x, y = dataset.arrays()
    assert x.shape == y.shape == (len(dataset), 5)
    for index in (0, 3, len(dataset) - 1):
        np.testing.assert_array_equal(x[index], dataset[index][0])
        np.testing.assert_array_equal(y[index], dataset[index][1])
    assert np.shares_memory(x, dataset.data)
    assert not x.flags.writeable
    assert x[[1, 2]].flags.writeable


def test_an_unknown_character_is_named_with_its_place() -> None:
    dataset = CharacterText(TEXT, block_size=5)
    for stranger in ("\x00", "X", "€"):  # before, among and after the characters known
        with pytest.raises(ValueError, match="at position 3 is not among the 17 of the vocabulary") as error:
            dataset.encode("to " + stranger)
        assert repr(stranger) in str(error.value)


def test_an_unknown_number_is_named_with_its_place() -> None:
    dataset = CharacterText(TEXT, block_size=5)
    for number in (-1, dataset.vocab_size):
        with pytest.raises(IndexError, match=f"number {number} at position 1; wanted 0 to 16"):
            dataset.decode([0, number])
    with pytest.raises(TypeError):
        dataset.decode([0.5])


def test_bad_settings_are_named() -> None:
    with pytest.raises(ValueError, match="split is 'test'; wanted 'train' or 'val'"):
        CharacterText(TEXT, "test")
    with pytest.raises(ValueError, match="block_size is 0; wanted 1 or more"):
        CharacterText(TEXT, block_size=0)
    with pytest.raises(ValueError, match=r"the val split has 13 characters.*need 257"):
        CharacterText(TEXT, "val")
    with pytest.raises(ValueError, match="has 0 characters"):
        CharacterText("")
