"""The protocol for ``ndl.nn.conv_transpose``, and what it cannot say: integers, and sizes that are refused."""

from typing import Any

import numpy as np
import pytest

from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.conv_transpose")


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1, "output_padding": 1}, {"groups": 2}], ids=str)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_integers(n: int, options: dict[str, Any]) -> None:
    draw = np.random.default_rng(n).integers
    x, W, b = 2**40 + draw(-9, 9, (2, 4, *(3,) * n)), draw(-9999, 9999, (4, 2, *(3,) * n)), draw(-9, 9, 2)
    b = np.tile(b, options.get("groups", 1))
    same(lambda T, x, W, b: getattr(T.nn.functional, f"conv_transpose{n}d")(x, W, b, **options), x, W, b)


@pytest.mark.parametrize("dtype", ["int32", "bool"])
def test_other_integers_are_refused(dtype: str) -> None:
    x = np.ones((1, 1, 3, 3), dtype)
    refused(lambda T, x: T.nn.functional.conv_transpose2d(x, x), x, error=NotImplementedError)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("shape", [(2, 1), (1,)], ids=["batch", "sample"])
def test_output_size_has_as_many_numbers_as_the_input_or_its_space(n: int, shape: tuple[int, ...]) -> None:
    x = np.ones((*shape, *(4,) * n))

    def program(T: Any, x: Any, count: int) -> Any:
        T.manual_seed(0)
        return getattr(T.nn, f"ConvTranspose{n}d")(1, 1, 3, stride=2, dtype=T.float64)(x, output_size=[10] * count)

    for count in range(7):
        if count in (n, x.ndim):
            same(lambda T, x, count=count: program(T, x, count), x)
        else:
            message = refused(lambda T, x, count=count: program(T, x, count), x, error=ValueError)
            assert f"output_size must have {n} or {x.ndim} elements (got {count})" in message
