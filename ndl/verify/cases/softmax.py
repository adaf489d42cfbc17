"""Cases of ``ndl.nn.softmax``."""

from ndl.verify.case import Draw, Program, case


@case("nn.softmax.softmax")
def softmax(d: Draw) -> Program:
    shape = d.shape(0, 4)
    dim = d.dim(len(shape))
    return Program(lambda T, x: T.nn.functional.softmax(x, dim=dim), d.normal(*shape))


@case("nn.softmax.log_softmax")
def log_softmax(d: Draw) -> Program:
    shape = d.shape(0, 4)
    dim = d.dim(len(shape))
    return Program(lambda T, x: T.nn.functional.log_softmax(x, dim=dim), d.normal(*shape))


@case("nn.softmax.softmax.large")
def large(d: Draw) -> Program:
    """Logits whose exponentials overflow, and ties: the largest value must be taken off first, row by row."""
    x = 1000.0 * d.ties(d.size(), d.size(2))

    def run(T, x):  # type: ignore[no-untyped-def]
        return T.nn.functional.softmax(x, dim=1), T.nn.functional.log_softmax(x, dim=1)

    return Program(run, x, numeric=False)


@case("nn.softmax.softmax.masked")
def masked(d: Draw) -> Program:
    """−∞ where attention masks: weight and gradient are 0 there, and nan where a whole row is masked."""
    x, hidden = d.normal(3, 4), d.mask(3, 4)

    def run(T, x, hidden):  # type: ignore[no-untyped-def]
        return T.nn.functional.softmax(x.masked_fill(hidden, float("-inf")), dim=-1)

    return Program(run, x, hidden, numeric=False)


@case("nn.softmax.softmax.integers")
def integers(d: Draw) -> Program:
    x = d.integers(-3, 3, d.size(), d.size())
    return Program(lambda T, x: T.nn.functional.softmax(x, dim=-1, dtype=T.float64), x)


@case("nn.softmax.Softmax")
def softmax_module(d: Draw) -> Program:
    return Program(lambda T, m, x: m(x), d.normal(*d.shape(2, 3)), module=lambda T: T.nn.Softmax(dim=1))


@case("nn.softmax.LogSoftmax")
def log_softmax_module(d: Draw) -> Program:
    return Program(lambda T, m, x: m(x), d.normal(*d.shape(2, 3)), module=lambda T: T.nn.LogSoftmax(dim=-1))


@case("nn.softmax.softmin")
def softmin(d: Draw) -> Program:
    shape = d.shape(0, 4)
    dim = d.dim(len(shape))
    return Program(lambda T, x: T.nn.functional.softmin(x, dim=dim), d.normal(*shape))


@case("nn.softmax.Softmin")
def softmin_module(d: Draw) -> Program:
    return Program(lambda T, m, x: m(x), d.normal(*d.shape(2, 3)), module=lambda T: T.nn.Softmin(dim=1))


@case("nn.softmax.Softmax2d")
def softmax_2d(d: Draw) -> Program:
    return Program(lambda T, m, x: m(x), d.normal(*d.shape(3, 4)), module=lambda T: T.nn.Softmax2d())


@case("nn.softmax.gumbel_softmax")
def gumbel_softmax(d: Draw) -> Program:
    """The straight-through form has the soft one's gradient, which differences of its one-hot values do not show."""
    shape = d.shape(1, 3)
    dim, tau, hard = d.dim(len(shape)), d.choice([1, 0.5]), d.boolean()
    return Program(
        lambda T, x: T.nn.functional.gumbel_softmax(x, tau, hard, dim=dim),
        d.normal(*shape),
        seed=True,
        numeric=not hard,
    )
