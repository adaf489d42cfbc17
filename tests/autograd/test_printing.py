"""Tensors print as PyTorch's do: the same text with ``ndl.`` for ``torch.``."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import ndl
from ndl.autograd.printing import get_printoptions, printoptions, set_printoptions
from tests.both import leaves


@pytest.fixture(autouse=True)
def default_options():
    yield
    set_printoptions(profile="default")
    torch.set_printoptions(profile="default")


def as_printed(text):
    """``ndl.float64`` is shorter than ``torch.float64``: near the margin only one may need a new line."""
    return re.sub(r",\s+(dtype|size|grad_fn|requires_grad)=", r", \1=", text.replace("torch.", "ndl."))


def prints_the_same(array, **options):
    torch.set_printoptions(**{"profile": "default", **options})
    set_printoptions(**{"profile": "default", **options})
    ours, theirs = repr(ndl.from_numpy(array)), repr(torch.from_numpy(array))
    assert as_printed(ours) == as_printed(theirs)


OPTIONS = [
    {},
    {"precision": 2},
    {"precision": 0},
    {"sci_mode": True},
    {"sci_mode": False},
    {"edgeitems": 1, "threshold": 5},
    {"edgeitems": 0, "threshold": 5},
    {"edgeitems": 2, "threshold": 0, "linewidth": 30},
    {"profile": "short"},
    {"profile": "full"},
    {"profile": "short", "precision": 6},
]
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, 1e-5, 1e9, 2.5, -3.25, 12345.678, 1e20, 1000.0]
TYPES = [
    "float64",
    "float32",
    "float16",
    "int64",
    "int32",
    "int8",
    "uint8",
    "bool",
    "complex64",
    "complex128",
]


@given(st.data())
def test_any_tensor_under_any_options(data):
    shape = data.draw(st.lists(st.integers(0, 9), max_size=4) | st.tuples(st.sampled_from([30, 1001, 1100])))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    kind = data.draw(st.sampled_from(["normal", "whole", "special", "scaled", "zero"]))
    values = {
        "normal": lambda: rng.standard_normal(shape),
        "whole": lambda: rng.integers(-100, 100, shape).astype(float),
        "special": lambda: rng.choice(SPECIAL, shape),
        "scaled": lambda: rng.standard_normal(shape) * 10.0 ** int(rng.integers(-8, 9)),
        "zero": lambda: np.zeros(shape),
    }[kind]()
    dtype = np.dtype(data.draw(st.sampled_from(TYPES)))
    with np.errstate(all="ignore"):
        if dtype.kind in "iub":
            values = np.clip(np.nan_to_num(values), -99, 99)
        values = np.asarray(values).astype(dtype)
        if dtype.kind == "c":
            values = values + 1j * rng.choice(SPECIAL, shape)
    prints_the_same(np.asarray(values, dtype), **data.draw(st.sampled_from(OPTIONS)))


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0],
        3,
        [[1.0, 2.5]],
        [True, False],
        [1e-5, 1.0],
        [1e9],
        [999.0, 1.0],
        [0.5, 1000.0],
        [1.5, float("nan")],
        [1.0, float("inf")],
        [],
        [[]],
    ],
)
def test_familiar_tensors(values):
    for T in (ndl, torch):
        assert as_printed(repr(T.tensor(values))) == as_printed(repr(torch.tensor(values)))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_empty_tensors_tell_their_size_and_type(shape, dtype):
    prints_the_same(np.zeros(shape, dtype))


def test_the_text_itself():
    assert repr(ndl.tensor([1.0, 2.0])) == "tensor([1., 2.])"
    assert repr(ndl.tensor(3)) == "tensor(3)"
    assert repr(ndl.tensor([1.0], dtype=ndl.float64)) == "tensor([1.], dtype=ndl.float64)"
    x = ndl.tensor([[1.0, 2.5]], requires_grad=True)
    assert repr(x) == str(x) == "tensor([[1.0000, 2.5000]], requires_grad=True)"
    assert repr(x * 2) == "tensor([[2., 5.]], grad_fn=<MulBackward0>)"


@pytest.mark.parametrize(
    "program",
    [
        lambda T, x: x,
        lambda T, x: x.detach(),
        lambda T, x: x + 1,
        lambda T, x: x.exp(),
        lambda T, x: x / 2,
        lambda T, x: x.sum(),
        lambda T, x: (x * 3).reshape(-1),
    ],
)
def test_what_made_it(program):
    values = np.array([[0.5, 1.0, 1.5], [2.0, -1.0, 0.25]])
    ours, theirs = (repr(program(T, *leaves(T, (values,)))) for T in (ndl, torch))
    assert as_printed(ours) == as_printed(theirs)


def test_a_view_that_lost_its_history_prints_all_the_same():
    def program(T, x):
        y = x * 2
        with T.no_grad():
            v = y[0]
        y.mul_(3)
        return v

    ours, theirs = (repr(program(T, *leaves(T, (np.ones((2, 3)),)))) for T in (ndl, torch))
    assert as_printed(ours) == as_printed(theirs)
    assert "grad_fn=<Invalid>" in ours


def test_the_default_type_is_not_named():
    ndl.set_default_dtype(ndl.float64)
    try:
        assert repr(ndl.tensor([1.0])) == "tensor([1.])"
        assert repr(ndl.tensor([1.0], dtype=ndl.float32)) == "tensor([1.], dtype=ndl.float32)"
    finally:
        ndl.set_default_dtype(ndl.float32)


def test_format():
    for T in (ndl, torch):
        assert f"{T.tensor(2.5):.3f}" == "2.500"
        assert f"{T.tensor([1.0, 2.0])}" == "tensor([1., 2.])"
        assert f"{T.tensor(7):03d}" == "007"
    for T in (ndl, torch):
        with pytest.raises(TypeError):
            f"{T.tensor([1.0, 2.0]):.3f}"


def test_options_are_set_for_a_block():
    before = get_printoptions()
    with printoptions(precision=1):
        assert repr(ndl.tensor([0.25])) == "tensor([0.2])"
    assert get_printoptions() == before == torch._tensor_str.get_printoptions()
    with pytest.raises(ValueError, match="short, full"):
        set_printoptions(profile="tiny")
