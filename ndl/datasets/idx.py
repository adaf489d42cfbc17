"""The IDX format, in which MNIST is published: a magic number, the lengths of the dimensions, the numbers.

Byte 0 and 1 are zero, byte 2 names the type of the numbers, byte 3 how many dimensions there are. One
big-endian 32-bit length follows for each dimension, then the numbers, last dimension fastest, big-endian.
Source: the description on Yann LeCun's MNIST page.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import DamagedDataError
from .gzipped import read_unpacked

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Path) -> NDArray[Any]:
    """The array in an IDX file, gzipped or not, writable and in the machine's byte order.

    Raises:
        DamagedDataError: not an IDX file, or fewer or more bytes than its header announces.
    """
    content = read_unpacked(path)
    zeros, code, ndim = struct.unpack(">HBB", content[:4]) if len(content) >= 4 else (1, 0, 0)
    if zeros != 0 or code not in TYPES:
        raise DamagedDataError(
            f"{path}: not an IDX file: it starts with {content[:4].hex() or 'nothing'}; "
            "wanted 0000, a type code and the number of dimensions."
        )
    start = 4 + 4 * ndim
    if len(content) < start:
        raise DamagedDataError(f"{path}: {len(content)} bytes; the header of {ndim} dimensions alone has {start}.")
    shape = struct.unpack(f">{ndim}I", content[4:start])
    dtype = np.dtype(TYPES[code])
    wanted = math.prod(shape) * dtype.itemsize
    found = len(content) - start
    if found != wanted:
        lengths = "x".join(map(str, shape)) or "one number"
        raise DamagedDataError(
            f"{path}: the header says {lengths}, which is {wanted:,} bytes, but {found:,} follow the header."
        )
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))
