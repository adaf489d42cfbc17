"""Cases of ``ndl.ops.indexing``: brackets of every kind, read and written."""

from typing import Any

import numpy as np

from ndl.verify.case import Draw, Program, case

SHAPE = (3, 2, 4)
ANY = slice(None)


def basic(d: Draw, shape: tuple[int, ...]) -> tuple:
    """Numbers, slices, None and an Ellipsis for some of the dimensions, all of size 2 at least."""
    items: list[Any] = []
    for _ in shape[: d.integer(0, len(shape))]:
        if d.integer(0, 3) == 0:
            items.append(None)
        kind = d.integer(0, 2)
        if kind == 0:
            items.append(d.integer(-2, 1))
        elif kind == 1:
            items.append(slice(d.choice([None, 0, 1, -2]), d.choice([None, 2, -1, 9]), d.choice([None, 1, 2])))
        else:
            items.append(ANY)
    if d.boolean():
        items.insert(d.integer(0, len(items)), ...)
    return tuple(items) if len(items) != 1 or d.boolean() else items[0]


def advanced(d: Draw) -> tuple[list, list[np.ndarray]]:
    """An index of a tensor of ``SHAPE``, with numbers where the arrays that go with it stand."""
    i, j = d.integers(-2, 1, 3), d.integers(-2, 1, 2, 1)
    m1, m2, flat = d.mask(3), d.mask(3, 2), d.mask(2)
    forms: list[tuple[list, list]] = [
        (["0"], [i]),
        (["0"], [j]),
        ([ANY, "0"], [i]),
        ([..., "0"], [j]),
        (["0", "1"], [i, j]),
        (["0", ANY, "1"], [i, j]),
        ([1, ANY, "0"], [i]),
        (["0", 1, "1"], [i, j]),
        ([None, "0", slice(1, 2)], [i]),
        ([slice(0, 2), "0", "1"], [i, i]),
        (["0", None, "1"], [i, i]),
        ([1, "0"], [j]),
        (["0"], [m1]),
        (["0"], [m2]),
        ([ANY, "0"], [flat]),
        (["0", 1], [m1]),
        (["0", slice(0, 2)], [m2]),
        ([2, "0", ANY], [flat]),
        ([[0, 2]], []),
        ([ANY, [1, 0, 1]], []),
        ([[0, 2], ANY, [1, 0]], []),
        ([[True, False, True]], []),
        ([True, ANY, [1, 0]], []),
        ([..., False], []),
        ([range(2), -1], []),
        ([np.array([1, 0]), 0], []),
        ([[], ANY], []),
    ]
    return d.choice(forms)


def filled(items: list, arrays: tuple) -> tuple:
    return tuple(arrays[int(i)] if isinstance(i, str) else i for i in items)


@case("ops.indexing.basic")
def get_basic(d: Draw) -> Program:
    shape = d.shape(low=2)
    index = basic(d, shape)
    return Program(lambda T, x: x[index], d.normal(*shape))


@case("ops.indexing.numbers")
def get_by_tensor_numbers(d: Draw) -> Program:
    """A tensor without dimensions is a number, also as the end of a slice."""
    i, j = d.integers(-2, 1), d.integers(0, 3)
    return Program(lambda T, x, i, j: (x[i], x[:, i, j], x[i:, ..., :j], x[np.int64(1)]), d.normal(*SHAPE), i, j)


@case("ops.indexing.advanced")
def get_advanced(d: Draw) -> Program:
    items, arrays = advanced(d)
    small = d.boolean()  # int32 indices

    def run(T: Any, x: Any, *arrays: Any) -> Any:
        if small:
            arrays = tuple(a.int() if a.dtype == T.int64 else a for a in arrays)
        index = filled(items, arrays)
        return x[index if len(index) > 1 else index[0]]

    return Program(run, d.normal(*SHAPE), *arrays)


@case("ops.indexing.rows")
def get_rows(d: Draw) -> Program:
    """An embedding: rows of a table, often the same ones."""
    v, n = d.size(1, 40), d.size(0, 60)
    return Program(lambda T, x, i: x[i], d.normal(v, d.size(1, 12)), d.integers(0, v - 1, n))


@case("ops.indexing.mask")
def get_mask(d: Draw) -> Program:
    shape = d.shape(1, low=0)
    return Program(lambda T, x, m: x[m] * 2, d.normal(*shape), d.mask(*shape))


@case("ops.indexing.set")
def set_basic(d: Draw) -> Program:
    shape = d.shape(low=2)
    index = basic(d, shape)
    part = np.zeros(shape)[index].shape
    value_shape = part[d.integer(0, len(part)) :]
    value = d.normal(*[1 if d.integer(0, 3) == 0 else n for n in value_shape])
    if d.boolean():
        value = value[None]  # leading sizes of 1 do not count
    number = d.boolean()

    def run(T: Any, x: Any, v: Any) -> Any:
        y = x * 1
        y[index] = 2.5 if number else v
        return y * x

    return Program(run, d.normal(*shape), value)


