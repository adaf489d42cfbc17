"""The protocol for ``ndl.ops.products``, and what is said of shapes that do not fit."""

import numpy as np
import pytest
import torch

import ndl
from tests.both import refused
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.products")


@pytest.mark.parametrize("name", ["matmul", "mm"])
def test_shapes_that_do_not_fit_are_named_in_pytorchs_words(name: str) -> None:
    messages = []
    for T in (torch, ndl):
        with pytest.raises(RuntimeError) as raised:
            getattr(T, name)(T.ones(2, 3), T.ones(4, 5))
        messages.append(str(raised.value))
    assert messages[0] == messages[1] == "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"


def test_the_operation_is_named_where_it_has_other_operands() -> None:
    message = refused(lambda T, x, y: T.dot(x, y), np.ones(3), np.ones(4))
    assert message == "dot: input and tensor shapes cannot be multiplied (3 and 4)"
