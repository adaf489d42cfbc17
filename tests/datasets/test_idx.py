"""The IDX reader against files written from the format's description, whole and broken."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndl.datasets import DamagedDataError
from ndl.datasets.idx import read_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array: np.ndarray) -> bytes:
    header = struct.pack(">BBBB", 0, 0, CODES[array.dtype.str[1:]], array.ndim)
    lengths = b"".join(struct.pack(">I", length) for length in array.shape)
    return header + lengths + array.astype(array.dtype.newbyteorder(">")).tobytes()


@given(
    code=st.sampled_from(sorted(CODES)),
    shape=st.lists(st.integers(0, 4), min_size=1, max_size=4),
    packed=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_every_type_and_shape_comes_back(
    code: str, shape: list[int], packed: bool, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    array = (np.random.default_rng(seed).standard_normal(shape) * 50).astype(code)
    content = idx_bytes(array)
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(content) if packed else content)
    back = read_idx(path)
    assert back.dtype == np.dtype(code)
    assert back.dtype.isnative
    assert back.flags.writeable
    np.testing.assert_array_equal(back, array)


def test_numbers_are_big_endian(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes([0, 0, 0x0B, 1, 0, 0, 0, 2, 0x01, 0x02, 0xFF, 0xFE]))
    assert read_idx(path).tolist() == [258, -2]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not an IDX file: it starts with nothing"),
        (b"PK\x03\x04zip", "not an IDX file: it starts with 504b0304"),
        (bytes([0, 0, 0x07, 1, 0, 0, 0, 0]), "not an IDX file: it starts with 00000701"),
        (bytes([0, 0, 0x08, 3, 0, 0, 0, 1]), "8 bytes; the header of 3 dimensions alone has 16"),
        (idx_bytes(np.zeros((3, 4), "u1"))[:-5], "the header says 3x4, which is 12 bytes, but 7 follow"),
        (idx_bytes(np.zeros((3, 4), "u1")) + b"x", "the header says 3x4, which is 12 bytes, but 13 follow"),
        (struct.pack(">BBBBII", 0, 0, 8, 2, 2**32 - 1, 2**32 - 1), "but 0 follow"),
    ],
)
def test_broken_files_say_what_was_found_and_wanted(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "some-file"
    path.write_bytes(content)
    with pytest.raises(DamagedDataError) as error:
        read_idx(path)
    assert str(path) in str(error.value)
    assert complaint in str(error.value)


@pytest.mark.parametrize("keep", [5, 12, 60, -1])
def test_truncated_gzip_is_named(keep: int, tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    noise = np.random.default_rng(0).integers(0, 255, (40, 10)).astype("u1")
    path.write_bytes(gzip.compress(idx_bytes(noise))[:keep])
    with pytest.raises(DamagedDataError, match=r"file\.gz: the gzip stream is cut short or corrupt"):
        read_idx(path)


def test_corrupt_gzip_is_named(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(idx_bytes(np.arange(100, dtype="i4"))))
    content[len(content) // 2] ^= 0xFF
    path = tmp_path / "file.gz"
    path.write_bytes(content)
    with pytest.raises(DamagedDataError, match="cut short or corrupt"):
        read_idx(path)