@case("ops.indexing.set.advanced")
def set_advanced(d: Draw) -> Program:
    """Every place at most once: where one is named twice PyTorch's gradient is wrong, and ours is not."""
    items, arrays = advanced(d)
    arrays = [np.arange(a.size).reshape(a.shape) % 2 if a.dtype != bool and a.size < 3 else a for a in arrays]
    arrays = [a if a.dtype == bool or a.size < 3 else np.array([1]) for a in arrays]
    items = [ANY if type(i) is list and i == [1, 0, 1] else i for i in items]
    part = np.zeros(SHAPE)[filled(items, tuple(arrays))] if not _mixed(items) else None
    value = d.normal() if part is None or d.boolean() else d.normal(*part.shape)

    def run(T: Any, x: Any, v: Any, *arrays: Any) -> Any:
        y = x * 1
        index = filled(items, arrays)
        y[index if len(index) > 1 else index[0]] = v
        return y * x

    return Program(run, d.normal(*SHAPE), value, *arrays)


def _mixed(items: list) -> bool:
    """Whether NumPy would give the result another shape than PyTorch does."""
    return any(type(i) is int for i in items)


@case("ops.indexing.set.twice")
def set_twice(d: Draw) -> Program:
    """A place that is named twice keeps what was written last, so only that has a gradient: PyTorch gives both one."""
    i, j = d.integers(0, 1, 4), d.integers(0, 2, 4)
    i[3], j[3] = i[0], j[0]
    rows = d.integers(0, 1, 2, 3)
    places = (
        ((i,), (4, 3, 4)),
        ((slice(None), j), (2, 4, 4)),
        ((i, j), (4, 4)),
        ((i, slice(None), j), (4, 3)),  # indexed dimensions that are no neighbours go in front
        ((rows, slice(1, 3)), (2, 3, 2, 4)),
    )

    def run(T: Any, x: Any, *values: Any) -> Any:
        results = []
        for (keys, _), v in zip(places, values, strict=True):
            y = x * 1
            y[tuple(k if isinstance(k, slice) else T.from_numpy(k) for k in keys)] = v
            results.append(y * x)
        return tuple(results)

    return Program(run, d.normal(2, 3, 4), *(d.normal(*shape) for _, shape in places), parity=False)


@case("ops.indexing.set.mask")
def set_mask(d: Draw) -> Program:
    shape = d.shape(1)
    m = d.mask(*shape)
    value = d.choice([d.normal(), d.normal(int(m.sum()))])
    number = d.boolean()

    def run(T: Any, x: Any, m: Any, v: Any) -> Any:
        y = x * 1
        y[m] = -1 if number else v
        return y * x

    return Program(run, d.normal(*shape), m, value)


@case("ops.indexing.set.loop")
def set_in_loop(d: Draw) -> Program:
    """A sequence written step by step, each step reading the one before."""
    n = d.size(1, 5)
    kept = d.boolean()

    def run(T: Any, x: Any, w: Any) -> Any:
        out = x * 1 if kept else T.zeros(n, 2, 3, dtype=x.dtype)
        h = w
        for t in range(n):
            h = (h * x[t, :, :2]).tanh()
            out[t, :, :2] = h
            out[t, 1, 2] += h.sum()
        return out

    return Program(run, d.normal(n, 2, 3), d.normal(2, 2))


@case("ops.indexing.set.part")
def set_part_of_part(d: Draw) -> Program:
    """Writing into a view of a view."""

    def run(T: Any, x: Any, v: Any) -> Any:
        y = x * 1
        y[1][0][2:] = v
        y[:, 1].T[1] += v[0]
        y[[0, 2], 0] *= v[1]
        return y * x

    return Program(run, d.normal(*SHAPE), d.normal(2))


@case("ops.indexing.set.type")
def set_types(d: Draw) -> Program:
    """Values take the tensor's type."""
    name = d.choice(["int64", "int32", "uint8", "bool", "float32"])
    value = d.choice([1.5, 2, True, 0])

    def run(T: Any, x: Any, v: Any) -> Any:
        y, z = x.to(getattr(T, name)), x.to(getattr(T, name))
        y[0] = v
        z[:, [1]] = value
        z[z > 2] = 1
        return y * 1, z * 1

    return Program(run, d.integers(0, 5, 3, 2), d.uniform(2, low=1, high=5), numeric=False, constant=(1,))


@case("ops.indexing.index_put")
def index_put(d: Draw) -> Program:
    arrays = d.choice(
        [
            [d.integers(-2, 1, 4), d.integers(-2, 1, 4)],
            [d.integers(0, 2, 2, 2)],
            [d.mask(3)],
            [d.mask(3), d.integers(0, 1)],
        ]
    )
    part = np.zeros(SHAPE)[tuple(arrays)]
    value = d.choice([d.normal(), d.normal(*part.shape)])
    in_place = d.boolean()

    def run(T: Any, x: Any, v: Any, *arrays: Any) -> Any:
        if in_place:
            return (x * 1).index_put_(arrays, v, accumulate=True)
        return T.index_put(x, arrays, v, True)

    return Program(run, d.normal(*SHAPE), value, *arrays)
