"""Cases of ``ndl.ops.joining``."""

import numpy as np

from ndl.verify.case import Draw, Program, case


@case("ops.joining.cat")
def cat(d: Draw) -> Program:
    shape = list(d.shape(1))
    dim = d.dim(len(shape))
    xs = []
    for _ in range(d.size(1, 4)):
        shape[dim] = d.size(0, 4)
        xs.append(d.normal(*shape))
    if d.boolean():
        xs.append(np.zeros(0))  # an empty vector is left out, whatever the others' shape
    name = d.choice(["cat", "concat", "concatenate"])
    return Program(lambda T, *xs: getattr(T, name)(xs, dim), *xs)


@case("ops.joining.cat.types")
def cat_types(d: Draw) -> Program:
    kinds = ["int64", "int32", "uint8", "bool", "float32", "float64"]
    a, b = d.choice(kinds), d.choice(kinds)
    x, y = d.integers(0, 3, 2, 2), d.integers(0, 3, 1, 2)
    return Program(
        lambda T, x, y: (T.cat([x.to(getattr(T, a)), y.to(getattr(T, b))]) + 0, T.stack([x.to(getattr(T, b)), x])),
        x,
        y,
        numeric=False,
    )


@case("ops.joining.cat.same")
def cat_twice(d: Draw) -> Program:
    """One tensor in several places: its gradients add up."""
    return Program(lambda T, x, y: T.cat([x, y * x, x], -1) ** 2, *(d.normal(2, 3) for _ in range(2)))


@case("ops.joining.stack")
def stack(d: Draw) -> Program:
    shape = d.shape(low=0, max_dims=3)
    dim = d.dim(len(shape) + 1)
    return Program(lambda T, *xs: T.stack(xs, dim), *[d.normal(*shape) for _ in range(d.size(1, 3))])


@case("ops.joining.stacks")
def stacks(d: Draw) -> Program:
    name = d.choice(["hstack", "vstack", "row_stack", "dstack", "column_stack"])
    shape = d.shape(0, 3)
    xs = [d.normal(*shape) for _ in range(d.size(1, 3))]
    return Program(lambda T, *xs: getattr(T, name)(xs), *xs)


@case("ops.joining.block_diag")
def block_diag(d: Draw) -> Program:
    return Program(lambda T, *xs: T.block_diag(*xs), *[d.normal(*d.shape(0, 2)) for _ in range(d.size(1, 3))])
