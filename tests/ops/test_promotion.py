"""The type of every result, over all pairs of types and all kinds of operands, is PyTorch's."""

import itertools

import numpy as np
import pytest
import torch

import ndl
from ndl.ops.promotion import promote

TYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
NUMBERS = [True, 2, 2.5]
FUNCTIONS = ["add", "sub", "mul", "div", "floor_divide", "remainder", "fmod", "pow", "maximum", "fmin", "atan2"]
FUNCTIONS += ["hypot", "logaddexp", "xlogy", "eq", "lt", "bitwise_and", "bitwise_left_shift", "logical_or"]


def operand(T, type_or_number, dims):
    """A tensor of ones with or without dimensions, or the number as it is."""
    if type_or_number not in TYPES:
        return type_or_number
    return T.from_numpy(np.ones((2,) * dims, type_or_number))


def outcome(f):
    """The type of the result, or the error."""
    try:
        return str(f().dtype).rpartition(".")[2]
    except (TypeError, RuntimeError) as error:
        return "NotImplementedError" if isinstance(error, NotImplementedError) else type(error).__name__


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dims", [(1, 1), (1, 0), (0, 1), (0, 0)])
def test_two_tensors(name, dims):
    for types in itertools.product(TYPES, TYPES):
        found = []
        for T in (ndl, torch):
            x, y = (operand(T, t, n) for t, n in zip(types, dims))
            found.append(outcome(lambda: getattr(T, name)(x, y)))  # noqa: B023
        assert found[0] == found[1], f"{name} of {types}: ndl {found[0]}, PyTorch {found[1]}"


OPERATORS = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "//": lambda x, y: x // y,
    "%": lambda x, y: x % y,
    "**": lambda x, y: x**y,
    "<": lambda x, y: x < y,
    "==": lambda x, y: x == y,
    "&": lambda x, y: x & y,
    "<<": lambda x, y: x << y,
}


@pytest.mark.parametrize("sign", OPERATORS)
@pytest.mark.parametrize("dims", [0, 1])
def test_a_tensor_and_a_number(sign, dims):
    for t, number in itertools.product(TYPES, NUMBERS):
        if (sign, t, number) == ("**", "bool", True):
            continue  # PyTorch defines it for numbers, not for tensors
        for swapped in (False, True):
            found = []
            for T in (ndl, torch):
                x = operand(T, t, dims)
                a, b = (number, x) if swapped else (x, number)
                found.append(outcome(lambda: OPERATORS[sign](a, b)))  # noqa: B023
            assert found[0] == found[1], f"{(t, number)[:: -1 if swapped else 1]}: ndl {found[0]}, PyTorch {found[1]}"


UNARY = ["neg", "abs", "sign", "square", "reciprocal", "exp", "sqrt", "sin", "tanh", "floor", "round", "trunc", "frac"]
UNARY += ["isnan", "bitwise_not", "logical_not", "nan_to_num", "deg2rad", "sinc", "positive"]


@pytest.mark.parametrize("name", UNARY)
def test_one_tensor(name):
    for t in TYPES:
        ours, theirs = (outcome(lambda: getattr(T, name)(operand(T, t, 1))) for T in (ndl, torch))  # noqa: B023
        assert ours == theirs, f"{name} of {t}: ndl {ours}, PyTorch {theirs}"


def test_three_tensors():
    for types in itertools.product(["int32", "int64", "float32", "float64"], repeat=3):
        for name in ("addcmul", "addcdiv", "lerp", "clamp"):
            ours, theirs = (
                outcome(lambda: getattr(T, name)(*(operand(T, t, 1) for t in types)))  # noqa: B023
                for T in (ndl, torch)
            )
            assert ours == theirs, f"{name} of {types}: ndl {ours}, PyTorch {theirs}"


def test_the_default_type_is_what_integers_become():
    n = ndl.tensor([1, 2])
    ndl.set_default_dtype(ndl.float64)
    try:
        assert (n / 2).dtype == ndl.exp(n).dtype == (n * 0.5).dtype == ndl.float64
    finally:
        ndl.set_default_dtype(ndl.float32)
    assert (n / 2).dtype == ndl.exp(n).dtype == (n * 0.5).dtype == ndl.float32


@pytest.mark.parametrize("number", [300, -1, 2**40])
def test_integers_too_large_for_their_type_wrap_around(number):
    ours, theirs = ((T.tensor([1, 200], dtype=T.uint8) + number).tolist() for T in (ndl, torch))
    assert ours == theirs


def test_arrays_come_back_as_arrays_of_their_own_type():
    x = np.float32([1, 2])
    assert type(ndl.add(x, 2.5)) is np.ndarray and ndl.add(x, 2.5).dtype == np.float32
    assert ndl.exp(np.arange(3)).dtype == np.float32


def test_numpys_scalars_keep_their_digits():
    # In a backward pass on arrays, an array without dimensions becomes a scalar of NumPy: it must stay float64.
    third = np.float64(1) / 3
    assert promote(third, 2.0)[0].dtype == np.float64
    assert ndl.mul(third, 3.0) == 1 and ndl.exp(third) == np.exp(third)
    assert ndl.mul(ndl.tensor([1.0]), third).dtype == ndl.float32, "beside a tensor it is a number"
