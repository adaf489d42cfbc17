"""The protocol for ``ndl.ops.conversion``, and what stays the same object."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import ndl
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.conversion", 10)
LIBRARIES = pytest.mark.parametrize("T", [ndl, torch], ids=["ndl", "torch"])


@LIBRARIES
def test_nothing_to_do_is_the_same_tensor(T: Any) -> None:
    x = T.zeros(2, 3)
    for same in (x.to(T.float32), x.float(), x.contiguous(), x.cpu(), x.to("cpu"), x.to(T.device("cpu"))):
        assert same is x
    assert x.to(T.float32, copy=True) is not x
    assert not x.T.is_contiguous() and x.T.contiguous().is_contiguous()


@LIBRARIES
def test_errors_and_names(T: Any) -> None:
    x = T.zeros(2, 3)
    with pytest.raises(RuntimeError, match="rank 4"):
        x.contiguous(memory_format=T.channels_last)
    with pytest.raises((RuntimeError, AssertionError)):
        x.to("cuda")
    with pytest.raises((TypeError, AttributeError, RuntimeError)):
        x.to("no such thing")
    assert x.type().split(".")[-1] == "FloatTensor" and x.type(T.int64).dtype == T.int64
    assert str(T.promote_types(T.int64, T.float32)).split(".")[-1] == "float32"
    assert str(T.result_type(T.zeros(2, dtype=T.int32), 1.5)).split(".")[-1] == "float32"
    assert T.can_cast(T.float64, T.float32) and not T.can_cast(T.float32, T.int64)
    assert T.finfo(T.float32).eps == 2.0**-23 and T.iinfo(T.int16).max == 32767
