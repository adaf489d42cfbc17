"""Types, promotion, limits, devices and sizes, against PyTorch's."""

import copy
import pickle

import numpy as np
import pytest
import torch

import ndl
from ndl.autograd.dtypes import as_dtype, as_numpy_dtype, result_numpy_dtype
from tests.both import agree, outcome

NAMES = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
ALIASES = ["double", "float", "half", "long", "int", "short", "bool"]


def name(dtype):
    return str(dtype).split(".")[-1]


@pytest.mark.parametrize("a", NAMES)
def test_promotion_of_types(a):
    for b in NAMES:
        for T in (ndl, torch):
            assert name(T.promote_types(getattr(T, a), getattr(T, b))) == name(
                torch.promote_types(getattr(torch, a), getattr(torch, b))
            )
            assert T.can_cast(getattr(T, a), getattr(T, b)) == torch.can_cast(getattr(torch, a), getattr(torch, b))


@pytest.mark.parametrize("a", NAMES)
@pytest.mark.parametrize("shapes", [((2,), (2,)), ((), (2,)), ((2,), ()), ((), ())])
def test_results_of_tensors(a, shapes):
    for b in NAMES:
        ours, theirs = (
            (T.ones(shapes[0], dtype=getattr(T, a)) * T.ones(shapes[1], dtype=getattr(T, b))).dtype
            for T in (ndl, torch)
        )
        assert name(ours) == name(theirs), f"{a} {shapes[0]} times {b} {shapes[1]}"


@pytest.mark.parametrize("a", NAMES)
@pytest.mark.parametrize("shape", [(2,), ()])
@pytest.mark.parametrize("number", [True, 3, 2.5])
def test_results_with_numbers(a, shape, number):
    ours, theirs = ((T.ones(shape, dtype=getattr(T, a)) * number).dtype for T in (ndl, torch))
    assert name(ours) == name(theirs)


def test_three_operands():
    arrays = [np.ones(2, np.int64), np.ones((), np.float64), np.ones(2, np.float16)]
    assert result_numpy_dtype(*arrays) == np.float16
    assert result_numpy_dtype(arrays[0], arrays[1]) == np.float64
    assert result_numpy_dtype(arrays[0], 2.5) == np.float32
    with pytest.raises(TypeError, match="at least one operand"):
        result_numpy_dtype()
    with pytest.raises(TypeError, match="expected a Tensor"):
        result_numpy_dtype("x")


def test_aliases_are_the_same_types():
    def program(T):
        return [name(getattr(T, alias)) for alias in ALIASES]

    agree(program)


@pytest.mark.parametrize("dtype", NAMES)
def test_properties(dtype):
    def program(T):
        d = getattr(T, dtype)
        return (
            d.is_floating_point,
            d.is_complex,
            d.is_signed,
            d.itemsize,
            repr(d).split(".")[-1],
            d == d,
            hash(d) == hash(d),
        )

    agree(program)


def test_types_of_numpy_and_python_are_understood():
    assert as_dtype(np.float32) is as_dtype("float32") is as_dtype(np.dtype("f4")) is ndl.float32
    assert as_dtype(float) is ndl.float64 and as_dtype(int) is ndl.int64 and as_dtype(bool) is ndl.bool
    assert np.dtype(ndl.float32) == np.float32 and np.zeros(2, ndl.int16).dtype == np.int16
    assert ndl.float32 == np.float32 and ndl.float32 != np.float64 and ndl.float32 != 3 and ndl.float32 != None  # noqa: E711
    with pytest.raises(TypeError, match=r"choose one of float64, float32"):
        as_numpy_dtype("M8[s]")
    with pytest.raises(TypeError, match="not a type"):
        as_numpy_dtype([1])


def test_types_survive_copies():
    for d in (ndl.float32, ndl.bool):
        assert pickle.loads(pickle.dumps(d)) is d and copy.deepcopy(d) is d


def test_the_default_type():
    def program(T):
        seen = [name(T.get_default_dtype()), name(T.tensor(1.5).dtype), name((T.ones(2, dtype=T.int64) / 2).dtype)]
        T.set_default_dtype(T.float64)
        try:
            seen += [name(T.get_default_dtype()), name(T.tensor(1.5).dtype), name(T.zeros(2).dtype)]
            seen.append(name((T.ones(2, dtype=T.int64) / 2).dtype))
        finally:
            T.set_default_dtype(T.float32)
        return [*seen, outcome(lambda: T.set_default_dtype(T.int64))]

    agree(program)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_finfo(dtype):
    def program(T):
        i = T.finfo(getattr(T, dtype))
        return i.bits, i.eps, i.max, i.min, i.tiny, i.smallest_normal, i.resolution, i.dtype, repr(i)

    agree(program)
    assert ndl.finfo().dtype == "float32"


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8"])
def test_iinfo(dtype):
    def program(T):
        i = T.iinfo(getattr(T, dtype))
        return i.bits, i.max, i.min, i.dtype, repr(i)

    agree(program)


def test_limits_of_the_wrong_kind_are_refused():
    agree(lambda T: [outcome(lambda: T.finfo(T.int64)), outcome(lambda: T.iinfo(T.float32))])


class TestDevice:
    def test_the_cpu(self):
        def program(T):
            d = [T.device("cpu"), T.device("cpu", 0), T.device("cpu:0"), T.device(T.device("cpu")), T.ones(2).device]
            return [(repr(i), str(i), i.type, i.index) for i in d], d[0] == d[3], d[0] == d[1], len(set(d))

        agree(program)

    def test_others_are_refused(self):
        for bad in ("cuda", "tpu", "cuda:0"):
            with pytest.raises(RuntimeError, match=r"ndl computes on the CPU"):
                ndl.device(bad)
        assert ndl.device("cpu") != "cpu"

    def test_as_a_context(self):
        for T in (ndl, torch):
            with T.device("cpu"):
                assert T.ones(2).device == T.device("cpu")


class TestSize:
    def test_it_is_a_tuple(self):
        def program(T):
            s = T.ones(2, 3, 4).shape
            return [
                s == (2, 3, 4),
                s == (2, 3, 4),
                s.numel(),
                T.Size([]).numel(),
                repr(s)[-16:],
                type(s[1:]) is T.Size,
                type(s + (1,)) is T.Size,
                s[0],
                hash(s) == hash((2, 3, 4)),
                list(s),
                T.Size([2]) + T.Size([3]) == (2, 3),
                s[1:].numel(),
                T.Size((5, 6)) == T.Size([5, 6]),
                isinstance(s, tuple),
            ]

        agree(program)
