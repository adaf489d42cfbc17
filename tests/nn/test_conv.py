"""The protocol for ``ndl.nn.conv``, and what it cannot say: integers, and options of the wrong length."""

from typing import Any

import numpy as np
import pytest

from tests.both import refused, same
from tests.proof import proof

test_parity, test_numeric, test_second = proof("nn.conv")

OPTIONS: list[dict[str, Any]] = [
    {},
    {"stride": 2, "padding": 1},
    {"dilation": 2, "padding": 2},
    {"padding": "same"},
    {"groups": 2},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_integers(n: int, options: dict[str, Any]) -> None:
    draw = np.random.default_rng(n).integers
    large = 2**40 + draw(-9, 9, (2, 4, *(6,) * n))  # products that float64 would round
    W, b = draw(-9999, 9999, (4, 4 // options.get("groups", 1), *(3,) * n)), draw(-9, 9, 4)
    same(lambda T, x, W, b: getattr(T.nn.functional, f"conv{n}d")(x, W, b, **options), large, W, b)


def test_small_integers_wrap_round() -> None:
    x, W = np.arange(-32, 32).reshape(1, 1, 8, 8), np.arange(9).reshape(1, 1, 3, 3)
    for dtype in ("uint8", "int8", "int16", "int32"):
        same(lambda T, x, W: T.nn.functional.conv2d(x, W), x.astype(dtype), W.astype(dtype))


def test_truth_values_are_refused() -> None:
    x = np.ones((1, 1, 3, 3), bool)
    refused(lambda T, x: T.nn.functional.conv2d(x, x), x, error=NotImplementedError)


@pytest.mark.parametrize("name", ["Conv2d", "Conv3d", "ConvTranspose2d", "ConvTranspose3d"])
def test_one_number_in_a_tuple_counts_for_all_dimensions_but_not_for_a_kernel(name: str) -> None:
    n = int(name[-2])
    x = np.ones((1, 1, *(5,) * n))
    message = refused(lambda T, x: getattr(T.nn, name)(1, 1, (3,), dtype=T.float64)(x), x)
    assert f"kernel_size must be one number or {n}" in message
    for option, value in (("stride", 2), ("padding", 1), ("dilation", 2)):

        def program(T: Any, x: Any, count: int, option: str = option, value: int = value) -> Any:
            T.manual_seed(0)
            return getattr(T.nn, name)(1, 1, 2, dtype=T.float64, **{option: (value,) * count})(x)

        same(lambda T, x: program(T, x, 1), x)
        refused(lambda T, x: program(T, x, n + 1), x)
