"""Tiny Shakespeare: the published text or nothing."""

import gzip
from pathlib import Path

import pytest

from ndl.datasets import DamagedDataError, Shakespeare


def test_the_real_thing(shakespeare_source: Path) -> None:
    train, val = Shakespeare(shakespeare_source.parent), Shakespeare(shakespeare_source.parent, "val")
    assert train.vocab_size == 65
    assert train.vocabulary == "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    # nanoGPT prints these when it prepares the text.
    assert (len(train.data), len(val.data)) == (1_003_854, 111_540)
    assert repr(val) == "Shakespeare(val: 111,540 characters, 65 different)"
    assert train.text.startswith("First Citizen:\nBefore we proceed any further, hear me speak.")
    assert train.decode(train[0][0]) == train.text[:256]
    assert train.encode("hii there").tolist() == [46, 47, 47, 1, 58, 46, 43, 56, 43]


@pytest.mark.parametrize("place", ["shakespeare/input.txt", "tinyshakespeare/input.txt", "input.txt.gz"])
def test_found_in_every_layout(place: str, shakespeare_source: Path, tmp_path: Path) -> None:
    content = shakespeare_source.read_bytes()
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(content, 1) if place.endswith(".gz") else content)
    assert len(Shakespeare(tmp_path, "val", block_size=8).text) == 111_540


def test_another_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text("First Citizen:\n")
    with pytest.raises(DamagedDataError) as error:
        Shakespeare(tmp_path)
    assert str(tmp_path / "input.txt") in str(error.value)
    assert "15 bytes; input.txt has 1,115,394" in str(error.value)
    assert "prepare_data.py --only shakespeare" in str(error.value)


def test_one_changed_letter_is_noticed(shakespeare_source: Path, tmp_path: Path) -> None:
    content = shakespeare_source.read_bytes()
    (tmp_path / "input.txt").write_bytes(content[:-2] + b"x\n")
    with pytest.raises(DamagedDataError, match=r"SHA-256 is .*; that of input.txt is 86c4e6aa"):
        Shakespeare(tmp_path)
