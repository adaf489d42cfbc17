"""Cases of ``ndl.ops.shape``."""

from typing import Any

from ndl.verify.case import Draw, Program, case


def factored(d: Draw) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes of equally many elements."""
    a, b, c = d.size(0, 3), d.size(1, 3), d.size(1, 3)
    shapes = [(a, b, c), (a * b, c), (a, b * c), (a * b * c,), (c, 1, a, b), (b, a, 1, c)]
    return d.choice(shapes), d.choice(shapes)


@case("ops.shape.reshape")
def reshape(d: Draw) -> Program:
    have, want = factored(d)
    if 0 not in want and d.boolean():  # -1 is ambiguous beside a size of 0
        at = d.integer(0, len(want) - 1)
        want = (*want[:at], -1, *want[at + 1 :])
    form = d.choice(["function", "method", "sizes", "as"])

    def run(T: Any, x: Any) -> Any:
        if form == "as" and -1 not in want:
            return x.reshape_as(T.zeros(want))
        return {"function": lambda: T.reshape(x, want), "sizes": lambda: x.reshape(*want)}.get(
            form, lambda: x.reshape(want)
        )()

    return Program(run, d.normal(*have))


@case("ops.shape.view")
def view(d: Draw) -> Program:
    have, want = factored(d)
    named = d.boolean()

    def run(T: Any, x: Any) -> Any:
        y = x * 1 if x.is_contiguous() else x.contiguous()
        return y.contiguous().view_as(T.zeros(want)) if named else y.contiguous().view(want)

    return Program(run, d.normal(*have))


@case("ops.shape.view.type")
def view_as_type(d: Draw) -> Program:
    name = d.choice(["int64", "int32", "float32", "float64"])
    return Program(
        lambda T, x: x.contiguous().view(getattr(T, name)).sum(0) * 1, d.integers(-9, 9, 3, 2 * d.size()), numeric=False
    )


@case("ops.shape.flatten")
def flatten(d: Draw) -> Program:
    shape = d.shape(low=0)
    start = d.integer(0, max(len(shape) - 1, 0))
    end = d.integer(start, max(len(shape) - 1, 0))
    form = d.integer(0, 2)

    def run(T: Any, x: Any) -> Any:
        if form == 0:
            return T.ravel(x)
        return x.flatten() if form == 1 else T.flatten(x, start_dim=start, end_dim=end)

    return Program(run, d.normal(*shape))


@case("ops.shape.unflatten")
def unflatten(d: Draw) -> Program:
    shape = d.shape(1, 3)
    dim = d.dim(len(shape))
    a, b = d.size(1, 3), d.size(1, 3)
    shape = tuple(a * b if i == dim % len(shape) else n for i, n in enumerate(shape))
    sizes = d.choice([(a, b), (-1, b), (a, -1), (b, 1, a)])
    return Program(lambda T, x: x.unflatten(dim, sizes), d.normal(*shape))


@case("ops.shape.squeeze")
def squeeze(d: Draw) -> Program:
    shape = tuple(d.choice([1, 1, 3]) for _ in range(d.integer(0, 4)))
    dim = d.dim(len(shape))
    several = tuple(i for i in range(len(shape)) if d.boolean())
    form = d.integer(0, 3)

    def run(T: Any, x: Any) -> Any:
        if form == 0:
            return x.squeeze()
        if form == 1:
            return T.squeeze(x, several)
        return T.squeeze(x, dim) if form == 2 else (x * 1).squeeze_(dim) * x.sum()

    return Program(run, d.normal(*shape))


@case("ops.shape.unsqueeze")
def unsqueeze(d: Draw) -> Program:
    shape = d.shape(low=0, max_dims=3)
    dim = d.dim(len(shape) + 1)
    in_place = d.boolean()
    return Program(lambda T, x: (x * 1).unsqueeze_(dim) if in_place else T.unsqueeze(x, dim), d.normal(*shape))


@case("ops.shape.atleast")
def at_least(d: Draw) -> Program:
    n = d.integer(1, 3)
    x, y = d.normal(*d.shape()), d.normal(*d.shape())
    form = d.integer(0, 2)

    def run(T: Any, x: Any, y: Any) -> Any:
        f = getattr(T, f"atleast_{n}d")
        return (f(x), f(y)) if form == 0 else f(x, y) if form == 1 else f([x, y])

    return Program(run, x, y)


@case("ops.shape.expand")
def expand(d: Draw) -> Program:
    shape = tuple(d.choice([1, 3]) for _ in range(d.integer(0, 3)))
    lead = d.shape(max_dims=2, low=0)
    sizes = lead + tuple(d.choice([-1, n]) if n != 1 else d.size(0, 4) for n in shape)
    full = lead + tuple(m if n == 1 else n for n, m in zip(shape, sizes[len(lead) :], strict=True))
    form = d.integer(0, 3)

    def run(T: Any, x: Any) -> Any:
        if form == 0:
            return x.expand_as(T.zeros(full)) * 2
        if form == 1:
            return T.broadcast_to(x, full) + 1
        return (x.expand(sizes) if form == 2 else x.expand(*sizes) if sizes else x.expand(())) * 3

    return Program(run, d.normal(*shape))


@case("ops.shape.broadcast_tensors")
def broadcast_tensors(d: Draw) -> Program:
    return Program(lambda T, x, y, z: T.broadcast_tensors(x, y, z), *d.broadcastable(3))


@case("ops.shape.written")
def written_through(d: Draw) -> Program:
    """Writing to a view changes its base, and the gradient follows."""
    x, v = d.normal(3, 1, 4), d.normal(4, 3)
    form = d.integer(0, 3)

    def run(T: Any, x: Any, v: Any) -> Any:
        y = (x * 2).contiguous()
        if form == 0:
            y.view(4, 3).mul_(v)
        elif form == 1:
            y.squeeze(1).mul_(v.reshape(3, 4))
        elif form == 2:
            y.flatten()[2:5].mul_(v[0])
        else:
            y.unsqueeze(0).transpose(1, 3)[0].copy_(v.unsqueeze(1))
        return y * y, y.view(-1)[3]

    return Program(run, x, v)
